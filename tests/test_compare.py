"""Several runs side by side, on frontiers whose numbers can be worked out by hand."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results import load_run
from results.__main__ import main
from results.analysis.comparison import compare, differences, names_of
from results.plots.compare import compare_data, draw_compare
from results.plots.style import DARK, LIGHT, Theme
from results.run.columns import COLUMNS
from results.run.pareto import frontier_mask
from results.run.run import Run
from tests.pictures import check

SETTINGS: dict[str, Any] = {
    "name": "r", "budget_macs": 10**9, "mode": "frontier",
    "objective": "macs", "data": "digits", "input_size": 224, "classes": 1000,
    "recipe": {"name": "cpu", "epochs": 3},
}  # fmt: skip


def run_of(name: str, points: list[tuple[float, float]], **more: Any) -> Run:
    """A run of networks of (GFLOPs, top-1), with a hundredth as many parameters; they are called by their points."""
    rows = [
        {
            "trial": number, "kind": "sample", "family": "resnet", "config_id": f"{cost}-{top1}", "state": "complete",
            "proxy_top1": top1, "macs": round(cost * 1e9), "params": round(cost * 1e7), "seconds": 10.0,
            "network": f"net {number}",
        }
        for number, (cost, top1) in enumerate(points)
    ]  # fmt: skip
    missing = {each.name: False if each.dtype == "bool" else None for each in COLUMNS}
    full = [missing | row for row in rows]
    frame = pd.DataFrame({each.name: pd.Series([row[each.name] for row in full], dtype=each.dtype) for each in COLUMNS})
    settings = SETTINGS | more
    frame["on_frontier"] = frontier_mask(frame, settings, "macs")
    return Run(Path("runs") / name, settings, frame, data_key="key")


HALF = 10**-0.5  # the middle of the axis from 0.1 to 1 GFLOPs
ONE = [(0.1, 20.0), (HALF, 30.0), (1.0, 50.0), (0.5, 5.0)]
TWO = [(0.1, 20.0), (HALF, 40.0), (1.0, 45.0)]


def test_who_covers_whom() -> None:
    found = compare([run_of("one", ONE), run_of("two", TWO)], ["one", "two"])
    assert found.axis == pytest.approx((1e8, 1e9))
    runs = found.runs.set_index("run")
    assert runs["hypervolume"].to_dict() == pytest.approx({"one": (20 + 30) / 2, "two": (20 + 40) / 2})
    assert runs["networks"].to_dict() == {"one": 4, "two": 3}
    assert runs["on_frontier"].to_dict() == {"one": 3, "two": 3}
    assert runs["seconds"].to_dict() == {"one": 40, "two": 30}
    assert (runs["best_top1"]["one"], runs["best_trial"]["one"], runs["best_config"]["one"]) == (50, 2, "1.0-50.0")
    # one covers its like at 0.1 and the best of two; two covers the same and the middle
    coverage = found.coverage.set_index("run")
    assert coverage["two"]["one"] == pytest.approx(100 * 2 / 3)
    assert coverage["one"]["two"] == pytest.approx(100 * 2 / 3)
    assert math.isnan(coverage["one"]["one"])
    assert runs["covered"].to_dict() == pytest.approx({"one": 200 / 3, "two": 200 / 3})
    assert found.joint[["run", "config_id", "proxy_top1"]].to_numpy().tolist() == [
        ["one, two", "0.1-20.0", 20], ["two", f"{HALF}-40.0", 40], ["one", "1.0-50.0", 50],
    ]  # fmt: skip
    assert runs["on_joint"].to_dict() == {"one": 2, "two": 2}


def test_budgets_modes_and_costs_may_differ() -> None:
    small = run_of("small", [(0.05, 10.0), (0.1, 20.0)], budget_macs=10**8)
    large = run_of("large", [(1.0, 50.0)], mode="match")
    assert differences([small, large], ["small", "large"]) == []
    found = compare([small, large], ["small", "large"])
    assert found.axis == pytest.approx((1e7, 1e9))
    decades = math.log10(2)
    volume = (0 * (1 - decades) + 10 * decades + 20) / 2
    assert found.runs["hypervolume"].tolist() == pytest.approx([volume, 0])
    by_params = compare([small, large], ["small", "large"], "params")
    assert by_params.axis == (0.05e7, 1e7)
    with pytest.raises(ValueError, match="no latency was measured"):
        compare([small, large], ["small", "large"], "latency")


def test_a_run_with_nothing_yet() -> None:
    found = compare([run_of("one", ONE), run_of("empty", [])], ["one", "empty"])
    assert found.runs.set_index("run")["covered"].to_dict() == pytest.approx({"one": 0, "empty": math.nan}, nan_ok=True)
    assert found.runs["hypervolume"].tolist() == pytest.approx([25, 0])
    draw_compare(compare_data(found))


def test_what_does_not_compare_is_named() -> None:
    one = run_of("one", ONE)
    names = ["one", "two"]

    def sentences(**more: Any) -> list[str]:
        return differences([one, run_of("two", TWO, **more)], names)

    assert sentences(recipe={"name": "other name", "epochs": 3}) == []
    assert sentences(recipe={"name": "long", "epochs": 30}) == [
        "one and two have different recipes: cpu (epochs 3) and long (epochs 30)"
    ]
    assert sentences(input_size=32) == ["one and two have different input sizes: 224 and 32"]
    assert sentences(objective="latency") == ["one and two have different objectives: macs and latency"]
    other = replace(run_of("two", TWO), data_key="another")
    assert differences([one, other], names) == ["one and two have different images: digits (key) and digits (another)"]
    old = replace(run_of("two", TWO, data="cifar10"), data_key=None)
    assert differences([one, old], names) == ["one and two have different images: digits and cifar10"]


def test_names() -> None:
    one, two = run_of("one", ONE), run_of("elsewhere/one", TWO)
    assert names_of([one, run_of("two", TWO)]) == ["one", "two"]
    assert names_of([one, two]) == ["runs/one", "runs/elsewhere/one"]
    with pytest.raises(ValueError, match="one is given twice"):
        names_of([one, one])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_drawn(theme: Theme) -> None:
    runs = [run_of(f"run{number}", [(0.1, 20.0 + number), (1.0, 50.0 + number)]) for number in range(9)]
    data = compare_data(compare(runs, [f"run number {number} " * 6 for number in range(9)]))
    assert data.runs[8][1] == ((0.1, 28.0), (1.0, 58.0))
    figure = draw_compare(data, theme)
    axes = figure.axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines[::2]}
    assert len(axes.lines) == 18 and len(looks) == 9, "every run has a look of its own"
    labels = figure.legends[0].get_texts()
    check(figure, 9 + 4)  # labels, title, caption, two axes; and ticks
    assert all(text.get_window_extent().y0 > axes.get_window_extent().y1 for text in labels)


def test_the_command(make_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small: dict[str, Any] = {"budget": "0.03G", "input_size": 32, "classes": 10, "landmarks": False, "samples": 8}
    one, two = make_run(tmp_path / "one", **small), make_run(tmp_path / "two", seed=1, **small)
    assert main(["compare", str(one), str(two), "--plot", str(tmp_path / "p.svg"), "--theme", "dark"]) == 0
    text = capsys.readouterr().out
    assert "hypervolume (%)" in text and "axis from 3MFLOPs to 30MFLOPs" in text
    assert max(map(len, text.splitlines()[:-1])) <= 120
    assert b"</svg>" in (tmp_path / "p.svg").read_bytes()
    assert main(["compare", str(one), str(two), "--table", "joint", "--format", "json"]) == 0
    joint = json.loads(capsys.readouterr().out)
    assert {row["run"] for row in joint} <= {"one", "two", "one, two"}
    assert joint[-1]["proxy_top1"] == max(load_run(each).best().proxy_top1 for each in (one, two))
    assert main(["compare", str(one), str(two), "--out", str(tmp_path / "runs.parquet")]) == 0
    assert pd.read_parquet(tmp_path / "runs.parquet")["run"].tolist() == ["one", "two"]
    capsys.readouterr()
    other = make_run(tmp_path / "other", **small | {"input_size": 64, "samples": 2})
    for words, sentence in (
        ([one], "expected two or more runs"),
        ([one, one], "one is given twice"),
        ([one, other], "one and other have different input sizes: 32 and 64; expected runs of one kind, or --anyway"),
        ([one, two, "--plot", "p.gif"], "ends in .png, .svg, .pdf"),
        ([one, two, "--x", "flops"], "x 'flops': expected one of macs"),
    ):
        assert main(["compare", *map(str, words)]) == 2
        output = capsys.readouterr()
        assert sentence in output.err and output.err.count("\n") == 1 and not output.out
    assert main(["compare", str(one), str(other), "--anyway"]) == 0
    assert capsys.readouterr().out.startswith("not of one kind: one and other have different input sizes: 32 and 64")
