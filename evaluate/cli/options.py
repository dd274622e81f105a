"""What the options of `python -m evaluate` mean: a network, its target, a recipe, images, a device."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from space import Config, landmark, load_config
from space.landmarks.networks import LANDMARKS, TARGETS
from space.shell.names import visible

if TYPE_CHECKING:
    from evaluate.images.load import ImageData
    from evaluate.training.recipe import Recipe


def is_file(name: str) -> bool:
    """Whether a network's name is the path of a file."""
    return name.endswith(".json") or Path(name).name != name


def network(name: str) -> Config:
    """A published network by its name, or one from a file (what ends with .json or has a path separator).

    Raises:
        ValueError: if there is none.
    """
    if not is_file(name):
        return landmark(name)
    try:
        return load_config(name)
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}; expected the JSON file of a configuration") from error


def target(options: argparse.Namespace, config: Config, name: str = "") -> tuple[int, int]:
    """(input size, classes) as given, else `usual`.

    `name` is the network's where the options have several.
    """
    size, classes = usual(name or options.network, config)
    return size if options.input is None else options.input, classes if options.classes is None else options.classes


def usual(name: str, config: Config) -> tuple[int, int]:
    """(input size, classes) that the network's file says, else those of its kind."""
    if config.task is not None:
        return config.target()
    known = LANDMARKS.get(name)
    return TARGETS[known.target if known else config.kind]


def recipe_and_data(options: argparse.Namespace, seed: int, input_size: int) -> tuple[Recipe, ImageData, str]:
    """(the recipe for networks of an input size, its data, the device) as given; says what was read of the data."""
    from evaluate.training.device import resolve_device
    from evaluate.training.presets import default_recipe, find_recipe

    device = resolve_device(options.device)
    recipe = find_recipe(options.recipe, input_size) if options.recipe else default_recipe(device, options.data)
    data = data_for(options, recipe, seed)
    return recipe, data, device


def data_of(options: argparse.Namespace) -> str:
    """What is read, as `evaluate.images.load.load_data` takes it."""
    from evaluate.images.sources import without_broken

    spec: str = options.data
    return without_broken(spec) if options.skip_broken else spec


def data_for(options: argparse.Namespace, recipe: Recipe, seed: int) -> ImageData:
    """The images as a recipe wants them; says what was read."""
    from evaluate.images.load import load_data
    from evaluate.training.proxy import check_data

    data = load_data(data_of(options), recipe.resolution, seed, recipe.train_images)
    check_data(recipe, data)
    print(visible(f"data {data.name}: {data.origin}"), file=sys.stderr, flush=True)
    return data


def at_least_one(options: argparse.Namespace, name: str) -> None:
    """Raise ValueError unless an option is a positive number."""
    value = getattr(options, name)
    if value < 1:
        raise ValueError(f"--{name} {value}: expected 1 or more")


def short(name: str) -> str:
    """A network's name as part of a file's name."""
    return Path(name).stem if is_file(name) else name
