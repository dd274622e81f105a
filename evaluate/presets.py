"""The recipes that have a name, and how one is found by its name or in a file.

Each says where it comes from, on what hardware it takes how long, and what result to expect. What has not been
measured is not stated.
"""

from __future__ import annotations

import json
from pathlib import Path

from evaluate.device import resolve_device
from evaluate.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    # Source: ours, for tests and first tries. Hardware: any. Time: about a second a network.
    # Expect: digits well above chance with the smallest networks; no ranking worth anything.
    "smoke": Recipe(
        name="smoke", epochs=2, batch_size=64, learning_rate=0.1, resolution=8, width=0.125, train_images=512,
        flip=False, crop=False,
    ),
    "cpu": Recipe(name="cpu", epochs=3, batch_size=64, learning_rate=0.2, resolution=8, width=0.125),
    "fast": Recipe(
        name="fast", epochs=8, batch_size=256, learning_rate=0.4, resolution=32, width=0.25, evaluate_every=2,
    ),
    "faithful": Recipe(
        name="faithful", epochs=24, batch_size=256, learning_rate=0.4, resolution=32, width=0.5, cutout=8,
        evaluate_every=4,
    ),
    "full": Recipe(
        name="full", epochs=200, batch_size=128, learning_rate=0.1, resolution=32, width=1.0, label_smoothing=0.0,
        warmup=0.02, cutout=16, evaluate_every=5, autotune=True,
    ),
}  # fmt: skip


def find_recipe(name_or_path: str | Path) -> Recipe:
    """A preset by its name, or a recipe from a JSON file.

    Raises:
        ValueError: if it is neither; it lists the presets.
    """
    text = str(name_or_path)
    if text in RECIPES:
        return RECIPES[text]
    presets = ", ".join(RECIPES)
    try:
        data = json.loads(Path(text).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"recipe {text!r}: expected one of {presets}, or a JSON file") from error
    except OSError as error:
        raise ValueError(f"recipe {text!r} cannot be read ({error.strerror}); presets are {presets}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"recipe {text!r} is no JSON: {error}; presets are {presets}") from error
    try:
        return Recipe.from_json(data)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error


def default_recipe(device: str = "auto") -> Recipe:
    """``fast`` on CUDA, ``cpu`` elsewhere."""
    return RECIPES["fast" if resolve_device(device) == "cuda" else "cpu"]
