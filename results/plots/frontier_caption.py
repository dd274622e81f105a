"""What is said below a picture of a run's frontier."""

from __future__ import annotations

import pandas as pd

from results.run.notes import images_lines, trust_lines
from results.run.objective import Objective, timing_text
from results.run.repeats import Repeated
from results.run.run import Run
from space.shell.words import amount, proxy_words

UNIFORM = ("random", "qmc")  # samplers that do not prefer what has scored well


def caption(
    run: Run, cost: Objective, frame: pd.DataFrame, done: pd.DataFrame, again: Repeated | None, hidden: list[str]
) -> str:
    """The sentences, one a line.

    Args:
        run: of which.
        cost: what the picture has on its x axis.
        frame: its trials without repeats.
        done: those of them that have a score and a cost.
        again: what repeats say.
        hidden: what the picture leaves out, in words.
    """
    recipe = run.settings["recipe"]
    shown = ", ".join(
        [f"{key} {recipe[key]}" for key in ("epochs", "resolution") if recipe.get(key) is not None]
        + [proxy_words(recipe, run.settings["budget_macs"])]
    )
    lines = [
        "; ".join([*_counts(frame, done), *hidden]) + ".",
        f"Recipe {run.recipe_name} ({shown}) on {run.data_name}.",
    ]
    if cost != run.objective:
        goal = "the best at the budget" if run.settings["mode"] == "match" else f"top-1 against {run.objective.metric}"
        lines.append(f"The frontier is that along {cost.metric}; the search looked for {goal}.")
    if limits := _limits(run):
        lines.append(f"Frontier members also have at most {limits}.")
    if cost.measured or run.objective.measured:
        lines.append(_latency_line(run, done))
    if again:
        lines.append(
            "Line: the frontier without seed variance, the median of 1,000 simulations; band: 95 % of them "
            f"({amount(again.repeats, 'repeat')} of {amount(again.members, 'network')}, "
            f"sd {again.uncertainty.sd:.2f} points). Marks: single trainings, of which the best came out well; bars: "
            "expected top-1 of those trained again, 95 % over seeds and held-out images."
        )
    lines += images_lines(run)
    lines += trust_lines(run)
    return "\n".join(lines)


def _counts(frame: pd.DataFrame, done: pd.DataFrame) -> list[str]:
    taken = int((done["kind"] == "warm").sum())
    trained = int((done["duplicate_of"].isna() & (done["kind"] != "warm")).sum())
    repeated = len(done) - trained - taken
    landmarks = int(((done["kind"] == "landmark") & done["duplicate_of"].isna()).sum())
    parts = [f"{amount(trained, 'network')} trained"]
    if landmarks:
        parts.append(f"{amount(landmarks, 'landmark')} (stars) among them")
    if taken:
        parts.append(f"{taken} taken over from earlier runs")
    if repeated:
        parts.append(f"{repeated} more equal to one of these, not trained again")
    if failed := int((frame["state"] == "fail").sum()):
        parts.append(f"{failed} failed or interrupted")
    if pruned := int((frame["state"] == "pruned").sum()):
        parts.append(f"{pruned} stopped early")
    if slow := int((frame["state"] == "slow").sum()):
        parts.append(f"{slow} slower than --max-latency, not trained")
    return parts


def _limits(run: Run) -> str:
    """The limits beside the budget, in words."""
    most = (("max_params", 1e6, "M parameters"), ("max_activations", 1e6, "M activations"), ("max_latency", 1, " ms"))
    return ", ".join(
        f"{run.settings[key] / unit:.4g}{word}" for key, unit, word in most if run.settings.get(key) is not None
    )


def _latency_line(run: Run, done: pd.DataFrame) -> str:
    size = f"{run.input_size}x{run.input_size}"
    within = f"Frontier members cost at most {run.budget_macs / 1e9:.4g} GFLOPs (multiply-adds, {size})."
    if not len(done) or run.timing is None:
        return within
    least, most = int(done["latency_runs"].min()), int(done["latency_runs"].max())
    runs = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return (
        f"Latency: of the whole network at {size}, not of its proxy; median of {runs} runs on "
        f"{timing_text(run.timing)}; noisy where other work ran beside it. {within}"
    )


def caveats(run: Run, cost: Objective, frame: pd.DataFrame) -> list[str]:
    """What has to be said of any picture of these networks, one sentence or two a line."""
    everything = run.frame()
    stopped = int((everything["state"] == "pruned").sum())
    failed = int((everything["state"] == "fail").sum())
    warm = int((frame["kind"] == "warm").sum())
    each = ", each with its expected error" if run.score.error else ", each with the score of one training"
    counts = [f"{amount(len(frame), 'sampled network')}{each}"]
    if warm:
        counts.append(f"{warm:,} of them taken over from earlier runs")
    if stopped:
        counts.append(f"{stopped:,} stopped early are missing, most of them worse")
    if failed:
        counts.append(f"{failed:,} failed or interrupted")
    lines = [f"{'; '.join(counts)}. Cost: {cost.metric}."]
    sampler = run.settings.get("sampler")
    refined = ", refined" if (run.settings.get("refine") or 0) > 0 else ""
    if sampler is not None and (sampler not in UNIFORM or refined):
        lines.append(
            f"The sampler ({sampler}{refined}) proposes more of what scores well: these are no even draws of the space."
        )
    if run.trains:
        lines.append(f"Recipe {run.recipe_name} on {run.data_name}.")
    return lines + images_lines(run) + trust_lines(run)
