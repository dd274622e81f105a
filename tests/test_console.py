"""What a run shows while it goes: as text, and on a real (pseudo) terminal."""

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluate.measures.latency import Latency
from evaluate.training.score import Epoch, ProxyScore
from search.cli import console
from search.cli.console import QUIET, VERBOSE, RunDisplay
from search.records import Evaluation, Event
from search.run.log import RunLog

ROOT = Path(__file__).resolve().parent.parent
CURVE = (Epoch(epoch=2, train_loss=2.0, top1=31.5), Epoch(epoch=4, train_loss=1.5, top1=41.25))
SCORE = ProxyScore(41.25, 1.7, 12.0, 900.0, CURVE, "complete", peak_memory=50_000_000, peak_share=0.25)
STOPPED = replace(SCORE, top1=31.5, curve=CURVE[:1], state="stopped", seconds=6.0, reason="behind others")


def network(label: str, evaluation: Evaluation, macs: int = 2 * 10**9, **more: Any) -> Event:
    about: dict[str, Any] = {"kind": "sample", "family": "resnet", "params": 10**7, "within": True}
    about |= {"cost": float(macs), "duplicate_of": None}
    return Event(label=label, evaluation=evaluation, macs=macs, **(about | more))


def scored(top1: float) -> Evaluation:
    return Evaluation(replace(SCORE, top1=top1))


def test_a_line_a_network_and_a_summary(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    timing = Latency(1, 224, "cpu (x)", "float32", 1, 7.5, 8.0, 20, None)
    with RunDisplay(9, 2, []) as display:
        display.show(network("resnet18", scored(41.25), kind="landmark"))
        display.show(network("#3", Evaluation(STOPPED, reason="behind others")))
        display.show(network("#4", Evaluation(reason="out of memory on cpu, even with 8 images\nat once")))
        display.show(network("#5", scored(41.25), duplicate_of=2))
        display.show(network("#6", Evaluation(None, timing, "not trained: 7.500 ms, more than 5", 2.5)))
        display.show(network("#7", Evaluation(SCORE, timing)))
    out, err = capsys.readouterr()
    assert "\x1b" not in out
    assert not err
    lines = [" ".join(line.split()) for line in out.splitlines()]
    front = "resnet 2GFLOPs 10.0M params"
    assert lines[:6] == [
        f"3/9 resnet18 {front} top-1 41.2 % 12.0 s 900 images/s on the frontier so far",
        f"4/9 #3 {front} stopped at epoch 2 (top-1 31.5 %) 6.0 s 900 images/s",
        f"5/9 #4 {front} failed: out of memory on cpu, even with 8 images at once",
        f"6/9 #5 {front} top-1 41.2 % same network as trial 2, not trained again",
        f"7/10 #6 {front} 7.500 ms stopped: not trained: 7.500 ms, more than 5",
        f"8/10 #7 {front} 7.500 ms top-1 41.2 % 12.0 s 900 images/s",
    ]
    assert len(lines) == 7
    assert lines[6].startswith("3 trained, 1 stopped early, 1 slower than --max-latency, not trained, 1 failed (out")
    assert "median 900 images/s, 25 % of the device's peak, at most 0.05 GB a network" in lines[6]


def test_the_frontier_so_far(capsys: pytest.CaptureFixture[str]) -> None:
    display = RunDisplay(9, 0, [(50.0, 2e9), (45.0, 3e9)])
    assert display.points == [(50.0, 2e9)], "what another one beats is forgotten"
    for top1, macs, within in ((40.0, 10**9, True), (49.0, 4 * 10**9, True), (60.0, 5 * 10**9, False)):
        display.show(network("#1", scored(top1), macs, within=within))
    marked = ["on the frontier so far" in line for line in capsys.readouterr().out.splitlines()]
    assert marked == [True, False, False]
    display.show(network("#2", scored(55.0), 10**9))
    assert display.points == [(55.0, 1e9)]
    assert "frontier 1, best 55.0 %" in display.state()


def test_time_left_is_told_from_what_has_been_trained() -> None:
    display = RunDisplay(10, 0, [], slots=2)
    assert "left" not in display.state()
    display.show(network("#0", scored(40.0)))
    assert display.state().startswith("about 54 s left, ")  # nine networks of 12 s on two workers
    for number in range(8):
        display.show(network(f"#{number}", Evaluation(reason="lost: killed")))
    assert "8 failed" in display.state()
    display.show(network("#9", scored(40.0)))
    assert "left" not in display.state()


def test_where_there_is_no_bar_a_line_says_now_and_then_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "PAUSE", 0.0)
    display = RunDisplay(2, 0, [])
    display.show(network("#0", scored(40.0)))
    display.show(network("#1", scored(41.0)))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].strip().startswith("about 12 s left, frontier 1, best 40.0 %, median 900 images/s")


@pytest.mark.parametrize("verbosity", [QUIET, console.NORMAL, VERBOSE])
def test_levels(verbosity: int, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    display = RunDisplay(1, 0, [], slots=2, verbosity=verbosity)
    log = RunLog(tmp_path / "log.jsonl", display.observe)
    resnet = {"config_id": "abc", "family": "resnet", "macs": 2 * 10**9, "origin": "tpe"}
    with display:
        log.start(1, "sample", "#0", resnet)
        log.retry(1, 1, "killed by signal 9")
        log.start(1, "sample", "#0", resnet)
        event = network("#0", scored(40.0))
        log.finish(0, event, "abc")
        display.show(event)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    if verbosity == QUIET:
        assert not lines
    elif verbosity == VERBOSE:
        assert lines[:3] == [
            "#0 resnet 2GFLOPs sent out (tpe)",
            "#0 tried again, attempt 1: killed by signal 9",
            "#0 resnet 2GFLOPs sent out (tpe)",
        ]
        assert len(lines) == 5
    else:
        assert len(lines) == 2
        assert re.search("1 trained; .*; 2 workers busy for .* % of the time", lines[1])


CODE = """
from search.cli.console import RunDisplay
from search.workers.evaluation import Evaluation
from search.loop import Event
with RunDisplay(3, 0, []) as display:
    for number in range(2):
        display.show(Event(kind="sample", label=f"#{number}", family="resnet", macs=10**9, params=10**6, cost=1e9,
                           within=True, evaluation=Evaluation(reason="[bold]lost[/bold]: killed"), duplicate_of=None))
"""


def on_terminal(**more: str) -> str:
    master, slave = pty.openpty()
    unset = ("NO_COLOR", "FORCE_COLOR", "COLORTERM")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100"} | more
    process = subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=slave, stderr=slave)
    os.close(slave)
    out = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # Linux's word for the end of a terminal
            break
        if not part:
            break
        out += part
    os.close(master)
    assert process.wait() == 0, out
    return out.decode()


COLOUR = re.compile("\x1b\\[[0-9;]*(3[0-8]|9[0-7])[0-9;]*m")


def test_a_terminal_gets_a_bar() -> None:
    out = on_terminal()
    assert "2/3" in out
    assert COLOUR.search(out)
    assert "failed: [bold]lost[/bold]: killed" in out
    assert "0 trained, 2 failed ([bold]lost[/bold] 2); " in out


def test_no_colour_where_none_is_wanted() -> None:
    out = on_terminal(NO_COLOR="1")
    assert "2/3" in out
    assert not COLOUR.search(out)


def test_no_escape_codes_in_a_file(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 3
