"""How many evaluations, and how much training, does a search need? Samplers, early stopping, refinement, a rival.

    python -m benchmarks.search_quality --survey benchmarks/results/survey-cpu.csv --out benchmarks/results

Every search is played against `benchmarks.surrogate`, learned from really trained networks, once a seed and mode. In
frontier mode the hypervolume between a tenth of the budget and the budget counts (`benchmarks.hypervolume`), in match
mode the best top-1 on the budget; up to 3 % below is near enough. Beyond, the survey knows nothing and nobody gains.
A network that is stopped early costs the training up to there, and never counts.

The rival is plain Optuna (`benchmarks.rival`), counted in two ways. As documented: it scores every trial, also those
that miss the range of costs, which cost an evaluation and their training. With free misses: its user counts first and
trains only what is in the range; what it drew in vain costs nothing here. Where it looks is the same.

A search trains each network once and favours those with a fortunate seed. So every search is judged twice: by the
scores that it saw, and by what the networks that it chose score without seed variance.

As a check on the surrogate, random search is also played on the survey's own table, without any model.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
from joblib import Parallel, delayed

from benchmarks.hypervolume import Scale
from benchmarks.quality_play import Arm, Game, Run, play
from benchmarks.quality_report import EARLY, JUDGES, Played, Track, draw, summarise, table
from benchmarks.rival import width_ranges
from benchmarks.surrogate import MODEL, Surrogate
from benchmarks.survey_table import read_survey
from results.plots import style
from search.run.settings import SAMPLERS
from search.rungs import rungs_of
from space.solving.axes import MODES, Target


def arms(base: str, refine: float, samplers: list[str], rivals: list[str]) -> list[Arm]:
    """What is compared; early stopping and refinement are tried on the sampler `base`."""
    found = [Arm(name, name) for name in samplers]
    found += [
        Arm(f"{base} + neighbours", base, refine=refine),
        Arm(f"{base} + stopping", base, stopping=True),
        Arm(f"{base} + both", base, refine=refine, stopping=True),
        Arm("random + stopping", "random", stopping=True),
    ]
    found += [Arm(f"Optuna {name}", name, rival=True) for name in rivals]
    return found + [
        Arm("table: random", "random", table=True),
        Arm("table: random + stopping", "random", stopping=True, table=True),
    ]


def measured(run: Run, target: Target, scale: Scale, judge: str) -> Track:
    """Hypervolume or best top-1 after each evaluation, of the networks that were found the best.

    Args:
        run: the search.
        target: what it searched.
        scale: what hypervolumes are measured against.
        judge: "seen", by the scores that the search saw; "expected", by what they score without seed variance.
    """
    top1 = np.array(run.top1, float)
    judged = np.array(run.expected, float) if judge == "expected" else None
    frontier = target.mode == "frontier"
    quality = scale.hypervolumes(top1, np.array(run.macs), judged) if frontier else scale.best(top1, judged)
    start = 0.0 if frontier else scale.floor
    return Track(quality, np.cumsum(run.seconds), start, run.stopped, run.missed, run.draws, run.asking)


def game_of(arm: Arm, game: Game, gp_evaluations: int) -> Game:
    """How long this arm is played: the sampler gp asks slowly, a table ends."""
    evaluations = game.evaluations
    if arm.table:
        evaluations = min(evaluations, len(game.own) // 2)
    elif arm.sampler == "gp":
        evaluations = min(evaluations, gp_evaluations)
    return replace(game, evaluations=evaluations)


def play_all(chosen: Sequence[Arm], game: Game, scale: Scale, args: argparse.Namespace) -> dict[str, dict[str, Played]]:
    """Every arm, `args.seeds` times, in `args.jobs` processes: judge -> name -> what came out."""
    games = {arm.name: game_of(arm, game, args.gp_evaluations) for arm in chosen}
    # the slow ones first, so that no process waits at the end
    tasks = [(arm, seed) for arm in sorted(chosen, key=lambda arm: arm.sampler != "gp") for seed in range(args.seeds)]
    results = Parallel(n_jobs=args.jobs)(delayed(play)(arm, games[arm.name], seed) for arm, seed in tasks)
    found: dict[str, dict[str, Played]] = {judge: {} for judge in JUDGES}
    for (arm, _), runs in sorted(zip(tasks, results, strict=True), key=lambda pair: chosen.index(pair[0][0])):
        for name, run in runs.items():
            for judge, played in found.items():
                if judge == "seen" or not arm.table:  # a table knows but one training of a network
                    one = played.setdefault(name, Played([], games[arm.name].evaluations, games[arm.name].seconds))
                    one.tracks.append(measured(run, game.target, scale, judge))
    return found


# --------------------------------------------------------------------------------------------------- main


def main() -> int:
    """Play all searches; write search_quality.txt, .json and .png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_quality", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--survey", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--samplers", nargs="*", default=list(SAMPLERS), choices=SAMPLERS)
    parser.add_argument("--rivals", nargs="*", default=["tpe", "nsga2"], choices=("tpe", "nsga2"))
    parser.add_argument("--gp-evaluations", type=int, default=EARLY, help="of the sampler gp, which asks slowly")
    parser.add_argument("--base", default="tpe", choices=SAMPLERS, help="what stopping and neighbours are added to")
    parser.add_argument("--refine", type=float, default=0.3, help="part of the later proposals that are neighbours")
    parser.add_argument("--residual", type=float, default=1.0, help="of the surrogate: 0 is a smooth truth")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    began = time.monotonic()
    survey = read_survey(args.survey)
    truth = Surrogate(survey, args.residual)
    chosen = arms(args.base, args.refine, list(dict.fromkeys(["random", *args.samplers])), args.rivals)
    scale = Scale(survey.budget.macs, float(survey.curves[:, -1].min()))
    about = [
        f"truth: {MODEL} on {len(survey.configs)} networks, residual {args.residual:g}; survey: {survey.heading}",
        f"reference point: top-1 {scale.floor:.2f} %, {survey.budget}; {args.refine:.0%} of later proposals are "
        f"neighbours; optuna {optuna.__version__}",
    ]
    summaries = []
    for mode in args.modes:
        target = Target(survey.budget, mode)
        game = Game(survey, truth, target, args.evaluations, rungs_of(survey.recipe), width_ranges(target))
        for judge, played in play_all(chosen, game, scale, args).items():
            summaries.append(summarise(mode, judge, played))
            print(table(summaries[-1]), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*about, f"played in {time.monotonic() - began:.0f} s", "", *map(table, summaries)])
    (args.out / "search_quality.txt").write_text(text, encoding="utf-8")
    (args.out / "search_quality.json").write_text(json.dumps({"about": about, "modes": summaries}), encoding="utf-8")
    caption = (
        f"Mean of {args.seeds} searches on a surrogate of {len(survey.configs)} networks trained by recipe "
        f"{survey.recipe.name}; bands: 95 %. The grey line is what random search reaches in {args.evaluations} "
        "evaluations. A rival's misses are trained (documented) or cost nothing (free misses)."
    )
    picture = draw([each for each in summaries if each["judge"] == "seen"], caption)
    (args.out / "search_quality.png").write_bytes(style.image(picture, "png"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
