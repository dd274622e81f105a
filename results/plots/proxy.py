"""The proxies' raw scores of a run that goes by expected errors: the same picture as the frontier of one that does not.

`proxy_data` is its first step, `draw_proxy` its second.
"""

from __future__ import annotations

from results.plots import DEFAULT_VIEW, View
from results.plots.frontier import draw_frontier as draw_proxy
from results.plots.frontier_data import FrontierPlot, frontier_data
from results.run.run import Run

__all__ = ["draw_proxy", "proxy_data"]


def proxy_data(run: Run, view: View = DEFAULT_VIEW) -> FrontierPlot:
    """Step one: what to show of a run.

    Raises:
        ValueError: if nothing was trained, or no network has the cost that is wanted on the axis.
    """
    if not run.trains:
        raise ValueError("nothing was trained (recipe none): there are no proxies' scores")
    return frontier_data(run, view)
