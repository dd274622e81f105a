"""A run directory -> table -> frontier -> pictures -> a model in your own code.

    from results import load_run
    model = load_run("runs/NAME").best(max_macs=2e9).build(classes=100)

=================  ================================================================================
`run`              `load_run`, `Run`, `Candidate`: a finished or running study, read and never written
`storage`          opens the study for reading; what is wrong with it, in one sentence
`objective`        what is held against top-1: multiply-adds or latency
`frame`            trials -> DataFrame; every column's unit and meaning; the frontier as text
`pareto`           the exact non-dominated set
`frontier_data`    a run -> what its picture shows, caption included
`plot_frontier`    that -> figure: what was measured here
`plot_published`   landmarks -> plot data -> figure: what the papers report
`plot_fidelity`    content of fidelity.json -> plot data -> figure: how far proxies rank as published
`labels`           where labels go so that they do not overlap
`style`            colours, markers, fonts, axes
`write`            the files of a run directory, each written whole or not at all
=================  ================================================================================

Nothing heavy is loaded before one of the names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.frame import describe, frontier_table
    from results.run import Candidate, Run, load_run
    from results.write import write_outputs

_HOMES = {
    "Candidate": "run",
    "Run": "run",
    "describe": "frame",
    "frontier_table": "frame",
    "load_run": "run",
    "write_outputs": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'results' has no attribute {name!r}")
    return getattr(import_module(f"results.{_HOMES[name]}"), name)


__all__ = ["Candidate", "Run", "describe", "frontier_table", "load_run", "write_outputs"]
