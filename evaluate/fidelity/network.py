"""One landmark of a fidelity run: what was published of it, and what was measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from evaluate.measures.zero_cost import ZeroCost

PROXY = "proxy_top1"
TRAINED = (PROXY, "proxy_loss", "train_loss")


@dataclass(frozen=True, slots=True)
class SeedScore:
    """One proxy training of one network: complete, or failed with a reason."""

    seed: int
    seconds: float
    top1: float | None  # percent of the held-out images; this and the next two are None if it failed
    loss: float | None  # on the held-out images
    train_loss: float | None  # of the last epoch
    reason: str | None = None  # why it failed


@dataclass(frozen=True, slots=True)
class NetworkFidelity:
    """A landmark: what was published, and what was measured here."""

    name: str
    label: str
    family: str
    macs: int  # this and the next three at the set's own input size and classes
    params: int
    activations: int
    depth: int  # weight layers on the longest path
    published_error: float  # top-1, percent
    source: str
    scores: tuple[SeedScore, ...] = ()
    zero_cost: tuple[ZeroCost, ...] = ()

    def mean(self, figure: str) -> float | None:
        """Mean of ``top1``, ``loss`` or ``train_loss`` over the seeds that did not fail; None without one."""
        values = [getattr(score, figure) for score in self.scores if score.reason is None]
        return statistics.fmean(values) if values else None

    def ranked_by(self, ranking: str) -> float | None:
        """The score by which one of `TRAINED` or `MEASURES` orders it, more is better; None if it has none."""
        match ranking:
            case "proxy_top1":
                return self.mean("top1")
            case "proxy_loss" | "train_loss":
                loss = self.mean(ranking.removeprefix("proxy_"))
                return None if loss is None else -loss
            case _:
                return next((score.value for score in self.zero_cost if score.name == ranking), None)
