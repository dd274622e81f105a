"""Measuring networks: what they cost when executed, and how well they train.

============  ================================================================================
`images`      any image set -> tensors on the device, a part of *train* held out
`training`    a recipe trains a proxy, or a network to the end
`measures`    counts by others, latency, scores of untrained networks
`fidelity`    does the order of scores agree with the published errors?
`calibration` what top-1 error a network is expected to reach, with an interval
`paths`       what is inside a trained network
`cli`         the command line of `python -m evaluate`
============  ================================================================================

The names below are loaded when they are first used: importing the package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluate.calibration.expect import expect
    from evaluate.images.load import ImageData, load_data, load_test
    from evaluate.measures.counting import count_with_ptflops, count_with_torch
    from evaluate.measures.latency import measure_latency
    from evaluate.measures.zero_cost import zero_cost
    from evaluate.training.device import resolve_device
    from evaluate.training.presets import RECIPES, default_recipe, find_recipe
    from evaluate.training.proxy import train_proxy
    from evaluate.training.recipe import Recipe
    from evaluate.training.score import ProxyScore

_HOME = {
    "ImageData": "images.load",
    "ProxyScore": "training.score",
    "RECIPES": "training.presets",
    "Recipe": "training.recipe",
    "count_with_ptflops": "measures.counting",
    "count_with_torch": "measures.counting",
    "default_recipe": "training.presets",
    "expect": "calibration.expect",
    "find_recipe": "training.presets",
    "load_data": "images.load",
    "load_test": "images.load",
    "measure_latency": "measures.latency",
    "zero_cost": "measures.zero_cost",
    "resolve_device": "training.device",
    "train_proxy": "training.proxy",
}

__all__ = [
    "RECIPES",
    "ImageData",
    "ProxyScore",
    "Recipe",
    "count_with_ptflops",
    "count_with_torch",
    "default_recipe",
    "expect",
    "find_recipe",
    "load_data",
    "load_test",
    "measure_latency",
    "resolve_device",
    "train_proxy",
    "zero_cost",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the file that it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module 'evaluate' has no attribute {name!r}")
    return getattr(import_module(f"evaluate.{_HOME[name]}"), name)
