"""What a run shows: what it is, a line a network, and on a terminal a progress bar over the whole run."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from results.run.objective import timing_text
from results.run.pareto import frontier
from search.cli.sweep import sweep_lines
from search.run.counts import Tally, Workers
from search.run.log import figures
from search.run.settings import Settings
from space import cost, gflops
from space.shell.scores import few_text, score_text
from space.shell.words import duration

if TYPE_CHECKING:
    from evaluate.fidelity.shipped import KnownFidelity
    from evaluate.images.load import ImageData
    from search.records import Evaluation, Event

QUIET, NORMAL, VERBOSE = -1, 0, 1
LABEL = 17  # letters of the column of labels, at least
PAUSE = 60.0  # seconds from one line on how far the run is to the next, where there is no bar


class RunDisplay:
    """Counts, keeps the frontier so far, prints. Without a terminal there is no bar and no escape code.

    `show` tells of networks that have ended; `observe`, which watches a `RunLog`, of what happens to them before.
    """

    def __init__(
        self,
        total: int,
        done: int,
        points: list[tuple[float, float]],
        slots: int = 1,
        verbosity: int = NORMAL,
        labels: Iterable[str] = (),
        errors: bool = False,
    ) -> None:
        """A display of one start of a run.

        Args:
            total: networks of the whole run.
            done: those that earlier starts have finished.
            points: (top-1, MACs or ms) of what an earlier start left that may be on the frontier.
            slots: networks at the same time.
            verbosity: QUIET says nothing, VERBOSE also what is sent out and tried again.
            labels: of the networks of the run, as far as they are known: their column is as wide as the widest.
            errors: whether the top-1 of points is what is to be expected, which is told as an error.
        """
        terminal = sys.stdout.isatty()
        # FORCE_COLOR may not put escape codes into files
        self.console = Console(
            soft_wrap=True, highlight=False, quiet=verbosity <= QUIET, force_terminal=None if terminal else False
        )
        self.verbosity = verbosity
        self.width = max([LABEL, *map(len, labels)])
        self.slots, self.errors = slots, errors
        self.points = _frontier(points)
        self.done, self.total = done, total
        self._indent = " " * (len(str(total)) + 7)  # below the labels
        self.tally = Tally()  # of this start
        self.workers = Workers(slots)
        self._began = self._said = time.monotonic()
        self._labels: dict[int, str] = {}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=self.console,
            disable=not terminal or verbosity <= QUIET,
        )
        self.task = self.progress.add_task("networks", total=total, completed=done, state="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        if self.tally.total:
            self.console.print(self.summary(), markup=False)

    def observe(self, event: Mapping[str, Any]) -> None:
        """An event of the log: repeats make the bar longer. Only `VERBOSE` prints something."""
        self.workers.read(event)
        if event["event"] == "repeats":
            self.total += event["count"]
            self.progress.update(self.task, total=self.total)
        elif event["event"] == "start":
            self._labels[event["key"]] = event["label"]
            origin = f" ({event['origin']})" if event.get("origin") else ""
            words = f"{event['family']:12} {gflops(event['macs']):>6}FLOPs sent out{origin}"
            self._remark(f"{self._label(event['label'])} {words}")
        elif event["event"] == "retry":
            words = f"tried again, attempt {event['attempt']}: {event['reason']}"
            self._remark(f"{self._label(self._labels[event['key']])} {words}")

    def _label(self, label: str) -> str:
        return label.ljust(self.width)

    def _remark(self, text: str) -> None:
        if self.verbosity >= VERBOSE:
            self.console.print(f"{self._indent}{text}", markup=False)

    def show(self, event: Event) -> None:
        """Print one network and move the bar."""
        self.done += 1
        self.tally.add(figures(event))
        if figures(event)["rejected"]:
            self.total += 1
            self.progress.update(self.task, total=self.total)
        evaluation = event.evaluation
        result = _result(evaluation)
        if event.duplicate_of is not None:
            result += f"  same network as trial {event.duplicate_of}, not trained again"
        elif evaluation.score is not None and evaluation.state != "failed":
            result += f"  {evaluation.score.seconds:5.1f} s  {evaluation.score.images_per_second:6.0f} images/s"
        on_picture = event.within and event.kind != "repeat"
        if evaluation.state == "complete" and evaluation.score is not None and on_picture:
            point = (evaluation.score.top1 if event.top1 is None else event.top1, event.cost)
            self.points = _frontier([*self.points, point])
            if self.points[-1] is point:
                result += "  on the frontier so far"
        latency = "" if evaluation.latency is None else f"{evaluation.latency.median_ms:8.3f} ms  "
        if event.expected is not None and event.kind != "repeat":
            latency += f"expected error {event.expected.error:4.1f} %  "
        self.console.print(
            f"{self.done:4}/{self.total}  {self._label(event.label)} {event.family:12} {gflops(event.macs):>6}FLOPs "
            f"{event.params / 1e6:6.1f}M params  {latency}{result}",
            markup=False,
        )
        self._moved()

    def batch(self, count: int, points: list[tuple[float, float]]) -> None:
        """So many networks more, none of them trained.

        Args:
            count: of them.
            points: (top-1, MACs) of all that may be on the frontier.
        """
        self.done += count
        self.points = _frontier(points)
        self.tally.untrained += count
        self._moved()

    def _moved(self) -> None:
        """Move the bar; where there is none, a line from time to time."""
        self.progress.update(self.task, completed=self.done, state=self.state())
        now = time.monotonic()
        if self.progress.disable and now - self._said >= PAUSE and self.done < self.total:
            self._said = now
            self.console.print(f"{self._indent}{self.state()}", markup=False)

    def state(self) -> str:
        """How far the run is: time left, trouble, frontier so far, speed."""
        words = [f"{self.done} of {self.total} networks"] if self.tally.untrained else []
        left = self.tally.left(self.total - self.done, self.slots)
        if left is not None and self.done < self.total:
            words.append(f"about {duration(left)} left")
        for name in ("stopped", "failed"):
            if self.tally.states[name]:
                words.append(f"{self.tally.states[name]} {name}")
        if self.points:
            best = max(top1 for top1, _ in self.points)
            said = f"error {100 - best:.1f} %, cautiously" if self.errors else f"{best:.1f} %"
            words.append(f"frontier {len(self.points)}, best {said}")
        return ", ".join([*words, *filter(None, [self.tally.device_text()])])

    def summary(self) -> str:
        """What this start has done, in one line."""
        elapsed = time.monotonic() - self._began
        words = [self.tally.counts_text(), duration(elapsed), *filter(None, [self.tally.device_text()])]
        busy = self.workers.busy(elapsed)
        if busy:
            who = "1 worker" if self.slots == 1 else f"{self.slots} workers"
            words.append(f"{who} busy for {100 * busy:.0f} % of the time")
        return "; ".join(words)


def _frontier(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those of the points (top-1, cost) that no other one beats."""
    mask = frontier([top1 for top1, _ in points], [cost for _, cost in points])
    return [point for point, kept in zip(points, mask, strict=True) if kept]


def _result(evaluation: Evaluation) -> str:
    """How a network ended."""
    score, reason = evaluation.score, " ".join(str(evaluation.reason).split())
    match evaluation.state:
        case "failed":
            return f"failed: {reason}"
        case "stopped" if score is not None and score.curve:
            return f"stopped at epoch {score.curve[-1]['epoch']} (top-1 {score_text(score.top1, score.held_out)} %)"
        case "stopped":
            return f"stopped: {reason}"
    assert score is not None  # it is complete
    return f"top-1 {score_text(score.top1, score.held_out):>5} %"


# ---------------------------------------------------------------------------------------------- before it begins


def introduction(
    directory: Path, settings: Settings, data: ImageData | None, device: str, workers: int, fidelity: str
) -> str:
    """What is searched, how, and how far the scores can be trusted; without data nothing is trained."""
    target = settings.target
    size = f"{target.input_size}x{target.input_size}"
    lines = [f"run {directory}: budget {target.budget} at {size}, {target.classes} classes"]
    if target.limits:
        lines.append(f"limits {target.limits}")
    if settings.sweep is not None:
        assert data is not None  # a sweep trains
        lines += sweep_lines(settings, data.classes)
    else:
        how = [f"mode {settings.mode}", f"families {', '.join(settings.families)}", f"sampler {settings.sampler}"]
        how += [f"refine {settings.refine:g}"] if settings.refine else []
        how += ["early stopping"] if settings.early_stopping else []
        lines.append("; ".join([*how, f"seed {settings.seed}"]))
    if data is not None:
        origin = f" ({data.origin})" if data.origin else ""
        train, held_out = len(data.train_labels), len(data.val_labels)
        few = few_text(held_out)
        lines.append(f"data {data.name}{origin}: {train} images to train, {held_out} held out of train")
        lines += [few] if few else []
        lines.append(f"device {device}" + (f", {workers} workers" if workers > 1 else ""))
    if settings.timing is not None:
        limit = f"; at most {settings.max_latency:g} ms" if settings.max_latency is not None else ""
        timing = timing_text(settings.timing)
        lines.append(f"latency at batch 1 on {timing}{limit}; leave the machine alone while it is measured")
    lines += shown_text(settings)
    if settings.trains:
        lines.append(f"recipe {', '.join(f'{key} {value}' for key, value in settings.recipe.items())}")
    else:
        lines.append("recipe none: nothing is trained, networks are scored by their counts")
    return "\n".join([*lines, fidelity])


def shown_text(settings: Settings) -> list[str]:
    """A line a landmark of the user's own that is not scored, with the reason."""
    target = settings.target
    lines = []
    for each in settings.shown_landmarks:
        if each.config is None:
            reason = "only its figures are known"
        elif each.target != target.kind:
            reason = f"it is for images as of {each.target}, the budget is counted at {target.input_size} pixels"
        else:
            macs = cost(each.config, target.input_size, target.classes).macs
            reason = f"it costs {gflops(macs)}FLOPs, more than 5 % over the budget or a limit"
        lines.append(f"landmark {each.name} is shown, not scored: {reason}")
    return lines


def fidelity_line(known: Sequence[KnownFidelity], data: str, recipe: str, kind: str = "imagenet") -> str:
    """What is known of the recipe's fidelity on these data, or what to type to learn it."""
    from evaluate.fidelity.shipped import fidelity_sentence

    if known:
        return fidelity_sentence(known)
    words = ["python", "-m", "evaluate", "fidelity", "--data", data, "--recipe", recipe]
    command = shlex.join([*words, *(["--set", kind] if kind != "imagenet" else [])])
    return f"fidelity unknown: type {command}"
