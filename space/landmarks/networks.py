"""Published networks: their configurations where the space can express them, their figures and sources always.

`LANDMARKS` maps names to `Landmark`; `landmark("resnet50")` gives a configuration to build. The errors are in
`space.landmarks.figures`, and so are the rules by which one figure was chosen of several.

Deviations and decisions:

* ``resnet*`` have the stride in the 3x3, as fb.resnet.torch and torchvision; ``resnet*_v1`` are the paper's.
* ``resnext50_1x64d`` and ``resnext101_1x64d`` *are* ResNet-50 and ResNet-101: equal configurations, equal ids.
* ``wrn18_*`` and ``wrn34_*`` widen the stages alone. With a widened stem WRN-18-2 would have 45.7 M parameters
  and WRN-18-3 102.0 M; the paper prints 45.6 and 101.8, which is what a stem of 64 gives.
* ``regnetx_*`` are pycls' (its numbers for the rule in `space.networks.regnetx`); torchvision's RegNetX-400MF is
  wider.
* ``regnety_*`` are pycls' too. torchvision's RegNetY-800MF and -8GF are wider, its others the same networks.
* CIFAR bottleneck nets with pre-activation use projections: 1.70 M parameters as published, 1.66 M with option A.
* AlexNet and ZFNet are counted by hand from their papers' layer tables, VGG and GoogLeNet as in torchvision.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any, Self

from space.landmarks.figures import CIFAR, ILSVRC_ENTRIES, IMAGENET, Entry, Figure
from space.networks.config import Config
from space.networks.dense import DenseConfig
from space.networks.layers import total
from space.networks.read import config_from_json
from space.networks.regnetx import regnetx
from space.networks.regnety import regnety
from space.networks.residual import ResidualConfig


@dataclass(frozen=True)
class Landmark:
    """A published network, or one of your own (`space.landmarks.own`).

    `macs` and `params` are counted at `input_size` and `classes`; where there is no configuration they are what
    `note` says, or None where nobody published them.
    """

    name: str
    label: str  # for plots
    family: str
    target: str  # imagenet or cifar
    year: int | None  # None where it is not said of a landmark of your own
    config: Config | None
    published: Figure
    other: tuple[Figure, ...]
    macs: int | None
    params: int | None
    note: str = ""

    @property
    def input_size(self) -> int:
        """Height and width that it is counted at."""
        return TARGETS[self.target][0]

    @property
    def classes(self) -> int:
        """Number of classes that it is counted at."""
        return TARGETS[self.target][1]

    def network(self) -> Config:
        """The configuration.

        Raises:
            ValueError: if only figures are known.
        """
        if self.config is None:
            raise ValueError(
                f"{self.name} is a landmark by its published figures only, the space cannot express it: "
                "choose one with a configuration, such as resnet50 (python -m space list shows all)"
            )
        return self.config

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same landmark back."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {
            "config": None if self.config is None else self.config.to_json(),
            "published": dataclasses.asdict(self.published),
            "other": [dataclasses.asdict(figure) for figure in self.other],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read `to_json`'s form.

        Raises:
            ValueError: for anything else.
        """
        try:
            config = data["config"] if data["config"] is None else config_from_json(data["config"])
            figures = {
                "published": Figure(**data["published"]),
                "other": tuple(Figure(**each) for each in data["other"]),
            }
            known = cls(**(data | {"config": config} | figures))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no landmark, {error}: expected what Landmark.to_json gives") from error
        if known.target not in TARGETS:
            raise ValueError(f"target {known.target!r} of a landmark: expected one of {', '.join(TARGETS)}")
        return known


TARGETS = {"imagenet": (224, 1000), "cifar": (32, 10)}


def landmark(name: str) -> Config:
    """The configuration of a published network.

    Raises:
        ValueError: for an unknown name, and for a network of which only figures are known.
    """
    known = LANDMARKS.get(name)
    if known is None:
        near = difflib.get_close_matches(name.lower(), LANDMARKS, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"no landmark is called {name!r}: {hint}type python -m space list to see all")
    return known.network()


def _expressed(name: str, label: str, year: int, config: Config, note: str = "") -> Landmark:
    target = "imagenet" if name in IMAGENET else "cifar"
    first, *other = (IMAGENET | CIFAR)[name]
    cost = total(config.blocks(*TARGETS[target]))
    return Landmark(name, label, config.family, target, year, config, first, tuple(other), cost.macs, cost.params, note)


def _figures_only(name: str, label: str, family: str, year: int, macs: int, params: int, note: str) -> Landmark:
    first, *other = IMAGENET[name]
    return Landmark(name, label, family, "imagenet", year, None, first, tuple(other), macs, params, note)


def _basic(depths: tuple[int, ...], widening: float = 1.0) -> ResidualConfig:
    widths = tuple(int(base * widening) for base in (64, 128, 256, 512))
    family = "resnet" if widening == 1 else "wide_resnet"
    return ResidualConfig(family, "imagenet", 64, "basic", depths, widths, widths, (1,) * 4)


def _bottleneck(
    depths: tuple[int, ...], groups: int = 1, base_width: int = 64, family: str = "resnet", stride_in: str = "3x3"
) -> ResidualConfig:
    inner = tuple(groups * base_width * scale for scale in (1, 2, 4, 8))
    widths = (256, 512, 1024, 2048)
    return ResidualConfig(family, "imagenet", 64, "bottleneck", depths, widths, inner, (groups,) * 4, stride_in)


def _dense(depths: tuple[int, ...], growth_rate: int = 32) -> DenseConfig:
    return DenseConfig("densenet", "imagenet", 2 * growth_rate, depths, growth_rate)


def _cifar_basic(depth: int, preactivation: bool = False) -> ResidualConfig:
    """``depth`` = 6n + 2, option A."""
    family = "preresnet" if preactivation else "resnet"
    widths = (16, 32, 64)
    return ResidualConfig(
        family, "cifar", 16, "basic", ((depth - 2) // 6,) * 3, widths, widths, (1,) * 3, "3x3", "A", preactivation
    )


def _cifar_bottleneck(depth: int) -> ResidualConfig:
    """``depth`` = 9n + 2, pre-activation, projections."""
    depths = ((depth - 2) // 9,) * 3
    return ResidualConfig(
        "preresnet", "cifar", 16, "bottleneck", depths, (64, 128, 256), (16, 32, 64), (1,) * 3, preactivation=True
    )


def _cifar_wide(depth: int, widening: int) -> ResidualConfig:
    """``depth`` = 6n + 4, pre-activation; the widening factor widens everything but the stem."""
    widths = (16 * widening, 32 * widening, 64 * widening)
    depths = ((depth - 4) // 6,) * 3
    return ResidualConfig("wide_resnet", "cifar", 16, "basic", depths, widths, widths, (1,) * 3, preactivation=True)


def _cifar_resnext(groups: int, base_width: int) -> ResidualConfig:
    inner = tuple(groups * base_width * scale for scale in (1, 2, 4))
    return ResidualConfig("resnext", "cifar", 64, "bottleneck", (3,) * 3, (256, 512, 1024), inner, (groups,) * 3)


def _cifar_dense(depth: int, growth_rate: int) -> DenseConfig:
    """``depth`` = 3n + 4; no bottleneck, no compression, 16 channels in the stem."""
    return DenseConfig("densenet", "cifar", 16, ((depth - 4) // 3,) * 3, growth_rate, 0, 1.0)


def _cifar_dense_bc(depth: int, growth_rate: int) -> DenseConfig:
    """``depth`` = 6n + 4."""
    return DenseConfig("densenet", "cifar", 2 * growth_rate, ((depth - 4) // 6,) * 3, growth_rate)


_D18, _D34, _D50, _D101, _D152 = (2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)
_PAPER = "stride in the first 1x1, as the ResNet paper"
_AFTER = "in the fb.resnet.torch model behind the figure, batch normalisation follows the addition"
_SAME = "equal to {} by its numbers; here with the ResNeXt paper's figure"
_TORCHVISION_ONLY = "no paper trained it; the figure is torchvision's"
_ZCA = "known under ZCA whitening alone: not to be compared with the other wide ResNets"

_ALL: tuple[Landmark, ...] = (
    _figures_only(
        "alexnet", "AlexNet", "alexnet", 2012, 724_406_816, 60_965_224, "counted from section 3.5 of the paper"
    ),
    _figures_only("zfnet", "ZFNet", "zfnet", 2013, 1_168_032_896, 62_357_608, "counted from Fig. 3 of the paper"),
    _figures_only("vgg16", "VGG-16", "vgg", 2014, 15_470_264_320, 138_357_544, "configuration D, as in torchvision"),
    _figures_only("vgg19", "VGG-19", "vgg", 2014, 19_632_062_464, 143_667_240, "configuration E, as in torchvision"),
    _figures_only(
        "googlenet",
        "GoogLeNet",
        "googlenet",
        2014,
        1_498_000_000,
        6_625_000,
        "torchvision's rounded counts, batch normalisation added, no auxiliary heads; the paper says 1.5 G",
    ),
    _expressed("resnet18", "ResNet-18", 2015, _basic(_D18)),
    _expressed("resnet34", "ResNet-34", 2015, _basic(_D34)),
    _expressed("resnet50", "ResNet-50", 2015, _bottleneck(_D50), _AFTER),
    _expressed("resnet101", "ResNet-101", 2015, _bottleneck(_D101)),
    _expressed("resnet152", "ResNet-152", 2015, _bottleneck(_D152)),
    _expressed("resnet50_v1", "ResNet-50 v1", 2015, _bottleneck(_D50, stride_in="1x1"), _PAPER),
    _expressed("resnet101_v1", "ResNet-101 v1", 2015, _bottleneck(_D101, stride_in="1x1"), _PAPER),
    _expressed("resnet152_v1", "ResNet-152 v1", 2015, _bottleneck(_D152, stride_in="1x1"), _PAPER),
    _expressed("resnext50_1x64d", "ResNeXt-50 1x64d", 2016, _bottleneck(_D50), _SAME.format("resnet50")),
    _expressed("resnext50_2x40d", "ResNeXt-50 2x40d", 2016, _bottleneck(_D50, 2, 40, "resnext")),
    _expressed("resnext50_4x24d", "ResNeXt-50 4x24d", 2016, _bottleneck(_D50, 4, 24, "resnext")),
    _expressed("resnext50_8x14d", "ResNeXt-50 8x14d", 2016, _bottleneck(_D50, 8, 14, "resnext")),
    _expressed("resnext50_32x4d", "ResNeXt-50 32x4d", 2016, _bottleneck(_D50, 32, 4, "resnext")),
    _expressed("resnext101_1x64d", "ResNeXt-101 1x64d", 2016, _bottleneck(_D101), _SAME.format("resnet101")),
    _expressed("resnext101_2x40d", "ResNeXt-101 2x40d", 2016, _bottleneck(_D101, 2, 40, "resnext")),
    _expressed("resnext101_4x24d", "ResNeXt-101 4x24d", 2016, _bottleneck(_D101, 4, 24, "resnext")),
    _expressed("resnext101_8x14d", "ResNeXt-101 8x14d", 2016, _bottleneck(_D101, 8, 14, "resnext")),
    _expressed("resnext101_32x4d", "ResNeXt-101 32x4d", 2016, _bottleneck(_D101, 32, 4, "resnext")),
    _expressed("resnext101_32x8d", "ResNeXt-101 32x8d", 2018, _bottleneck(_D101, 32, 8, "resnext"), _TORCHVISION_ONLY),
    _expressed("resnext101_64x4d", "ResNeXt-101 64x4d", 2016, _bottleneck(_D101, 64, 4, "resnext")),
    _expressed("wide_resnet50_2", "WRN-50-2", 2016, _bottleneck(_D50, 1, 128, "wide_resnet")),
    _expressed("wide_resnet101_2", "WRN-101-2", 2016, _bottleneck(_D101, 1, 128, "wide_resnet"), _TORCHVISION_ONLY),
    _expressed("wrn18_1.5", "WRN-18-1.5", 2016, _basic(_D18, 1.5)),
    _expressed("wrn18_2", "WRN-18-2", 2016, _basic(_D18, 2)),
    _expressed("wrn18_3", "WRN-18-3", 2016, _basic(_D18, 3)),
    _expressed("wrn34_1.5", "WRN-34-1.5", 2016, _basic(_D34, 1.5)),
    _expressed("wrn34_2", "WRN-34-2", 2016, _basic(_D34, 2)),
    _expressed("densenet121", "DenseNet-121", 2016, _dense((6, 12, 24, 16))),
    _expressed("densenet161", "DenseNet-161", 2016, _dense((6, 12, 36, 24), 48)),
    _expressed("densenet169", "DenseNet-169", 2016, _dense((6, 12, 32, 32))),
    _expressed("densenet201", "DenseNet-201", 2016, _dense((6, 12, 48, 32))),
    _expressed("densenet264", "DenseNet-264", 2016, _dense((6, 12, 64, 48))),
    _expressed("regnetx_200mf", "RegNetX-200MF", 2020, regnetx(13, 24, 36.44, 2.49, 8)),
    _expressed("regnetx_400mf", "RegNetX-400MF", 2020, regnetx(22, 24, 24.48, 2.54, 16)),
    _expressed("regnetx_600mf", "RegNetX-600MF", 2020, regnetx(16, 48, 36.97, 2.24, 24)),
    _expressed("regnetx_800mf", "RegNetX-800MF", 2020, regnetx(16, 56, 35.73, 2.28, 16)),
    _expressed("regnetx_1.6gf", "RegNetX-1.6GF", 2020, regnetx(18, 80, 34.01, 2.25, 24)),
    _expressed("regnetx_3.2gf", "RegNetX-3.2GF", 2020, regnetx(25, 88, 26.31, 2.25, 48)),
    _expressed("regnetx_4.0gf", "RegNetX-4.0GF", 2020, regnetx(23, 96, 38.65, 2.43, 40)),
    _expressed("regnetx_6.4gf", "RegNetX-6.4GF", 2020, regnetx(17, 184, 60.83, 2.07, 56)),
    _expressed("regnetx_8.0gf", "RegNetX-8.0GF", 2020, regnetx(23, 80, 49.56, 2.88, 120)),
    _expressed("regnetx_12gf", "RegNetX-12GF", 2020, regnetx(19, 168, 73.36, 2.37, 112)),
    _expressed("regnetx_16gf", "RegNetX-16GF", 2020, regnetx(22, 216, 55.59, 2.1, 128)),
    _expressed("regnetx_32gf", "RegNetX-32GF", 2020, regnetx(23, 320, 69.86, 2.0, 168)),
    _expressed("regnety_200mf", "RegNetY-200MF", 2020, regnety(13, 24, 36.44, 2.49, 8)),
    _expressed("regnety_400mf", "RegNetY-400MF", 2020, regnety(16, 48, 27.89, 2.09, 8)),
    _expressed("regnety_600mf", "RegNetY-600MF", 2020, regnety(15, 48, 32.54, 2.32, 16)),
    _expressed("regnety_800mf", "RegNetY-800MF", 2020, regnety(14, 56, 38.84, 2.4, 16)),
    _expressed("regnety_1.6gf", "RegNetY-1.6GF", 2020, regnety(27, 48, 20.71, 2.65, 24)),
    _expressed("regnety_3.2gf", "RegNetY-3.2GF", 2020, regnety(21, 80, 42.63, 2.66, 24)),
    _expressed("regnety_4.0gf", "RegNetY-4.0GF", 2020, regnety(22, 96, 31.41, 2.24, 64)),
    _expressed("regnety_6.4gf", "RegNetY-6.4GF", 2020, regnety(25, 112, 33.22, 2.27, 72)),
    _expressed("regnety_8.0gf", "RegNetY-8.0GF", 2020, regnety(17, 192, 76.82, 2.19, 56)),
    _expressed("regnety_12gf", "RegNetY-12GF", 2020, regnety(19, 168, 73.36, 2.37, 112)),
    _expressed("regnety_16gf", "RegNetY-16GF", 2020, regnety(18, 200, 106.23, 2.48, 112)),
    _expressed("regnety_32gf", "RegNetY-32GF", 2020, regnety(20, 232, 115.89, 2.53, 232)),
    _expressed("cifar_resnet20", "ResNet-20", 2015, _cifar_basic(20)),
    _expressed("cifar_resnet32", "ResNet-32", 2015, _cifar_basic(32)),
    _expressed("cifar_resnet44", "ResNet-44", 2015, _cifar_basic(44)),
    _expressed("cifar_resnet56", "ResNet-56", 2015, _cifar_basic(56)),
    _expressed("cifar_resnet110", "ResNet-110", 2015, _cifar_basic(110)),
    _expressed("cifar_resnet1202", "ResNet-1202", 2015, _cifar_basic(1202)),
    _expressed("preresnet110", "PreResNet-110", 2016, _cifar_basic(110, True)),
    _expressed("preresnet164", "PreResNet-164", 2016, _cifar_bottleneck(164)),
    _expressed("preresnet1001", "PreResNet-1001", 2016, _cifar_bottleneck(1001)),
    _expressed("wrn_40_4", "WRN-40-4", 2016, _cifar_wide(40, 4)),
    _expressed("wrn_16_8", "WRN-16-8", 2016, _cifar_wide(16, 8)),
    _expressed("wrn_22_8", "WRN-22-8", 2016, _cifar_wide(22, 8), _ZCA),
    _expressed("wrn_16_10", "WRN-16-10", 2016, _cifar_wide(16, 10), _ZCA),
    _expressed("wrn_28_10", "WRN-28-10", 2016, _cifar_wide(28, 10)),
    _expressed("resnext29_8x64d", "ResNeXt-29 8x64d", 2016, _cifar_resnext(8, 64)),
    _expressed("resnext29_16x64d", "ResNeXt-29 16x64d", 2016, _cifar_resnext(16, 64)),
    _expressed("densenet_40_12", "DenseNet L=40 k=12", 2016, _cifar_dense(40, 12)),
    _expressed("densenet_100_12", "DenseNet L=100 k=12", 2016, _cifar_dense(100, 12)),
    _expressed("densenet_100_24", "DenseNet L=100 k=24", 2016, _cifar_dense(100, 24)),
    _expressed("densenet_bc_100_12", "DenseNet-BC L=100 k=12", 2016, _cifar_dense_bc(100, 12)),
    _expressed("densenet_bc_250_24", "DenseNet-BC L=250 k=24", 2016, _cifar_dense_bc(250, 24)),
    _expressed("densenet_bc_190_40", "DenseNet-BC L=190 k=40", 2016, _cifar_dense_bc(190, 40)),
)

LANDMARKS: dict[str, Landmark] = {each.name: each for each in _ALL}

__all__ = ["ILSVRC_ENTRIES", "LANDMARKS", "TARGETS", "Entry", "Figure", "Landmark", "landmark"]
