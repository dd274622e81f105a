"""Published errors of networks that are no landmarks, and of landmarks by recipes that no plot mixes with the papers'.

The landmarks' own figures are in `space.landmarks.figures`, with the rules by which one is chosen of several; here is
what a calibration can use beside them. Each is one trained network and one crop, or a mean of several trainings.
"""

from __future__ import annotations

from typing import NamedTuple

from space import Config, DenseConfig, ResidualConfig, landmark
from space.landmarks import figures as p

PYCLS = "github facebookresearch/pycls@5719de6, dev/model_error.json"
TORCHVISION_MODERN = "torchvision 0.28.0, weights metadata IMAGENET1K_V2"


class More(NamedTuple):
    """One figure; `c100_error` is of the same network trained alike on CIFAR-100."""

    label: str
    config: Config
    recipe: str  # a key of `evaluate.calibration.truth.RECIPES`
    top1_error: float | None
    source: str
    c100_error: float | None = None


def _bottleneck(depths: tuple[int, ...], groups: int, base_width: int, preactivation: bool = False) -> ResidualConfig:
    family = "preresnet" if preactivation else "resnext" if groups > 1 else "wide_resnet"
    inner = tuple(groups * base_width * scale for scale in (1, 2, 4, 8))
    return ResidualConfig(
        family, "imagenet", 64, "bottleneck", depths, (256, 512, 1024, 2048), inner, (groups,) * 4,
        preactivation=preactivation,
    )  # fmt: skip


def _regnetx_400mf_of_torchvision() -> ResidualConfig:
    """The last stage is 400 wide, in groups of 16; pycls' is 384 wide."""
    return ResidualConfig(
        "regnetx", "regnet", 32, "bottleneck", (1, 2, 7, 12), (32, 64, 160, 400), (32, 64, 160, 400), (2, 4, 10, 25)
    )


def _cifar_bottleneck(depth: int) -> ResidualConfig:
    """``depth`` = 9n + 2, norm and ReLU after the convolutions ("original unit"), projections."""
    depths = ((depth - 2) // 9,) * 3
    return ResidualConfig("resnet", "cifar", 16, "bottleneck", depths, (64, 128, 256), (16, 32, 64), (1,) * 3)


def _cifar_wide(depth: int, widening: int) -> ResidualConfig:
    """``depth`` = 6n + 4."""
    widths = (16 * widening, 32 * widening, 64 * widening)
    depths = ((depth - 4) // 6,) * 3
    return ResidualConfig("wide_resnet", "cifar", 16, "basic", depths, widths, widths, (1,) * 3, preactivation=True)


def _wide(depth: int, widening: int, recipe: str, c10: float, c100: float | None, table: str) -> More:
    return More(f"WRN-{depth}-{widening}", _cifar_wide(depth, widening), recipe, c10, f"{p.WRN}, {table}", c100)


def _dense_bc(depth: int, growth_rate: int, c10: float, c100: float) -> More:
    config = DenseConfig("densenet", "cifar", 2 * growth_rate, ((depth - 4) // 6,) * 3, growth_rate)
    return More(f"DenseNet-BC L={depth} k={growth_rate}", config, "DenseNet", c10, p.DENSENET_RELEASE, c100)


_D101, _D200 = (3, 4, 23, 3), (3, 24, 36, 3)

IMAGENET: tuple[More, ...] = (
    More("PreResNet-200", _bottleneck(_D200, 1, 64, True), "fb.resnet.torch", 21.66, p.FB_RESNET),
    More("ResNet-101 1x100d", _bottleneck(_D101, 1, 100), "ResNeXt", 21.3, f"{p.RESNEXT}, Table 4"),
    More("ResNeXt-101 2x64d", _bottleneck(_D101, 2, 64), "ResNeXt", 20.7, f"{p.RESNEXT}, Table 4"),
    More("ResNet-50", landmark("resnet50"), "pycls", 23.19, PYCLS),
    More("ResNet-101", landmark("resnet101"), "pycls", 21.414, PYCLS),
    More("ResNet-152", landmark("resnet152"), "pycls", 20.87, PYCLS),
    More("ResNeXt-50 32x4d", landmark("resnext50_32x4d"), "pycls", 21.884, PYCLS),
    More("ResNeXt-101 32x4d", landmark("resnext101_32x4d"), "pycls", 20.664, PYCLS),
    More("ResNeXt-152 32x4d", _bottleneck((3, 8, 36, 3), 32, 4), "pycls", 20.386, PYCLS),
    More(
        "RegNetX-400MF of torchvision", _regnetx_400mf_of_torchvision(), "torchvision RegNet", 27.166,
        p.TORCHVISION_REGNET,
    ),
    More("ResNet-50", landmark("resnet50"), "torchvision modern", 19.142, TORCHVISION_MODERN),
    More("ResNet-101", landmark("resnet101"), "torchvision modern", 18.114, TORCHVISION_MODERN),
    More("ResNet-152", landmark("resnet152"), "torchvision modern", 17.716, TORCHVISION_MODERN),
    More("ResNeXt-50 32x4d", landmark("resnext50_32x4d"), "torchvision modern", 18.802, TORCHVISION_MODERN),
    More("ResNeXt-101 32x8d", landmark("resnext101_32x8d"), "torchvision modern", 17.166, TORCHVISION_MODERN),
    More(
        "ResNeXt-101 64x4d", landmark("resnext101_64x4d"), "torchvision modern", 16.754,
        f"{p.TORCHVISION}, of the second weights' recipe",
    ),
    More("WRN-50-2", landmark("wide_resnet50_2"), "torchvision modern", 18.398, TORCHVISION_MODERN),
    More("WRN-101-2", landmark("wide_resnet101_2"), "torchvision modern", 17.49, TORCHVISION_MODERN),
)  # fmt: skip

CIFAR: tuple[More, ...] = (
    More("ResNet-164", _cifar_bottleneck(164), "PreResNet", 5.93, f"{p.PRERESNET}, Table 3", 25.16),
    More("ResNet-1001", _cifar_bottleneck(1001), "PreResNet", 7.61, f"{p.PRERESNET}, Table 3", 27.82),
    _wide(16, 4, "WRN", 5.02, 24.03, "Table 6"),
    _wide(52, 1, "WRN", 6.43, 29.89, "Table 6"),
    _wide(40, 1, "WRN, ZCA", 6.85, 30.89, "Table 4"),
    _wide(40, 2, "WRN, ZCA", 5.33, 26.04, "Table 4"),
    _wide(40, 8, "WRN, ZCA", 4.66, None, "Table 4"),
    _wide(28, 12, "WRN, ZCA", 4.33, 20.43, "Table 4"),
    _wide(22, 10, "WRN, ZCA", 4.44, 20.75, "Table 4"),
    _wide(16, 4, "WRN, dropout", 5.24, 23.91, "Table 6"),
    _wide(52, 1, "WRN, dropout", 6.28, 29.78, "Table 6"),
    _wide(40, 10, "WRN, dropout", 3.8, 18.3, "Table 9"),
    _dense_bc(40, 36, 4.58, 22.3),
    _dense_bc(40, 48, 3.99, 20.29),
    _dense_bc(40, 60, 4.01, 19.99),
)
