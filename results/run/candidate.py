"""A network that was scored, and the way from it to a module."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from space import Config, build
from space.shell.files import json_bytes, write_files
from space.shell.scores import score_text


@dataclass(frozen=True)
class Candidate:
    """A scored network, ready to be built."""

    config: Config
    macs: int  # at the run's input size and number of classes
    params: int
    proxy_top1: float | None  # percent; None if it was not trained
    trial: int
    input_size: int  # the run's target
    classes: int
    landmark: str | None = None
    held_out: int | None = None  # images that `proxy_top1` is a percentage of
    latency_ms: float | None = (
        None  # median inference at batch 1, where the run measured it: conditions in `Run.timing`
    )

    expected_error: float | None = None  # percent of top-1 errors; None where there is no published truth
    interval: tuple[float, float] | None = None  # 95 % of that for one training by an unknown recipe
    familiarity: float | None = None  # from 0 to 1; see `results.run.columns`

    @property
    def score(self) -> str:
        """The proxy top-1 in percent with its standard error, as in "41.20 ± 0.70"; a dash if it was not trained."""
        return "-" if self.proxy_top1 is None else score_text(self.proxy_top1, self.held_out, 2)

    def build(self, classes: int | None = None, input_size: int | None = None) -> nn.Module:
        """A fresh module that trains; for the run's target unless told otherwise.

        Raises:
            ValueError: if the input is too small for the network.
        """
        return build(self.config, classes or self.classes, input_size or self.input_size)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `space.load_config` reads the network from them."""
        return {
            "name": self.landmark or self.config.id,
            "family": self.config.family,
            "config": self.config.to_json(),
            "macs": self.macs,
            "params": self.params,
            "input_size": self.input_size,
            "classes": self.classes,
            "latency_ms": self.latency_ms,
            "expected_error": self.expected_error,
            "interval": None if self.interval is None else list(self.interval),
            "familiarity": self.familiarity,
            "proxy_top1": self.proxy_top1,
            "held_out": self.held_out,
            "trial": self.trial,
        }

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        write_files({Path(path): json_bytes(self.to_json())})
