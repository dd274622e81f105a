"""`python -m evaluate expect` and `python -m evaluate calibration`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from evaluate.cli.options import network, target
from space.shell.scores import FAMILIAR_FROM
from space.shell.tables import align


def expect(options: argparse.Namespace) -> str:
    """Expected errors, a network a line."""
    configs = [network(name) for name in options.networks]  # refuses what is no network before anything is loaded

    from evaluate.calibration.expect import expect as expected
    from evaluate.calibration.expect import target_set

    targets = [target(options, config, name) for config, name in zip(configs, options.networks, strict=True)]
    for at in dict.fromkeys(targets):
        target_set(*at)
    lines: list[dict[str, Any]] = [{} for _ in configs]
    for at in dict.fromkeys(targets):
        here = [number for number, each in enumerate(targets) if each == at]
        forecast = expected([configs[number] for number in here], *at)
        low, high = forecast.interval()
        for place, number in enumerate(here):
            lines[number] = {
                "name": options.networks[number],
                "expected_error": round(float(forecast.error[place]), 4),
                "low": round(float(low[place]), 4),
                "high": round(float(high[place]), 4),
                "familiarity": round(float(forecast.familiarity[place]), 4),
            }
    if options.json:
        return "\n".join(map(json.dumps, lines))
    return _table(lines, targets)


def _table(lines: list[dict[str, Any]], targets: list[tuple[int, int]]) -> str:
    rows = [
        [
            line["name"],
            f"{size}x{size}, {classes}",
            f"{line['expected_error']:.1f}",
            f"[{line['low']:.1f}, {line['high']:.1f}]",
            f"{line['familiarity']:.2f}" + ("" if line["familiarity"] >= FAMILIAR_FROM else " far"),
        ]
        for line, (size, classes) in zip(lines, targets, strict=True)
    ]
    text = align(("network", "image, classes", "top-1 error %", "95 %", "familiarity"), rows, (2, 3))
    notes = [
        "expected: if trained from scratch by a recipe like the papers'. 95 %: for a training by an unknown recipe,",
        "the papers' or a modern one. familiarity: 1 has the counts of a known network of its family; far: below "
        f"{FAMILIAR_FROM:g}.",
        "How good such expectations are: python -m evaluate calibration",
    ]
    return "\n".join([text, "", *notes])


def calibration(options: argparse.Namespace) -> str:
    """How good expected errors are on networks, families and recipes that the model has not seen."""
    from evaluate.calibration.report import assess, calibration_sheet

    scores: dict[str, dict[str, float]] = {}
    for path in options.fidelity or ():
        scores |= _scores(path, options.set)
    result = assess(options.set, scores)
    return json.dumps(result.to_json(), indent=1) if options.json else calibration_sheet(result).text()


def _scores(path: Path, set_name: str) -> dict[str, dict[str, float]]:
    """The scores of a fidelity report by kind and network: the proxy's accuracy and the untrained measures."""
    from evaluate.fidelity.report import Fidelity
    from evaluate.measures.zero_cost import MEASURES

    try:
        fidelity = Fidelity.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}; expected the fidelity.json of a fidelity run") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if fidelity.set != set_name:
        raise ValueError(f"{path} is of the set {fidelity.set}: expected --set {fidelity.set}, or a run of {set_name}")
    names = {"proxy_top1": f"recipe {fidelity.recipe.name}"} | {measure: measure for measure in MEASURES}
    found = {
        name: {each.name: value for each in fidelity.networks if (value := each.ranked_by(ranking)) is not None}
        for ranking, name in names.items()
    }
    return {name: values for name, values in found.items() if values}
