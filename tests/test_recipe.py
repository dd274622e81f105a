"""Recipes: checked, kept exactly, found by name or in a file."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from evaluate.training.device import resolve_device
from evaluate.training.presets import PRESETS, RECIPES, default_recipe, find_recipe, full_recipe
from evaluate.training.recipe import Recipe
from space import ResidualConfig, landmark

SMOKE = RECIPES["smoke"]


@pytest.mark.parametrize("name", PRESETS)
def test_recipe_round_trip(name: str, tmp_path: Path) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(recipe.to_json()))
    assert find_recipe(path) == recipe


def test_whole_numbers_become_floats_once() -> None:
    recipe = Recipe(name="x", epochs=1, batch_size=2, learning_rate=1, resolution=32, warmup=0)
    assert type(recipe.learning_rate) is float and type(recipe.warmup) is float
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
        ("proxy_macs", 0),
        ("proxy_macs", 1.5),
        ("stem", "regnet"),
        ("train_images", 0),
        ("train_images", 63),  # fewer than a batch
        ("flip", 1),
        ("autotune", "yes"),
        ("cutout", -1),
        ("crop_area", 0),
        ("crop_area", 1.5),
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
        Recipe.from_json({"name": "x", "batch_size": 2, "learning_rate": 1.0, "resolution": 8})
    with pytest.raises(ValueError, match="JSON object"):
        Recipe.from_json([1])


def test_find_recipe_lists_the_presets(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "keys.json").write_text("{}")
    for name in ("nonsense", str(tmp_path / "bad.json"), str(tmp_path)):
        with pytest.raises(ValueError, match="smoke, digits, fractals, cpu, fast, faithful, full"):
            find_recipe(name)
    with pytest.raises(ValueError, match=r"keys\.json.*missing key"):
        find_recipe(tmp_path / "keys.json")


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert default_recipe("cpu", "some/folder") == RECIPES["cpu"]
    assert default_recipe("cuda", "some/folder") == RECIPES["fast"]
    assert default_recipe("cuda", "digits") == default_recipe("cpu", "digits") == RECIPES["digits"]
    assert default_recipe("cuda", "fractals") == default_recipe("cpu", "fractals?images=9") == RECIPES["fractals"]
    with pytest.raises(ValueError, match="expected one of auto, cpu, cuda"):
        resolve_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="no CUDA device"):
        resolve_device("cuda")


def test_proxy_is_narrower_with_a_small_stem() -> None:
    own = landmark("resnet18")
    proxy = SMOKE.proxy(own, 10)
    assert isinstance(proxy, ResidualConfig)
    assert proxy.stem == "cifar" and proxy.depths == own.depths and max(proxy.widths) < 64
    assert dataclasses.replace(SMOKE, proxy_macs=None, stem="keep").proxy(own, 10) == own


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "cifar_resnet20", "regnetx_400mf"])
@pytest.mark.parametrize("size", [32, 96, 224])
def test_full_changes_nothing_of_a_network(name: str, size: int) -> None:
    full = find_recipe("full", size)
    assert full.resolution == size and full.changes(landmark(name), size) == {}
    assert full.proxy(landmark(name), 10) == landmark(name)


def test_full_suits_its_size() -> None:
    small, middle, large = (full_recipe(size) for size in (32, 96, 224))
    assert (small.epochs, small.crop, small.crop_area, small.cutout, small.label_smoothing) == (200, True, 1, 16, 0)
    assert (middle.epochs, middle.crop, middle.crop_area, middle.cutout) == (200, False, 0.25, 0)
    assert (large.epochs, large.crop_area, large.weight_decay, large.warmup) == (100, 0.25, 1e-4, 0.05)
    assert full_recipe(63).crop_area == 1 and full_recipe(64).crop_area < 1
    assert full_recipe(8).cutout == 4
    # one rate an image: 0.1 for 256 (arXiv:1706.02677), Wide ResNets' 0.1 for 128
    assert (small.learning_rate / small.batch_size, large.learning_rate / large.batch_size) == (0.1 / 128, 0.1 / 256)


def test_what_a_recipe_changes_is_named() -> None:
    assert SMOKE.changes(landmark("resnet18"), 224) == {"resolution": 224, "proxy_macs": None, "stem": "keep"}
    assert SMOKE.changes(landmark("cifar_resnet20"), 8) == {"proxy_macs": None}  # it has that stem
    itself = dataclasses.replace(SMOKE, proxy_macs=None, stem="keep")
    assert itself.changes(landmark("resnet18"), 8) == {} and itself.changes(landmark("resnet18"), 9) == {
        "resolution": 9
    }


def test_a_file_without_a_resolution_has_the_networks(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"name": "mine", "epochs": 3, "batch_size": 4, "learning_rate": 0.1}))
    mine = find_recipe(path, 96)
    assert mine.resolution == 96 and mine.changes(landmark("resnet18"), 96) == {}
    path.write_text(json.dumps({"name": "mine", "epochs": 3, "batch_size": 4, "learning_rate": 0.1, "resolution": 8}))
    assert find_recipe(path, 96).resolution == 8


def test_shifts_and_resized_crops_exclude_each_other() -> None:
    with pytest.raises(ValueError, match='expected "crop": false with it'):
        dataclasses.replace(SMOKE, crop=True, crop_area=0.5)
