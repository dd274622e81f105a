"""What a run goes by unless it is told: what ranks better for its target, recipe and images, and both figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluate.calibration.expect import target_set
from evaluate.calibration.trust import Trust, trust_of
from evaluate.fidelity.shipped import KnownFidelity
from search.run.settings import Settings

COIN = 0.5  # the part of pairs in the right order that counts for a recipe of which nothing is known


@dataclass(frozen=True)
class Choice:
    """What a run goes by, and why."""

    score: str  # one of `search.run.settings.SCORES`
    sentence: str
    trust: str | None  # how far expected errors can be trusted; None where there are none

    def told(self, settings: Settings) -> str:
        """The sentence; a run that is there goes on by what it went by."""
        if settings.score == self.score:
            return self.sentence
        return f"score {settings.score}, by which this run began; now it would be {self.sentence}"


def choose(asked: str | None, settings: Settings, known: Sequence[KnownFidelity]) -> Choice:
    """What a run goes by: what is asked for, else what puts more pairs of like cost in the right order.

    Args:
        asked: ``--score``; None: not said.
        settings: of the run.
        known: what is known of the recipe's fidelity on its images.

    Raises:
        ValueError: if expected errors are asked for, or needed, and there is no published truth to tell them by.
    """
    if settings.sweep is not None:
        if asked == "expected":
            raise ValueError("--score expected goes with sampled networks: a sweep compares what it trains")
        return Choice("proxy", "", None)
    size, classes = settings.input_size, settings.classes
    try:
        trust = trust_of(target_set(size, classes))
    except ValueError as error:
        if asked == "expected" or not settings.trains:
            raise ValueError(f"{'--score expected' if settings.trains else '--recipe none'}: {error}") from None
        none = f"no published errors are of {size}x{size} pixels and {classes} classes: nothing can be expected"
        return Choice("proxy", f"score proxy: {none}, the proxies' top-1 is all there is", None)
    if not settings.trains:
        if asked == "proxy":
            raise ValueError("--score proxy with --recipe none: nothing is trained, expected errors are all there is")
        return Choice("expected", "score expected: all there is without training", trust.sentence())
    ours, theirs = _order(trust), _order_of(known)
    better = "expected" if ours > theirs else "proxy"
    score = asked or better
    words = "as asked for" if asked else "it ranks better"
    figures = (
        f"within a budget expected errors put {100 * ours:.0f} % of pairs in the right order, each family left out, "
        f"and recipe {settings.recipe['name']} on these images "
        + (f"{100 * theirs:.0f} %" if known else f"an unknown part, which counts as {100 * COIN:.0f} %")
    )
    return Choice(score, f"score {score}, {words}: {figures}", trust.sentence())


def _order(trust: Trust) -> float:
    return COIN if trust.in_budget is None else trust.in_budget


def _order_of(known: Sequence[KnownFidelity]) -> float:
    """Of the proxies; they are fitted to no network, so that nothing need be left out."""
    found = [one.proxy_top1.concordance for one in known]
    return COIN if not found or found[-1] is None else found[-1]
