"""Recipes: checked, kept exactly, found by name or in a file."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.training.device import resolve_device
from evaluate.training.presets import RECIPES, default_recipe, find_recipe
from evaluate.training.recipe import Recipe
from space import ResidualConfig, landmark

SMOKE = RECIPES["smoke"]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_round_trip(name: str, tmp_path: Path) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(recipe.to_json()))
    assert find_recipe(path) == recipe


def test_whole_numbers_become_floats_once() -> None:
    recipe = Recipe(name="x", epochs=1, batch_size=2, learning_rate=1, width=1)
    assert type(recipe.learning_rate) is float and type(recipe.width) is float
    assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", ""),
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", True),
        ("batch_size", 1),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("learning_rate", "0.1"),
        ("momentum", 1.0),
        ("momentum", 0),
        ("weight_decay", -1),
        ("label_smoothing", 1.0),
        ("warmup", 1.0),
        ("resolution", 3),
        ("width", 0),
        ("width", True),
        ("stem", "regnet"),
        ("train_images", 0),
        ("train_images", 63),  # fewer than a batch
        ("flip", 1),
        ("autotune", "yes"),
        ("cutout", -1),
        ("evaluate_every", 0),
        ("precision", "fp16"),
    ],
)
def test_impossible_recipes_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        Recipe.from_json(SMOKE.to_json() | {field: value})


def test_recipe_keys() -> None:
    with pytest.raises(ValueError, match="unknown key 'epoch'"):
        Recipe.from_json(SMOKE.to_json() | {"epoch": 3})
    with pytest.raises(ValueError, match="missing key 'epochs'"):
        Recipe.from_json({"name": "x", "batch_size": 2, "learning_rate": 1.0})
    with pytest.raises(ValueError, match="JSON object"):
        Recipe.from_json([1])


def test_find_recipe_lists_the_presets(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "keys.json").write_text("{}")
    for name in ("nonsense", str(tmp_path / "bad.json"), str(tmp_path)):
        with pytest.raises(ValueError, match="smoke, digits, cpu, fast, faithful, full"):
            find_recipe(name)
    with pytest.raises(ValueError, match=r"keys\.json.*missing key"):
        find_recipe(tmp_path / "keys.json")


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert default_recipe("cpu", "some/folder") == RECIPES["cpu"]
    assert default_recipe("cuda", "some/folder") == RECIPES["fast"]
    assert default_recipe("cuda", "digits") == default_recipe("cpu", "digits") == RECIPES["digits"]
    with pytest.raises(ValueError, match="expected one of auto, cpu, cuda"):
        resolve_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="no CUDA device"):
        resolve_device("cuda")


def test_proxy_is_narrower_with_a_small_stem() -> None:
    proxy = SMOKE.proxy(landmark("resnet18"))
    assert isinstance(proxy, ResidualConfig)
    assert (proxy.stem, proxy.stem_width, proxy.widths) == ("cifar", 8, (8, 16, 32, 64))
    assert dataclasses.replace(SMOKE, width=1.0, stem="keep").proxy(landmark("resnet18")) == landmark("resnet18")
