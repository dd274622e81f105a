"""What is shipped as known fidelity: the summaries of the reports in benchmarks/results.

    python -m benchmarks.known

reads benchmarks/results/fidelity-*.json (each is a fidelity.json of python -m evaluate fidelity) and writes
evaluate/known.json. Searches repeat those figures where recipe and data are the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from evaluate.fidelity.report import Fidelity, rank_all
from evaluate.fidelity.shipped import SHIPPED, summary

RESULTS = Path(__file__).with_name("results")


def known() -> str:
    """The content of known.json, from the reports."""
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("fidelity-*.json"))]
    measured = [Fidelity.from_json(report) for report in reports]
    return json.dumps([summary(replace(each, rankings=rank_all(each.networks))) for each in measured], indent=1) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file."""
    argparse.ArgumentParser(prog="python -m benchmarks.known", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    content = known()
    SHIPPED.write_text(content, encoding="utf-8")
    print(f"{SHIPPED.name}: {len(json.loads(content))} reports")
    return 0


if __name__ == "__main__":
    sys.exit(main())
