"""Reports of stored scores made anew, and what is shipped as known fidelity.

    python -m benchmarks.known

reads the scores in benchmarks/results/fidelity-*.json (each is a fidelity.json of python -m evaluate fidelity), works
out rankings, baselines and regrets anew, writes each report again as .json, .txt and .csv, and their summaries into
evaluate/fidelity/shipped.json. Nothing is trained. Searches repeat those figures where recipe and data are the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from evaluate.fidelity.report import Fidelity
from evaluate.fidelity.shipped import SHIPPED, summary
from evaluate.fidelity.text import fidelity_files
from space.shell.files import write_files

RESULTS = Path(__file__).with_name("results")


def made_anew() -> dict[Path, bytes]:
    """The content of all these files, from the scores that are stored."""
    paths = sorted(RESULTS.glob("fidelity-*.json"))
    reports = {path: Fidelity.from_json(json.loads(path.read_text(encoding="utf-8"))) for path in paths}
    files = {SHIPPED: (json.dumps([summary(each) for each in reports.values()], indent=1) + "\n").encode()}
    for path, fidelity in reports.items():
        files |= fidelity_files(fidelity, path)
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write the files."""
    argparse.ArgumentParser(prog="python -m benchmarks.known", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    files = made_anew()
    write_files(files)
    print("written:", ", ".join(path.name for path in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
