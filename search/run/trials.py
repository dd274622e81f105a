"""`Trials`: what a run has finished. What counts, what is missing, what is on the frontier, what samplers can learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from results.run.frame import trials_frame
from results.run.objective import BEST
from results.run.pareto import best_first, frontier
from search.records import Expected, Outcome
from search.run.counts import STATES
from search.run.parameters import values_in
from search.run.settings import Settings
from space import Config, config_from_json
from space.solving.axes import Value, values_of

MOST_MISSES = 30  # networks in a row that are too slow before a search gives up
MOST_REPEATED = 3 * BEST  # networks of a run in match mode


class Trials:
    """The trials of one run, in the order of their numbers."""

    def __init__(
        self, settings: Settings, trials: Iterable[FrozenTrial], expected: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """The trials as the storage has them; see `append`.

        Args:
            settings: of the run.
            trials: all of them.
            expected: what networks are expected to reach, by configuration, where that was worked out anew after they
                were recorded: JSON of `Expected`.
        """
        self.settings = settings
        self.trials = list(trials)
        self.expected: dict[str, Expected] = {}  # by configuration
        for trial in self.trials:
            self._expect(trial)
        self.expected |= {network: Expected.from_json(each) for network, each in (expected or {}).items()}
        samples = self.finished("sample")
        self._samples = sum(not rejected(trial.user_attrs) for trial in samples)
        self.misses = 0  # sampled networks in a row, up to now, that --max-latency has rejected
        for trial in samples:
            self.misses = self.misses + 1 if rejected(trial.user_attrs) else 0
        self._known = {identity(trial.user_attrs): trial for trial in reversed(self._counted()) if _measured(trial)}

    def append(self, trial: FrozenTrial) -> None:
        """One trial more, finished just now."""
        self.trials.append(trial)
        self._expect(trial)
        if trial.user_attrs["kind"] == "sample":
            self.misses = self.misses + 1 if rejected(trial.user_attrs) else 0
            self._samples += not rejected(trial.user_attrs)
        if _measured(trial):
            self._known.setdefault(identity(trial.user_attrs), trial)

    def _expect(self, trial: FrozenTrial) -> None:
        if "expected" in trial.user_attrs:
            self.expected[trial.user_attrs["config_id"]] = Expected.from_json(trial.user_attrs["expected"])

    def values(self, trial: FrozenTrial) -> tuple[float, ...]:
        """What a finished network is worth to this search: top-1 in percent, and in frontier mode what it costs.

        Where the search goes by expected errors, the top-1 is the cautious one, as it is expected by now; the study
        keeps the raw scores.
        """
        if self.settings.score != "expected":
            return tuple(trial.values)
        return (100 - self.expected[trial.user_attrs["config_id"]].cautious, *trial.values[1:])

    def _counted(self) -> list[FrozenTrial]:
        """Without what a lost connection made Optuna write a second time."""
        once = {
            (identity(trial.user_attrs), trial.user_attrs.get("seed"), trial.datetime_start): trial
            for trial in reversed(self.trials)
        }
        return sorted(once.values(), key=lambda trial: trial.number)

    def finished(self, kind: str) -> list[FrozenTrial]:
        """The trials of a kind (see `search.records.Network`) that count."""
        return [trial for trial in self._counted() if trial.user_attrs.get("kind") == kind]

    def landmarks_left(self) -> list[str]:
        """Names of the landmarks that still have to be scored."""
        done = {trial.user_attrs["landmark"] for trial in self.finished("landmark")}
        return [name for name in self.settings.landmarks if name not in done]

    def samples_left(self, total: int) -> int:
        """How many sampled networks are missing to `total`; what --max-latency has rejected is none of them.

        After `MOST_MISSES` of those in a row nothing is missing any more: the limit leaves no room to search.
        """
        return 0 if self.misses >= MOST_MISSES else max(0, total - self._samples)

    def repeats_left(self, count: int) -> list[tuple[FrozenTrial, int]]:
        """What is missing to `count` repeats of each of the `members`: the trial, and the seed to train it from.

        In match mode repeats change who the best are: ask again when these are done. `MOST_REPEATED` networks are
        repeated at most.
        """
        if not count:
            return []
        done = {(identity(trial.user_attrs), trial.user_attrs["seed"]) for trial in self.finished("repeat")}
        members, first = self.members(), self.settings.seed + 1
        begun = {known for known, _ in done}
        if self.settings.mode == "match" and self.settings.sweep is None and len(begun) >= MOST_REPEATED:
            members = [member for member in members if identity(member.user_attrs) in begun]
        return [
            (member, seed)
            for seed in range(first, first + count)
            for member in members
            if (identity(member.user_attrs), seed) not in done
        ]

    def measured(self, config_id: str, resolution: int | None = None) -> FrozenTrial | None:
        """The first finished trial of a configuration, trained at the recipe's resolution unless another is given."""
        return self._known.get((config_id, resolution))

    def outcomes(self) -> list[Outcome]:
        """What samplers can learn from."""
        return [outcome for trial in self._counted() if (outcome := self.outcome(trial)) is not None]

    def outcome(self, trial: FrozenTrial) -> Outcome | None:
        """What samplers can learn from a trial; None for a repeat."""
        attributes = trial.user_attrs
        if _repeats(trial):
            return None
        values = None
        if trial.params:
            _, values = values_in(trial.params)
        elif found := self._values_of(config_from_json(attributes["config"])):
            values = found[1]
        return Outcome(
            attributes["config_id"],
            attributes["family"],
            values,
            STATES[trial.state.name],
            self.values(trial) if trial.state == TrialState.COMPLETE else None,
            attributes.get("violation"),
            attributes.get("kind") == "sample",
        )

    def _values_of(self, config: Config) -> tuple[str, dict[str, Value]] | None:
        if self.settings.sweep is not None:  # nobody learns
            return None
        found = values_of(config, self.settings.target)
        return found if found is not None and found[0] in self.settings.families else None

    def points(self) -> list[tuple[float, float]]:
        """(top-1, MACs or ms) of every finished network within the budget and the limits."""
        return [
            (values[0], values[1] if len(values) > 1 else trial.user_attrs["macs"])
            for trial in self._scored()
            for values in [self.values(trial)]
        ]

    def members(self) -> list[FrozenTrial]:
        """The trials on the frontier; in match mode the `BEST` of highest expected top-1; of a sweep all."""
        if self.settings.sweep is not None:
            return [
                trial
                for trial in self.finished("sample")
                if trial.state == TrialState.COMPLETE and "duplicate_of" not in trial.user_attrs
            ]
        scored = self._scored()
        if self.settings.mode == "match":
            worked_out = {network: each.to_json() for network, each in self.expected.items()}
            frame = trials_frame(self.trials, self.settings.to_json(), expected=worked_out)
            best = best_first(frame[frame["on_frontier"]], self.settings.to_json())
            numbered = {trial.number: trial for trial in scored}
            return [numbered[number] for number in best["trial"].tolist()]
        top1, costs = zip(*map(self.values, scored), strict=True) if scored else ((), ())
        return [trial for trial, member in zip(scored, frontier(top1, costs), strict=True) if member]

    def _scored(self) -> list[FrozenTrial]:
        """The finished networks within the budget and the limits, none of them a repeat."""
        return [
            trial
            for trial in self.trials
            if trial.state == TrialState.COMPLETE and not _repeats(trial) and self.settings.within(trial.user_attrs)
        ]


def rejected(attributes: Mapping[str, Any]) -> bool:
    """Whether a network was not trained, for it is slower than --max-latency."""
    return bool(attributes.get("violation", 0) > 0)


def identity(attributes: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """What makes two networks the same: the configuration, and the resolution if it is not the recipe's."""
    return attributes.get("config_id"), attributes.get("resolution")


def _measured(trial: FrozenTrial) -> bool:
    """Whether measuring the same network again would tell nothing new; a worker that was lost tells nothing."""
    known = trial.user_attrs.keys() & {"score", "violation"} or trial.state == TrialState.COMPLETE
    return bool(known) and not _repeats(trial)


def _repeats(trial: FrozenTrial) -> bool:
    """Whether it only says how certain the score of another trial is."""
    return trial.user_attrs.get("kind") == "repeat"
