"""The table of a sweep as text: what was set, what was solved, scores over seeds, published errors, verdicts."""

from __future__ import annotations

from results.plots.sweep_data import SweepData, Trained, swept
from results.run.run import Run
from space.budget import gflops
from space.shell.tables import align
from space.shell.words import proxy_words


def sweep_table(run: Run) -> str:
    """The table with all that is to be said of it."""
    data = swept(run)
    if not data.rows:
        return data.empty
    heads = ["setting", "solved", "cost", "params", "proxy's cost", "n", "proxy top-1 (%)", "s a training"]
    beside = any(row.published for row in data.rows)
    heads += ["published", "error (%)"] if beside else []
    rows = [[*_cells(row), *(_paper(row) if beside else [])] for row in data.rows]
    lines = [align(heads, rows, right=(2, 3, 4, 5, 7, 9), rule=False), ""]
    lines += notes(data, run)
    return "\n".join([*lines, *run.notes])


def _cells(row: Trained) -> list[str]:
    top1 = row.reason or "-" if row.top1 is None else str(row.top1)
    seconds = "-" if row.seconds is None else f"{row.seconds:.0f}"
    return [
        row.name, row.solved, f"{gflops(row.macs)}FLOPs", f"{row.params / 1e6:.1f}M", f"{gflops(row.proxy_macs)}FLOPs",
        str(len(row.scores)), top1, seconds,
    ]  # fmt: skip


def _paper(row: Trained) -> list[str]:
    return ["-", "-"] if row.published is None else [row.published.label, f"{row.published.error:g}"]


def notes(data: SweepData, run: Run) -> list[str]:
    """What is said below table and picture, a sentence a line."""
    recipe = run.settings["recipe"]
    images = recipe.get("train_images") or "all"
    trained = proxy_words(recipe, run.settings["budget_macs"])
    lines = [
        f"Proxy top-1: recipe {run.recipe_name} ({recipe['epochs']} epochs, {images} images of {recipe['resolution']} "
        f"pixels, {trained}) on {run.data_name}; n trainings, from seeds that are the same for "
        "all. It ranks networks trained alike and is not the accuracy after full training."
    ]
    if any(row.top1 is not None and row.top1.low is not None for row in data.rows):
        lines.append(
            "Brackets: 95 %, Student's t over seeds, spread pooled over the networks. Differences: paired by seed, "
            "Tukey's honest significant difference, 95 % for all pairs together."
        )
    lines += data.verdicts
    if data.published:
        each = [
            f"{one.label} {one.error:g} % ({gflops(one.macs)}FLOPs, {one.params / 1e6:.1f}M params)"
            for one in data.published
        ]
        sources = dict.fromkeys(f"{one.source}: {one.setting}" for one in data.published)
        data_set = "CIFAR-10" if data.published[0].setting.startswith("CIFAR") else "ImageNet"
        lines.append(f"Published top-1 error on {data_set}, never to be mixed with the proxy's: {'; '.join(each)}.")
        lines.append(f"Sources: {'; '.join(sources)}.")
    return lines
