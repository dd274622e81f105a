"""Costs as the papers print them, digit by digit, each with its source: data, and what it is to agree with them."""

from __future__ import annotations

from dataclasses import dataclass

from space.landmarks.figures import DENSENET, RESNET, RESNEXT, TORCHVISION, WRN


@dataclass(frozen=True)
class Printed:
    """What one source prints of a network's cost. Text, because the number of digits says how exact it is."""

    macs: str | None  # 1e9 multiply-adds
    params: str | None  # 1e6
    source: str


def agrees(count: int, printed: str, unit: float) -> bool:
    """Whether a count, rounded to as many digits as are printed, is what is printed."""
    return rounded(count, printed, unit) == printed


def rounded(count: int, printed: str, unit: float) -> str:
    """A count in the unit, with as many decimals as `printed` has."""
    return f"{count / unit:.{len(printed.partition('.')[2])}f}"


_RESNET = f"{RESNET}, Table 1"
_RESNEXT1, _RESNEXT3 = f"{RESNEXT}, Table 1", f"{RESNEXT}, Table 3"

PRINTED: dict[str, tuple[Printed, ...]] = {
    "resnet18": (Printed("1.8", None, _RESNET), Printed(None, "11.7", f"{WRN}, Table 7")),
    "resnet34": (Printed("3.6", None, _RESNET), Printed(None, "21.8", f"{WRN}, Table 7")),
    "resnet50": (Printed(None, "25.6", f"{WRN}, Table 8"),),
    "resnet50_v1": (Printed("3.8", None, _RESNET),),
    "resnet101_v1": (Printed("7.6", None, _RESNET),),
    "resnet152_v1": (Printed("11.3", None, _RESNET),),
    "resnext50_1x64d": (Printed("4.1", "25.5", _RESNEXT1),),
    "resnext50_2x40d": (Printed("4.1", None, _RESNEXT3),),
    "resnext50_4x24d": (Printed("4.1", None, _RESNEXT3),),
    "resnext50_8x14d": (Printed("4.1", None, _RESNEXT3),),
    "resnext50_32x4d": (Printed("4.2", "25.0", _RESNEXT1),),
    "resnext101_1x64d": (Printed("7.8", None, _RESNEXT3),),
    "resnext101_2x40d": (Printed("7.8", None, _RESNEXT3),),
    "resnext101_4x24d": (Printed("7.8", None, _RESNEXT3),),
    "resnext101_8x14d": (Printed("7.8", None, _RESNEXT3),),
    "resnext101_32x4d": (Printed("7.8", None, _RESNEXT3),),
    # The paper draws the costs of DenseNets (Fig. 3) and prints one number of parameters.
    "densenet121": (Printed("2.834", "7.979", TORCHVISION),),
    "densenet161": (Printed("7.728", "28.681", TORCHVISION),),
    "densenet169": (Printed("3.360", "14.149", TORCHVISION),),
    "densenet201": (Printed("4.291", "20.014", TORCHVISION), Printed(None, "20", f"{DENSENET}, text")),
}
