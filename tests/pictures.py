"""What the tests of pictures share: tables made by hand, and a look at every text that is drawn."""

import itertools
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from results.plots.labels import Box
from results.run.columns import COLUMNS
from results.run.repeats import fill_repeats
from results.run.run import Run
from space import LANDMARKS, cost, landmark

SETTINGS = {
    "name": "r", "budget_macs": 4_100_000_000, "mode": "frontier",
    "objective": "macs", "data": "digits", "input_size": 224,
    "classes": 1000, "recipe": {"name": "cpu", "epochs": 3, "resolution": 8, "proxy_macs": 1_300_000},
}  # fmt: skip

# What the default run at 4.1 G scores first: most of them cost nearly the same.
NEAR_BUDGET = [
    each.name
    for each in LANDMARKS.values()
    if each.config and each.target == "imagenet" and each.macs is not None and each.macs <= 1.05 * 4.1e9
]


def make_run(rows: list[dict[str, object]], **more: object) -> Run:
    frame = pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in rows], dtype=column.dtype)
            for column in COLUMNS
            if column.dtype != "bool"
        }
    )
    frame["on_frontier"] = pd.Series([bool(row.get("on_frontier")) for row in rows], dtype="bool")
    fill_repeats(frame, SETTINGS | more, "macs")
    return Run(Path("runs/r"), SETTINGS | more, frame)


def sample(number: int, top1: float, gmacs: float, family: str = "resnet", **more: object) -> dict[str, object]:
    return {
        "trial": number, "kind": "sample", "family": family, "config_id": f"{number:012x}", "state": "complete",
        "proxy_top1": top1, "macs": int(gmacs * 1e9), "params": 10**7,
    } | more  # fmt: skip


def scored(number: int, name: str, top1: float) -> dict[str, object]:
    config = landmark(name)
    return sample(number, top1, cost(config).macs / 1e9, config.family) | {
        "kind": "landmark", "landmark": name, "config_id": config.id,
    }  # fmt: skip


def crowded() -> Run:
    """The default run: 14 landmarks about the budget with close scores, 40 samples, one that learned nothing."""
    rows = [scored(n, name, 95 + (n * 7 % 5) * 0.3) for n, name in enumerate(NEAR_BUDGET)]
    families = itertools.cycle(["resnet", "wide_resnet", "resnext", "densenet"])
    rows += [sample(100 + n, 90 + (n * 13 % 40) / 8, 0.4 * 1.06**n, next(families)) for n in range(40)]
    rows.append(sample(200, 96.5, 0.9, "densenet", on_frontier=True))
    rows.append(sample(201, 97.5, 3.1, "resnext", on_frontier=True))
    rows.append(sample(202, 10.0, 2.0))
    rows.append({"trial": 203, "kind": "sample", "state": "fail", "reason": "the loss is not finite"})
    rows.append({"trial": 204, "state": "running"})
    return make_run(rows)


def shown(figure: Figure) -> list[Text]:
    """Every text that is drawn: matplotlib keeps ticks outside the view, and of axes that are off, which are not."""
    figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        for axis, (low, high), index in ((axes.xaxis, axes.get_xlim(), 0), (axes.yaxis, axes.get_ylim(), 1)):
            for text in axis.get_ticklabels():
                if not axes.axison or not low <= text.get_position()[index] <= high:
                    hidden.add(id(text))
    texts = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    return [text for text in texts if text.get_visible() and text.get_text().strip() and id(text) not in hidden]


def check(figure: Figure, least: int = 1) -> list[str]:
    """Every text is inside the figure, and no two texts touch; returns the texts."""
    whole = Box(*figure.bbox.extents)
    boxes = [(text.get_text(), Box(*text.get_window_extent().extents)) for text in shown(figure)]
    assert len(boxes) >= least
    for text, box in boxes:
        assert box.inside(whole), text
    for (one, box), (two, other) in itertools.combinations(boxes, 2):
        assert not box.overlap(other), f"{one!r} over {two!r}"
    return [text for text, _ in boxes]
