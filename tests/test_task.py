"""What a network is for: kept in its file, used wherever it is built or counted, no part of what the network is."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import space
from evaluate.__main__ import main as evaluate
from results import load_run
from space import Config, Preprocessing, Task
from space.__main__ import main as show

HOW = Preprocessing((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))


@pytest.fixture
def found(make_run: Callable[..., Path], tmp_path: Path) -> Path:
    """The file of a network that was found for ten classes of 32x32 images."""
    run = make_run(tmp_path / "run", samples=3, landmarks=False, budget="60M", input_size=32, classes=10)
    best = load_run(run).best()
    best.save(run / "configs" / f"{best.config.id}.json")
    return run / "configs" / f"{best.config.id}.json"


def test_a_runs_file_builds_for_the_runs_classes(found: Path) -> None:
    config = space.load_config(found)
    about = json.loads(found.read_text())
    assert config.task == Task(32, 10)
    model = space.build(config)
    assert model.num_classes == 10 and model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    counted = space.cost(config)
    assert (counted.macs, counted.params) == (about["macs"], about["params"])
    assert sum(layer.totals(1)[0] for layer in config.layers()) == about["macs"]


def test_it_is_built_otherwise_where_one_says_so(found: Path) -> None:
    config = space.load_config(found)
    assert space.build(config, classes=3).num_classes == 3
    assert space.build(config, 7, 64).num_classes == 7
    bare = space.config_from_json(config.to_json())
    assert space.cost(config, 64) == space.cost(bare, 64, 10) and space.cost(config, classes=5) == space.cost(
        bare, 32, 5
    )
    assert space.build(bare).num_classes == 1000 and space.cost(bare) == space.cost(bare, 224, 1000)


def test_a_runs_candidate_carries_it_too(found: Path) -> None:
    best = load_run(found.parents[1]).best()
    assert best.config.task == Task(32, 10)
    assert space.build(best.config).num_classes == 10 and space.cost(best.config).macs == best.macs


def test_it_is_no_part_of_the_network(found: Path) -> None:
    config = space.load_config(found)
    bare = space.config_from_json(config.to_json())
    assert bare.task is None and config == bare and hash(config) == hash(bare) and config.id == bare.id
    assert "task" not in config.to_json() and repr(config) == repr(bare)
    assert config.scaled(0.5).task == config.task and pickle.loads(pickle.dumps(config)).task == config.task


def test_command_lines_count_at_it(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    macs = json.loads(found.read_text())["macs"]
    assert show(["show", str(found), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["macs"], shown["input_size"], shown["classes"]) == (macs, 32, 10)
    assert evaluate(["count", str(found)]) == 0
    assert "at 32x32, 10 classes; 1 FLOP" in (text := capsys.readouterr().out) and f"{macs:,}" in text
    assert evaluate(["count", str(found), "--input", "64"]) == 0
    assert "at 64x64, 10 classes" in capsys.readouterr().out


def test_what_is_known_of_a_task_is_kept(tiny_configs: dict[str, Config], tmp_path: Path) -> None:
    task = Task(24, 3, ("cat", "dog", "a bird"), HOW)
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"config": tiny_configs["basic"].to_json(), **task.to_json()}))
    assert space.load_config(path).task == task
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    path.write_text(json.dumps({"config": tiny_configs["basic"].to_json()}))
    assert space.load_config(path).task is None


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "classes alone": ({"classes": 10}, "it says classes alone"),
    "words": ({"input_size": "32", "classes": 10}, "input_size is '32'"),
    "none": ({"input_size": 32, "classes": 0}, "classes is 0"),
    "a bool": ({"input_size": True, "classes": 10}, "input_size is True"),
    "names": ({"input_size": 32, "classes": 2, "class_names": ["a"]}, "there are 1 class_names: expected 2"),
    "names of numbers": ({"input_size": 32, "classes": 1, "class_names": [1]}, "expected a list of words"),
    "no list": ({"input_size": 32, "classes": 1, "class_names": "a"}, "expected a list of words"),
    "preprocessing": ({"input_size": 32, "classes": 1, "preprocessing": 3}, "expected an object with channels"),
    "std 0": (
        {"input_size": 32, "classes": 1, "preprocessing": HOW.to_json() | {"std": [0.1, 0.0, 0.1]}},
        "expected numbers above 0",
    ),
    "two means": (
        {"input_size": 32, "classes": 1, "preprocessing": HOW.to_json() | {"mean": [0.1, 0.2]}},
        "expected 3 numbers",
    ),
    "another order": (
        {"input_size": 32, "classes": 1, "preprocessing": HOW.to_json() | {"channels": "BGR"}},
        "channels is 'BGR': expected 'RGB'",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_task_that_cannot_be_is_named(name: str, tiny_configs: dict[str, Config], tmp_path: Path) -> None:
    more, words = BAD[name]
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"config": tiny_configs["basic"].to_json(), **more}))
    with pytest.raises(ValueError, match=r"net\.json: ") as refusal:
        space.load_config(path)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)
