"""`Proposer`: which network next? Optuna's samplers, on studies in memory.

The storage keeps what has been finished; the samplers learn here, where a question costs no commit. Samplers that
learn have a small study that chooses the family, and for every family a study of its own axes: flat spaces. In one
study of conditional axes Optuna's NSGA-II and Gaussian processes would draw the axes at random, and TPE learns more
slowly (`benchmarks.search_quality` compares the samplers as they are here).

Part of the later proposals are neighbours of frontier members (`space.neighbourhood`), where the run asks for it.
"""

from __future__ import annotations

import hashlib
import math
import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from results.pareto import frontier
from search.settings import SAMPLERS
from search.suggest import distributions, parameters, suggest
from space.design import Proposal, Target, Value, axes, propose
from space.neighbourhood import neighbours

# Optuna's own lines would break the progress bar; its warnings stay.
optuna.logging.set_verbosity(optuna.logging.WARNING)

STATES = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}
REPEATS = 20  # networks that are known already are proposed at most so often in a row
REFINE_AFTER = 16  # finished networks before neighbours of the best are tried
LATENCY = "latency"  # name of the constraint


@dataclass(frozen=True)
class Outcome:
    """What came out for one network, as samplers see it."""

    config_id: str
    family: str
    values: dict[str, Value] | None  # of its axes; None if the space cannot express the network
    state: str  # complete, stopped or failed
    objectives: tuple[float, ...] | None = None  # top-1, and in frontier mode the cost; of complete ones
    violation: float | None = None  # of a measured limit: above 0 it is broken
    sampled: bool = True  # proposed by this run's sampler: not a landmark, not from another run


@dataclass(frozen=True)
class Ask:
    """A network to evaluate."""

    key: int
    family: str
    values: dict[str, Value]
    proposal: Proposal
    origin: str  # name of the sampler, "neighbour" or "suggestion"


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
            sampler: one of `SAMPLERS`.
            seed: with the number of known sampled networks it decides all that is random.
            refine: from 0 to 1, the part of the later proposals that are neighbours of frontier members.
            known: what is finished.
            suggestions: families and axis values to propose before anything else.
        """
        if sampler not in SAMPLERS:
            raise ValueError(f"sampler {sampler!r}: expected one of {', '.join(SAMPLERS)}")
        if not 0 <= refine <= 1:
            raise ValueError(f"refine {refine:g}: expected a part of the proposals, from 0 to 1")
        known = list(known)
        done = sum(outcome.sampled for outcome in known)
        self.families, self.target, self.sampler, self.refine = families, target, sampler, refine
        self._suggestions = list(suggestions)
        self._rng = random.Random(f"{seed}/{done}")
        self._asked = 0
        self._open: dict[int, tuple[Ask, _Handle]] = {}
        self._outcomes: dict[str, Outcome] = {}  # by configuration
        directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE][: 2 if target.mode == "frontier" else 1]

        def seeded(part: str) -> int:
            return int.from_bytes(hashlib.sha256(f"{seed}/{done}/{part}".encode()).digest()[:4], "big")

        self._space: _Space
        if sampler == "qmc":
            self._space = _Grid(families, target, seed, done)
        elif sampler == "random":
            self._space = _Joint(families, target, RandomSampler(seed=seeded("")), directions)
        else:
            self._space = _Split(families, target, lambda part: _make(sampler, seeded(part)), directions, seeded(""))
        for outcome in known:
            self._learn(outcome)
            if outcome.values is not None and outcome.family in families:
                self._space.add(outcome)

    def ask(self) -> Ask:
        """The next network. Networks that are known or being evaluated are told to the sampler again and passed over.

        After `REPEATS` of those in a row one is proposed all the same: `outcome` and `asked` tell.
        """
        for attempt in range(REPEATS):
            given, origin = self._given()
            handle, family, values = self._space.ask(given)
            proposal = propose(family, values, self.target)
            self._asked += 1
            ask = Ask(self._asked, family, values, proposal, origin)
            again = self.outcome(proposal.config.id)
            running = any(other.proposal.config.id == proposal.config.id for other, _ in self._open.values())
            if attempt + 1 == REPEATS or not (again or running):
                self._open[ask.key] = (ask, handle)
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
        values = None if objectives is None else tuple(objectives)
        outcome = Outcome(ask.proposal.config.id, ask.family, ask.values, state, values, violation)
        self._space.tell(handle, outcome)
        self._learn(outcome)

    def learn(self, outcome: Outcome) -> None:
        """A network that was not asked for, such as a landmark."""
        self._learn(outcome)
        if outcome.values is not None and outcome.family in self.families:
            self._space.add(outcome)

    def outcome(self, config_id: str) -> Outcome | None:
        """What came out of a network, if it is finished."""
        return self._outcomes.get(config_id)

    def _learn(self, outcome: Outcome) -> None:
        self._outcomes.setdefault(outcome.config_id, outcome)

    def _parents(self) -> list[Outcome]:
        """The best so far, for neighbours; none as long as little is known."""
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


# ------------------------------------------------------------------------------------------------- the spaces

_Handle = tuple[optuna.Trial, ...]


class _Space(Protocol):
    def ask(self, given: tuple[str, dict[str, Value]] | None) -> tuple[_Handle, str, dict[str, Value]]: ...
    def tell(self, handle: _Handle, outcome: Outcome) -> None: ...
    def add(self, outcome: Outcome) -> None: ...


class _Joint:
    """One study for some families; the axes depend on the family."""

    def __init__(
        self, families: tuple[str, ...], target: Target, sampler: BaseSampler, directions: list[StudyDirection]
    ) -> None:
        self.families, self.target = families, target
        self.study = optuna.create_study(directions=directions, sampler=sampler)

    def ask(self, given: tuple[str, dict[str, Value]] | None) -> tuple[_Handle, str, dict[str, Value]]:
        if given:
            self.study.enqueue_trial(parameters(*given))
        trial = self.study.ask()
        family, values = suggest(trial, self.families, self.target)
        return (trial,), family, values

    def tell(self, handle: _Handle, outcome: Outcome) -> None:
        (trial,) = handle
        _tell(self.study, trial, outcome)

    def add(self, outcome: Outcome) -> None:
        assert outcome.values is not None
        self.study.add_trial(
            create_trial(
                state=STATES[outcome.state],
                values=outcome.objectives if outcome.state == "complete" else None,
                params=parameters(outcome.family, outcome.values),
                distributions=distributions(self.families, outcome.family, self.target),
                constraints=None if outcome.violation is None else {LATENCY: outcome.violation},
            )
        )


class _Split:
    """A study that chooses the family (by TPE), and one for each family's axes: flat spaces."""

    def __init__(
        self,
        families: tuple[str, ...],
        target: Target,
        make: Callable[[str], BaseSampler],
        directions: list[StudyDirection],
        seed: int,
    ) -> None:
        self.families = families
        self.choice = optuna.create_study(directions=directions, sampler=TPESampler(seed=seed, constant_liar=True))
        self.parts = {family: _Joint((family,), target, make(family), directions) for family in families}

    def ask(self, given: tuple[str, dict[str, Value]] | None) -> tuple[_Handle, str, dict[str, Value]]:
        if given:
            self.choice.enqueue_trial({"family": given[0]})
        choice = self.choice.ask()
        family = str(choice.suggest_categorical("family", list(self.families)))
        handle, _, values = self.parts[family].ask(given)
        return (choice, *handle), family, values

    def tell(self, handle: _Handle, outcome: Outcome) -> None:
        choice, trial = handle
        _tell(self.choice, choice, outcome)
        self.parts[outcome.family].tell((trial,), outcome)

    def add(self, outcome: Outcome) -> None:
        self.choice.add_trial(
            create_trial(
                state=STATES[outcome.state],
                values=outcome.objectives if outcome.state == "complete" else None,
                params={"family": outcome.family},
                distributions={"family": optuna.distributions.CategoricalDistribution(list(self.families))},
                constraints=None if outcome.violation is None else {LATENCY: outcome.violation},
            )
        )
        self.parts[outcome.family].add(outcome)


class _Grid:
    """A low-discrepancy sequence (scrambled Sobol) for each family, the families in turn; nothing is learned."""

    def __init__(self, families: tuple[str, ...], target: Target, seed: int, begin: int) -> None:
        from scipy.stats import qmc

        self.families, self.target, self.index = families, target, begin
        self.points = {
            family: qmc.Sobol(len(axes(family, target)), scramble=True, rng=seed + place)
            for place, family in enumerate(families)
        }
        for place, family in enumerate(families):
            if drawn := len(range(place, begin, len(families))):
                self.points[family].fast_forward(drawn)

    def ask(self, given: tuple[str, dict[str, Value]] | None) -> tuple[_Handle, str, dict[str, Value]]:
        if given:
            return (), *given
        family = self.families[self.index % len(self.families)]
        self.index += 1
        (point,) = self.points[family].random(1)
        own = axes(family, self.target)
        return (), family, {axis.name: axis.at(float(u)) for axis, u in zip(own, point, strict=True)}

    def tell(self, handle: _Handle, outcome: Outcome) -> None:
        """Nothing to learn."""

    def add(self, outcome: Outcome) -> None:
        """Nothing to learn."""


def _tell(study: optuna.Study, trial: optuna.Trial, outcome: Outcome) -> None:
    if outcome.violation is not None:
        trial.set_constraint(LATENCY, outcome.violation)
    if outcome.state == "complete":
        study.tell(trial, outcome.objectives)
    else:
        study.tell(trial, state=STATES[outcome.state])


def _good(trials: int) -> int:
    """How many trials TPE takes for good ones: Optuna's own rule for one objective, for two objectives as well.

    Without the limit, which counts from 250 trials on, choosing them is what a run of 2,000 networks waits for.
    """
    return min(math.ceil(0.1 * trials), 25)


def _make(sampler: str, seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", FutureWarning)  # gamma goes away in Optuna 6
        match sampler:
            case "tpe":
                return TPESampler(gamma=_good, constant_liar=True, seed=seed)
            case "nsga2":
                return NSGAIISampler(population_size=10, seed=seed)
            case _:
                return GPSampler(seed=seed)
