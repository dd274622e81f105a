"""`Settings`: what makes two runs the same run. A run is only continued under its own settings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from evaluate.training.reference import Reference
from results.run.objective import BEST, OBJECTIVES, UNTRAINED, timing_text
from space import Config
from space.budget import Budget
from space.landmarks.networks import Landmark, landmark
from space.limits import Limits
from space.shell.names import check_name
from space.solving.axes import Target, check_families, searched
from space.solving.sweeps import Sweep, sweep_from_json
from space.solving.vary import Setting

SAMPLERS = ("tpe", "nsga2", "gp", "qmc", "random")
SCORES = ("expected", "proxy")  # what a search goes by: the error to expect, or the top-1 of a short training

# Of the CPU, for the training of a network. More of them add in another order, and a score would depend on how many
# networks are trained at once: with two, resnet50's proxy had 25.1 % after two epochs of `cpu` where one gives 22.6 %.
NETWORK_THREADS = 1

REPEATED = {"frontier": "network on the frontier", "match": f"of the {BEST} best"}  # by mode, after "each"; no sweep


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run means; written into the study and compared when it is continued."""

    name: str
    budget_macs: int
    mode: str
    families: tuple[str, ...]
    data: str
    recipe: dict[str, Any]
    input_size: int
    classes: int
    sampler: str
    seed: int
    landmarks: tuple[str, ...]  # names of those that are scored
    objective: str = "macs"
    timing: dict[str, Any] | None = None  # what latencies are measured on; None if none are
    max_params: int | None = None
    max_activations: int | None = None
    max_latency: float | None = None  # milliseconds
    early_stopping: bool = False
    refine: float = 0.0  # the part of the later proposals that are neighbours of the best
    warm_start: tuple[str, ...] = ()  # names of the runs that this one began with
    own_landmarks: tuple[dict[str, Any], ...] = ()  # `Landmark.to_json` of the user's, those of figures alone too
    own_families: dict[str, str] = field(default_factory=dict)  # the user's, with a digest of each one's file
    sweep: Sweep | None = None  # the networks that are trained in place of samples; None: networks are sampled
    score: str = "proxy"  # one of `SCORES`

    def __post_init__(self) -> None:
        check_name("run name", self.name, "such as --name my-run")
        check_sampler(self.sampler)
        check_score(self.score)
        if not self.families:
            raise ValueError(f"no family to search: expected some of {', '.join(searched())}")
        if self.sweep is None:
            check_families(self.families, self.target)
        check_objective(self.objective, self.mode)
        if (self.timing is not None) != is_timed(self.objective, self.max_latency):
            raise ValueError(f"objective {self.objective}, timing {self.timing}: expected timing with latency alone")
        if self.max_latency is not None and not 0 < self.max_latency < math.inf:
            raise ValueError(f"--max-latency {self.max_latency:g}: expected milliseconds, such as --max-latency 5")
        if not 0 <= self.refine <= 1:
            raise ValueError(f"--refine {self.refine:g}: expected a part of the proposals, from 0 to 1")

    @property
    def trains(self) -> bool:
        """Whether networks are trained, by the run's recipe."""
        return bool(self.recipe.get("name") != UNTRAINED)

    @property
    def target(self) -> Target:
        """What the budget is counted at."""
        limits = Limits(self.max_params, self.max_activations)
        return Target(Budget(self.budget_macs), self.mode, self.input_size, self.classes, limits)

    @property
    def reference(self) -> Reference:
        """The whole budget: its proxy costs what the recipe says."""
        return Reference(self.budget_macs, self.input_size, self.classes)

    @property
    def listed(self) -> tuple[Setting, ...]:
        """The networks of the sweep, in order; none where networks are sampled."""
        return () if self.sweep is None else self.sweep.settings(self.target)

    @property
    def repeated(self) -> str:
        """What ``--repeats`` or ``--seeds`` trains again, after "each"."""
        return REPEATED[self.mode] if self.sweep is None else "setting"

    def landmark(self, name: str) -> Config:
        """The configuration of one of the `landmarks`, published or the user's own."""
        own = {each["name"]: each for each in self.own_landmarks}
        return Landmark.from_json(own[name]).network() if name in own else landmark(name)

    @property
    def shown_landmarks(self) -> list[Landmark]:
        """The user's own landmarks that are not scored."""
        return [Landmark.from_json(each) for each in self.own_landmarks if each["name"] not in self.landmarks]

    def within(self, attributes: Mapping[str, Any]) -> bool:
        """Whether a network of these ``macs``, ``params`` and ``activations`` keeps the budget and the limits."""
        limits = {"macs": self.budget_macs, "params": self.max_params, "activations": self.max_activations}
        return all(limit is None or attributes[key] <= limit for key, limit in limits.items())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        values["sweep"] = None if self.sweep is None else self.sweep.to_json()
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read `to_json`'s form."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        if values.get("sweep") is not None:
            values["sweep"] = sweep_from_json(values["sweep"])
        return cls(**values)

    def refuse_other(self, stored: dict[str, Any]) -> None:
        """Raise ValueError that shows the differences, if the settings stored with the run are not these."""
        mine = self.to_json()
        different = [key for key in sorted(mine.keys() | stored.keys()) if mine.get(key) != stored.get(key)]
        if different:
            shown = "; ".join(
                f"{key}: {_short(stored.get(key))} there, {_short(mine.get(key))} now" for key in different
            )
            raise ValueError(
                f"run {self.name!r} exists with other settings ({shown}): repeat its own settings to continue it, "
                f"or choose another --name (with --warm-start runs/{self.name} it begins with what this one has found)"
            )


def is_timed(objective: str, max_latency: float | None) -> bool:
    """Whether a run of this objective and limit measures each network on this device."""
    return OBJECTIVES[objective].measured or max_latency is not None


def check_sampler(sampler: str) -> None:
    """Raise ValueError unless there is a sampler of this name."""
    if sampler not in SAMPLERS:
        raise ValueError(f"--sampler {sampler!r}: expected one of {', '.join(SAMPLERS)}")


def check_score(score: str) -> None:
    """Raise ValueError unless a search can go by it."""
    if score not in SCORES:
        raise ValueError(f"--score {score!r}: expected one of {', '.join(SCORES)}")


def check_objective(objective: str, mode: str) -> None:
    """Raise ValueError unless a run of this mode can have this objective."""
    if objective not in OBJECTIVES:
        raise ValueError(f"--objective {objective!r}: expected one of {', '.join(OBJECTIVES)}")
    if objective != "macs" and mode != "frontier":
        raise ValueError(
            f"--objective {objective} goes with --mode frontier: in {mode} mode top-1 is the only objective"
        )


def _short(value: object) -> str:
    if isinstance(value, dict) and "threads" in value:
        return timing_text(value)
    if isinstance(value, dict) and "start" in value:
        return f"{value['start']} { ({k: v for k, v in value.items() if k not in ('start', 'config')}) }"
    if isinstance(value, dict) and "name" in value:
        return f"{value['name']} { ({k: v for k, v in value.items() if k != 'name'}) }"
    if isinstance(value, list):
        return ",".join(each["name"] if isinstance(each, dict) else each for each in value) or "none"
    return str(value)
