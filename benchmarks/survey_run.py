"""The networks of a survey as a run, to look at: its pictures show what random networks say.

    python -m benchmarks.survey_run benchmarks/results/survey-cpu.csv --out runs/survey-cpu
    python -m results runs/survey-cpu --plots distribution axes

Only what the survey drew in one mode is taken: one way of drawing, one population. `python -m results` then says what
`distribution` and `axes` show in words, under the pictures.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

import optuna

from benchmarks.survey_table import CLASSES, INPUT, SURVEYED, Survey, read_survey
from evaluate.training.score import ProxyScore
from search.records import Evaluation
from search.run.settings import Settings
from search.run.study import Search
from space.shell.command import answer
from space.solving.axes import MODES


def write_run(survey: Survey, mode: str, directory: Path) -> int:
    """Write the run, through the search's own storage. Returns how many networks it has.

    Raises:
        ValueError: if there is a run already, or the survey drew nothing in that mode.
    """
    if directory.exists():
        raise ValueError(f"{directory} is there already: choose another --out")
    numbers = [number for number, drawn in enumerate(survey.modes) if drawn == mode]
    if not numbers:
        raise ValueError(f"the survey has no network of mode {mode}: it has {', '.join(sorted(set(survey.modes)))}")
    settings = Settings(
        directory.name, survey.budget.macs, mode, SURVEYED, "CIFAR-10", survey.recipe.to_json(), INPUT, CLASSES,
        "random", 0, (),
    )  # fmt: skip
    with Search(directory, settings) as run:
        sentence = "fidelity unknown: a survey, each network trained once"
        run.record(
            {"machine": survey.heading.split(";")[0]}, "CIFAR-10", "survey", {"sentence": sentence, "known": False}, 1
        )
        for number in numbers:
            top1, seconds = float(survey.curves[number, -1]), float(survey.seconds[number])
            score = ProxyScore(top1, None, seconds, 0.0, (), "complete")
            network = run.network("sample", f"#{number}", survey.configs[number], None, origin="random")
            run.add(network, Evaluation(score), None, datetime.now())
    return len(numbers)


def main(arguments: list[str] | None = None) -> int:
    """Parse, write, say what. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.survey_run", description=__doc__)
    parser.add_argument("survey", type=Path, help="a file that python -m benchmarks.survey wrote")
    parser.add_argument("--mode", default="frontier", choices=MODES)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def text() -> str:
        count = write_run(read_survey(options.survey), options.mode, options.out)
        return f"{count} networks in {options.out}; look at them: python -m results {options.out}"

    return answer("python -m benchmarks.survey_run", text)


if __name__ == "__main__":
    sys.exit(main())
