"""How a search went: as data whose numbers can be worked out by hand, and as drawn."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from results import load_run
from results.plots import View
from results.plots.architecture import architecture_data, draw_architecture
from results.plots.progress import draw_progress, progress_data
from results.plots.progress_data import REST, Effort
from results.plots.style import DARK, LIGHT
from results.run.frame import trials_frame
from results.run.run import Run
from tests.pictures import check

SETTINGS = {
    "name": "r", "budget_macs": 10**9, "mode": "frontier",
    "objective": "macs", "data": "digits", "input_size": 224, "classes": 1000,
    "recipe": {"name": "cpu"},
}  # fmt: skip
NOON = datetime(2026, 11, 23, 12)


def trial(
    number: int, top1: float | None, macs: float, begin: float, end: float, state: str = "complete", **more: Any
) -> FrozenTrial:
    """One that trained all the time from `begin` to `end`, in seconds after noon."""
    attributes = {"kind": "sample", "family": "resnet", "macs": int(macs), "params": int(macs / 100)} | more
    made = create_trial(
        state={"complete": TrialState.COMPLETE, "fail": TrialState.FAIL, "pruned": TrialState.PRUNED}[state],
        values=[top1, macs] if state == "complete" else None,
        user_attrs=attributes | {"score": {"seconds": float(end - begin)}},
    )
    made.number = number
    made.datetime_start, made.datetime_complete = NOON + timedelta(seconds=begin), NOON + timedelta(seconds=end)
    return made


def run_of(trials: list[FrozenTrial], workers: int = 1, **more: Any) -> Run:
    settings = SETTINGS | more
    return Run(Path("runs/r"), settings, trials_frame(trials, settings), trials=trials, about={"workers": workers})


def example(**more: Any) -> Run:
    """The axis of costs has one decade, from 0.1 to 1 G; its middle is 10 ** 8.5."""
    return run_of(
        [
            trial(0, 40.0, 1e9, 0, 10),
            trial(1, 30.0, 10**8.5, 20, 40),
            trial(2, 90.0, 2e9, 40, 50),  # beyond the budget
            trial(3, None, 1e8, 50, 55, "pruned"),
            trial(4, 30.0, 10**8.5, 55, 55, duplicate_of=1),
            trial(5, 20.0, 1e7, 1055, 1065, family="densenet"),  # a thousand seconds later; cheaper than the axis
            trial(6, 99.0, 1e8, 1065, 1080, kind="repeat", repeat_of=5, seed=1),
        ],
        **more,
    )


def test_hypervolume_and_best_after_each_network() -> None:
    data = progress_data(example())
    hypervolume, best = data.measures
    # 40 only at the end; 30 on the upper half; 20 on the lower half too
    assert hypervolume.values == pytest.approx((0, 0, 15, 15, 15, 25))
    assert best.values == (0, 40, 40, 40, 40, 40)
    assert data.efforts == (
        Effort("networks", (0, 1, 2, 3, 4, 5)),
        Effort("training (s)", (0, 10, 30, 40, 45, 55, 70)),
        Effort("wall clock (s)", (0, 10, 40, 50, 55, 65, 80)),
    )
    assert "5 networks; of them 1 stopped early; 1 training of the same networks again: counted as time" in data.caption
    assert "axis from 100MFLOPs to 1GFLOPs; its reference point is 0 % at 1GFLOPs" in data.caption
    assert "70 s of training in 80 s of wall clock with one worker; 1 pause of more than a minute, 17 min" in (
        data.caption
    )


def test_where_the_time_went() -> None:
    shares = {share.label: share.seconds for share in progress_data(example()).shares}
    assert shares == {
        "ResNet": 40, "DenseNet": 10, "trained again (repeats)": 15, "stopped early": 5, REST: pytest.approx(10),
    }  # fmt: skip
    two = progress_data(example(workers=2))
    assert two.shares[-1].seconds == pytest.approx(2 * 80 - 70)
    assert "2 workers" in two.caption
    failed = run_of([trial(0, None, 1e8, 0, 7, "fail"), trial(1, 5.0, 1e8, 7, 10)])
    assert [(share.label, share.seconds) for share in progress_data(failed).shares] == [("ResNet", 3), ("failed", 7)]


def test_networks_come_in_the_order_in_which_they_were_finished() -> None:
    late_first = run_of([trial(0, 50.0, 1e9, 0, 30), trial(1, 40.0, 1e9, 0, 10)], workers=2)
    data = progress_data(late_first)
    assert data.measures[1].values == (0, 40, 50)
    assert data.efforts[2].spent == (0, 10, 30, 30)


def test_what_was_taken_over_is_there_from_the_begin_and_took_no_time() -> None:
    data = progress_data(run_of([trial(0, 35.0, 1e8, 0, 99, kind="warm"), trial(1, 40.0, 1e8, 99, 100)]))
    assert [measure.values for measure in data.measures] == [pytest.approx((35, 40)), (35, 40)]
    assert data.efforts[1].spent == (0, 1, 1)


def test_match_mode_and_other_costs() -> None:
    assert [measure.label for measure in progress_data(example(mode="match")).measures] == ["best top-1 (%)"]
    data = progress_data(example(), View(x="params"))
    assert "axis from 100k parameters to 10M parameters" in data.caption
    # decades from 1e5 to 1e7 parameters: 20, from 1e6.5 on 30
    assert data.measures[0].values[-1] == pytest.approx(20 * 1.5 / 2 + 30 * 0.5 / 2)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_progress_drawn(theme: Any) -> None:
    figure = draw_progress(progress_data(example()), theme)
    check(figure, 30)
    lines = [axes.lines[0] for axes in figure.axes[:6]]
    assert [float(value) for value in lines[1].get_ydata()] == pytest.approx([0, 0, 15, 15, 15, 25, 25])
    assert {line.get_color() for line in lines} == {theme.ink}
    bars = [bar for axes in figure.axes[6:] for bar in axes.patches]
    assert [bar.get_width() / bars[0].get_width() for bar in bars] == pytest.approx([1, 1 / 4, 15 / 40, 1 / 8, 1 / 4])


def test_a_run_with_nothing_yet() -> None:
    data = progress_data(run_of([]))
    assert data.empty and not data.shares
    check(draw_progress(data), 5)
    nothing = architecture_data(run_of([]))
    assert nothing.empty == "no network within the budget is finished yet"
    check(draw_architecture(nothing), 2)


def test_a_real_study(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", samples=12, budget="0.2G", input_size=64, classes=10, landmarks=False))
    data = progress_data(run)
    assert len(data.measures[0].values) == 13
    assert data.measures[1].values[-1] == run.best().proxy_top1
    assert math.isclose(sum(share.seconds for share in data.shares if share.label != REST), 12 * 2.5)
    check(draw_progress(data), 20)
