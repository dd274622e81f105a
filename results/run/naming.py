"""A network in words, and in the few numbers that tables, plots and filters use: as its family has them."""

from __future__ import annotations

from typing import Any

from space import Config, family_of


def describe(config: Config) -> str:
    """A network in a few words, beside its family, such as "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d"."""
    return family_of(config).describe(config)


def traits(config: Config) -> dict[str, Any]:
    """The numbers of a configuration that have columns of their own; `COLUMNS` says what they are."""
    return family_of(config).traits(config)
