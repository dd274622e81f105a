"""Runs as a search leaves them (real Optuna storage, real costs), read, tabulated, written and built."""

import errno
import io
import json
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
import torch
from optuna.trial import TrialState, create_trial

import results.write
from results import describe, frontier_table, load_run, write_outputs
from results.__main__ import main
from results.frame import COLUMNS
from results.run import Run
from space import LANDMARKS, Budget, Config, DenseConfig, ResidualConfig, cost, landmark, load_config
from space.design import Target, draw

ROOT = Path(__file__).resolve().parent.parent
SCORE = {"loss": 0.5, "seconds": 2.5, "images_per_second": 900.0, "curve": [], "state": "complete", "reason": None}


def settings(name: str, mode: str, budget: int, input_size: int, classes: int, data: str) -> dict[str, Any]:
    return {
        "name": name, "budget_macs": budget, "mode": mode, "families": ["resnet"], "data": data,
        "recipe": {"name": "cpu", "epochs": 3, "resolution": 8, "width": 0.25}, "input_size": input_size,
        "classes": classes, "sampler": "tpe", "seed": 0, "landmarks": [],
    }  # fmt: skip


def make_run(
    directory: Path, *, mode: str = "frontier", samples: int = 60, landmarks: bool = True, budget: str = "4.1G",
    input_size: int = 224, classes: int = 1000, data: str = "digits", unfinished: bool = True, seed: int = 0,
) -> Path:  # fmt: skip
    """A study as `search` writes it, with scores made of dice."""
    directory.mkdir(parents=True)
    target = Target(Budget.parse(budget), mode, input_size, classes)
    rng = random.Random(seed)
    directions = ["maximize", "minimize"] if mode == "frontier" else ["maximize"]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    study = optuna.create_study(storage=storage, study_name=directory.name, directions=directions)
    study.set_user_attr("settings", settings(directory.name, mode, target.budget.macs, input_size, classes, data))
    scores: dict[str, tuple[float, int]] = {}

    def add(config: Config, fail: bool = False, **more: Any) -> None:
        counted = cost(config, input_size, classes)
        top1 = round(90 + 4 * math.log10(counted.macs / 1e9) - abs(rng.gauss(0, 2)), 1)
        attributes = more | {
            "family": config.family, "config": config.to_json(), "config_id": config.id, "macs": counted.macs,
            "params": counted.params, "activations": counted.activations,
        }  # fmt: skip
        if config.id in scores:
            top1, attributes["duplicate_of"] = scores[config.id]
        else:
            scores[config.id] = top1, len(study.get_trials(deepcopy=False))
        attributes["score"] = SCORE | {"top1": top1}
        if fail:
            attributes["reason"] = "the loss is not finite"
            study.add_trial(create_trial(state=TrialState.FAIL, user_attrs=attributes))
            return
        values = [top1, float(counted.macs)] if mode == "frontier" else [top1]
        study.add_trial(create_trial(state=TrialState.COMPLETE, values=values, user_attrs=attributes))

    if landmarks:
        kind = "imagenet" if input_size > 64 else "cifar"
        for each in LANDMARKS.values():
            config = each.config if each.target == kind else None
            if config and cost(config, input_size, classes).macs <= 1.05 * target.budget.macs:
                add(config, kind="landmark", landmark=each.name)
    for number in range(samples):
        proposal = draw(target, rng)[1]
        add(proposal.config, fail=number % 20 == 7, kind="sample", target_macs=proposal.target_macs)
    if unfinished:
        study.ask()  # a running trial: nothing is known of it
    storage.remove_session()
    storage.engine.dispose()
    return directory


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("master") / "run")


@pytest.fixture
def directory(master: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "runs" / "run"))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is around them: drawing takes seconds."""
    monkeypatch.setattr(results.write, "_pictures", lambda _: {"frontier.png": b"a picture"})


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
    running = frame.iloc[-1]
    assert running["state"] == "running"
    assert pd.isna(running["macs"])
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
    assert len(table) == len(frontier) + 1
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


def test_the_best_network_trains(tmp_path: Path) -> None:
    made = make_run(tmp_path / "small", budget="0.03G", input_size=32, classes=10, samples=6, landmarks=False)
    model = load_run(made).best(max_macs=2.9e7).build(classes=7)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images, labels = torch.randn(8, 3, 32, 32), torch.arange(8) % 7
    before = [p.detach().clone() for p in model.parameters()]
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    assert loss.isfinite()
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_outputs(directory: Path) -> None:
    before = (directory / "study.db").read_bytes()
    run = load_run(directory)
    paths = write_outputs(run)
    assert (directory / "study.db").read_bytes() == before
    names = {str(path.relative_to(directory)) for path in paths}
    assert {"trials.csv", "frontier.csv", "frontier.png", "frontier.svg", "published.png", "published.svg"} < names
    written = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert written == names | {"study.db"}
    table = pd.read_csv(directory / "trials.csv")
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(run.frame())
    frontier = pd.read_csv(directory / "frontier.csv")
    assert frontier["config_id"].tolist() == run.frontier()["config_id"].tolist()
    assert {path.stem for path in (directory / "configs").iterdir()} == set(frontier["config_id"])
    for row in frontier.to_dict("records"):
        path = directory / "configs" / f"{row['config_id']}.json"
        entry = json.loads(path.read_text())
        assert load_config(path).id == row["config_id"]
        assert {"name", "family", "config", "macs", "params"} <= set(entry)
        assert entry["macs"] == cost(load_config(path)).macs == row["macs"]
    assert (directory / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert b"</svg>" in (directory / "published.svg").read_bytes()


def test_configurations_that_left_the_frontier_go(no_pictures: None, directory: Path) -> None:
    stale = directory / "configs" / "0123456789ab.json"
    stale.parent.mkdir()
    stale.write_text("{}")
    write_outputs(load_run(directory))
    assert not stale.exists()


def test_redrawn_files_are_equal(directory: Path) -> None:
    first = {path: path.read_bytes() for path in write_outputs(load_run(directory))}
    second = {path: path.read_bytes() for path in write_outputs(load_run(directory))}
    assert first == second


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", ["figure", "write", "replace"])
def test_a_full_disk_leaves_no_half_written_file(
    step: str,
    directory: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (directory / "frontier.png").write_bytes(b"the old picture")
    before = contents(directory)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "figure":
        monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    elif step == "write":
        calls = iter(range(100))
        monkeypatch.setattr(os, "fsync", lambda _: full() if next(calls) == 3 else None)
    else:
        monkeypatch.setattr(os, "replace", full)
    if step != "figure":
        request.getfixturevalue("no_pictures")
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert "No space left" in error
    assert len(error.splitlines()) == 1
    assert contents(directory) == before
    assert not (directory / "configs").exists()


def test_an_unwritable_directory_is_one_sentence(
    no_pictures: None, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "trials.csv").mkdir()
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert "trials.csv" in error
    assert len(error.splitlines()) == 1
    assert not list(directory.glob(".*"))


def test_write_files_makes_and_removes_directories(tmp_path: Path) -> None:
    results.write.write_files({tmp_path / "a" / "b.txt": b"x"})
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"x"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        results.write.write_files({tmp_path / "c" / "d.txt": b"x", tmp_path / "file" / "e.txt": b"x"})
    assert sorted(os.listdir(tmp_path)) == ["a", "file"]


def test_command_line(no_pictures: None, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directory)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("config id")
    assert str(directory / "frontier.png") in out


def test_a_run_without_any_finished_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path / "run", samples=0, landmarks=False)
    assert main([str(made)]) == 0
    assert "no network within the budget is finished yet" in capsys.readouterr().out
    assert (made / "frontier.png").exists()
    with pytest.raises(ValueError, match="no network is finished yet"):
        load_run(made).best()
    bare = make_run(tmp_path / "bare", samples=0, landmarks=False, unfinished=False)
    assert len(load_run(bare).frame()) == 0
    assert write_outputs(load_run(bare))


def test_where_the_study_is(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    shutil.move(directory / "study.db", elsewhere)
    with pytest.raises(ValueError, match=r"study\.db does not exist"):
        load_run(directory)
    assert not (directory / "study.db").exists()
    plain = tmp_path / "plain.db"
    shutil.copy(elsewhere, plain)
    about = {"settings": {"name": "run"}, "environment": {}, "storage": f"sqlite:///{plain}"}
    (directory / "run.json").write_text(json.dumps(about))
    assert load_run(directory).frame().equals(load_run(directory, f"sqlite:///{plain}").frame())
    plain.unlink()
    with pytest.raises(ValueError, match=r"plain\.db does not exist"):
        load_run(directory)
    assert not plain.exists(), "reading makes no file"


def test_names_with_odd_characters(master: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a $x^2$ #1 100%?ü run"
    shutil.copytree(master, odd)
    (odd / "run.json").write_text("not JSON")
    assert write_outputs(load_run(odd))


def damage(kind: str, directory: Path) -> str:
    path = directory / "study.db"
    content = path.read_bytes()
    match kind:
        case "no directory":
            shutil.rmtree(directory)
            return "does not exist"
        case "no file":
            path.unlink()
            return "study.db does not exist"
        case "a directory":
            path.unlink()
            path.mkdir()
            return "cannot be read"
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_bytes(b"this was a database once" * 1000)
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "first page":
            path.write_bytes(content[:4096])
        case "overwritten":
            path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
        case "other database":
            path.unlink()
            with sqlite3.connect(path) as connection:
                connection.execute("create table recipes (name text)")
            connection.close()
        case "missing table":
            with sqlite3.connect(path) as connection:
                connection.execute("drop table trial_user_attributes")
            connection.close()
        case "no study":
            path.unlink()
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            storage.engine.dispose()
            return "no study"
        case "other study":
            path.unlink()
            storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
            optuna.create_study(storage=storage, study_name="mine")
            storage.engine.dispose()
            return "no run of archfrontier"
        case "bad attribute":
            with sqlite3.connect(path) as connection:
                connection.execute("update trial_user_attributes set value_json = '{'")
            connection.close()
    return "damaged"


DAMAGES = (
    "no directory", "no file", "a directory", "empty", "text", "cut", "first page", "overwritten", "other database",
    "missing table", "no study", "other study", "bad attribute",
)  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_cannot_be_read_is_named_in_one_sentence(
    kind: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = damage(kind, directory)
    before = contents(directory) if directory.exists() else {}
    assert main([str(directory)]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert str(directory) in error
    assert len(error.splitlines()) == 1
    assert (contents(directory) if directory.exists() else {}) == before


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/db", "postgresql://me:secret@127.0.0.1:1/db"])
def test_a_storage_that_cannot_be_reached(url: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(directory), "--storage", url]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "secret" not in error


def test_a_journal_of_a_killed_writer_is_rolled_back(directory: Path) -> None:
    expected = load_run(directory).frame()
    kill = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('pragma cache_size = 1')\n"
        "c.execute('begin')\n"
        "c.execute('delete from trial_user_attributes')\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", kill, str(directory / "study.db")], check=False)
    assert (directory / "study.db-journal").exists()
    assert load_run(directory).frame().equals(expected)


def test_a_file_is_no_run_directory(directory: Path) -> None:
    with pytest.raises(ValueError, match="is a file: expected the directory of a run"):
        load_run(directory / "study.db")


def test_descriptions() -> None:
    assert describe(landmark("resnext50_32x4d")) == "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d"
    assert describe(landmark("resnet18")) == "basic d2-2-2-2 w64-128-256-512"
    assert describe(landmark("resnet50_v1")).endswith("1x64d stride in 1x1")
    assert describe(landmark("cifar_resnet20")) == "basic d3-3-3 w16-32-64 shortcut A"
    assert describe(landmark("densenet121")) == "k32 d6-12-24-16 theta 0.5"
    assert describe(landmark("densenet_40_12")) == "k12 d12-12-12 theta 1 no bottleneck"
    odd = ResidualConfig("resnext", "imagenet", 64, "bottleneck", (1, 2), (64, 96), (32, 48), (8, 16))
    assert describe(odd) == "bottleneck d1-2 w64-96 i32-48 g8-16"
    assert describe(DenseConfig("densenet", "cifar", 24, (6, 6), 12, 2)) == "k12 d6-6 theta 0.5 bottleneck 2"


def test_csv_has_no_index_and_reads_back(run: Run) -> None:
    frame = run.frame()
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert again["proxy_top1"].equals(frame["proxy_top1"])
