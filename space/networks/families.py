"""`FAMILIES`: every family of the project, by its name; and the family of a configuration."""

from __future__ import annotations

from typing import Any

from space.networks.config import Config
from space.networks.dense_family import DENSENET
from space.networks.family import Family
from space.networks.regnetx import REGNETX
from space.networks.regnety import REGNETY
from space.networks.residual_family import PRERESNET, RESNET, RESNEXT, WIDE_RESNET

FAMILIES: dict[str, Family[Any]] = {
    "resnet": RESNET,
    "preresnet": PRERESNET,
    "wide_resnet": WIDE_RESNET,
    "resnext": RESNEXT,
    "regnetx": REGNETX,
    "regnety": REGNETY,
    "densenet": DENSENET,
}


def family_of(config: Config) -> Family[Any]:
    """The family that a configuration is of.

    Raises:
        ValueError: if it is known nowhere.
    """
    return family_named(config.family)


def family_named(name: object) -> Family[Any]:
    """The family of this name.

    Raises:
        ValueError: if it is known nowhere; it says how a user's own is named.
    """
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(
            f"family {name!r}: expected one of {', '.join(FAMILIES)}, or one of your own whose file --families names, "
            "such as ./mine.py:FAMILY"
        )
    return FAMILIES[name]


def searched() -> tuple[str, ...]:
    """The names of the families that have axes, which a search may draw from."""
    return tuple(name for name, family in FAMILIES.items() if family.axes)
