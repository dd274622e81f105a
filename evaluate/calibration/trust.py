"""How far expected errors can be trusted for families that the model has not seen: in figures, and in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from evaluate.calibration.report import MODEL, SCOPES, assess

NAMES = {"imagenet": "ImageNet", "cifar": "CIFAR-10"}  # what the ranking sets are of


@dataclass(frozen=True, slots=True)
class Trust:
    """Every figure is of networks that were predicted without any figure of their family."""

    set: str  # imagenet or cifar
    networks: int  # of the ranking set, by which proxies are ranked too
    rmse: float  # points of error
    tau: float | None
    in_budget: float | None  # part of the pairs of like cost in the right order
    pairs: int
    everywhere: float | None  # the same for all figures, of which only those of one recipe are compared
    everywhere_pairs: int

    def sentence(self) -> str:
        """In plain words."""
        tau = "-" if self.tau is None else f"{self.tau:.2f}"
        return (
            f"expected errors, each family left out ({self.networks} {NAMES[self.set]} landmarks): "
            f"{self.rmse:.1f} points off (root mean square), tau {tau}; of two networks of like cost the better one "
            f"was named in {_percent(self.in_budget)} of {self.pairs} pairs, in {_percent(self.everywhere)} of the "
            f"{self.everywhere_pairs} pairs among all published figures"
        )


@cache
def trust_of(set_name: str) -> Trust:
    """Leave out every family in turn: a third of a second, once.

    Args:
        set_name: ``imagenet`` or ``cifar``.
    """
    lines = {line.scope: line for line in assess(set_name, groups=("family",)).lines if line.rule == MODEL}
    ranked, everywhere = (lines[scope] for scope in SCOPES)
    assert ranked.rmse is not None  # the model predicts errors, not an order alone
    return Trust(
        set_name, ranked.figures, ranked.rmse, ranked.tau, ranked.in_budget, ranked.pairs, everywhere.in_budget,
        everywhere.pairs,
    )  # fmt: skip


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.0f} %"
