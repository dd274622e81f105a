"""What a lesion study says: means over seeds with their intervals, curves for the picture, verdicts, text.

An interval is 95 %, Student's t: over the seeds where there are two or more, else over the units or draws of the one
training, which says less. Where two intervals overlap it is said that no difference is seen.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import t

from space.budget import gflops
from space.shell.scores import Interval, score_text
from space.shell.words import proxy_words

CLAIM = (
    "published (arXiv:1605.06431, CIFAR-10, 54 blocks, against VGG): only blocks that downsample matter "
    "noticeably; any layer of VGG gone leaves chance; with 10 blocks gone the error is about 20 %, with 20 it is severe"
)


LEARNED = 10.0  # points better than guessing: below, what a network has kept is a quotient of noise


def interval(values: Sequence[float]) -> Interval:
    """The mean, with Student's t over the values.

    Raises:
        ValueError: if there are none.
    """
    if not values:
        raise ValueError("an interval of no values")
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Interval(mean, None, None)
    half = float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def lesion_report(measured: Mapping[str, Any]) -> dict[str, Any]:
    """What `run_lesion` gave, with a `summary` of each network and `verdicts`; plain JSON values.

    Of a network are given, all in percent or points of top-1 error:

    * ``error``: of the whole network;
    * ``rise``: by how much it grows without one unit, mean over the units that the plain network can lose too (of the
      DenseNet: all), and ``kept``: the part of what it knows beyond guessing that is left then, in percent
      (None where a training learned next to nothing);
    * ``swap``: by how much it grows when two blocks change places (None where none can);
    * ``half``: how many units dropped at random leave half of that, of each seed; None: more than were tried;
    * ``units``, ``several``, ``orders``: the curves.
    """
    chance = 100 * (1 - 1 / measured["classes"])
    plain = next(network for network in measured["networks"] if network["kind"] == "plain")
    shared = {unit for unit, error in plain["lesions"][0]["single"] if error is not None}
    networks = []
    for network in measured["networks"]:
        common = None if network["kind"] == "dense" else shared
        networks.append(dict(network) | {"summary": _summary(network["lesions"], common, chance)})
    report = dict(measured) | {"chance": chance, "networks": networks}
    return report | {"verdicts": verdicts(report)}


def _summary(lesions: Sequence[Mapping[str, Any]], shared: set[str] | None, chance: float) -> dict[str, Any]:
    def rises(one: Mapping[str, Any]) -> list[float]:
        return [
            error - one["error"] for unit, error in one["single"]
            if error is not None and (shared is None or unit in shared)
        ]  # fmt: skip

    def kept(one: Mapping[str, Any]) -> float:
        able: float = chance - one["error"]
        return 100 * (1 - statistics.fmean(rises(one)) / able)

    def half(one: Mapping[str, Any]) -> int | None:
        middle = (one["error"] + chance) / 2
        return next((number for number, errors in one["several"] if statistics.fmean(errors) >= middle), None)

    learned = all(chance - one["error"] > LEARNED for one in lesions)
    several = len(lesions) > 1
    units = [unit for unit, _ in lesions[0]["single"]]
    by_unit = [[one["single"][place][1] for one in lesions] for place in range(len(units))]
    return {
        "error": _error([one["error"] for one in lesions]),
        "rise": interval([statistics.fmean(rises(one)) for one in lesions] if several else rises(lesions[0])),
        "kept": interval([kept(one) for one in lesions]) if learned else None,
        "swap": _swap(lesions),
        "half": [half(one) for one in lesions] if learned else None,
        "units": [
            {"unit": unit, "error": None if errors[0] is None else _error(errors)}
            for unit, errors in zip(units, by_unit, strict=True)
        ],
        "several": [
            {"dropped": each[0][0], "error": _over([one[1] for one in each])}
            for each in zip(*(one["several"] for one in lesions), strict=True)
        ],
        "orders": [
            {
                "swaps": each[0][0],
                "tau": statistics.fmean(tau for one in each for tau in one[1]),
                "error": _over([one[2] for one in each]),
            }
            for each in zip(*(one["orders"] for one in lesions), strict=True)
        ],
    }


def _swap(lesions: Sequence[Mapping[str, Any]]) -> Interval | None:
    if not lesions[0]["orders"]:
        return None
    rises = [[error - one["error"] for error in one["orders"][0][2]] for one in lesions]  # the fewest swaps: one
    return interval([statistics.fmean(each) for each in rises] if len(rises) > 1 else rises[0])


def _over(draws: Sequence[Sequence[float]]) -> Interval:
    """Of the seeds' means over their draws; of the draws, where there is one seed."""
    return _error([statistics.fmean(each) for each in draws] if len(draws) > 1 else draws[0])


def _error(values: Sequence[float]) -> Interval:
    return interval(values).within(0, 100)


def verdicts(report: Mapping[str, Any]) -> list[str]:
    """What the numbers say of the claim, a sentence each."""
    of = {network["kind"]: network["summary"] for network in report["networks"]}
    said = [_compared("One unit dropped", "rise", "plain", of)]
    residual, plain = of["residual"], of["plain"]
    if residual["kept"] is not None and plain["kept"] is not None:
        said.append(
            "What is known beyond guessing, and is left without one unit: "
            f"{residual['kept']} % in the residual network, {plain['kept']} % in the plain one."
        )
        said.append(
            f"Half of it is left, seed by seed, with {_numbers(residual['half'])} units dropped at random of the "
            f"residual network, {_numbers(plain['half'])} of the plain one."
        )
    said.append(_compared("One unit dropped", "rise", "dense", of))
    if residual["swap"] is not None and plain["swap"] is not None:
        said.append(_compared("Two blocks swapped", "swap", "plain", of))
    return said


def _numbers(halves: Sequence[int | None]) -> str:
    return ", ".join("more than tried" if half is None else str(half) for half in halves)


def _compared(what: str, figure: str, kind: str, of: Mapping[str, Any]) -> str:
    """Which loses more, a network of this kind or the residual one, if either is seen to."""
    first, second = of[kind][figure], of["residual"][figure]
    figures = f"{what}: {kind} {first}, residual {second} points of error more"
    for each in (kind, "residual"):
        if of[each]["kept"] is None:
            return f"{figures}; no verdict: the {each} network has hardly learned anything and has little to lose."
    if first.low is None or second.low is None:
        return f"{figures}; one value each, no interval, no verdict."
    if first.low <= second.high and second.low <= first.high:
        return f"{figures}; no difference seen."
    worse, better = (kind, "residual") if first.mean > second.mean else ("residual", kind)
    return f"{figures}; the {worse} network loses more than the {better} one."


def lesion_text(report: Mapping[str, Any]) -> str:
    """Tables and verdicts."""
    recipe, networks = report["recipe"], report["networks"]
    seeds = len(report["seeds"])
    kinds = [network["kind"] for network in networks]
    lines = [
        f"{report['network']}, the same without shortcuts, and a DenseNet; recipe {recipe['name']}: "
        f"{recipe['epochs']} epochs, {recipe['resolution']}x{recipe['resolution']}, {proxy_words(recipe)}, "
        f"{report['data']}",
        f"{report['environment']['device']}, torch {report['environment']['torch']}; seeds "
        f"{', '.join(map(str, report['seeds']))}; error of {report['images']} held-out images, guessing "
        f"{report['chance']:.0f} %; {report['draws']} draws a number",
        "brackets: 95 %, Student's t over "
        + ("the seeds" if seeds > 1 else "units or draws of one training")
        + "; ±: standard error of one value from these images alone",
        "",
        f"{'network':<10}{'cost':>9}{'params':>11}{'units':>7}{'error %':>20}{'without one: more':>22}{'kept %':>22}",
    ]
    for network in networks:
        each, cost = network["summary"], network["cost"]
        error, kept = _scored(each["error"], report["images"]), "-" if each["kept"] is None else str(each["kept"])
        lines.append(
            f"{network['kind']:<10}{gflops(cost['macs']):>9}{cost['params']:>11,}{len(each['units']):>7}"
            f"{error:>20}{each['rise']!s:>22}{kept:>22}"
        )
    lines += ["", "error % without one unit", f"{'unit':<8}" + "".join(f"{kind:>30}" for kind in kinds)]
    most = max(len(network["summary"]["units"]) for network in networks)
    for place in range(most):
        cells = []
        for network in networks:
            units = network["summary"]["units"]
            cell = "cannot be dropped" if place < len(units) else ""
            if place < len(units) and units[place]["error"] is not None:
                cell = _scored(units[place]["error"], report["images"])
            cells.append(f"{cell:>30}")
        lines.append(f"{place + 1:<8}" + "".join(cells))
    for title, column, key in (("units dropped", "number", "dropped"), ("swaps of two blocks", "number", "swaps")):
        curve = "several" if key == "dropped" else "orders"
        lines += ["", f"error % after {title}", f"{column:<8}" + "".join(f"{kind:>30}" for kind in kinds)]
        numbers = sorted({point[key] for network in networks for point in network["summary"][curve]})
        for number in numbers:
            found = [
                next((point for point in network["summary"][curve] if point[key] == number), None)
                for network in networks
            ]
            cells = [
                f"{'' if point is None else _scored(point['error'], report['images']) + _tau(point):>30}"
                for point in found
            ]
            lines.append(f"{number:<8}" + "".join(cells))
    return "\n".join([*lines, "", *report["verdicts"], CLAIM])


def _scored(error: Interval, images: int) -> str:
    """An error with its interval; of one value, with the standard error that the images leave."""
    return score_text(error.mean, images) if error.low is None else str(error)


def _tau(point: Mapping[str, Any]) -> str:
    return f" (tau {point['tau']:.2f})" if "tau" in point else ""
