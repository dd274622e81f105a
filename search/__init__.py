"""The search: proposes networks that cost the budget, has them scored, records them.

============  ================================================================================
`records`     what the parts pass to each other
`loop`        proposes, sends out, takes back, tries again, records
`rungs`       is a network, a part of its training done, worth the rest?
`run`         a run on the disk: its settings, its study, its lock, its log
`propose`     which network next?
`workers`     where networks are measured
`cli`         the command line of `python -m search`
============  ================================================================================
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
