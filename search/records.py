"""What the parts of a search pass to each other, in the order in which a network meets them.

============  ================================================================================
`Ask`         the proposer to the loop: a network to measure
`Network`     the loop to the storage: what is known of it before it is measured
`Job`         the loop to a worker
`Evaluation`  a worker to the loop: what was measured; `Lost`: nothing was
`Expected`    the calibration to the storage: what a network is expected to reach
`Outcome`     the loop to the samplers: what they learn
`Event`       the loop to the console and the log
============  ================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from evaluate.measures.latency import Latency
from evaluate.training.score import ProxyScore
from results.run.objective import OBJECTIVES
from search.rungs import RungTable
from space.networks.config import Config
from space.solving.axes import Proposal, Value


@dataclass(frozen=True)
class Ask:
    """A network to evaluate."""

    key: int
    family: str
    values: dict[str, Value]
    proposal: Proposal
    origin: str  # name of the sampler, "neighbour", "suggestion" or "sweep"
    attributes: Mapping[str, Any] = field(default_factory=dict)  # for the storage, of a sweep's networks


@dataclass(frozen=True)
class Network:
    """One network of the run: what is known before it is measured."""

    kind: str  # sample, landmark, repeat: a frontier member from another seed, or warm: from an earlier run
    label: str  # for the console
    config: Config
    family: str
    values: Mapping[str, Value] | None  # of the family's axes; None if they cannot express it
    attributes: dict[str, Any]  # what the storage keeps of it


@dataclass(frozen=True)
class Job:
    """One network that is sent out."""

    key: int  # chosen by the sender; the answer carries it
    config: Config
    table: RungTable | None = None  # what it is judged against, as of now; None: never stopped early
    seed: int | None = None  # of a repeat: train it from this seed, and do nothing else; None: the run's own
    resolution: int | None = None  # of the images, in a sweep over input sizes; None: the recipe's
    input_size: int | None = None  # that the network is counted at, in such a sweep; None: the run's


@dataclass(frozen=True, slots=True)
class Expected:
    """What a network is expected to reach if it is trained as the published ones were; errors in percent."""

    error: float  # the median
    low: float  # ends of the 95 % interval for one training by an unknown recipe
    high: float
    cautious: float  # what the network's own error stays below with probability `search.run.expected.CAUTION`
    familiarity: float  # 1: the counts of a known network of its family, 0: far from all of them
    evidence: str  # what it follows from

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read `to_json`'s form."""
        return cls(**data)


@dataclass(frozen=True)
class Evaluation:
    """What came out for one network."""

    score: ProxyScore | None = None  # None if it was not trained
    latency: Latency | None = None  # None if it was not timed
    reason: str | None = None  # why it failed, or was stopped
    violation: float | None = None  # of --max-latency, in milliseconds; above 0 it is too slow
    trace: str | None = None  # of an error of the program; for the log, not for the storage
    expected: Expected | None = None  # of a run that trains nothing: all that it asks for

    @property
    def state(self) -> str:
        """complete, stopped (early, or not trained because it is too slow) or failed."""
        if self.violation is not None and self.violation > 0:
            return "stopped"
        if self.score is None:
            return "failed" if self.expected is None else "complete"
        return self.score.state

    def cost(self, macs: int, objective: str) -> float:
        """What stands against top-1: milliseconds if the objective is measured, else multiply-adds."""
        return self.latency.median_ms if OBJECTIVES[objective].measured and self.latency else float(macs)

    def to_json(self) -> dict[str, Any]:
        """The attributes of a trial."""
        parts = {
            "reason": self.reason,
            "latency": None if self.latency is None else self.latency.to_json(),
            "violation": self.violation,
            "score": None if self.score is None else self.score.to_json(),
            "expected": None if self.expected is None else self.expected.to_json(),
        }
        return {key: value for key, value in parts.items() if value is not None}

    @classmethod
    def from_json(cls, attributes: Mapping[str, Any]) -> Self:
        """Read it from the attributes of a finished trial, whatever else is among them."""
        score, latency = attributes.get("score"), attributes.get("latency")
        return cls(
            None if score is None else ProxyScore.from_json(score),
            None if latency is None else Latency.from_json(latency),
            attributes.get("reason") or (score or {}).get("reason"),
            attributes.get("violation"),
        )


@dataclass(frozen=True)
class Lost:
    """The worker died with the network: killed, out of memory, its machine gone. Another try may succeed."""

    reason: str  # one line


Evaluate = Callable[[Job], Evaluation]


@dataclass(frozen=True)
class Outcome:
    """What came out for one network, as samplers see it."""

    config_id: str
    family: str
    values: dict[str, Value] | None  # of its axes; None if the space cannot express the network
    state: str  # complete, stopped or failed
    objectives: tuple[float, ...] | None = None  # top-1, and in frontier mode the cost; of complete ones
    violation: float | None = None  # of a measured limit: above 0 it is broken
    sampled: bool = True  # proposed by this run's sampler: not a landmark, not from another run


@dataclass(frozen=True)
class Event:
    """One network that has been dealt with: what the console shows."""

    kind: str  # sample, landmark or repeat
    label: str
    family: str
    macs: int
    params: int
    cost: float  # what the frontier holds against top-1: multiply-adds or milliseconds
    within: bool  # the budget and the limits: only those can be on the frontier
    evaluation: Evaluation
    duplicate_of: int | None
    top1: float | None = None  # percent, by which the search goes; None if it was not trained to its end
    expected: Expected | None = None  # where there is a published truth
