"""Regret: by how much worse than the best one is the network that a score would pick, among networks of like cost?

This is what a search within a budget costs its user, in points of published error. Brackets are defined here alone:

    a bracket begins with the cheapest network that is in none yet, and takes all others whose multiply-adds exceed
    its own by less than `RATIO` of theirs; what stands alone makes no bracket.

So any two networks of a bracket are within a budget as `evaluate.fidelity.rankings` has it; none is in two brackets.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluate.fidelity.rankings import RATIO

Bracket = tuple[int, ...]  # numbers of networks, the cheapest first


def budget_brackets(macs: Sequence[int]) -> list[Bracket]:
    """The brackets of two networks or more, the cheapest first.

    Args:
        macs: multiply-adds, one a network.
    """
    left = sorted(range(len(macs)), key=lambda network: macs[network])
    brackets = []
    while left:
        least = macs[left[0]]
        bracket = tuple(network for network in left if macs[network] - least < RATIO * macs[network])
        left = left[len(bracket) :]
        if len(bracket) > 1:
            brackets.append(bracket)
    return brackets


def bracket_regret(scores: Sequence[float], errors: Sequence[float], bracket: Bracket) -> float:
    """Error of the network with the highest score in a bracket, less the least error there; in points.

    Of several with the highest score one is picked at random: the mean of their errors counts. So equal scores for all
    are a random choice.

    Args:
        scores: of all networks, more is better.
        errors: published errors of all networks in percent.
        bracket: which of them are of like cost; at least one.
    """
    highest = max(scores[network] for network in bracket)
    picked = [errors[network] for network in bracket if scores[network] == highest]
    return sum(picked) / len(picked) - min(errors[network] for network in bracket)
