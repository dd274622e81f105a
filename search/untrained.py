"""A run that trains nothing: networks are proposed, counted and recorded in batches, some hundred a second.

A network is scored by what it is expected to reach by its counts alone. A batch is one transaction: what kills the run
loses a second of work. Samplers learn between batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from search.propose.proposer import Proposer
from search.records import Ask, Evaluation, Network
from search.run.log import RunLog
from search.run.study import Search

BATCH = 250  # networks; the first batches of a run are smaller, so that neighbours of the best are soon worth something


class Untrained:
    """One start of a run without training."""

    def __init__(self, search: Search, proposer: Proposer, log: RunLog) -> None:
        """Begin where the run was left.

        Args:
            search: where the networks are recorded; it goes by expected errors.
            proposer: what to sample.
            log: what happened.
        """
        self.search, self.proposer, self.log = search, proposer, log

    def run(self, total: int) -> Iterator[int]:
        """Score the landmarks that are missing, then sampled networks up to `total`; yield how many after each batch.

        Raises:
            ValueError: if the storage fails (a full disk, a lost connection): what was recorded before is kept.
        """
        search = self.search
        if names := search.landmarks_left():
            marks = [(name, search.settings.landmark(name)) for name in names]
            networks = [search.network("landmark", name, config, landmark=name) for name, config in marks]
            yield self._record([(network, None) for network in networks])
        while left := search.samples_left(total):
            done = total - left
            asks = [self.proposer.ask() for _ in range(min(left, BATCH, max(BATCH // 10, done)))]
            yield self._record([(self._network(ask), ask) for ask in asks])

    def _network(self, ask: Ask) -> Network:
        proposal = ask.proposal
        return self.search.network(
            "sample", "", proposal.config, ask.values, target_macs=proposal.target_macs, origin=ask.origin
        )

    def _record(self, batch: list[tuple[Network, Ask | None]]) -> int:
        search, started = self.search, datetime.now()
        assert search.expectations is not None  # the settings go by expected errors
        expected = search.expectations.of([network.config for network, _ in batch])
        found = []
        first: dict[str, int] = {}  # of the batch, by their configurations
        for place, ((network, _), each) in enumerate(zip(batch, expected, strict=True)):
            own = network.config.id
            known = search.measured(network.config.id)
            number = first.get(own) if known is None else known.user_attrs.get("duplicate_of", known.number)
            first.setdefault(own, len(search.trials) + place)
            found.append((network, Evaluation(expected=each), number))
        trials = search.add_together(found, started)
        for (_, ask), trial in zip(batch, trials, strict=True):
            if ask is not None:
                self.proposer.tell(ask.key, "complete", search.values(trial))
            elif outcome := search.outcome(trial):
                self.proposer.learn(outcome)
        self.log.batch(len(trials))
        return len(batch)
