"""What is proposed next: every sampler, continued runs, duplicates, neighbours, suggestions."""

import random

import pytest

from search.propose.proposer import REPEATS, Proposer
from search.records import Outcome
from search.run.settings import SAMPLERS
from space import Budget, cost
from space.landmarks.networks import landmark
from space.limits import Limits
from space.solving.axes import Target, axes, draw, searched, values_of

FAMILIES = searched()
FRONTIER = Target(Budget.parse("4.1G"))
MATCH = Target(Budget.parse("4.1G"), "match")


def answer(proposer: Proposer, key: int, macs: int, top1: float) -> None:
    values = [top1, float(macs)] if proposer.target.mode == "frontier" else [top1]
    proposer.tell(key, "complete", values)


def search(proposer: Proposer, number: int) -> list[Outcome]:
    """A search whose score is the number of 3x3s that an image passes, so that depth pays."""
    found = []
    for _ in range(number):
        ask = proposer.ask()
        config = ask.proposal.config
        top1 = float(sum(config.depths))
        answer(proposer, ask.key, cost(config).macs, top1)
        outcome = proposer.outcome(config.id)
        assert outcome is not None
        assert outcome.objectives is not None
        assert outcome.objectives[0] == top1
        found.append(outcome)
    return found


@pytest.mark.parametrize("target", [FRONTIER, MATCH], ids=["frontier", "match"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_proposes_networks_of_the_budget_and_no_two_alike(sampler: str, target: Target) -> None:
    number = 14 if sampler == "gp" else 40
    found = search(Proposer(FAMILIES, target, sampler=sampler, seed=3), number)
    assert len({outcome.config_id for outcome in found}) == number
    for outcome in found:
        assert outcome.values is not None
        assert set(outcome.values) == {axis.name for axis in axes(outcome.family, target)}
    assert len({outcome.family for outcome in found}) > 1


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])  # the GP takes most of a second a proposal
def test_samplers_that_learn_find_deeper_networks_than_chance(sampler: str) -> None:
    number = 120
    learned, chance = (
        [outcome.objectives[0] for outcome in search(Proposer(("resnet",), MATCH, sampler=name, seed=0), number)]  # type: ignore[index]
        for name in (sampler, "random")
    )
    late = number // 2
    assert sum(learned[late:]) > 1.2 * sum(chance[late:])


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "qmc", "random"])
def test_the_same_seed_proposes_the_same_and_a_continued_run_goes_on(sampler: str) -> None:
    def ids(number: int, known: list[Outcome], seed: int = 5) -> list[str]:
        proposer = Proposer(FAMILIES, FRONTIER, sampler=sampler, seed=seed, known=known)
        return [outcome.config_id for outcome in search(proposer, number)]

    first = search(Proposer(FAMILIES, FRONTIER, sampler=sampler, seed=5), 12)
    assert [outcome.config_id for outcome in first] == ids(12, [])
    assert ids(12, [], seed=6) != ids(12, [])
    later = ids(12, first)
    assert not set(later) & {outcome.config_id for outcome in first}
    assert later == ids(12, first)
    if sampler == "qmc":  # the sequence goes on where it was
        assert ids(24, [])[12:] == later


def test_a_network_in_training_is_not_proposed_again() -> None:
    tiny = Target(Budget.parse("60M"), "match", 32, 10)
    proposer = Proposer(("resnet",), tiny, sampler="random", seed=0)
    asks = [proposer.ask() for _ in range(30)]
    assert len({ask.proposal.config.id for ask in asks}) == 30
    for ask in asks:
        proposer.tell(ask.key, "failed")


def test_a_space_that_is_used_up_proposes_a_known_network_in_the_end() -> None:
    only = draw(MATCH, random.Random(0), ("resnet",))[1]
    found = values_of(only.config, MATCH)
    assert found is not None
    proposer = Proposer(("resnet",), MATCH, sampler="random", suggestions=[found] * (REPEATS + 1))
    first = proposer.ask()
    assert first.origin == "suggestion"
    proposer.tell(first.key, "complete", [50.0])
    again = proposer.ask()
    assert again.proposal == first.proposal, "it was the only one there was, for so many times"
    assert proposer.outcome(again.proposal.config.id) is not None


def test_landmarks_teach_the_sampler() -> None:
    config = landmark("resnet50")
    target = Target(Budget(cost(config).macs), "match")
    found = values_of(config, target)
    assert found is not None
    family, values = found
    known = Outcome(config.id, family, values, "complete", (99.0,), sampled=False)
    proposer = Proposer(("resnet",), target, sampler="tpe", known=[known])
    assert proposer.outcome(config.id) == known
    (trial,) = proposer._space.parts["resnet"].study.trials  # type: ignore[attr-defined]
    assert trial.params["resnet.depth3"] == 6
    assert propose_first(Proposer(("resnet",), target, seed=1, known=[known])) == propose_first(
        Proposer(("resnet",), target, seed=1)
    ), "landmarks are no samples: they do not move the seed"


def propose_first(proposer: Proposer) -> str:
    return proposer.ask().proposal.config.id


def test_neighbours_of_the_best_are_part_of_the_later_proposals() -> None:
    proposer = Proposer(FAMILIES, FRONTIER, sampler="random", refine=0.5, seed=1)
    origins = []
    for number in range(80):
        ask = proposer.ask()
        origins.append(ask.origin)
        answer(proposer, ask.key, cost(ask.proposal.config).macs, float(number % 7))
    assert "neighbour" not in origins[:16]
    assert 20 <= origins.count("neighbour") <= 44
    assert set(origins) == {"random", "neighbour"}


def test_stopped_failed_and_too_slow_networks_are_told_too() -> None:
    for sampler in ("tpe", "nsga2", "gp"):
        proposer = Proposer(FAMILIES, FRONTIER, sampler=sampler, seed=0)
        for number in range(16):
            ask = proposer.ask()
            if number % 4 == 0:
                proposer.tell(ask.key, "stopped")
            elif number % 4 == 1:
                proposer.tell(ask.key, "failed")
            elif number % 4 == 2:
                proposer.tell(ask.key, "stopped", violation=3.0)
            else:
                proposer.tell(ask.key, "complete", [50.0, 1e9], violation=-1.0)
        assert proposer.ask().proposal.target_macs <= 4.1e9


def test_limits_hold_for_what_is_proposed() -> None:
    limits = Limits(max_params=8_000_000, max_activations=9_000_000)
    target = Target(Budget.parse("4.1G"), limits=limits)
    proposer = Proposer(FAMILIES, target, sampler="random", refine=0.5)
    for _ in range(40):
        ask = proposer.ask()
        counted = cost(ask.proposal.config)
        assert not limits.broken(counted)
        answer(proposer, ask.key, counted.macs, 50.0)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="expected one of tpe"):
        Proposer(FAMILIES, FRONTIER, sampler="magic")
    with pytest.raises(ValueError, match="from 0 to 1"):
        Proposer(FAMILIES, FRONTIER, refine=1.5)
