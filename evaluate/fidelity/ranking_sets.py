"""Which landmarks may stand in one ranking: published errors of one setting, and as nearly as can be of one recipe.

``imagenet``: one 224x224 crop of an image whose short side is 256, trained with fb.resnet.torch's code or, as the
ResNeXt, WRN and DenseNet papers say of themselves, with its augmentation. Out are: ten-crop figures, which are better
by 1.4 to 2.2 points; MSRA's released models (``*_v1``), of another code and augmentation; torchvision's weights, of a
third; RegNetX, trained by a fourth: 100 epochs with a cosine schedule and a weight decay of 5e-5, by which the same
source has ResNet-50 at 23.2 %, where fb.resnet.torch's is 24.0; second-hand figures. Epochs and batch sizes are each
source's own even so.

``cifar``: CIFAR-10 with flips and translations; without ZCA whitening, dropout, and the best of several runs. Each
paper has its own schedule, from about 160 to 300 epochs, and some give one run, some a median or mean: errors that
differ by a few tenths may be in the wrong order.

Configurations that are equal count once, with the figure of the first: ``resnext50_1x64d`` is ``resnet50`` and
``resnext101_1x64d`` is ``resnet101``, so the ResNets' figures stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluate.measures.counts import Counts, count
from space import LANDMARKS, Config
from space.landmarks import figures as p
from space.landmarks.networks import TARGETS


@dataclass(frozen=True)
class RankedLandmark:
    """A landmark as a ranking needs it."""

    name: str
    label: str  # for plots
    family: str
    set: str  # imagenet or cifar
    config: Config
    macs: int  # at the set's own input size and classes
    params: int
    published_error: float  # top-1, percent
    source: str

    @property
    def counts(self) -> Counts:
        """Exact counts at the set's own input size and classes."""
        return count(self.config, *TARGETS[self.set])


@dataclass(frozen=True)
class _Rule:
    """What the first figure of a landmark must be to stand in the ranking."""

    settings: frozenset[str]  # one of these
    sources: tuple[str, ...]  # begins with one of these


SETS: dict[str, _Rule] = {
    "imagenet": _Rule(
        settings=frozenset({p.ONE_CROP}),
        sources=(p.FB_RESNET, p.RESNEXT, p.WRN, p.DENSENET, p.DENSENET_RELEASE),
    ),
    "cifar": _Rule(
        settings=frozenset(
            f"CIFAR-10, {setting}"
            for setting in (
                p.SCHEDULE,
                p.FIVE_RUNS,
                p.MEANSTD,
                p.TEN_RUNS,
                p.NO_DROPOUT,
                "mean of 5, flip/translation",
            )
        ),
        sources=(p.RESNET, p.PRERESNET, p.WRN, p.RESNEXT, p.DENSENET),
    ),
}


def ranking_set(name: str) -> tuple[RankedLandmark, ...]:
    """The landmarks of a set, in the order of `LANDMARKS`.

    Args:
        name: ``imagenet`` or ``cifar``.

    Raises:
        ValueError: for another name.
    """
    rule = SETS.get(name)
    if rule is None:
        raise ValueError(f"set {name!r}: expected one of {', '.join(SETS)}")
    members: dict[Config, RankedLandmark] = {}
    for each in LANDMARKS.values():
        figure = each.published
        fits = each.target == name and figure.setting in rule.settings and figure.source.startswith(rule.sources)
        if not fits or each.config is None or each.config in members:
            continue
        if figure.top1_error is None or each.macs is None or each.params is None:
            continue
        members[each.config] = RankedLandmark(
            each.name, each.label, each.family, name, each.config, each.macs, each.params, figure.top1_error,
            figure.source,
        )  # fmt: skip
    return tuple(members.values())
