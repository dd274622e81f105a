"""A run directory -> table -> frontier -> pictures -> a model in your own code.

    from results import load_run
    model = load_run("runs/NAME").best(max_macs=2e9).build(classes=100)

============  ================================================================================
`run`         a finished or running study, read and never written
`analysis`    what its networks tell: arithmetic, no pictures
`plots`       the pictures by name, each in two pure steps, data and figure
`report`      the page: one HTML file that works offline; the files of a run directory
`export`      a network or a table -> a file that is checked before it is kept
`cli`         the commands of `python -m results`
============  ================================================================================

Nothing heavy is loaded before one of the names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.export import export_model
    from results.report.frontier_table import frontier_table
    from results.report.write import write_outputs
    from results.run.candidate import Candidate
    from results.run.load import load_run
    from results.run.naming import describe
    from results.run.run import Run

_HOMES = {
    "Candidate": "run.candidate",
    "Run": "run.run",
    "describe": "run.naming",
    "export_model": "export",
    "frontier_table": "report.frontier_table",
    "load_run": "run.load",
    "write_outputs": "report.write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'results' has no attribute {name!r}")
    return getattr(import_module(f"results.{_HOMES[name]}"), name)


__all__ = ["Candidate", "Run", "describe", "export_model", "frontier_table", "load_run", "write_outputs"]
