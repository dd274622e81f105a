"""`Proposer`: which network next? What a sampler draws, a neighbour of the best, or a shape from an earlier run.

Nothing that is known or being trained is proposed again. Part of the later proposals are neighbours of frontier members
(`space.solving.neighbours`), where the run asks for it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from results.run.pareto import frontier
from search.propose.samplers import Handle, space_for
from search.records import Ask, Outcome
from search.run.settings import check_sampler
from space.solving.axes import Target, Value, propose
from space.solving.neighbours import neighbours

REPEATS = 20  # networks that are known already are proposed at most so often in a row
REFINE_AFTER = 16  # finished networks before neighbours of the best are tried


class Proposer:
    """Proposes networks, learns from what is told, never proposes a network twice unless the space is used up."""

    def __init__(
        self,
        families: tuple[str, ...],
        target: Target,
        *,
        sampler: str = "tpe",
        seed: int = 0,
        refine: float = 0.0,
        known: Iterable[Outcome] = (),
        suggestions: Sequence[tuple[str, dict[str, Value]]] = (),
    ) -> None:
        """Begin, or go on where `known` ends.

        Args:
            families: to propose from.
            target: what the budget is counted at.
            sampler: one of `search.run.settings.SAMPLERS`.
            seed: with the number of known sampled networks it decides all that is random.
            refine: from 0 to 1, the part of the later proposals that are neighbours of frontier members.
            known: what is finished.
            suggestions: families and axis values to propose before anything else.
        """
        check_sampler(sampler)
        if not 0 <= refine <= 1:
            raise ValueError(f"refine {refine:g}: expected a part of the proposals, from 0 to 1")
        known = list(known)
        done = sum(outcome.sampled for outcome in known)
        self.families, self.target, self.sampler, self.refine = families, target, sampler, refine
        self._suggestions = list(suggestions)
        self._rng = random.Random(f"{seed}/{done}")
        self._asked = 0
        self._open: dict[int, tuple[Ask, Handle | None]] = {}  # no handle: asked before `relearn`
        self._running: Counter[str] = Counter()  # configurations of those, by their ids
        self._best: list[Outcome] | None = None  # the parents of neighbours, until something new is known
        self._outcomes: dict[str, Outcome] = {}  # by configuration, the first one of each
        self._seed = seed
        self._space = space_for(sampler, families, target, seed, done)
        for outcome in known:
            self.learn(outcome)

    def relearn(self, known: Iterable[Outcome]) -> None:
        """Forget all values and learn these: what networks are worth has been worked out anew.

        Samplers keep what they were told, so there is a new one, as there is where a run is continued.
        """
        known = list(known)
        done = sum(outcome.sampled for outcome in known)
        self._space = space_for(self.sampler, self.families, self.target, self._seed, done)
        self._open = {key: (ask, None) for key, (ask, _) in self._open.items()}
        self._outcomes.clear()
        for outcome in known:
            self.learn(outcome)

    def ask(self) -> Ask:
        """The next network. Networks that are known or being evaluated are told to the sampler again and passed over.

        After `REPEATS` of those in a row one is proposed all the same; `outcome` tells what is known of it.
        """
        for attempt in range(REPEATS):
            given, origin = self._given()
            handle, family, values = self._space.ask(given)
            proposal = propose(family, values, self.target)
            self._asked += 1
            ask = Ask(self._asked, family, values, proposal, origin)
            again = self.outcome(proposal.config.id)
            running = self._running[proposal.config.id] > 0
            if attempt + 1 == REPEATS or not (again or running):
                self._open[ask.key] = (ask, handle)
                self._running[proposal.config.id] += 1
                return ask
            if again:
                self._space.tell(handle, again)
            else:  # nothing is known of it yet
                self._space.tell(handle, Outcome(proposal.config.id, family, values, "failed"))
        raise AssertionError("the last attempt returns")

    def _given(self) -> tuple[tuple[str, dict[str, Value]] | None, str]:
        """Family and values that do not come from the sampler, if it is their turn, and where they come from."""
        if self._suggestions:
            return self._suggestions.pop(0), "suggestion"
        if self.refine and (parents := self._parents()) and self._rng.random() < self.refine:
            parent = self._rng.choice(parents)
            assert parent.values is not None  # parents have some
            return (parent.family, neighbours(parent.family, parent.values, self.target, self._rng)), "neighbour"
        return None, self.sampler

    def tell(
        self, key: int, state: str, objectives: Sequence[float] | None = None, violation: float | None = None
    ) -> None:
        """What came out of an `ask`.

        Args:
            key: of the `Ask`.
            state: complete, stopped or failed.
            objectives: of a complete one: (top-1,) in match mode, (top-1, cost) in frontier mode.
            violation: of a measured limit; above 0 it is broken.
        """
        ask, handle = self._open.pop(key)
        self._running[ask.proposal.config.id] -= 1
        values = None if objectives is None else tuple(objectives)
        outcome = Outcome(ask.proposal.config.id, ask.family, ask.values, state, values, violation)
        if handle is None:
            self._space.add(outcome)
        else:
            self._space.tell(handle, outcome)
        self._keep(outcome)

    def learn(self, outcome: Outcome) -> None:
        """A network that was not asked for, such as a landmark."""
        self._keep(outcome)
        if outcome.values is not None and outcome.family in self.families:
            self._space.add(outcome)

    def outcome(self, config_id: str) -> Outcome | None:
        """What came out of a network, if it is finished."""
        return self._outcomes.get(config_id)

    def _keep(self, outcome: Outcome) -> None:
        self._outcomes.setdefault(outcome.config_id, outcome)
        self._best = None

    def _parents(self) -> list[Outcome]:
        """The best so far, for neighbours; none as long as little is known."""
        if self._best is None:
            self._best = self._found()
        return self._best

    def _found(self) -> list[Outcome]:
        known = [
            each
            for each in self._outcomes.values()
            if each.objectives and each.values is not None and not (each.violation or 0) > 0
            and each.family in self.families
        ]  # fmt: skip
        if len(known) < REFINE_AFTER:
            return []
        top1 = [each.objectives[0] for each in known]  # type: ignore[index]
        if self.target.mode == "frontier":
            mask = frontier(top1, [each.objectives[1] for each in known])  # type: ignore[index]
            return [each for each, member in zip(known, mask, strict=True) if member]
        order = sorted(range(len(known)), key=lambda place: -top1[place])
        return [known[place] for place in order[: max(3, len(known) // 10)]]
