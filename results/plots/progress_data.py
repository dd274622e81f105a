"""What a picture of a run's progress shows: a run -> `ProgressPlot`. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from results.analysis.hypervolume import axis_of, growth
from results.plots import DEFAULT_VIEW, View, style
from results.run.frame import whole
from results.run.run import Run
from space.shell.scores import score_text
from space.shell.words import amount, duration, time_unit

PAUSE = 60.0  # seconds with nothing in training after which a run is taken to have been stopped
REST = "proposing, recording, waiting"


@dataclass(frozen=True)
class Measure:
    """One row of the picture: how good the search was at first and after each network."""

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Effort:
    """One column of the picture: what had been spent then, beginning with 0; the last may lie after the last value."""

    label: str
    spent: tuple[float, ...]


@dataclass(frozen=True)
class Share:
    """Where some of the time went."""

    label: str
    seconds: float
    family: str = ""  # for the colour; none for what is no finished training


@dataclass(frozen=True)
class ProgressPlot:
    """All that the picture shows."""

    title: str
    measures: tuple[Measure, ...]
    efforts: tuple[Effort, ...]
    shares: tuple[Share, ...]  # the largest first, what is not training last
    caption: str
    empty: str = ""  # said in place of curves


def progress_data(run: Run, view: View = DEFAULT_VIEW) -> ProgressPlot:
    """Step one: what to show of a run."""
    frame, cost = run.frame(), run.cost(view.x)
    frame = frame[frame["duplicate_of"].isna() & frame["state"].isin(["complete", "fail", "pruned"])]
    frame = frame.sort_values(["finished", "trial"])  # as networks came back, which with several workers is not as sent
    warm, own = frame[frame["kind"] == "warm"], frame[frame["kind"] != "warm"]
    trained = own[own["kind"] != "repeat"]
    axis = axis_of([run], cost)
    order = [*warm.index, *trained.index]
    points = [(0.0, 0.0), *growth(run, frame.loc[order], cost, axis)][len(warm) :]
    what = "best expected top-1 (%)" if run.score.error else "best top-1 (%)"
    measures = [Measure(what, tuple(best for _, best in points))]
    low, high = axis
    if run.settings["mode"] == "frontier":
        measures.insert(0, Measure("hypervolume (points)", tuple(reached for reached, _ in points)))
    spent = own["seconds"].fillna(0.0).cumsum()
    total = float(own["seconds"].sum())
    efforts = [Effort("networks", tuple(float(count) for count in range(len(trained) + 1)))]
    if total > 0:
        efforts.append(_effort("training", [0.0, *(float(spent[row]) for row in trained.index)], total))
    clock = Clock(own)
    if clock.elapsed > 0:
        ends = [0.0, *(clock.at(end) for end in trained["finished"])]
        efforts.append(_effort("wall clock", ends, clock.elapsed))
    workers = _workers(run)
    lines = [_counts(own, trained, len(warm))]
    if text := _best(own):
        lines.append(text)
    if run.score.error:
        lines.append("Expected top-1: 100 less the error that a network's own stays below with probability 80 %.")
    if run.settings["mode"] == "frontier":
        lines.append(
            "Hypervolume: the best top-1 at or below a cost, 0 where there is nothing, on average over the logarithmic "
            f"axis from {cost.text(low)} to {cost.text(high)}; its reference point is 0 % at {cost.text(high)}."
        )
    if time := _time(clock, total, workers):
        lines.append(time)
    return ProgressPlot(
        title="Progress of the search",
        measures=tuple(measures),
        efforts=tuple(efforts),
        shares=_shares(own, max(0.0, clock.elapsed * workers - total) if clock.elapsed else 0.0),
        caption="\n".join(lines),
        empty="" if len(trained) else "no network has been trained yet",
    )


class Clock:
    """The wall clock of a run without the pauses between its starts."""

    def __init__(self, rows: pd.DataFrame) -> None:
        """Find the pauses.

        Args:
            rows: trials; those without begin and end are left out.
        """
        timed = rows.dropna(subset=["started", "finished"]).sort_values("started")
        self._begin = timed["started"].min()
        self.pauses: list[tuple[pd.Timestamp, pd.Timestamp]] = []
        last = self._begin
        for begin, end in zip(timed["started"], timed["finished"], strict=True):
            if (begin - last).total_seconds() > PAUSE:
                self.pauses.append((last, begin))
            last = max(last, end)
        self.elapsed = self.at(last) if len(timed) else 0.0
        self.paused = sum((end - begin).total_seconds() for begin, end in self.pauses)

    def at(self, moment: pd.Timestamp) -> float:
        """Seconds from the run's begin to a moment, pauses left out; NaN for one that is not known."""
        seconds = (moment - self._begin).total_seconds()
        for begin, end in self.pauses:
            if moment > begin:
                seconds -= (min(moment, end) - begin).total_seconds()
        return float(seconds)


def _effort(what: str, seconds: Sequence[float], total: float) -> Effort:
    unit, name = time_unit(total)
    return Effort(f"{what} ({name})", tuple(second / unit for second in (*seconds, total)))


def _workers(run: Run) -> int:
    """How many networks were trained at once in the last start; 1 if that is not known."""
    workers = run.about.get("workers")
    return workers if type(workers) is int and workers > 0 else 1


def _shares(own: pd.DataFrame, rest: float) -> tuple[Share, ...]:
    """Training by family where it came to a score; the rest by what became of it."""
    repeats = own["kind"] == "repeat"
    done = own[(own["state"] == "complete") & ~repeats]
    by_family = done.groupby("family")["seconds"].sum()
    shares = [Share(style.family_name(str(name)), float(took), str(name)) for name, took in by_family.items()]
    others = {
        "trained again (repeats)": own[repeats],
        "stopped early": own[(own["state"] == "pruned") & ~repeats],
        "failed": own[(own["state"] == "fail") & ~repeats],
    }
    shares = sorted(shares, key=lambda share: -share.seconds)
    shares += [Share(name, float(rows["seconds"].sum())) for name, rows in others.items()]
    return tuple(share for share in (*shares, Share(REST, rest)) if share.seconds > 0)


def _best(own: pd.DataFrame) -> str:
    """The highest score of one training, with the error that its held-out images leave."""
    done = own[(own["state"] == "complete") & (own["kind"] != "repeat") & own["proxy_top1"].notna()]
    if done.empty:
        return ""
    best = done.sort_values("proxy_top1").to_dict("records")[-1]
    return (
        f"Best top-1: {score_text(best['proxy_top1'], whole(best['held_out']), 2)} % (trial {best['trial']}); "
        "±: standard error from the held-out images alone."
    )


def _counts(own: pd.DataFrame, trained: pd.DataFrame, warm: int) -> str:
    words = [f"{amount(len(trained), 'network')}"]
    counts = {
        "published": int((trained["kind"] == "landmark").sum()),
        "stopped early": int((trained["state"] == "pruned").sum()),
        "failed": int((trained["state"] == "fail").sum()),
    }
    if parts := [f"{count} {what}" for what, count in counts.items() if count]:
        words.append("of them " + ", ".join(parts))
    if repeats := len(own) - len(trained):
        words.append(f"{amount(repeats, 'training')} of the same networks again: counted as time, not as networks")
    if warm:
        words.append(f"curves begin with {amount(warm, 'network')} taken over from earlier runs")
    return "; ".join(words) + "."


def _time(clock: Clock, total: float, workers: int) -> str:
    if not clock.elapsed:
        return ""
    at_once = "one worker" if workers == 1 else f"{workers} workers (of the last start)"
    text = f"Time: {duration(total)} of training in {duration(clock.elapsed)} of wall clock with {at_once}"
    if clock.pauses:
        count = len(clock.pauses)
        text += (
            f"; {amount(count, 'pause')} of more than a minute, {duration(clock.paused)} together, "
            "left out, and with them trainings that were cut off"
        )
    return text + "."
