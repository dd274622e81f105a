"""The run: proposes, sends out, takes back, records. What is lost with its worker is tried again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial

from search.propose.listed import SETTING, Listed
from search.propose.proposer import Proposer
from search.records import Ask, Evaluation, Event, Job, Lost, Network
from search.run.log import RunLog
from search.run.study import Search
from search.run.trials import identity
from search.rungs import rung_table
from search.workers.executor import Executor
from space import config_from_json

RETRIES = 2  # of a network whose worker was lost
HOPELESS = 5  # errors of the program in a row that end the run


@dataclass
class _Pending:
    """A network that has been sent out."""

    network: Network
    ask: Ask | None  # None for what was not proposed
    started: datetime
    original: FrozenTrial | None = None  # of a repeat
    attempts: int = 1
    equal: list[_Pending] = field(default_factory=list)  # the same configuration, asked for meanwhile


class Loop:
    """One start of a run."""

    def __init__(
        self, search: Search, proposer: Proposer | Listed, executor: Executor, log: RunLog, rungs: tuple[int, ...] = ()
    ) -> None:
        """Begin where the run was left.

        Args:
            search: where the networks are recorded.
            proposer: what to sample, or the networks of a sweep.
            executor: where networks are measured.
            log: what happened, for status and for later.
            rungs: epochs at which a network may be stopped; none: every network is trained to its end.
        """
        self.search, self.proposer, self.executor, self.log, self.rungs = search, proposer, executor, log, rungs
        self.pending: dict[int, _Pending] = {}
        self._keys = 0
        self._hopeless = 0
        self._table = rung_table(rungs, ()) if rungs else None  # of every network that was trained
        for trial in search.trials:
            if "score" in trial.user_attrs and trial.user_attrs.keys().isdisjoint(("duplicate_of", "repeat_of")):
                self._reach(trial.user_attrs["macs"], Evaluation.from_json(trial.user_attrs))
        # Networks wait for workers, so that no worker waits while the holder writes and asks; no more than that, for
        # each was proposed without what those before it gave.
        self.capacity = 1 if executor.slots == 1 else executor.slots + max(1, executor.slots // 4)

    def run(self, total: int, repeats: int = 0) -> Iterator[Event]:
        """Score the landmarks that are missing, then sampled networks up to `total`; yield after each one.

        Args:
            total: sampled networks of the whole run.
            repeats: when all are done, each member of the frontier is trained so many times more, from other seeds.

        Raises:
            ValueError: if the storage fails (a full disk, a lost connection): what was recorded before is kept.
        """
        waiting = self.search.landmarks_left()
        while True:
            while waiting and len(self.pending) < self.capacity:
                name = waiting.pop(0)
                network = self.search.network("landmark", name, self.search.settings.landmark(name), landmark=name)
                yield from self._begin(network, None)
            while not waiting and len(self.pending) < self.capacity and self._samples_open(total):
                ask = self.proposer.ask()
                proposal = ask.proposal
                label = " ".join(
                    [f"#{self._number()}", *([ask.attributes["setting"]["name"]] if ask.attributes else [])]
                )
                network = self.search.network(
                    "sample", label, proposal.config, ask.values or None,
                    target_macs=proposal.target_macs, origin=ask.origin, **ask.attributes,
                )  # fmt: skip
                yield from self._begin(network, ask)
            if not self.pending:
                break
            yield from self._take(*self.executor.next())
        while left := deque(self.search.repeats_left(repeats)):  # in match mode repeats change who the best are
            self.log.repeats(len(left))
            while left or self.pending:
                while left and len(self.pending) < self.capacity:
                    self._repeat(*left.popleft())
                yield from self._take(*self.executor.next())

    def _repeat(self, original: FrozenTrial, seed: int) -> None:
        """Send a finished network out again."""
        label = f"#{original.number}{_setting(original.user_attrs)} again, seed {seed}"
        config = config_from_json(original.user_attrs["config"])
        same = {key: original.user_attrs[key] for key in SETTING if key in original.user_attrs}
        network = self.search.network("repeat", label, config, repeat_of=original.number, seed=seed, **same)
        self._send_new(_Pending(network, None, datetime.now(), original))

    def _samples_open(self, total: int) -> bool:
        out = sum(one.network.kind == "sample" for each in self.pending.values() for one in (each, *each.equal))
        return self.search.samples_left(total) > out

    def _number(self) -> int:
        """The number that the next trial gets if nothing that is out ends before it: exact with one worker."""
        return len(self.search.trials) + sum(1 + len(each.equal) for each in self.pending.values())

    def _begin(self, network: Network, ask: Ask | None) -> Iterator[Event]:
        """Send a network out, unless the same one has been or is being measured."""
        pending = _Pending(network, ask, datetime.now())
        own = identity(network.attributes)
        if original := self.search.measured(network.config.id, own[1]):
            number = original.user_attrs.get("duplicate_of", original.number)
            yield self._record(pending, Evaluation.from_json(original.user_attrs), number)
            return
        for other in self.pending.values():
            if identity(other.network.attributes) == own:
                other.equal.append(pending)
                return
        self._send_new(pending)

    def _send_new(self, pending: _Pending) -> None:
        self._keys += 1
        self.pending[self._keys] = pending
        self._send(self._keys)

    def _send(self, key: int) -> None:
        network = self.pending[key].network
        self.log.start(key, network.kind, network.label, network.attributes)
        # A landmark is a mark on the picture: it is trained to its end, whatever its rank.
        table = self._table if network.kind == "sample" else None
        more = network.attributes
        self.executor.submit(
            Job(key, network.config, table, more.get("seed"), more.get("resolution"), more.get("input_size"))
        )

    def _reach(self, macs: int, evaluation: Evaluation) -> None:
        if self._table is not None and evaluation.score is not None:
            price = evaluation.cost(macs, self.search.settings.objective)
            self._table = self._table.add(price, evaluation.score.curve)

    def _take(self, key: int, result: Evaluation | Lost) -> Iterator[Event]:
        pending = self.pending[key]
        if isinstance(result, Lost):
            if pending.attempts <= RETRIES:
                self.log.retry(key, pending.attempts, result.reason)
                pending.attempts += 1
                self._send(key)
                return
            result = Evaluation(reason=f"lost with its worker {pending.attempts} times: {result.reason}")
        del self.pending[key]
        event = self._record(pending, result, None)
        number = len(self.search.trials) - 1
        yield event
        for equal in pending.equal:
            yield self._record(equal, result, number)
        self._hopeless = self._hopeless + 1 if result.trace else 0
        if self._hopeless == HOPELESS:
            raise ValueError(
                f"{HOPELESS} networks in a row failed by an error of the program ({result.reason}); "
                f"{self.log.path} tells where; what was finished before is kept"
            )

    def _record(self, pending: _Pending, evaluation: Evaluation, duplicate_of: int | None) -> Event:
        network, settings = pending.network, self.search.settings
        if pending.original is not None:  # what does not depend on the seed is not measured again
            first = Evaluation.from_json(pending.original.user_attrs)
            evaluation = replace(evaluation, latency=first.latency, violation=first.violation)
        trial = self.search.add(network, evaluation, duplicate_of, pending.started)
        if pending.ask is not None:
            worth = self.search.values(trial) if trial.values else None
            self.proposer.tell(pending.ask.key, evaluation.state, worth, evaluation.violation)
        elif outcome := self.search.outcome(trial):
            self.proposer.learn(outcome)
        if self.search.reconsider():  # what was learned before has other values now
            self.proposer.relearn(self.search.outcomes())
        macs = network.attributes["macs"]
        if duplicate_of is None and pending.original is None:
            self._reach(macs, evaluation)
        event = Event(
            network.kind,
            network.label,
            network.family,
            macs,
            network.attributes["params"],
            evaluation.cost(macs, settings.objective),
            settings.within(network.attributes),
            evaluation,
            duplicate_of,
            self.search.values(trial)[0] if trial.values else None,
            self.search.expected.get(network.config.id),
        )
        self.log.finish(trial.number, event, network.config.id)
        return event


def _setting(attributes: Mapping[str, Any]) -> str:
    """What a network of a sweep has set, after a space; empty for others."""
    return f" {attributes['setting']['name']}" if "setting" in attributes else ""
