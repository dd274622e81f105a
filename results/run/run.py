"""`Run`: what a search has written, to be asked."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from results.run.candidate import Candidate
from results.run.frame import whole
from results.run.objective import COSTS, UNTRAINED, Objective, by_expected, objective_of, one_objective
from results.run.pareto import best_first, best_mask, frontier_mask
from results.run.score import SCORES, Score
from space import Task, config_from_json, gflops
from space.budget import parse_count
from space.landmarks.networks import LANDMARKS, Landmark

__all__ = ["Candidate", "Run"]


@dataclass(frozen=True, eq=False)
class Run:
    """A run as it was when it was read."""

    directory: Path
    settings: dict[str, Any]  # as the search stored them: budget_macs, mode, data, recipe, input_size, classes ...
    _frame: pd.DataFrame = field(repr=False)
    fidelity: str | None = None  # how far the recipe's ranking can be trusted; None until the search has said it
    _data_name: str | None = None
    data_key: str | None = None  # digest of the images and of which are held out; None until the search has said it
    trials: Sequence[FrozenTrial] = field(default=(), repr=False)  # as the study has them
    about: dict[str, Any] = field(default_factory=dict, repr=False)  # run.json: environment, workers; empty without one
    own_landmarks: tuple[Landmark, ...] = ()  # the user's, scored or known by figures
    notes: tuple[str, ...] = ()  # what of the directory could not be read, a sentence each
    trust: str | None = None  # how far expected errors can be trusted; None where there are none

    @property
    def landmarks(self) -> dict[str, Landmark]:
        """The published networks and the user's own, by name."""
        return LANDMARKS | {each.name: each for each in self.own_landmarks}

    @property
    def budget_macs(self) -> int:
        """The limit of compute, in multiply-adds."""
        return int(self.settings["budget_macs"])

    @property
    def input_size(self) -> int:
        """Height and width that costs are counted at."""
        return int(self.settings["input_size"])

    @property
    def classes(self) -> int:
        """Number of classes that costs are counted at."""
        return int(self.settings["classes"])

    @property
    def data_name(self) -> str:
        """The images that networks were scored on, in short; the last part of a path until the search has said it."""
        return self._data_name or Path(self.settings["data"]).name or str(self.settings["data"])

    @property
    def recipe_name(self) -> str:
        """The recipe that networks were trained with."""
        return str(self.settings["recipe"].get("name", "unnamed"))

    @property
    def objective(self) -> Objective:
        """What is held against top-1: multiply-adds or latency."""
        return objective_of(self.settings)

    @property
    def one_objective(self) -> bool:
        """Whether the run looks for the best networks at its budget, and for no frontier: match mode."""
        return one_objective(self.settings)

    @property
    def score(self) -> Score:
        """What the run goes by: expected errors, or the top-1 of its proxies."""
        return SCORES["expected" if by_expected(self.settings) else "proxy"]

    @property
    def trains(self) -> bool:
        """Whether networks were trained."""
        return self.recipe_name != UNTRAINED

    @property
    def held_out(self) -> int | None:
        """Images that scores are a percentage of; None where no score tells."""
        known = self._frame["held_out"].dropna()
        return int(known.min()) if len(known) else None

    @property
    def timing(self) -> dict[str, Any] | None:
        """What latencies were measured on (batch, device, dtype, threads); None if none were."""
        return self.settings.get("timing")

    def frame(self) -> pd.DataFrame:
        """All trials, one a row; `results.run.columns.COLUMNS` says what the columns are."""
        return self._frame.copy()

    def networks(self) -> pd.DataFrame:
        """The networks that have a score, each once: complete trials that are neither duplicates nor repeats."""
        frame = self._scored()
        return frame[frame["duplicate_of"].isna()].reset_index(drop=True)

    def _scored(self) -> pd.DataFrame:
        frame = self._frame
        scored = (frame["state"] == "complete") & self.score.top1(frame).notna() & frame["macs"].notna()
        return frame[scored & (frame["kind"] != "repeat")]

    def frontier(self, x: str | None = None) -> pd.DataFrame:
        """The answer of the run: within the budget and limits, nothing better for as little, the cheapest first.

        In match mode, where all cost the same, these are the `BEST` networks, the best first.

        Args:
            x: what it costs: macs, params, activations or latency; the run's objective unless given. Another cost
                than that has a frontier in match mode, too.

        Raises:
            ValueError: for another cost, or for latency where none was measured.
        """
        frame, cost = self._frame, self.cost(x)
        if cost == self.objective and self.one_objective:
            return best_first(frame[frame["on_frontier"]], self.settings).reset_index(drop=True)
        mask = frame["on_frontier"] if cost == self.objective else frontier_mask(frame, self.settings, cost.column)
        return frame[mask].sort_values(cost.column).reset_index(drop=True)

    def proxy_frontier(self, x: str | None = None) -> pd.DataFrame:
        """The same by the proxies' top-1, whatever the run goes by. Arguments and errors are those of `frontier`."""
        if not self.score.error:
            return self.frontier(x)
        cost, settings = self.cost(x), self.settings | {"score": "proxy"}
        if cost == self.objective and self.one_objective:
            return best_first(self._frame[best_mask(self._frame, settings)], settings).reset_index(drop=True)
        mask = frontier_mask(self._frame, settings, cost.column)
        return self._frame[mask].sort_values(cost.column).reset_index(drop=True)

    def cost(self, x: str | None = None) -> Objective:
        """What stands on the x axis; the run's objective unless given. Raises as `frontier`."""
        if x is None:
            return self.objective
        if x not in COSTS:
            raise ValueError(f"x {x!r}: expected one of {', '.join(COSTS)}")
        if COSTS[x].measured and self._frame[COSTS[x].column].isna().all():
            raise ValueError(
                f"{self.directory}: no {x} was measured: expected a run of python -m search --objective {x}"
            )
        return COSTS[x]

    def best(
        self,
        max_macs: float | str | None = None,
        max_params: float | str | None = None,
        *,
        max_latency_ms: float | None = None,
        landmarks: bool = True,
    ) -> Candidate:
        """The best network within the limits; of equals the one cheaper in the run's objective.

        A run that goes by expected errors has its best by the cautious one (column ``cautious_error``). Another has it
        by proxy top-1; where networks were trained again from other seeds, by their top-1 without seed variance (see
        `results.run.uncertainty`).

        Args:
            max_macs: multiply-adds of one image at the run's target, as a number or as text such as "2G"; the run's
                budget unless given.
            max_params: trainable numbers, or text such as "12M".
            max_latency_ms: median milliseconds of one image, as `timing` says; for a run of ``--objective latency``.
            landmarks: whether published networks count too.

        Raises:
            ValueError: if no finished network fits, a text is no number, or the run measured no latency to ask of it.
        """
        frame = self._scored()
        frame = frame[frame["config"].notna()]
        if not landmarks:
            frame = frame[frame["kind"] != "landmark"]
        if frame.empty:
            raise ValueError(f"{self.directory}: no network is finished yet; let the search go on")
        max_macs = parse_count(max_macs, "max_macs") if isinstance(max_macs, str) else max_macs
        max_params = parse_count(max_params, "max_params") if isinstance(max_params, str) else max_params
        limit = self.budget_macs if max_macs is None else max_macs
        fits = frame["macs"] <= limit
        if not fits.any():
            raise ValueError(
                f"nothing costs at most {gflops(limit)} multiply-adds; the cheapest is "
                f"{gflops(int(frame['macs'].min()))} (max_macs={int(frame['macs'].min())})"
            )
        frame = frame[fits]
        if max_params is not None:
            smaller = frame[frame["params"] <= max_params]
            if smaller.empty:
                least = int(frame["params"].min())
                raise ValueError(
                    f"nothing of at most {gflops(limit)} multiply-adds has at most {max_params:,.0f} parameters; "
                    f"the smallest has {least:,} (max_params={least})"
                )
            frame = smaller
        if max_latency_ms is not None:
            frame = self._as_fast(frame, max_latency_ms)
        best = best_first(frame.sort_values([self.objective.column, "trial"]), self.settings).iloc[0]
        return self.candidate(int(best["trial"]))

    def _as_fast(self, frame: pd.DataFrame, limit: float) -> pd.DataFrame:
        """Those of the networks that take at most `limit` milliseconds."""
        times = frame["latency_ms"]
        if times.isna().all():
            raise ValueError(
                f"{self.directory}: no latency was measured: expected a run of python -m search --objective latency"
            )
        if not (times <= limit).any():
            least = float(times.min())
            raise ValueError(
                f"nothing within the other limits takes at most {limit:g} ms; the fastest takes {least:.3f} ms "
                f"(max_latency_ms={math.ceil(least * 1000) / 1000:g})"
            )
        return frame[times <= limit]

    def candidate(self, trial: int) -> Candidate:
        """The network of a trial.

        Raises:
            ValueError: if there is no such trial, or it is not finished.
        """
        rows = self._frame[self._frame["trial"] == trial].to_dict("records")
        if not rows or rows[0]["state"] != "complete":
            raise ValueError(f"{self.directory}: no finished trial has the number {trial}; trials.csv lists them")
        row = rows[0]
        return Candidate(
            config=replace(config_from_json(json.loads(row["config"])), task=Task(self.input_size, self.classes)),
            macs=int(row["macs"]),
            params=int(row["params"]),
            proxy_top1=None if math.isnan(row["proxy_top1"]) else float(row["proxy_top1"]),
            expected_error=None if math.isnan(row["expected_error"]) else float(row["expected_error"]),
            interval=None if math.isnan(row["error_low"]) else (float(row["error_low"]), float(row["error_high"])),
            familiarity=None if math.isnan(row["familiarity"]) else float(row["familiarity"]),
            trial=trial,
            input_size=self.input_size,
            classes=self.classes,
            held_out=whole(row["held_out"]),
            landmark=row["landmark"] if isinstance(row["landmark"], str) else None,
            latency_ms=None if math.isnan(row["latency_ms"]) else float(row["latency_ms"]),
        )
