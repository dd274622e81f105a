"""What is known of trained networks: published errors, by the recipe that they were trained with.

A recipe here is what the networks of one table have in common: code, schedule, augmentation, and how the error was
measured. The same network differs between recipes by several points (ResNet-50: 19.1 to 24.7 %), so a calibration must
know which figures belong together. A network counts once a recipe. Left out are figures of several crops, ensembles,
other input sizes, the best of several runs, and second-hand figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from evaluate.calibration import more_figures
from space import LANDMARKS, Config, Landmark
from space.landmarks import figures as p
from space.landmarks.figures import Figure

SETS = ("imagenet", "cifar")
TARGETS = {"imagenet": ((224, 1000),), "cifar": ((32, 10), (32, 100))}  # (input size, classes) with published errors

# recipe -> (settings, the beginning of the source); the first that a figure fits is its recipe
_V1 = "1-crop 224, resize 256, torchvision V1"
_IMAGENET: dict[str, tuple[str, tuple[str, ...]]] = {
    "fb.resnet.torch": (p.ONE_CROP, (p.FB_RESNET,)),
    "ResNeXt": (p.ONE_CROP, (p.RESNEXT,)),
    "WRN": (p.ONE_CROP, (p.WRN,)),
    "DenseNet": (p.ONE_CROP, (p.DENSENET, p.DENSENET_RELEASE)),
    "MSRA": (p.ONE_CROP, (p.RESNET_RELEASE,)),
    "pycls": (p.ONE_CROP_OF_FIVE, (p.REGNET_ZOO,)),
    "torchvision": (_V1, (p.TORCHVISION,)),
    "torchvision RegNet": (_V1, (p.TORCHVISION_REGNET,)),
}
_CIFAR: dict[str, tuple[str, tuple[str, ...]]] = {
    "ResNet": (p.SCHEDULE, (p.RESNET,)),
    "PreResNet": (p.FIVE_RUNS, (p.PRERESNET,)),
    "WRN": (p.MEANSTD, (p.WRN,)),
    "WRN, ZCA": (p.ZCA, (p.WRN,)),
    "WRN, dropout": (f"{p.MEANSTD.removesuffix(', no dropout')}, dropout 0.3", (p.WRN,)),
    "ResNeXt": (p.TEN_RUNS, (p.RESNEXT,)),
    "DenseNet": (p.NO_DROPOUT, (p.DENSENET, p.DENSENET_RELEASE)),
}
# Five runs' mean of the ResNet paper's own ResNet-110, which He 2016 quotes as its baseline.
_MEAN_OF_FIVE = "mean of 5, flip/translation"
DENSENET_OF_TORCHVISION = "torchvision DenseNet"  # converted from another code, worse than the paper's by 0.5 points
MODERN = "torchvision modern"  # 600 epochs, mixup, EMA ...: no paper's recipe
RECIPES = {
    "imagenet": (*_IMAGENET, DENSENET_OF_TORCHVISION, MODERN),
    "cifar": tuple(_CIFAR),
}


@dataclass(frozen=True, slots=True)
class Published:
    """One error of one network trained by one recipe."""

    label: str
    family: str
    config: Config
    set: str  # imagenet or cifar
    classes: int
    recipe: str
    error: float  # top-1, percent
    source: str

    @property
    def input_size(self) -> int:
        """Height and width of the images."""
        return TARGETS[self.set][0][0]


@cache
def published(set_name: str) -> tuple[Published, ...]:
    """All figures of a set that a calibration can use, the landmarks' first; equal networks once a recipe.

    Raises:
        ValueError: for another set than ``imagenet`` or ``cifar``.
    """
    if set_name not in SETS:
        raise ValueError(f"set {set_name!r}: expected one of {', '.join(SETS)}")
    found: dict[tuple[str, str, int], Published] = {}
    for one in (*_of_landmarks(set_name), *_more(set_name)):
        found.setdefault((one.config.id, one.recipe, one.classes), one)
    return tuple(found.values())


def _of_landmarks(set_name: str) -> Iterator[Published]:
    for each in LANDMARKS.values():
        if each.target != set_name or each.config is None:
            continue
        for figure in (each.published, *each.other):
            recipe = _recipe(each, figure)
            if recipe is not None:
                yield from _rows(
                    each.label, each.config, set_name, recipe, figure.top1_error, figure.c100_error, figure.source
                )


def _recipe(each: Landmark, figure: Figure) -> str | None:
    """Which recipe a figure is of; None if it is no one-crop figure of one training.

    Settings must be equal to the word: what is added to one says that the figure is of another network.
    """
    if each.target == "cifar":
        setting = figure.setting.removeprefix("CIFAR-10, ").replace(_MEAN_OF_FIVE, p.SCHEDULE)
        if figure.setting.endswith(_MEAN_OF_FIVE) and not figure.source.startswith(p.RESNET):
            return None
    else:
        setting = figure.setting
    known = _IMAGENET if each.target == "imagenet" else _CIFAR
    for recipe, (wanted, sources) in known.items():
        if setting == wanted and figure.source.startswith(sources):
            of_torchvision = recipe == "torchvision" and each.family == "densenet"
            return DENSENET_OF_TORCHVISION if of_torchvision else recipe
    return None


def _more(set_name: str) -> Iterator[Published]:
    for more in more_figures.IMAGENET if set_name == "imagenet" else more_figures.CIFAR:
        yield from _rows(more.label, more.config, set_name, more.recipe, more.top1_error, more.c100_error, more.source)


def _rows(
    label: str, config: Config, set_name: str, recipe: str, error: float | None, c100: float | None, source: str
) -> Iterator[Published]:
    if error is not None:
        yield Published(label, config.family, config, set_name, TARGETS[set_name][0][1], recipe, error, source)
    if c100 is not None:
        yield Published(label, config.family, config, set_name, 100, recipe, c100, source)
