"""What a trained score has to beat, because it costs nothing: exact counts, and a regression on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evaluate.fidelity.network import NetworkFidelity
from evaluate.fidelity.rankings import Agreement
from evaluate.fidelity.regression import regression_left_out
from evaluate.measures.counts import COUNTS

COUNT_NAMES = {"macs": "multiply-adds", "params": "parameters", "activations": "activations", "depth": "weight layers"}
REGRESSIONS = {"regression_network": "name", "regression_family": "family"}  # what is left out together
BASELINES = (*COUNTS, *REGRESSIONS)


def baseline_scores(networks: Sequence[NetworkFidelity]) -> dict[str, dict[str, float]]:
    """For each of `BASELINES`: a network's name -> its score, more is better.

    A regression scores a network by minus the error that it predicts without the network, or without its family; a
    network has no score where too few others are left.

    Args:
        networks: with published errors in percent; a regression is fitted to these alone.
    """
    scores = {name: {each.name: float(getattr(each, name)) for each in networks} for name in COUNTS}
    logs = [[math.log(getattr(each, name)) for name in COUNTS] for each in networks]
    errors = [each.published_error for each in networks]
    for name, group in REGRESSIONS.items():
        predicted = regression_left_out(logs, errors, [getattr(each, group) for each in networks]).tolist()
        scores[name] = {
            each.name: -error for each, error in zip(networks, predicted, strict=True) if not math.isnan(error)
        }
    return scores


def beside(proxy: Agreement, counts: Mapping[str, Agreement], regrets: Mapping[str, float | None]) -> str:
    """How the best one of the counts ranks the same networks, and plainly so where it ranks better than the proxy.

    Args:
        proxy: of the trained score.
        counts: at least one of `COUNTS`; further rankings are passed over.
        regrets: mean regret of these in points.
    """
    best = max((name for name in COUNTS if name in counts), key=lambda name: _or_least(counts[name].tau))
    found = counts[best]
    figures = f"tau {number(found.tau)}"
    if found.pairs:
        figures += f", within a budget {number(found.concordance)}"
    if regrets.get(best) is not None:
        figures += f", regret {number(regrets[best])}"
    higher = _or_least(found.tau) > _or_least(proxy.tau)
    if higher and _or_least(found.concordance) >= _or_least(proxy.concordance):
        return f"{COUNT_NAMES[best]} alone, which need no training, rank these networks better: {figures}"
    return f"{COUNT_NAMES[best]} alone: {figures}"


def _or_least(figure: float | None) -> float:
    return -math.inf if figure is None else figure


def number(value: float | None) -> str:
    """A figure with two decimals, or a dash."""
    return "-" if value is None else f"{value:.2f}"


def interval(low: float | None, high: float | None) -> str:
    """An interval with two decimals, or a dash."""
    return "-" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"
