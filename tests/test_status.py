"""`python -m search status`: runs with real studies, logs and locks, read from outside."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from evaluate.training.score import Epoch, ProxyScore
from results import frontier_table, load_run
from search.cli.status import main, read_status, status
from search.records import Evaluation, Event
from search.run.lock import hold
from search.run.log import RunLog, read_log
from space import LANDMARKS, cost

ROOT = Path(__file__).resolve().parent.parent
SCORE = ProxyScore(41.25, 1.7, 12.0, 900.0, (Epoch(epoch=2, train_loss=2.0, top1=41.25),), "complete")


def begin(log: RunLog, **more: Any) -> None:
    about = {"versions": {}, "device": "cpu", "command": ["--budget", "4.1G", "--name", "run"], "settings": {},
             "storage": None, "workers": 2, "trials": 40, "done": 0, "left": 16}  # fmt: skip
    log.begin(**(about | more))


def start(log: RunLog, key: int, label: str) -> None:
    attributes = {"config_id": label, "family": "resnet", "macs": 10**9, "params": 10**6}
    log.start(key, "sample", label, attributes)


def event(label: str, evaluation: Evaluation) -> Event:
    return Event("sample", label, "resnet", 10**9, 10**6, 1e9, True, evaluation, None)


@pytest.fixture
def run(tmp_path: Path, make_run: Callable[..., Path]) -> Path:
    """Ten networks: eight sampled (one failed), no log."""
    return make_run(tmp_path / "run", samples=10, landmarks=False)


def add(run: Path, *trials: tuple[TrialState, dict[str, Any]]) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{run / 'study.db'}")
    study = optuna.load_study(study_name="run", storage=storage)
    config = LANDMARKS["resnet18"].network()
    network = asdict(cost(config)) | {"family": config.family, "config": config.to_json(), "config_id": config.id}
    for state, more in trials:
        attributes = network | more
        values = [attributes["score"]["top1"], 1e9] if state == TrialState.COMPLETE else None
        study.add_trial(create_trial(state=state, values=values, user_attrs=attributes))
    storage.remove_session()
    storage.engine.dispose()


@contextmanager
def unchanged(directory: Path) -> Iterator[None]:
    before = {path: path.read_bytes() for path in directory.rglob("*")}
    yield
    assert {path: path.read_bytes() for path in directory.rglob("*")} == before


def test_a_run_without_a_log(run: Path) -> None:
    with unchanged(run):
        text = status(run)
    lines = text.splitlines()
    assert lines[0] == f"run {run}: budget 4.1GFLOPs at 224x224, 1000 classes; mode frontier"
    assert lines[1] == "data digits; recipe cpu; objective macs"
    assert lines[2] == "nobody is at work on it"
    assert lines[3] == "10 networks done: 9 trained, 1 failed (the loss is not finite 1)"
    assert frontier_table(load_run(run)) in text
    assert lines[-1] == "to go on, repeat its command (run 'run')"


def test_stopped_and_warm_networks_are_counted_apart(run: Path) -> None:
    score = SCORE.to_json()
    add(
        run,
        (TrialState.PRUNED, {"kind": "sample", "score": score | {"state": "stopped"}, "reason": "behind"}),
        (TrialState.COMPLETE, {"kind": "warm", "score": score, "macs": 10**9, "params": 1, "family": "resnet"}),
    )
    read = read_status(run)
    assert (read.tally.total, read.warm) == (11, 1)
    assert "11 networks done: 9 trained, 1 stopped early, 1 failed (" in read.text()
    assert "; 1 more taken over from other runs" in read.text()


def test_while_it_runs(run: Path) -> None:
    log = RunLog(run / "log.jsonl")
    with hold(run, None, "run"):
        begin(log)
        for key in (1, 2, 3):
            start(log, key, f"#{9 + key}")
        log.retry(3, 1, "killed")
        start(log, 3, "#12")
        add(run, (TrialState.COMPLETE, {"kind": "sample", "score": SCORE.to_json(), "macs": 10**9}))
        log.finish(10, event("#10", Evaluation(SCORE)), "#10")
        with unchanged(run):
            read = read_status(run)
            text = read.text()
        assert f"at work: process {os.getpid()} on host " in text
        assert "11 of 16 networks done: 10 trained, 1 failed" in text
        assert [each["label"] for each in read.running] == ["#11", "#12"]
        assert re.search(r"\n  now: #11 +resnet +1GFLOPs for about [\d.]+ s\n", text)
        assert "left with 2 workers" in text
        assert "median 900 images/s" in text
        assert "to go on" not in text
        values = read.to_json()
    assert values["total"] == 16
    assert (values["done"], values["complete"], values["failed"], values["stopped"]) == (11, 10, 1, 0)
    assert values["holder"]["pid"] == os.getpid()
    assert values["seconds_left"] > 0
    assert [each["family"] for each in values["running"]] == ["resnet", "resnet"]
    assert values["frontier"][0].keys() >= {"config_id", "macs", "proxy_top1", "network"}


def test_after_a_kill_it_says_how_to_go_on(run: Path) -> None:
    log = RunLog(run / "log.jsonl")
    begin(log, command=["--budget", "4.1 G", "--storage", "postgresql://me:secret@host/db"])
    start(log, 1, "#10")
    path = log.path
    path.write_bytes(path.read_bytes()[:-9])
    read = read_status(run)
    text = read.text()
    assert "was cut off (killed, or the machine went down)" in text
    assert "10 of 16 networks done" in text
    assert "now:" not in text
    assert read.running == []
    command = "python -m search --budget '4.1 G' --storage 'postgresql://me:***@host/db'"
    assert text.splitlines()[-1] == f"to go on: {command} (with the password in place of ***)"


def test_after_the_end(run: Path) -> None:
    for total, last in ((10, "for more networks, with a larger --trials: "), (12, "to go on: ")):
        log = RunLog(run / "log.jsonl")
        begin(log, left=total)
        log.end("interrupted", "by Ctrl-C")
        text = status(run)
        assert "(interrupted: by Ctrl-C)" in text
        assert text.splitlines()[-1] == f"{last}python -m search --budget 4.1G --name run"


def test_only_the_living_start_has_networks_running(run: Path) -> None:
    log = RunLog(run / "log.jsonl")
    begin(log)
    start(log, 1, "#10")
    events = read_log(log.path)
    events[0]["process"] = -1  # another process than the holder's
    log.path.write_text("".join(json.dumps(each) + "\n" for each in events))
    with hold(run, None, "run"):
        assert read_status(run).running == []


def test_a_clock_that_was_set_back(run: Path) -> None:
    log = RunLog(run / "log.jsonl")
    with hold(run, None, "run"):
        begin(log)
        start(log, 1, "#10")
        events = read_log(log.path)
        for each in events:
            each["time"] = "2099-01-01T00:00:00+00:00"
        events[1]["elapsed"] = 5.0
        log.path.write_text("".join(json.dumps(each) + "\n" for each in events))
        assert [each["seconds"] for each in read_status(run).running] == [0.0]


def test_a_run_without_a_finished_network(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    run = make_run(tmp_path / "new", samples=0, landmarks=False)
    begin(RunLog(run / "log.jsonl"))
    text = status(run)
    assert "0 of 16 networks done: 0 trained" in text
    assert "no network within the budget is finished yet" in text


def test_stopped_by_a_limit(run: Path) -> None:
    add(run, (TrialState.PRUNED, {"kind": "sample", "violation": 2.5, "reason": "not trained: 7 ms"}))
    failed = replace(SCORE, state="failed", reason="diverged: in epoch 1").to_json()
    add(run, (TrialState.FAIL, {"kind": "sample", "score": failed}))
    assert (
        "9 trained, 1 slower than --max-latency, not trained, 2 failed (the loss is not finite 1, diverged 1)"
        in status(run)
    )


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run)]) == 0
    assert capsys.readouterr().out.startswith(f"run {run}: budget 4.1GFLOPs")
    assert main([str(run), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["done"] == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["nowhere", "--watch", "0"], "--watch 0: expected seconds"),
        (["nowhere", "--watch", "nan"], "--watch nan: expected seconds"),
        (["."], "study.db does not exist"),
        ([".", "--storage", "nonsense"], "the storage is no URL"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert words in error
    assert len(error.splitlines()) == 1
    assert not out
    assert not list(tmp_path.iterdir())


def test_it_watches_until_the_reader_leaves(run: Path) -> None:
    command = [sys.executable, "-c", "import sys; from search.cli.status import main; sys.exit(main(sys.argv[1:]))"]
    process = subprocess.Popen(
        [*command, str(run), "--json", "--watch", "0.01"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    seen = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert [each["done"] for each in seen] == [10] * 3
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""


def test_the_column_of_labels_is_as_wide_as_the_widest(run: Path) -> None:
    log = RunLog(run / "log.jsonl")
    with hold(run, None, "run"):
        begin(log)
        start(log, 1, "#10 cardinality=32 again, seed 2")
        start(log, 2, "#11")
        lines = [line for line in read_status(run).text().splitlines() if line.startswith("  now: ")]
    assert len(lines) == 2 and len({line.index(" resnet ") for line in lines}) == 1
