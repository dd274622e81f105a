"""What is trained in a full training: the network itself, at its own input size. What is refused and said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from evaluate.training.recipe import Recipe
from space import Config, Task, cost

# The end of `python -m evaluate train --help`.
RULES = """\
refused, with what to type:
  a recipe that would change the network (width, stem) or its input size: smoke, digits, fractals, cpu, fast, faithful
  an input that is too small for the network; images of one class alone; fewer images than a batch
  a directory (--name) that holds a training of another network, recipe, seed or of other images
  a loss that is not finite; too little memory: the batch size is the recipe's and is not changed
said before it begins:
  what is trained: input size, classes, multiply-adds, parameters
  a head of other classes than the network's file says: as many as the images have
  another input size than the file's (--input)
  images of another size than the input: enlarged, scaled down, cut to their central square
accepted:
  the file of any configuration, of a run or not; any published network that the space can express
  images of any size and format that --data takes; all of them lie in memory, at the input size
  recipe full, made for the input size
  a recipe's file; what it leaves out of resolution, width and stem is the network's own
  a training that was stopped, which goes on; several processes, by torchrun
"""


def check_whole(name: str, config: Config, recipe: Recipe, input_size: int) -> None:
    """Make sure that the recipe trains the network itself.

    Raises:
        ValueError: if it would train another one, or at another input size; it says what to type.
    """
    kept = recipe.changes(config, input_size)
    if not kept:
        return
    theirs = ", ".join(f"{field} {getattr(recipe, field)}" for field in kept)
    fields = ", ".join(f"{json.dumps(field)}: {json.dumps(value)}" for field, value in kept.items())
    raise ValueError(
        f"recipe {recipe.name} would train another network than {name} at {input_size}x{input_size} ({theirs}): type "
        f"--recipe full, or put {fields} into a recipe's file"
    )


def introduction(name: str, config: Config, task: Task, usual: tuple[int, int], resized: str | None) -> Sequence[str]:
    """What is trained, and how that differs from what the network's file says; a sentence each.

    Args:
        name: of the network.
        config: the network.
        task: what it is trained for.
        usual: (input size, classes) of its file, or of its kind.
        resized: what becomes of the images, in words.
    """
    size, classes = usual
    counted = cost(config, task.input_size, task.classes)
    lines = [
        f"trains {name} itself: {task.input_size}x{task.input_size}, {task.classes:,} classes, {counted.macs:,} "
        f"multiply-adds, {counted.params:,} parameters"
    ]
    if classes != task.classes:
        macs = cost(config, task.input_size, classes).macs
        lines.append(
            f"its head gets {task.classes:,} classes, as the images have; with the {classes:,} that the network is "
            f"counted at it costs {macs:,} multiply-adds"
        )
    if size != task.input_size:
        lines.append(
            f"its input is {task.input_size}x{task.input_size}; at the {size}x{size} that it is counted at it costs "
            f"{cost(config, size, task.classes).macs:,} multiply-adds"
        )
    return [*lines, *([resized] if resized else [])]


def described(name: str, config: Config, task: Task, training: dict[str, Any]) -> dict[str, Any]:
    """What stands in a trained network's config.json and beside its weights: plain JSON values.

    `space.load_config` reads the network from them, with the task.

    Args:
        name: of the network.
        config: the network.
        task: what it was trained for: images, classes, preprocessing.
        training: recipe, images, result and origin.
    """
    counted = cost(config, task.input_size, task.classes)
    return {
        "name": name,
        "family": config.family,
        "config": config.to_json(),
        "macs": counted.macs,
        "params": counted.params,
        **task.to_json(),
        "training": training,
    }
