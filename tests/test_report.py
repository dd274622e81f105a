"""The page of a run: its data are the table's, and what is written is one safe file. A browser: test_report_browser."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import math
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from results import Run, load_run, write_outputs
from results.report import draw_report, json_text
from results.report.data import ReportData, python_text, report_data
from results.report.pictures import report_pictures
from results.run.frame import trials_frame
from results.run.objective import COSTS
from space import Budget, cost
from space.landmarks.own import read_landmarks
from space.solving.axes import Target, draw

SETTINGS = {
    "name": "thousand", "budget_macs": 4_100_000_000, "mode": "frontier",
    "objective": "macs", "data": "digits", "input_size": 224,
    "classes": 1000, "recipe": {"name": "cpu", "epochs": 3, "resolution": 8, "width": 0.25}, "seed": 0,
}  # fmt: skip
EVIL = "</script><img src=x onerror=\"document.title='hit'\">'&<!--"


class Page(HTMLParser):
    """Tags with their attributes, and the texts of scripts."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.scripts and not self.scripts[-1]:
            self.scripts[-1] = data
        else:
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def thousand() -> Run:
    """A run of 1,000 networks: one in ten stopped early, one in twenty failed."""
    target, rng, trials = Target(Budget.parse("4.1G")), random.Random(0), []
    for number in range(1000):
        proposal = draw(target, rng)[1]
        config, counted = proposal.config, cost(proposal.config)
        state = "fail" if number % 20 == 7 else "pruned" if number % 10 == 3 else "complete"
        top1 = round(60 + 8 * math.log10(counted.macs / 1e8) + rng.gauss(0, 1), 2)
        attributes: dict[str, Any] = {
            "kind": "sample", "family": config.family, "config": config.to_json(), "config_id": config.id,
            "macs": counted.macs, "params": counted.params, "activations": counted.activations, "origin": "tpe",
            "target_macs": proposal.target_macs,
            "score": {"top1": top1, "loss": 1.0, "seconds": 2.5, "state": state, "curve": [], "reason": None},
        }  # fmt: skip
        values = [top1, float(counted.macs)] if state == "complete" else None
        trial = create_trial(state=TrialState[state.upper()], values=values, user_attrs=attributes)
        trial.number = number
        trials.append(trial)
    return Run(Path("runs/thousand"), SETTINGS, trials_frame(trials, SETTINGS), trials=trials)


@pytest.fixture(scope="module")
def large() -> tuple[Run, ReportData, bytes]:
    run = thousand()
    data = report_data(run)
    return run, data, draw_report(data, report_pictures(run))


@pytest.fixture(scope="module")
def page(large: tuple[Run, ReportData, bytes]) -> Page:
    return Page(large[2])


# ---------------------------------------------------------------------------------------------- what is shown


def test_networks_are_those_of_the_table(large: tuple[Run, ReportData, bytes]) -> None:
    run, data, _ = large
    frame = run.frame().set_index("trial")
    table = data.payload["networks"]
    assert table["trial"] == list(range(1000))
    for name in ("family", "macs", "params", "activations", "network", "on_frontier", "config_id"):
        assert table[name] == frame[name].tolist()
    assert table["state"].count("complete") == 850
    assert [score is None for score in table["proxy_top1"]] == [state != "complete" for state in table["state"]]
    assert [score for score in table["proxy_top1"] if score] == frame["proxy_top1"].dropna().tolist()
    assert "latency_ms" not in table  # nobody measured any
    assert set(data.payload["costs"]) == {"macs", "params", "activations"}
    for name, shown in data.payload["costs"].items():
        members = run.frontier(name)
        assert shown["members"] == members["trial"].tolist()
        assert [y for _, y in shown["step"]] == members["proxy_top1"].tolist()
        assert [x * COSTS[name].unit for x, _ in shown["step"]] == pytest.approx(members[shown["column"]].tolist())
    assert data.figures[0] == ("850", "networks with a score")
    assert data.summary.startswith("Networks of up to 4.1GFLOPs (multiply-adds, 224x224, 1,000 classes), trained by")


def test_stages_sum_to_the_cost(large: tuple[Run, ReportData, bytes]) -> None:
    payload = large[1].payload
    names = payload["stage"]
    for row, parts in enumerate(payload["stages"]):
        rows = [dict(zip(names, part, strict=True)) for part in parts]
        assert rows[0]["name"] == "stem" and rows[-1]["name"] == "head"
        assert sum(part["macs"] for part in rows) == payload["networks"]["macs"][row]
        assert sum(part["params"] for part in rows) == payload["networks"]["params"][row]


def test_the_lines_build_the_network(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = load_run(
        make_run(tmp_path / 'a "quoted" \\ $x ü', samples=6, landmarks=False, input_size=32, classes=10, budget="50M")
    )
    data = report_data(run)
    row = data.payload["networks"]["state"].index("complete")
    code = "\n".join(data.payload["code"]).replace("(N)", f"({data.payload['networks']['trial'][row]})")
    assert len(data.payload["code"]) == 3
    names: dict[str, Any] = {}
    exec(code, names)
    assert sum(each.numel() for each in names["model"].parameters()) == data.payload["networks"]["params"][row]


@pytest.mark.parametrize("text", ["runs/x", 'a"b\\c', "tab\there", "ü\u202e", "\udc80", "\u2028", EVIL])
def test_python_text(text: str) -> None:
    assert ast.literal_eval(python_text(text)) == text
    assert python_text(text).startswith('"')


def test_names_of_equal_landmarks_and_of_ones_own(master: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"name": "mine", "label": EVIL, "family": "tribe", "macs": "2G", "params": "9M"}))
    run = load_run(master, landmarks=[own])
    assert read_landmarks(own)[0].label == EVIL
    data = report_data(run)
    trial = {value: row for row, value in enumerate(data.payload["networks"]["trial"])}
    frame = run.frame()
    first = int(frame.loc[frame["landmark"] == "resnet50", "trial"].iloc[0])
    assert data.payload["labels"][trial[first]] == "ResNet-50 = ResNeXt-50 1x64d"
    assert data.payload["costs"]["macs"]["ticks"][0]["x"] == 2.0
    assert data.payload["families"]["tribe"]["name"] == "tribe"
    page = Page(draw_report(data, ()))
    assert not page.all("img")
    assert json.loads(page.scripts[0])["costs"]["macs"]["ticks"][0]["family"] == "tribe"


def test_settings_and_how_to_go_on(make_run: Callable[..., Path], tmp_path: Path) -> None:
    directory = make_run(tmp_path / "run", samples=3, landmarks=False)
    (directory / "run.json").write_text(json.dumps({"environment": {"torch": "9.9"}, "workers": 2}))
    begin = {"event": "begin", "command": ["--budget", "4.1G", "--data", "my images"]}
    (directory / "log.jsonl").write_text(f'{json.dumps(begin)}\n{{"event": "begin", "comm')  # cut off
    data = report_data(load_run(directory))
    groups = {title: dict(pairs) for title, pairs in data.settings}
    assert groups["Environment"] == {"torch": "9.9", "workers": "2"}
    assert groups["Recipe"]["epochs"] == "3"
    assert groups["Search"]["budget macs"] == "4,100,000,000 (4.1GFLOPs)"
    lines = [line for _, line in data.commands]
    assert lines[0] == "python -m search --budget 4.1G --data 'my images'"
    assert f"python -m results {directory}" in lines
    assert data.caveats[-1] == "Digits show the machinery, not ImageNet."


def test_a_run_without_a_finished_network(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", samples=0, landmarks=False))
    data = report_data(run)
    assert data.networks == 0
    assert data.payload["costs"]["macs"]["empty"] == "no finished trial yet"
    assert b"no finished trial yet" in draw_report(data, ())


# ---------------------------------------------------------------------------------------------- one safe file


def test_size(large: tuple[Run, ReportData, bytes]) -> None:
    assert 4e6 < len(large[2]) < 8e6


def test_nothing_is_fetched_and_no_other_script_runs(large: tuple[Run, ReportData, bytes], page: Page) -> None:
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; ")
    scripts = page.all("script")
    assert [each.get("type", "") for each in scripts] == ["application/json", "", ""]
    for script in page.scripts[1:]:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/webp;base64,"))
    style = re.search(rb"<style>(.*?)</style>", large[2], re.DOTALL)
    assert style and b"url(" not in style[1] and b"@import" not in style[1]
    assert json.loads(page.scripts[0]) == json.loads(json.dumps(large[1].payload))


def test_landmarks_labels_and_captions(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        if attributes.get("role") == "region":
            assert attributes["aria-label"] and attributes["tabindex"] == "0"
    assert page.all("html")[0]["lang"] == "en"
    for tag in ("main", "header", "nav", "footer", "h1", "title", "table", "caption", "thead"):
        assert len(page.all(tag)) == 1, tag
    assert len(page.all("h2")) == 6
    assert page.tags[[tag for tag, _ in page.tags].index("body") + 1][1]["class"] == "skip"
    pictures = page.all("img")
    assert pictures and {each["class"] for each in pictures} == {"light", "dark"}
    for each in pictures:
        assert len(each["alt"]) > 20 and int(each["width"]) > 500 and int(each["height"]) > 300
    assert [each["type"] for each in page.all("button")] == ["button"] * len(page.all("button"))


def test_names_are_text(make_run: Callable[..., Path], tmp_path: Path) -> None:
    directory = make_run(tmp_path / "<img src=x onerror=alert(1)>", samples=3, landmarks=False, data=EVIL)
    content = draw_report(report_data(load_run(directory)), ())
    page = Page(content)
    assert not page.all("img")
    assert len(page.all("script")) == 3
    assert page.texts.count("<img src=x onerror=alert(1)>") >= 2  # title, heading
    assert any(EVIL in text for text in page.texts)
    assert "onerr" in json.loads(page.scripts[0])["costs"]["macs"]["y_label"]  # shortened, but not cleaned


def test_json_text() -> None:
    value = {EVIL: ["<!--", "]]>", "\u2028", "\udc80", None, 1.5]}
    assert json.loads(json_text(value)) == value
    assert not set("<>&\u2028") & set(json_text(value))
    with pytest.raises(ValueError):
        json_text(float("nan"))


def test_a_path_that_is_no_text(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", samples=2, landmarks=False))
    odd = Run(Path("runs/\udcff"), run.settings | {"name": "\udcff"}, run.frame())
    assert b"\\udcff" in draw_report(report_data(odd), ())


def test_write_outputs_without_the_page(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", samples=3, landmarks=False))
    write_outputs(run, plots=(), report=False)
    assert not (run.directory / "report.html").exists()
    assert (run.directory / "trials.csv").exists()
