"""A dry run: what would be sampled, what it costs, and how long a run would take. Nothing is recorded."""

from __future__ import annotations

import json
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.cli.console import shown_text
from search.cli.sweep import sweep_lines
from search.run.duration import expect, expected_text
from search.run.settings import Settings
from space import Cost, cost, gflops
from space.shell.words import amount, proxy_words
from space.solving.axes import Proposal, draw

if TYPE_CHECKING:
    from evaluate.training.recipe import Recipe

NEAR = 0.03  # part of the target that a solved network may miss it by
POPULATION = 64  # networks that stand for those that a run would sample


@dataclass(frozen=True)
class Drawn:
    """A network that a run might sample."""

    family: str
    proposal: Proposal
    cost: Cost
    proxy_macs: int | None  # multiply-adds; None: its shape has no proxy of the cost that is due


def dry_run(
    settings: Settings, recipe: Recipe, device: str, *, count: int, trials: int, repeats: int = 0, workers: int = 1,
    as_json: bool = False,
) -> None:  # fmt: skip
    """Print sampled networks, then what they cost by family, then how long a run would take.

    Args:
        settings: of the run that is meant.
        recipe: the same as in the settings.
        device: ``cpu`` or ``cuda``.
        count: networks to print.
        trials: sampled networks that the run would have.
        repeats: of each network on the frontier, when all are done.
        workers: networks at the same time.
        as_json: print the networks as one object a line, and the rest on stderr.

    Raises:
        ValueError: if the data cannot be loaded, as in a run.
    """
    from evaluate.images.load import load_data
    from evaluate.training.proxy import check_data

    data = load_data(settings.data, recipe.resolution, settings.seed, recipe.train_images)
    check_data(recipe, data)
    rng = random.Random(settings.seed)
    drawn = []
    for _ in range(count):
        drawn.append(_draw(settings, recipe, rng, data.classes))
        print(_row(drawn[-1]) if as_json else _line(drawn[-1]))
    notes = sys.stderr if as_json else sys.stdout
    words = [
        feasibility(drawn),
        proxies_text(drawn, settings, recipe),
        "",
        *costs(drawn),
        "",
        *landmark_costs(settings),
    ]
    print("\n".join(words), file=notes, flush=True)
    more = [draw(settings.target, rng, settings.families)[1].config for _ in range(POPULATION - count)]
    expected = expect(settings, recipe, data, device, [*(each.proposal.config for each in drawn), *more])
    print(file=notes)
    print(expected_text(expected, settings, trials, workers, repeats), file=notes, flush=True)


def dry_untrained(settings: Settings, *, count: int, as_json: bool = False) -> None:
    """Print sampled networks of a run that trains nothing, then what they cost by family; as `dry_run`."""
    rng = random.Random(settings.seed)
    drawn = []
    for _ in range(count):
        family, proposal = draw(settings.target, rng, settings.families)
        drawn.append(Drawn(family, proposal, cost(proposal.config, settings.input_size, settings.classes), None))
        print(_row(drawn[-1]) if as_json else _line(drawn[-1]))
    words = [feasibility(drawn), "", *costs(drawn), "", *landmark_costs(settings), "", "nothing would be trained"]
    print("\n".join(words), file=sys.stderr if as_json else sys.stdout, flush=True)


def dry_sweep(settings: Settings, recipe: Recipe, device: str, *, repeats: int, workers: int) -> None:
    """Print the networks of a sweep, and how long training all of them from all seeds would take.

    Raises:
        ValueError: if the data cannot be loaded, as in a run.
    """
    from evaluate.images.load import load_data
    from evaluate.training.proxy import check_data

    data = load_data(settings.data, recipe.resolution, settings.seed, recipe.train_images)
    check_data(recipe, data)
    print("\n".join(sweep_lines(settings, data.classes)), flush=True)
    configs = [each.config for each in settings.listed]
    expected = expect(settings, recipe, data, device, configs)
    print(expected_text(expected, settings, len(configs) * (1 + repeats), workers), flush=True)


def _draw(settings: Settings, recipe: Recipe, rng: random.Random, classes: int) -> Drawn:
    family, proposal = draw(settings.target, rng, settings.families)
    config = proposal.config
    try:
        macs = cost(recipe.proxy(config, classes, settings.reference), recipe.resolution, classes).macs
    except ValueError:  # it would be refused, and is counted
        macs = None
    return Drawn(family, proposal, cost(config, settings.input_size, settings.classes), macs)


def _row(drawn: Drawn) -> str:
    return json.dumps({
        "family": drawn.family, "config": drawn.proposal.config.to_json(), "macs": drawn.cost.macs,
        "target_macs": drawn.proposal.target_macs, "params": drawn.cost.params, "proxy_macs": drawn.proxy_macs,
    })  # fmt: skip


def _line(drawn: Drawn) -> str:
    from results import describe

    proxy = drawn.proxy_macs
    return (
        f"{drawn.family:12} {gflops(drawn.cost.macs):>6}FLOPs of {gflops(drawn.proposal.target_macs):>6}  "
        f"{drawn.cost.params / 1e6:6.1f}M params  proxy {'none' if proxy is None else gflops(proxy):>6}  "
        f"{describe(drawn.proposal.config)}"
    )


# ---------------------------------------------------------------------------------------------- what they cost


def feasibility(drawn: Sequence[Drawn]) -> str:
    """How well the solver hits what it aims at."""
    over = sum(each.cost.macs > each.proposal.target_macs for each in drawn)
    near = sum(abs(each.cost.macs - each.proposal.target_macs) <= NEAR * each.proposal.target_macs for each in drawn)
    return (
        f"{near} of {amount(len(drawn), 'network')} cost within {100 * NEAR:.0f} % of what they were solved for, "
        f"{over or 'none'} {'cost' if over > 1 else 'costs'} more"
    )


def proxies_text(drawn: Sequence[Drawn], settings: Settings, recipe: Recipe) -> str:
    """How well proxies cost what is due of them."""
    if recipe.proxy_macs is None:
        return f"recipe {recipe.name} trains the networks themselves"
    found = [(each.proxy_macs, settings.reference.due(each.proposal.config, recipe.proxy_macs)) for each in drawn]
    misses = [abs(macs - due) / due for macs, due in found if macs is not None]
    return (
        f"{proxy_words(recipe.to_json(), settings.budget_macs)}: {sum(miss <= NEAR for miss in misses)} of "
        f"{amount(len(misses), 'proxy', 'proxies')} cost within {100 * NEAR:.0f} % of their due, "
        f"{amount(len(drawn) - len(misses), 'network')} refused for want of one"
    )


def costs(drawn: Sequence[Drawn]) -> list[str]:
    """A table: for each family how many networks, their least, median and most multiply-adds, their parameters."""
    lines = [f"{'family':12} {'networks':>8}  {'least':>11} {'median':>11} {'most':>11}  median params"]
    for family in dict.fromkeys(sorted(each.family for each in drawn)):
        own = [each.cost for each in drawn if each.family == family]
        macs = [each.macs for each in own]
        ends = (min(macs), statistics.median(macs), max(macs))
        params = statistics.median(each.params for each in own)
        words = " ".join(f"{gflops(each) + 'FLOPs':>11}" for each in ends)
        lines.append(f"{family:12} {len(own):8}  {words}  {params / 1e6:12.1f}M")
    return lines


def landmark_costs(settings: Settings) -> list[str]:
    """A table of the landmarks that would be scored, the cheapest first."""
    if not settings.landmarks:
        return ["no landmarks would be scored", *shown_text(settings)]
    found = [
        (cost(settings.landmark(name), settings.input_size, settings.classes), name) for name in settings.landmarks
    ]
    found.sort(key=lambda pair: pair[0].macs)
    return (
        [f"{amount(len(found), 'landmark')} would be scored:"]
        + [f"{name:24} {gflops(each.macs):>6}FLOPs  {each.params / 1e6:6.1f}M params" for each, name in found]
        + shown_text(settings)
    )
