"""The log of a run: real files, a disk that is really full, a process that is really killed."""

import json
import re
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evaluate.training.score import Epoch, ProxyScore
from search.records import Evaluation, Event
from search.run.counts import Workers
from search.run.log import RunLog, read_log

ROOT = Path(__file__).resolve().parent.parent
CURVE = (Epoch(epoch=2, train_loss=2.0, top1=31.5), Epoch(epoch=4, train_loss=1.5, top1=41.25))
SCORE = ProxyScore(41.25, 1.7, 12.3456, 900.04, CURVE, "complete", peak_memory=50_000_000, peak_share=0.25)
RESNET = {"config_id": "abc", "family": "resnet", "macs": 2 * 10**9, "params": 10**7, "origin": "tpe", "config": {}}


def network(label: str = "#0", evaluation: Evaluation | None = None, duplicate_of: int | None = None) -> Event:
    return Event(
        kind="sample",
        label=label,
        family="resnet",
        macs=2 * 10**9,
        params=10**7,
        cost=2e9,
        within=True,
        evaluation=evaluation or Evaluation(SCORE),
        duplicate_of=duplicate_of,
    )


def begin(log: RunLog, **more: Any) -> None:
    about = {"versions": {"torch": "2"}, "device": "cpu", "command": ["--budget", "4G"], "settings": {"seed": 0},
             "storage": None, "workers": 2, "trials": 40, "done": 3, "left": 37}  # fmt: skip
    log.begin(**(about | more))


def test_every_event_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = RunLog(path)
    begin(log)
    log.start(1, "sample", "#3", RESNET)
    log.retry(1, 1, "killed")
    log.start(1, "sample", "#3", RESNET)
    log.finish(3, network("#3"), "abc")
    log.end("done", "all is done")
    lines = path.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert events == read_log(path)
    assert [event["event"] for event in events] == ["begin", "start", "retry", "start", "finish", "end"]
    assert {event["session"] for event in events} == {log.session}
    for event in events:
        assert datetime.fromisoformat(event["time"]).utcoffset() == timedelta(0)
    assert [event["elapsed"] for event in events] == sorted(event["elapsed"] for event in events)
    assert {name: events[0][name] for name in ("workers", "trials", "done", "left")} == {
        "workers": 2, "trials": 40, "done": 3, "left": 37,
    }  # fmt: skip
    assert events[1] | {"key": 1, "label": "#3", "config_id": "abc", "macs": 2 * 10**9, "origin": "tpe"} == events[1]
    assert "config" not in events[1]
    expected = {
        "key": 1, "trial": 3, "kind": "sample", "label": "#3", "config_id": "abc", "family": "resnet",
        "macs": 2 * 10**9, "params": 10**7, "state": "complete", "top1": 41.25, "epoch": 4, "seconds": 12.346,
        "images_per_second": 900.0, "peak_share": 0.25, "peak_memory": 50_000_000, "latency": None,
        "duplicate_of": None, "reason": None, "trace": None,
    }  # fmt: skip
    assert {name: events[4][name] for name in expected} == expected
    assert (events[5]["reason"], events[5]["sentence"]) == ("done", "all is done")


def test_stopped_failed_and_repeated_networks(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "log.jsonl")
    log.start(1, "sample", "#0", RESNET)
    stopped = replace(SCORE, top1=31.5, curve=CURVE[:1], state="stopped", reason="behind")
    log.finish(0, network("#0", Evaluation(stopped, reason="behind")), "abc")
    diverged = replace(SCORE, top1=0.0, state="failed", images_per_second=float("nan"), reason="diverged")
    log.finish(1, network("#1", Evaluation(diverged, reason="diverged", trace="line 3")), "def")
    log.finish(2, network("#2", duplicate_of=0), "abc")
    first, second, third = read_log(log.path)[1:]
    assert (first["state"], first["top1"], first["epoch"], first["reason"]) == ("stopped", 31.5, 2, "behind")
    assert (second["state"], second["top1"], second["images_per_second"]) == ("failed", None, None)
    assert (second["reason"], second["trace"]) == ("diverged", "line 3")
    assert (third["key"], third["duplicate_of"], third["top1"], third["seconds"]) == (None, 0, 41.25, None)


def test_a_line_that_was_cut_off_is_left_out_and_the_next_start_begins_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = RunLog(path)
    begin(first)
    first.start(1, "sample", "#0", RESNET)
    whole = path.read_bytes()
    for cut in (1, 2, 30, len(whole.splitlines()[1]) - 1):
        path.write_bytes(whole[:-cut])
        before = read_log(path)
        assert [event["event"] for event in before] == (["begin", "start"] if cut == 1 else ["begin"])
        second = RunLog(path)
        begin(second, done=5)
        assert read_log(path)[: len(before)] == before
        assert [event["event"] for event in read_log(path)[len(before) :]] == ["begin"]
        assert path.read_bytes().startswith(whole[:-cut] + b"\n{")


def test_what_is_no_event_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert read_log(path) == []
    log = RunLog(path)
    begin(log)
    line = path.read_bytes()
    path.write_bytes(b"\0\0\0\n\xff\xfe\n[1]\n{}\n" + b"[" * 100_000 + b"\n" + line + b"\n")
    assert read_log(path) == [json.loads(line)]


def test_nothing_is_computed_from_a_clock_that_is_set_back(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = RunLog(path)
    begin(log, workers=1)
    log.start(1, "sample", "#0", RESNET)
    log.finish(0, network("#0", Evaluation(reason="lost")), "abc")
    events = read_log(path)
    for number, event in enumerate(events):
        event["time"] = (datetime.fromisoformat(event["time"]) - timedelta(days=number)).isoformat()
        event["elapsed"] = [0.0, 10.0, 25.0][number]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert read_log(path) == events
    workers = Workers(1)
    for event in read_log(path):
        workers.read(event)
    assert workers.work == 15.0
    assert workers.busy(30.0) == 0.5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_a_full_disk_stops_a_start_but_loses_no_network() -> None:
    log = RunLog(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        begin(log)
    assert log.trouble is None
    log.finish(3, network(), "abc")
    assert log.trouble is not None
    assert "/dev/full lacks lines" in log.trouble
    assert "No space left" in log.trouble


def test_a_disk_that_fills_up_and_has_room_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = RunLog(path)
    begin(log)
    whole = read_log(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
    try:
        log.start(1, "sample", "#0", RESNET)
        log.finish(0, network(), "abc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert log.trouble is not None
    assert read_log(path) == whole
    log.end("done")
    assert [event["event"] for event in read_log(path)] == ["begin", "end"]


def test_no_password_is_written(tmp_path: Path) -> None:
    urls = [
        "postgresql://me:hunter2@host:5432/db",
        "postgresql+psycopg://me:hun@ter2@host/db",
        "postgresql://host/db?user=me&password=hunter2&sslmode=require",
    ]
    seen: list[dict[str, Any]] = []
    log = RunLog(tmp_path / "log.jsonl", seen.append)
    begin(log, storage=urls[0], command=["--storage", urls[1], f"--storage={urls[2]}"], settings={"x": {"y": urls}})
    log.retry(1, 1, f"no connection to {urls[0]}")
    log.finish(0, network("#0", Evaluation(reason=f"lost {urls[2]}", trace=f"a\n{urls[1]}\nb")), "abc")
    log.end("error", f"{urls[1]}: gone")
    text = log.path.read_text() + json.dumps(seen)
    assert not re.search("hun|ter2", text)
    assert "postgresql://me:***@host:5432/db" in text
    assert "password=***&sslmode=require" in text


def test_whoever_watches_gets_what_is_written(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    log = RunLog(tmp_path / "log.jsonl", seen.append)
    begin(log)
    log.start(1, "landmark", "resnet18", RESNET)
    assert seen == read_log(log.path)


def test_a_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    code = (
        "import sys\nfrom pathlib import Path\nfrom search.run.log import RunLog\n"
        "log = RunLog(Path(sys.argv[1]))\n"
        "for key in range(10**9):\n"
        "    log.retry(key, 1, 'x' * 5000)\n"
        "    print(key, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(next(process.stdout)) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    keys = [event["key"] for event in read_log(path)]
    assert keys == list(range(len(keys)))
    assert len(keys) >= len(told)
    begin(RunLog(path))
    assert [event["event"] for event in read_log(path)][-2:] == ["retry", "begin"]
