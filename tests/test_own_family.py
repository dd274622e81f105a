"""A family of the user's own, from a file that the command line names: docs/mobilenet.py is the worked example."""

import copy
import json
import multiprocessing
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from evaluate.measures.counting import count_with_ptflops, count_with_torch
from results.__main__ import main as results_main
from results.cli.export import main as export
from results.cli.show import main as show_run
from search.__main__ import main as search
from search.cli.status import main as status
from space import FAMILIES, Config, build, config_from_json, cost, load_family
from space.__main__ import main as space_main

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WORDS = ["--budget", "300M", "--data", "digits", "--recipe", "smoke", "--plots", "none", "--name", "own", "-q"]
CANARY = "import pathlib\npathlib.Path(__file__).with_name('it-ran').touch()\n"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example in a directory of its own; afterwards its family is forgotten."""
    path = tmp_path / "mine.py"
    path.write_text((DOCS / "mobilenet.py").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield path
    FAMILIES.pop("mobilenet_v2", None)


@pytest.fixture
def mobile(mine: Path) -> Config:
    load_family(f"{mine}:FAMILY")
    return config_from_json(json.loads((DOCS / "mobilenet_v2.json").read_text())["config"])


def test_the_published_network_is_counted_as_published(mobile: Config) -> None:
    counted = cost(mobile)
    assert (counted.macs, counted.params) == (300_774_272, 3_504_872)  # torchvision's num_params, its _ops 0.301
    assert count_with_torch(mobile, 96, 10) == count_with_ptflops(mobile, 96, 10)
    assert count_with_torch(mobile, 96, 10)[0] == cost(mobile, 96, 10).macs


def test_modules_of_an_own_family_have_maps_and_a_head(mobile: Config) -> None:
    maps = build(mobile.scaled(0.125), 10, 64, features_only=True).eval()
    with torch.no_grad():
        found = maps(torch.zeros(1, 3, 64, 64))
    for each, info in zip(found, maps.feature_info, strict=True):
        assert each.shape == (1, info.channels, 64 // info.reduction, 64 // info.reduction)


def weigh(config: Config, answer: "multiprocessing.Queue[int]") -> None:
    answer.put(sum(each.numel() for each in build(config, 10, 32).parameters()))


def test_a_configuration_carries_its_file_to_other_processes(mobile: Config) -> None:
    assert pickle.loads(pickle.dumps(mobile)) == mobile == copy.deepcopy(mobile)
    spawn = multiprocessing.get_context("spawn")  # a process that has read nothing
    answer = spawn.Queue()
    process = spawn.Process(target=weigh, args=(mobile, answer))
    process.start()
    assert answer.get(timeout=120) == cost(mobile, 32, 10).params
    process.join()


def test_a_search_with_an_own_family(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    families = ["--families", "resnext", "./mine.py:FAMILY", "--landmarks", "none"]
    landmark = ["--landmark", str(DOCS / "mobilenet_v2.json")]
    assert search([*WORDS, *families, *landmark, "--trials", "1"]) == 0
    assert search([*WORDS, *families, *landmark, "--trials", "4"]) == 0  # goes on
    capsys.readouterr()
    columns = ["--columns", "kind,family,macs,network", "--json"]
    assert show_run(["runs/own", "--families", "./mine.py:FAMILY", *columns[:2], "--out", "table.json"]) == 0
    rows = json.loads(Path("table.json").read_text())
    assert len(rows) == 5
    assert {row["family"] for row in rows} == {"resnext", "mobilenet_v2"}
    assert all(row["macs"] <= 300_774_272 for row in rows)

    # Its file has changed: scores of one run are of one family.
    mine.write_text(mine.read_text() + "\n# another\n")
    FAMILIES.pop("mobilenet_v2")
    assert search([*WORDS, *families, *landmark, "--trials", "5"]) == 2
    assert "own_families" in capsys.readouterr().err


def test_reading_a_run_never_runs_code(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--families", "./mine.py:FAMILY", "--landmarks", "none", "--trials", "2"]
    assert search(words) == 0
    mine.write_text(CANARY + mine.read_text())
    Path("runs/own/mine.py").write_text(CANARY)
    FAMILIES.pop("mobilenet_v2")
    capsys.readouterr()
    for main, words in (
        (results_main, ["runs/own"]), (show_run, ["runs/own"]), (status, ["runs/own"]),
        (export, ["runs/own", "--to", "model.json"]),
    ):  # fmt: skip
        assert main(words) == 2
        message = capsys.readouterr().err
        assert "name the file with --families" in message and "'mobilenet_v2'" in message
    assert not list(Path().rglob("it-ran"))


def test_the_commands_that_read_a_network(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = str(mine.with_name("network.json"))
    Path(network).write_text((DOCS / "mobilenet_v2.json").read_text())
    named = ["--families", "./mine.py:FAMILY"]
    assert space_main(["show", network, *named]) == 0
    assert "300,774,272" in capsys.readouterr().out
    assert space_main(["show", network, "--layers", *named]) == 0
    assert "layer7.0.conv2" in capsys.readouterr().out
    assert space_main(["block", network, *named]) == 2
    assert "have no unrolled form here" in capsys.readouterr().err
    assert export([network, "--to", "model.pt2", "--input", "32", "--classes", "3", *named]) == 0
    assert export([network, "--to", "model.onnx", "--input", "32", "--classes", "3", *named]) == 0
    assert "onnxruntime" in capsys.readouterr().out
    assert export([network, "--to", "model.py", "--input", "32", "--classes", "3", *named]) == 0
    assert "max absolute difference 0 (" in capsys.readouterr().out


BAD = {
    "no such file": ("./other.py:FAMILY", None, "No such file"),
    "no name": ("./bad.py", "", "expected FILE.py:NAME"),
    "not Python": ("./bad.py:FAMILY", "def (", "bad.py, line 1: SyntaxError"),
    "an error": ("./bad.py:FAMILY", "x = 1\n1 / 0\n", "bad.py, line 2: ZeroDivisionError"),
    "no family": ("./bad.py:FAMILY", "FAMILY = 3\n", "FAMILY is no space.Family, it has none"),
    "another name": (
        "./bad.py:MINE",
        "from space.networks.regnetx import REGNETX\n",
        "MINE is no space.Family, it has REGNETX",
    ),
    "a name that is taken": (
        "./bad.py:FAMILY",
        "import dataclasses\nfrom space.networks.regnetx import REGNETX\nFAMILY = dataclasses.replace(REGNETX)\n",
        "'regnetx' is there already",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    word, text, said = BAD[name]
    if text is not None:
        Path("bad.py").write_text(text)
    for main, words in ((search, ["--budget", "1G", "--dry-run", "1"]), (results_main, ["runs/own"])):
        with pytest.raises(SystemExit) as stop:
            main([*words, "--families", word])
        assert stop.value.code == 2
        message = capsys.readouterr().err
        assert said in message and message.count("\n") == 1
