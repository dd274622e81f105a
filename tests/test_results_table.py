"""The tables of a run that a search left (real Optuna storage, real costs), and the networks built from it."""

import dataclasses
import io
import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import optuna
import pandas as pd
import pytest
import torch
from optuna.trial import TrialState

from results import describe, frontier_table, load_run
from results.run.columns import COLUMNS
from results.run.run import Run
from space import DenseConfig, ResidualConfig, cost, landmark, load_config


@pytest.fixture(scope="session")
def run(master: Path) -> Run:
    return load_run(master)


def test_every_column_is_documented_and_typed(run: Run) -> None:
    frame = run.frame()
    assert list(frame.columns) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert str(frame[column.name].dtype) == column.dtype, column.name
        assert column.meaning
    assert frame["trial"].tolist() == list(range(len(frame)))


def test_the_table_says_what_the_study_says(run: Run, master: Path) -> None:
    study = optuna.load_study(study_name="run", storage=f"sqlite:///{master / 'study.db'}")
    frame = run.frame()
    assert len(frame) == len(study.trials)
    for row, trial in zip(frame.to_dict("records"), study.trials, strict=True):
        assert row["state"] == trial.state.name.lower()
        if trial.state == TrialState.COMPLETE:
            assert row["proxy_top1"] == trial.values[0]
            assert row["macs"] == trial.values[1] == trial.user_attrs["macs"]
            assert json.loads(row["config"]) == trial.user_attrs["config"]
        else:
            assert math.isnan(row["proxy_top1"])
    failed = frame[frame["state"] == "fail"]
    assert len(failed) == 3
    assert set(failed["reason"]) == {"the loss is not finite"}
    resnet50 = frame[frame["landmark"] == "resnet50"].iloc[0]
    assert resnet50["published_top1"] == pytest.approx(100 - 24.01)
    twin = frame[frame["landmark"] == "resnext50_1x64d"].iloc[0]
    assert twin["duplicate_of"] == resnet50["trial"]
    assert frame.loc[frame["kind"] == "sample", "published_top1"].isna().all()


def test_a_changed_frame_leaves_the_run_alone(run: Run) -> None:
    frame = run.frame()
    frame["macs"] = 0
    assert run.frame()["macs"].max() > 0


def test_frontier_is_within_the_budget_and_rises(run: Run) -> None:
    frontier = run.frontier()
    assert len(frontier) >= 2
    assert (frontier["macs"] <= run.budget_macs).all()
    assert frontier["macs"].is_monotonic_increasing
    assert frontier["proxy_top1"].is_monotonic_increasing
    assert frontier["config_id"].is_unique
    frame = run.frame()
    assert (frame["macs"] > run.budget_macs).any(), "landmarks a little over the budget are in the table"
    table = frontier_table(run).splitlines()
    assert table.index("") == len(frontier) + 1
    assert table[0].startswith("config id")
    assert frontier["config_id"][0] in table[1]


def test_best(run: Run, tmp_path: Path) -> None:
    frame = run.frame()
    done = frame[(frame["state"] == "complete") & (frame["macs"] <= run.budget_macs)]
    assert run.best().proxy_top1 == done["proxy_top1"].max()
    small = run.best(max_macs=2e9, max_params=20e6)
    assert small.macs <= 2e9
    assert small.params <= 20e6
    fits = done[(done["macs"] <= 2e9) & (done["params"] <= 20e6)]
    assert small.proxy_top1 == fits["proxy_top1"].max()
    assert cost(small.config).macs == small.macs
    sampled = run.best(landmarks=False)
    assert sampled.landmark is None
    small.save(tmp_path / "small.json")
    assert load_config(tmp_path / "small.json") == small.config
    assert os.listdir(tmp_path) == ["small.json"]


def test_best_says_what_there_is_if_nothing_fits(run: Run) -> None:
    with pytest.raises(ValueError, match=r"nothing costs at most 1M multiply-adds; the cheapest is .*max_macs=\d+"):
        run.best(max_macs=1e6)
    with pytest.raises(ValueError, match=r"has at most 1,000 parameters; the smallest has [\d,]+ \(max_params=\d+\)"):
        run.best(max_params=1000)
    with pytest.raises(ValueError, match="no finished trial has the number 99999"):
        run.candidate(99999)


def test_the_best_network_trains(make_run: Callable[..., Path], tmp_path: Path) -> None:
    made = make_run(tmp_path / "small", budget="0.03G", input_size=32, classes=10, samples=6, landmarks=False)
    model = load_run(made).best(max_macs=2.9e7).build(classes=7)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images, labels = torch.randn(8, 3, 32, 32), torch.arange(8) % 7
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    assert loss.isfinite()
    still = [name for name, p in model.named_parameters() if torch.equal(before[name], p)]
    assert not [name for name in still if ".se." not in name]  # a squeeze of few channels may be off by its ReLU


def test_descriptions() -> None:
    assert describe(landmark("resnext50_32x4d")) == "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d"
    assert describe(landmark("resnet18")) == "basic d2-2-2-2 w64-128-256-512"
    assert describe(landmark("resnet50_v1")).endswith("1x64d stride in 1x1")
    assert describe(landmark("cifar_resnet20")) == "basic d3-3-3 w16-32-64 shortcut A"
    plain = dataclasses.replace(landmark("cifar_resnet20"), shortcut="none")  # type: ignore[call-arg]
    assert describe(plain) == "basic d3-3-3 w16-32-64 plain"
    assert describe(landmark("densenet121")) == "k32 d6-12-24-16 theta 0.5"
    assert describe(landmark("densenet_40_12")) == "k12 d12-12-12 theta 1 no bottleneck"
    odd = ResidualConfig("resnext", "imagenet", 64, "bottleneck", (1, 2), (64, 96), (32, 48), (8, 16))
    assert describe(odd) == "bottleneck d1-2 w64-96 i32-48 g8-16"
    assert describe(DenseConfig("densenet", "cifar", 24, (6, 6), 12, 2)) == "k12 d6-6 theta 0.5 bottleneck 2"


def test_csv_has_no_index_and_reads_back(run: Run) -> None:
    frame = run.frame()
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert again["proxy_top1"].equals(frame["proxy_top1"])
