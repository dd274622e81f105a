"""The pictures of a run by name: each is a file `NAME.py` here with its two steps, `NAME_data` and `draw_NAME`.

=================  ================================================================================
`ranking`          the best in match mode, with intervals
`frontier`         by expected errors (`frontier_expected` is its first step) or by what was measured here
                   (`frontier_data` and `frontier_caption`)
`proxy`            the proxies' raw scores of a run that goes by expected errors
`published`        what the papers report
`progress`         how the search went, and where the time went; `progress_data` is its first step
`distribution`     errors by group at like cost; `distribution_data` is its first step
`axes`             scores at like cost against the axes of the space; `axes_data` is its first step
`architecture`     one network drawn
`sweep`            scores against what a sweep has set; `sweep_data`, `sweep_stats` and `sweep_text` are its parts
=================  ================================================================================

Pictures of something else than one run:

=================  ================================================================================
`compare`          the frontiers of several runs
`fidelity`         content of fidelity.json: how far proxies rank as published
`lesion`           content of lesion.json: blocks dropped and reordered; `paths`: of paths.json
`block`            one block beside its unrolled alternatives
=================  ================================================================================

`style` has themes, colours, fonts and axes, `labels` the places of labels; `sheet` lays out a grid of small panels,
`panels` a row of them; `saved` reads what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from results.plots.style import Theme
    from results.run.run import Run

PLOTS = {
    "frontier": "top-1 or expected error against cost: networks by family, the frontier, published networks",
    "proxy": "of a run by expected errors: the raw scores of its proxies against cost",
    "ranking": "in match mode alone: the best by expected top-1 with their intervals, and all others",
    "published": "what the papers report",
    "progress": "hypervolume and best score against networks, training and wall clock; where the time went",
    "distribution": "errors by family and by axis at like cost",
    "axes": "scores at like cost against depth, width, cardinality ...: where the best lie, which axes decide",
    "sweep": "of a sweep alone: scores with intervals against what was set, published errors in a panel of their own",
    "architecture": "one network (--trial; the best one): its stages and their shares of the cost",
}
FORMATS = ("png", "svg", "pdf")
KINDS = ("png", "svg")  # of them, unless others are asked for


@dataclass(frozen=True)
class View:
    """What of a run a picture shows."""

    x: str | None = (
        None  # the cost on the x axis, one of `results.run.objective.COSTS`; the run's objective unless given
    )
    trial: int | None = None  # the network to draw; the best one unless given


DEFAULT_VIEW = View()


def drawable(run: Run, names: Sequence[str], x: str | None = None) -> tuple[str, ...]:
    """Those of the pictures that the run can have; one that is asked for alone is kept, so that it can say why not.

    A run that goes by expected errors has its proxies' scores as a picture of their own. A run has a frontier, or in
    match mode, where all networks cost the same, a ranking, or it is a sweep. Over a cost
    `x` that is named every run has a frontier.
    """
    if len(names) == 1:
        return tuple(names)
    own = "sweep" if run.settings.get("sweep") else "ranking" if run.one_objective else "frontier"
    left = {"sweep", "ranking", "frontier"} - {own, "frontier" if x else own}
    if not (run.score.error and run.trains):
        left.add("proxy")
    return tuple(name for name in names if name not in left)


def plot_data(name: str, run: Run, view: View = DEFAULT_VIEW) -> Any:
    """Step one of a picture: what it shows.

    Raises:
        ValueError: if the run has nothing for it, such as no latencies for an axis of them.
    """
    return getattr(import_module(f"results.plots.{name}"), f"{name}_data")(run, view)


def draw(name: str, data: Any, theme: Theme) -> Figure:
    """Step two: the picture of what `plot_data` has found."""
    drawn: Figure = getattr(import_module(f"results.plots.{name}"), f"draw_{name}")(data, theme)
    return drawn


def figure(name: str, run: Run, view: View, theme: Theme) -> Figure:
    """One picture, both steps. Raises as `plot_data`."""
    return draw(name, plot_data(name, run, view), theme)


def check_names(what: str, names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Names given as several words or separated by commas, each once; "all" stands for all that are known.

    Raises:
        ValueError: for one that is not known; `what` is the option that it was given to.
    """
    given = tuple(dict.fromkeys(name for word in names for name in word.split(",") if name))
    if given == ("all",):
        return tuple(known)
    for name in given:
        if name not in known:
            raise ValueError(f"{what} {name!r}: expected all, or some of {', '.join(known)}")
    if not given:
        raise ValueError(f"{what} names nothing: expected some of {', '.join(known)}")
    return given
