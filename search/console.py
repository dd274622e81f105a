"""What a run shows: a line a network, and on a terminal a progress bar over the whole run."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from results.pareto import frontier
from search.study import Event
from space import gflops


class RunDisplay:
    """Counts, keeps the frontier so far, prints. Without a terminal there is no bar and no escape code."""

    def __init__(self, total: int, done: int, points: list[tuple[float, float]], budget_macs: int) -> None:
        """`total` and `done` count networks; `points` are the (top-1, MACs or ms) that a continued run has."""
        self.console = Console(soft_wrap=True, highlight=False)
        self.budget_macs = budget_macs
        self.points = list(points)
        self.done = done
        self.total = total
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("[dim]elapsed"),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("{task.fields[state]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.progress.add_task("networks", total=total, completed=done, state="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def show(self, event: Event) -> None:
        """Print one network and move the bar."""
        self.done += 1
        score, latency = event.evaluation.score, event.evaluation.latency
        speed = 0.0
        if score is None or event.evaluation.reason is not None:
            result = f"failed: {event.evaluation.reason}"
        else:
            speed = score.images_per_second
            if event.macs <= self.budget_macs:  # landmarks up to 5 % over are scored, but are no members
                self.points.append((score.top1, event.evaluation.cost(event.macs)))
            result = f"top-1 {score.top1:5.1f} %"
            if event.duplicate_of is None:
                result += f"  {score.seconds:5.1f} s  {speed:6.0f} images/s"
            else:
                result += f"  same network as trial {event.duplicate_of}, not trained again"
        time = "" if latency is None else f"{latency.median_ms:8.3f} ms  "
        self.console.print(
            f"{self.done:4}/{self.total}  {event.label:17} {event.family:12} {gflops(event.macs):>6}FLOPs "
            f"{event.params / 1e6:6.1f}M params  {time}{result}",
            markup=False,
        )
        self.progress.update(self.task, completed=self.done, state=self._state(speed))

    def _state(self, speed: float) -> str:
        if not self.points:
            return ""
        mask = frontier([top1 for top1, _ in self.points], [cost for _, cost in self.points])
        best = max(top1 for top1, _ in self.points)
        return f"frontier {int(sum(mask))} networks, best {best:.1f} %, {speed:.0f} images/s"
