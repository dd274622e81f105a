"""What has to be said beside every score of a run: a sentence each, for tables, captions and the page."""

from __future__ import annotations

from results.run.repeats import gathered
from results.run.run import Run
from results.run.uncertainty import COMPARED, seed_variance
from space.shell.scores import few_text
from space.shell.words import amount, capital

DIGITS = "Digits show the machinery, not ImageNet."
RANKS = "A proxy score ranks networks trained alike; it is not the accuracy after full training."
EXPECTS = (
    "Expected error: of a network that is trained from scratch as the published ones were; brackets: 95 % for one "
    "training by an unknown recipe. Which of two networks is better is known more surely. The best are chosen by the "
    "error that a network's own stays below with probability 80 %."
)


def images_lines(run: Run) -> list[str]:
    """What the number of held-out images means for scores."""
    images = run.held_out
    if images is None:
        return []
    lines = [
        f"±: standard error that {images:,} held-out images leave, sqrt(p(1-p)/n); all networks have the same images, "
        "and another seed changes a score beside that."
    ]
    return [*lines, capital(few_text(images)) + "."] if few_text(images) else lines


def repeats_lines(run: Run) -> list[str]:
    """What repeats from other seeds say, and what the figures that follow from them mean; nothing without repeats."""
    frame = run.frame()
    found = gathered(frame, run.objective.column)
    if found is None:
        if run.one_objective and not run.settings.get("sweep"):
            return ["How far other seeds would change this order is unknown: --repeats 3 trains the best again."]
        return []
    _, trainings = found
    members = sum(len(scores) > 1 for scores in trainings)
    repeats = sum(len(scores) - 1 for scores in trainings)
    nothing = "no network within the budget" if run.one_objective else "no network that costs as little"
    compared, p = frame.loc[frame["on_frontier"], "compared"], frame.loc[frame["on_frontier"], "p_frontier"]
    few = ""
    if (compared < COMPARED).any():
        few = (
            f" *: fewer than {COMPARED} networks of the run to compare with; those that lack are drawn from the run's "
            "trend at that cost."
        )
        few = " Too few networks for a trend, which the cheapest are compared with (-)." if p.isna().any() else few
    return [
        f"Expected top-1: the mean over seeds, as far as {amount(repeats, 'repeat')} of {amount(members, 'network')} "
        f"tell it (standard deviation {seed_variance(trainings)[0] ** 0.5:.2f} points); what was trained once is moved "
        "towards what networks of its cost score as a rule. Brackets: 95 %, over seeds and held-out images; "
        "the images are the same for all, so differences are surer than brackets.",
        f"p: probability that {nothing} is better over seeds.{few}",
    ]


def trust_lines(run: Run) -> list[str]:
    """How far an order by these scores can be trusted."""
    lines = []
    if run.score.error:
        lines.append(EXPECTS)
        if run.trust:
            lines.append(capital(run.trust) + ".")
    if not run.trains:
        return lines
    lines.append(RANKS)
    if run.fidelity:
        lines.append(capital(run.fidelity))  # no full stop: it may end in a command
    if run.data_name == "digits":
        lines.append(DIGITS)
    return lines
