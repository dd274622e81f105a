"""Measuring networks: what they cost when executed, and how well they train.

=================  ================================================================================
`data`             digits or a folder of parquet files -> images on the device, a part held out
`recipe`           `Recipe`: how a proxy is made and trained; presets
`train`            the one training loop, `ProxyScore`
`counting`         ptflops and torch as independent witnesses of `space.cost`
=================  ================================================================================

The names below are loaded when they are first used: importing the package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluate.counting import count_with_ptflops, count_with_torch
    from evaluate.data import ImageData, load_data
    from evaluate.recipe import RECIPES, Recipe, default_recipe, find_recipe, resolve_device
    from evaluate.train import ProxyScore, train_proxy

_HOME = {
    "ImageData": "data",
    "ProxyScore": "train",
    "RECIPES": "recipe",
    "Recipe": "recipe",
    "count_with_ptflops": "counting",
    "count_with_torch": "counting",
    "default_recipe": "recipe",
    "find_recipe": "recipe",
    "load_data": "data",
    "resolve_device": "recipe",
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
    "resolve_device",
    "train_proxy",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the file that it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module 'evaluate' has no attribute {name!r}")
    return getattr(import_module(f"evaluate.{_HOME[name]}"), name)
