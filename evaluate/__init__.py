"""Measuring networks: what they cost when executed, and how well they train.

Images
    `data`             `load_data`, `ImageData`: any image set -> images on the device, a part of train held out
    `sources`          what `--data` can be; its kinds are `parquet`, `imagefolder`, `hub` and embedded digits
    `tables`           columns, classes and labels of a table
    `decode`, `cache`  files -> pixels; decoded images are kept on the disk
Training
    `recipe`           `Recipe`: how a network is made smaller and trained; `presets`: those with a name
    `train`            `train_proxy`: a network and a recipe -> `ProxyScore` (`score`)
    `full`             one network to the end of a recipe, with checkpoints, on one device or several;
                       `origin`: the run and the score that a network's file comes from
    `trainer`          the one training loop; `augment`: its batches
    `device`           device, precision, threads, and what the device can do at most; `memory`: what was taken
Other measures
    `counting`         ptflops and torch as independent witnesses of `space.cost`
    `latency`          time and memory of inference
    `zerocost`         scores of untrained networks; `measures`: on plain modules
Trust
    `fidelity`         does the order of scores agree with the published errors? `ranking`: the statistics,
                       `ranking_sets`: which published errors can stand in one ranking, `fidelity_scores` and
                       `fidelity_report`: what is kept and what is said
    `known`            what is known of a recipe on some data
Inside
    `paths`            a residual network as a collection of paths, their gradients; `paths_report`: on a trained one
    `lesion`           a trained network without some of its blocks; `lesion_study`: three networks trained alike,
                       `lesion_report`: what came out
Commands
    `arguments`        the command line of `python -m evaluate`; `given`: what its options mean

The names below are loaded when they are first used: importing the package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluate.counting import count_with_ptflops, count_with_torch
    from evaluate.data import ImageData, load_data, load_test
    from evaluate.device import resolve_device
    from evaluate.latency import measure_latency
    from evaluate.presets import RECIPES, default_recipe, find_recipe
    from evaluate.recipe import Recipe
    from evaluate.score import ProxyScore
    from evaluate.train import train_proxy
    from evaluate.zerocost import zero_cost

_HOME = {
    "ImageData": "data",
    "ProxyScore": "score",
    "RECIPES": "presets",
    "Recipe": "recipe",
    "count_with_ptflops": "counting",
    "count_with_torch": "counting",
    "default_recipe": "presets",
    "find_recipe": "presets",
    "load_data": "data",
    "load_test": "data",
    "measure_latency": "latency",
    "zero_cost": "zerocost",
    "resolve_device": "device",
    "train_proxy": "train",
}

__all__ = [
    "RECIPES",
    "ImageData",
    "ProxyScore",
    "Recipe",
    "count_with_ptflops",
    "count_with_torch",
    "default_recipe",
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
