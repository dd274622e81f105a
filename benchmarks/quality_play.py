"""One search of `benchmarks.search_quality`, played against the surrogate: ours, the rival's, or through the table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.rival import Rival, counting_range
from benchmarks.surrogate import Surrogate, Training
from benchmarks.survey_table import SURVEYED, Survey
from search.propose.proposer import Proposer
from search.rungs import promising, rung_table
from space import Config, cost
from space.solving.axes import Target

MOST = 4  # an arm ends after so many times the evaluations, however cheap they were


@dataclass(frozen=True)
class Arm:
    """A way to search."""

    name: str
    sampler: str
    refine: float = 0.0
    stopping: bool = False
    rival: bool = False  # plain Optuna
    table: bool = False  # networks of the survey in random order


@dataclass
class Run:
    """What one search did, one entry an evaluation."""

    top1: list[float] = field(default_factory=list)  # NaN if it does not count
    expected: list[float] = field(default_factory=list)  # top-1 without seed variance, of the same networks
    macs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of training
    stopped: int = 0
    missed: int = 0  # off the budget
    draws: int = 0
    asking: float = 0.0  # seconds that the sampler took

    def add(self, training: Training, counts: bool, macs: int, seconds: float) -> None:
        """One evaluation more."""
        self.top1.append(training.top1 if counts else math.nan)
        self.expected.append(training.expected if counts else math.nan)
        self.macs.append(macs)
        self.seconds.append(seconds)


@dataclass(frozen=True)
class Game:
    """What all searches of one mode share."""

    survey: Survey
    truth: Surrogate
    target: Target
    evaluations: int
    rungs: tuple[int, ...]
    widths: dict[str, tuple[int, int]]

    @property
    def seconds(self) -> float:
        """Of training: what `evaluations` networks of the survey take."""
        return self.evaluations * float(self.survey.seconds[self.own].mean())

    @property
    def own(self) -> NDArray[np.int_]:
        """The survey's networks of this mode."""
        return np.flatnonzero(np.array(self.survey.modes) == self.target.mode)

    def over(self, run: Run) -> bool:
        """Whether a search has gone on for long enough."""
        enough = len(run.top1) >= self.evaluations and sum(run.seconds) >= self.seconds
        return enough or max(run.draws, len(run.top1)) >= MOST * self.evaluations


def play(arm: Arm, game: Game, seed: int) -> dict[str, Run]:
    """At least `game.evaluations` networks and `game.seconds` of training, so that either can be compared."""
    if arm.rival:
        return play_rival(arm, game, seed)
    return {arm.name: (play_table if arm.table else play_proposer)(arm, game, seed)}


def play_proposer(arm: Arm, game: Game, seed: int) -> Run:
    """The product's own search."""
    proposer = Proposer(SURVEYED, game.target, sampler=arm.sampler, seed=seed, refine=arm.refine)
    keys: list[int] = []

    def networks() -> Iterator[tuple[Config, Training]]:
        while True:
            ask = proposer.ask()
            keys.append(ask.key)
            yield ask.proposal.config, game.truth(ask.proposal.config)

    def tell(state: str, top1: float, macs: int) -> None:
        values = (top1, float(macs))[: 2 if game.target.mode == "frontier" else 1]
        proposer.tell(keys.pop(), state, values if state == "complete" else None)

    return train_all(networks(), tell, game, arm.stopping)


def play_table(arm: Arm, game: Game, seed: int) -> Run:
    """Half the survey's networks of this mode, in random order, with what was measured."""
    survey = game.survey
    own = game.own
    order = np.random.default_rng(seed).permutation(own)

    def networks() -> Iterator[tuple[Config, Training]]:
        for index in order:
            curve = tuple(float(top1) for top1 in survey.curves[index])
            yield survey.configs[index], Training(survey.epochs, curve, float(survey.seconds[index]), curve[-1])

    return train_all(networks(), lambda *_: None, replace(game, evaluations=len(own) // 2), arm.stopping)


def train_all(
    networks: Iterator[tuple[Config, Training]],
    tell: Callable[[str, float, int], None],
    game: Game,
    stopping: bool,
) -> Run:
    """Train networks one after the other; each is judged, if it is, against those before it."""
    run, known = Run(), rung_table(game.rungs, [])
    while not game.over(run):
        began = time.perf_counter()
        following = next(networks, None)
        if following is None:
            break
        config, training = following
        macs = cost(config, game.target.input_size, game.target.classes).macs
        end = training.epochs[-1]
        if stopping:
            pairs = zip(training.epochs, training.curve, strict=True)
            end = next((epoch for epoch, top1 in pairs if not promising(known, epoch, macs, top1)), end)
            known = known.add(
                macs,
                [
                    {"epoch": epoch, "train_loss": 0.0, "top1": top1}
                    for epoch, top1 in zip(training.epochs, training.curve, strict=True)
                    if epoch <= end
                ],
            )
        whole = end == training.epochs[-1]
        tell("complete" if whole else "stopped", training.top1, macs)
        run.asking += time.perf_counter() - began
        kept = counts(macs, game.target)
        run.add(training, whole and kept, macs, training.seconds_to(end))
        run.draws, run.missed, run.stopped = run.draws + 1, run.missed + (not kept), run.stopped + (not whole)
    return run


def play_rival(arm: Arm, game: Game, seed: int) -> dict[str, Run]:
    """Plain Optuna. What it learns of a miss is by how much it missed, so both ways to count share one search."""
    rival = Rival(game.target, arm.sampler, seed, game.widths)
    documented, free = Run(), Run()
    while not (game.over(documented) and game.over(free)):
        began = time.perf_counter()
        trial, config, macs = rival.ask()
        training = game.truth(config)
        rival.tell(trial, macs, training.top1)
        asking = time.perf_counter() - began
        kept = counts(macs, game.target)
        for run in (documented, free):
            if game.over(run):
                continue
            run.draws, run.missed, run.asking = run.draws + 1, run.missed + (not kept), run.asking + asking
            if kept or run is documented:
                run.add(training, kept, macs, training.seconds)
    return {f"{arm.name}, documented": documented, f"{arm.name}, free misses": free}


def counts(macs: int, target: Target) -> bool:
    """Whether the cost is in the range that is searched."""
    least, most = counting_range(target)
    return least <= macs <= most
