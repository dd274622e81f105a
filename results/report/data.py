"""What the page of a run shows: a run -> `ReportData`. Nothing is written or drawn here."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from results.export.tables import scale
from results.plots import View, style
from results.plots.frontier import frontier_data
from results.plots.frontier_data import FrontierPlot
from results.run.columns import COLUMNS
from results.run.frame import whole
from results.run.notes import images_lines, repeats_lines, trust_lines
from results.run.objective import COSTS, timing_text
from results.run.pareto import best_first
from results.run.run import Run
from results.run.stages import stages
from results.run.storage import is_server
from space import config_from_json
from space.shell.reading import read_text
from space.shell.scores import FAMILIAR_FROM, score_text
from space.shell.words import duration

STATES = {"complete": "trained", "pruned": "stopped early", "slow": "too slow, not trained", "fail": "failed"}
# Columns of the table that the page has of each network, where any network has a value.
SHOWN = (
    "trial", "kind", "family", "config_id", "state", "expected_error", "error_low", "error_high", "familiarity",
    "evidence", "published_error", "proxy_macs", "proxy_top1", "proxy_se", "held_out",
    "last_top1", "published_top1", "macs", "params",
    "activations", "latency_ms", "on_frontier", "trainings", "mean_top1", "expected_top1", "expected_low",
    "expected_high", "p_frontier", "compared", "trained_top1",
    "trained_recipe", "loss", "seconds", "origin", "from_run", "reason", "network",
)  # fmt: skip
STAGE = ("name", "blocks", "reads", "width", "inner", "groups", "growth", "size", "macs", "params")
# matplotlib's marker -> plotly's symbol, a character for text
MARKERS = {
    "o": ("circle", "●"),
    "v": ("triangle-down", "▼"),
    "s": ("square", "■"),
    "^": ("triangle-up", "▲"),
    "P": ("cross", "✚"),
    "D": ("diamond", "◆"),
    "h": ("hexagon", "⬢"),
    "X": ("x", "✖"),
    "p": ("pentagon", "⬟"),
    "*": ("star", "★"),
    "<": ("triangle-left", "◀"),
    ">": ("triangle-right", "▶"),
    "d": ("diamond-tall", "♦"),
    "H": ("hexagon2", "⬣"),
    "8": ("octagon", "⯃"),
}


@dataclass(frozen=True)
class ReportData:
    """All that the page shows. Texts are plain, not yet escaped."""

    name: str
    summary: str  # budget, recipe, images
    figures: tuple[tuple[str, str], ...]  # a number that matters, and what it is
    caveats: tuple[str, ...]
    trust: tuple[str, ...]  # what has to be said beside the table of scores
    settings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # groups of name and value
    commands: tuple[tuple[str, str], ...]  # what for, and the line to type
    payload: dict[str, Any]  # for the page's scripts, plain JSON values; keys below

    @property
    def networks(self) -> int:
        """How many rows the page's table has."""
        return len(self.payload["networks"]["trial"])


def report_data(run: Run) -> ReportData:
    """What to show of a run.

    The payload's keys: ``networks`` (column -> values, a value for each network), ``scales`` (of columns, for a
    reader: divisor, symbol, decimals), ``labels`` (of published networks,
    by number of the row), ``stages`` (for each network its stages, each a list of `STAGE`), ``stage`` (these names),
    ``costs`` (name -> what the picture shows over that cost), ``cost`` (the run's own), ``score`` (the column that the
    run goes by, whether it is an error, and what is familiar), ``families``, ``states``,
    ``meaning`` (of columns), ``code`` (the lines that build a network; N stands for its trial) and ``themes``.
    """
    frame = run.frame()
    networks = _networks(run, frame)
    own = run.objective.name
    plots = {
        name: frontier_data(run, View(None if name == own else name))  # the own one may be empty, others not
        for name, cost in COSTS.items()
        if name == own or frame[cost.column].notna().any()
    }
    families = style.in_order([*networks["family"], *(each.family for each in run.own_landmarks)])
    payload = {
        "networks": {
            name: _values(networks[name]) for name in SHOWN if name == "trial" or networks[name].notna().any()
        },
        "scales": {name: scale(networks, name) for name in ("macs", "params", "activations")},
        "labels": _labels(run, frame, networks),
        "stages": [_stages(run, config) for config in networks["config"]],
        "stage": STAGE,
        "costs": {name: _cost(run, name, data) for name, data in plots.items()},
        "cost": own,
        "ranked": run.one_objective,
        "score": {"column": run.score.column, "error": run.score.error, "familiar": FAMILIAR_FROM},
        "families": {name: _family(name) for name in families},
        "states": STATES,
        "meaning": {column.name: column.meaning for column in COLUMNS if column.name in SHOWN},
        "code": _code(run),
        "themes": {name: asdict(theme) for name, theme in style.THEMES.items()},
    }
    return ReportData(
        name=str(run.settings.get("name") or run.directory.name),
        summary=_summary(run),
        figures=_figures(run, frame),
        caveats=tuple(plots[own].caption.splitlines()),
        trust=tuple(images_lines(run) + repeats_lines(run) + trust_lines(run)),
        settings=tuple(_settings(run)),
        commands=tuple(_commands(run)),
        payload=payload,
    )


def _networks(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Each network with a score once, and what was stopped or failed; of these the family at least is known."""
    scored = frame["trial"].isin(run.networks()["trial"])
    lost = frame["state"].isin(["pruned", "fail", "slow"]) & frame["family"].notna() & (frame["kind"] != "repeat")
    return frame[scored | lost].reset_index(drop=True)


def _values(column: pd.Series) -> list[Any]:
    """A column as JSON values, None for what is missing."""
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _labels(run: Run, frame: pd.DataFrame, networks: pd.DataFrame) -> dict[int, str]:
    """Names of published networks; one configuration may have several."""
    names: dict[str, list[str]] = {}
    landmarks = run.landmarks
    known = frame[frame["landmark"].notna()]
    for config_id, name in zip(known["config_id"], known["landmark"], strict=True):
        label = landmarks[name].label if name in landmarks else str(name)
        if label not in names.setdefault(config_id, []):
            names[config_id].append(label)
    return {row: " = ".join(names[id]) for row, id in enumerate(networks["config_id"]) if id in names}


def _stages(run: Run, config: object) -> list[list[Any]]:
    """None where the configuration is unknown, damaged, or too large for the run's input."""
    if not isinstance(config, str):
        return []
    try:
        parts = stages(config_from_json(json.loads(config)), run.input_size, run.classes)
    except ValueError:
        return []
    return [[getattr(part, name) for name in STAGE] for part in parts]


def _cost(run: Run, name: str, data: FrontierPlot) -> dict[str, Any]:
    """The picture over one cost; x in the cost's unit, y in percent."""
    cost = COSTS[name]
    members = run.frontier(None if cost == run.objective else name)
    return {
        "column": cost.column,
        "unit": cost.unit,
        "symbol": cost.symbol,
        "label": data.x_label,
        "y_label": data.y_label,
        "title": data.title,
        "x_range": data.x_range,
        "y_range": data.y_range,
        "budget": data.budget,
        "budget_label": data.budget_label,
        "step": data.step,
        "band": data.band,
        "adjusted": data.adjusted,
        "bars": data.bars,
        "ticks": [asdict(tick) for tick in data.ticks],
        "members": [int(trial) for trial in members["trial"]],
        "empty": data.empty,
    }


def _family(name: str) -> dict[str, str]:
    colour, marker = style.look(name)
    symbol, glyph = MARKERS[marker]
    return {"name": style.family_name(name), "colour": colour, "symbol": symbol, "glyph": glyph}


def python_text(text: str) -> str:
    """A string as Python source, in double quotes."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _code(run: Run) -> list[str]:
    return [
        "from results import load_run",
        f"run = load_run({python_text(str(run.directory))})",
        f"model = run.candidate(N).build(classes={run.classes})",
    ]


def _summary(run: Run) -> str:
    spend = "up to " if run.settings["mode"] == "frontier" else ""
    return (
        f"Networks of {spend}{COSTS['macs'].text(run.budget_macs)} (multiply-adds, {run.input_size}x{run.input_size}, "
        f"{run.classes:,} classes), "
        + (f"trained by the recipe {run.recipe_name} on {run.data_name}" if run.trains else "none of them trained")
    )


def _figures(run: Run, frame: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    members = run.frontier()
    what = "best at the budget" if run.one_objective else "on the frontier"
    found = [(f"{len(run.networks()):,}", "networks with a score"), (f"{len(members):,}", what)]
    if len(members):
        best = best_first(members, run.settings).iloc[0]
        if run.score.error:
            interval = f"[{best['error_low']:.1f}, {best['error_high']:.1f}]"
            found.append(
                (f"{best['expected_error']:.1f} % {interval}", f"expected error of the best, trial {best['trial']}")
            )
        else:
            score = score_text(best["proxy_top1"], whole(best["held_out"]), 2)
            found.append((f"{score} %", f"proxy top-1 of the best, trial {best['trial']}"))
    return (*found, (duration(float(frame["seconds"].sum())), "of training")) if run.trains else tuple(found)


def _settings(run: Run) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Settings, recipe, device and versions as the search stored them."""
    nested = {"recipe", "timing", "own_landmarks"}
    plain = {key: value for key, value in run.settings.items() if key not in nested}
    if run.own_landmarks:
        plain["landmarks of your own"] = [each.label for each in run.own_landmarks]
    yield "Search", _pairs(plain)
    yield "Recipe", _pairs(run.settings["recipe"])
    if run.timing is not None:
        yield "Latency", (("measured on", timing_text(run.timing)), *_pairs(run.timing))
    environment = run.about.get("environment")
    if isinstance(environment, dict):
        yield "Environment", _pairs(environment | {"workers": run.about.get("workers")})


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key.replace("_", " "), _text(key, value)) for key, value in values.items())


def _text(key: str, value: Any) -> str:
    if key == "budget_macs":
        return f"{value:,} ({COSTS['macs'].text(value)})"
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _commands(run: Run) -> Iterator[tuple[str, str]]:
    """How to go on, as lines for a shell."""
    place, written = str(run.directory), run.about.get("storage")
    where = ("--storage", str(written)) if is_server(written) else ()
    if words := _last_command(run):
        yield "Go on with the search (--trials counts the whole run)", _line("search", *words)
    yield "Read the study again, draw everything anew", _line("results", place, *where)
    yield "The table on the terminal or as a file", _line("results", "show", place, *where, "--help")
    members = run.frontier()
    if len(members):
        best = best_first(members, run.settings).iloc[0]
        trial = str(best["trial"])
        yield "Take the best network away", _line(
            "results", "export", place, *where, "--trial", trial, "--to", "model.onnx"
        )  # fmt: skip
        config = str(run.directory / "configs" / f"{best['config_id']}.json")
        yield (
            "Train the best network to the end",
            _line("evaluate", "train", config, "--data", str(run.settings["data"]), "--recipe", "full"),
        )


def _line(package: str, *words: str) -> str:
    return f"python -m {package} {shlex.join(words)}"


def _last_command(run: Run) -> Sequence[str]:
    """The words after ``python -m search`` of the run's last start, from log.jsonl; nothing without it."""
    try:
        lines = read_text(run.directory / "log.jsonl").splitlines()
    except (OSError, ValueError):
        return ()
    for line in reversed(lines):
        if '"event": "begin"' in line:
            try:
                words = json.loads(line)["command"]
            except (ValueError, KeyError, TypeError):
                continue  # cut off when a machine went down
            if isinstance(words, list):
                return [str(word) for word in words]
    return ()
