"""The paths of a residual network: content of paths.json -> `Row` -> pictures.

Beside Figure 6 of arXiv:1605.06431: how many paths have which length, the gradient of one, and of all of a length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results.plots.panels import Panel, Row, Series, images
from results.plots.saved import a_report_of
from results.run.notes import DIGITS
from space.shell.scores import score_text
from space.shell.words import proxy_words


def paths_plot_data(report: Mapping[str, Any]) -> Row:
    """Step one: what to show of a report.

    Args:
        report: what paths.json holds.

    Raises:
        ValueError: if it is no such report.
    """
    with a_report_of("paths"):
        return _plot_data(report)


def _plot_data(report: Mapping[str, Any]) -> Row:
    lengths = tuple(float(length) for length in range(report["units"] + 1))
    norms = [(length, *norm) for length, norm in zip(lengths, report["norms"], strict=True) if norm[0] > 0]
    known = all(low is not None for _, _, low, _ in norms)
    least = min((mean for _, mean, _, _ in norms), default=1.0) / 10  # a logarithmic axis has no place for zero
    x_label = f"length: {report['unit']} on the path"
    found = report["effective"]
    span = (found["shortest"] - 0.5, found["longest"] + 0.5, f"{100 * found['of_gradient']:.0f} %")
    gradient = Series(
        "", "resnet", tuple(each[0] for each in norms), tuple(each[1] for each in norms),
        tuple(max(each[2], least) for each in norms) if known else (),
        tuple(each[3] for each in norms) if known else (),
    )  # fmt: skip
    shares = tuple(100 * share for share in report["shares"])
    parts = tuple(100 * part for part in report["contributions"])
    return Row(
        title=f"The {_amount(report['units'])} paths of {report['network']}",
        panels=(
            Panel("How many", x_label, "of all paths (%)", (Series("", "resnet", lengths, shares, shape="columns"),),
                  whole=True),
            Panel("Gradient of one path", x_label, "norm at the image", (gradient,), logarithmic=True, whole=True),
            Panel("Gradient of all paths of a length", x_label, "of the gradient (%)",
                  (Series("", "resnet", lengths, parts, shape="columns"),), span=span, whole=True),
        ),
        caption=_caption(report),
    )  # fmt: skip


def _amount(units: int) -> str:
    return f"{2**units:,}" if units < 20 else f"2^{units}"


def _caption(report: Mapping[str, Any]) -> str:
    recipe, found = report["recipe"], report["effective"]
    error = score_text(report["error"], report["held_out"])
    lines = [
        f"Recipe {recipe['name']} (epochs {recipe['epochs']}, {recipe['train_images'] or 'all'} images of "
        f"{recipe['resolution']}x{recipe['resolution']}, {proxy_words(recipe)}) on {report['data']}, seed "
        f"{report['seed']}, error {error} %, {report['environment']['device']}. {report['samples']} "
        "random paths of each length; the band is a 95 % interval of their mean.",
        f"{100 * found['of_gradient']:.0f} % of the gradient comes over paths of {found['shortest']} to "
        f"{found['longest']} {report['unit']}, which are {100 * found['of_paths']:.3g} % of all.",
    ]
    if report["data"] == "digits":
        lines.append(DIGITS)
    return "\n".join(lines)


def paths_pictures(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Both steps, in every format and theme: file name -> content."""
    return images(paths_plot_data(report), "paths")
