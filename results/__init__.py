"""A run directory -> table -> frontier -> pictures -> a model in your own code.

    from results import load_run
    model = load_run("runs/NAME").best(max_macs=2e9).build(classes=100)

=====================  ============================================================================
`run`                  `load_run`, `Run`: a finished or running study, read and never written
`candidate`            `Candidate`: a network that was scored, ready to be built
`storage`              opens the study for reading; what is wrong with it, in one sentence
`objective`            what a network costs: multiply-adds, parameters, activations, latency
`columns`              every column of a run's table: unit and meaning, in one place
`frame`                trials -> DataFrame; `trained`: with what became of networks trained further
`tables`               a table as text, CSV, Parquet, JSON, LaTeX, Markdown; `filters`: some rows of it
`naming`               a network in a few words and numbers
`stages`               a network part by part: widths, sizes, its share of the cost
`pareto`               the exact non-dominated set and its hypervolume; `hypervolume`: of a run
`repeats`              networks trained from several seeds: what their columns and the band follow from
`uncertainty`          which networks are on the frontier if the luck of single trainings is taken off
`population`           the sampled networks and what sets them apart; `bootstrap`, `trend`, `importance`: the arithmetic
`comparison`           several runs side by side
`plots`                the pictures by name, each in two pure steps, data and figure
`report`               the page: one HTML file that works offline
`export`               a network -> a file that is checked before it is kept
`write`                the files of a run directory, each written whole or not at all
`NAME_command`         `python -m results NAME`: show, compare, export, published, block
=====================  ============================================================================

Nothing heavy is loaded before one of the names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.candidate import Candidate
    from results.export import export_model
    from results.naming import describe
    from results.run import Run, load_run
    from results.tables import frontier_table
    from results.write import write_outputs

_HOMES = {
    "Candidate": "candidate",
    "Run": "run",
    "describe": "naming",
    "export_model": "export",
    "frontier_table": "tables",
    "load_run": "run",
    "write_outputs": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'results' has no attribute {name!r}")
    return getattr(import_module(f"results.{_HOMES[name]}"), name)


__all__ = ["Candidate", "Run", "describe", "export_model", "frontier_table", "load_run", "write_outputs"]
