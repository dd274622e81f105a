"""The search: proposes networks that cost the budget, has them scored, records them.

================  =====================================================================
`options`         the command line; `arguments`: what its words mean
`settings`        what a run is: everything that two starts must share to continue one run
`study`           opens, continues and writes the study; the one owner of the storage
`trials`          what it has finished: what counts, what is missing, what is on the frontier
`lock`            one owner a run
`storage`         how the storage is opened, and what it raises, in one sentence
`loop`            the run: proposes, sends out, takes back, tries again, records
`proposals`       which network next: of a sampler, a neighbour of the best
`sweep`           listed networks in place of samples: one axis or two; `listed` gives them to the loop
`pays`            ... or one network with more spent in one direction at a time
`samplers`        Optuna's samplers over the axes of the space
`suggest`         the axes of the space as Optuna's parameters, and back
`warm`            what earlier runs give
`rungs`           frontier-aware early stopping, as a pure rule
`evaluation`      what is measured of a network: its proxy's score, its latency
`executor`        where that happens: in this process ...
`ray_executor`    ... or on Ray's workers
`ray_connection`  a Ray of our own, or a cluster that is there
`log`             what happened, one JSON object a line
`tally`           counts of it, for the two that follow
`console`         a line a network, and on a terminal a bar
`status`          how a run stands, from another terminal
`dry_run`         what a run would sample and cost
`expected`        ... and how long it would take
================  =====================================================================
"""

from __future__ import annotations

import importlib.util
from pathlib import Path


def _check_siblings() -> None:
    """A Hugging Face package is called `evaluate` too: say so instead of failing in the middle of a run."""
    here = Path(__file__).resolve().parent.parent
    for name in ("space", "evaluate", "results"):
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if found != here:
            raise ImportError(
                f"the package {name!r} that Python finds is not archfrontier's: run from the checkout, or install "
                "archfrontier in a virtual environment of its own (a Hugging Face package is called 'evaluate' too)"
            )


_check_siblings()
