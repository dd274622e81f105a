"""Configurations that were written as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from space.networks.config import Config
from space.networks.families import family_named
from space.networks.task import Task
from space.shell.reading import read_text


def config_from_json(data: Any) -> Config:
    """Read what `Config.to_json` gave.

    Raises:
        ValueError: with one sentence that says what is wrong.
    """
    if not isinstance(data, dict):
        raise ValueError(f"a configuration is a JSON object with a family, got {type(data).__name__}")
    config: Config = family_named(data.get("family")).config.from_json(data)
    return config


def load_config(path: str | Path) -> Config:
    """Read a configuration from a JSON file, bare or under the key ``config``.

    Where the file says what the network is for (``input_size`` and ``classes``, as those of a run or a training do),
    the configuration carries it as its `Config.task`, so that `build` and `cost` take it::

        model = space.build(space.load_config("runs/NAME/configs/ID.json"))  # the run's classes, its input size

    Raises:
        ValueError: if the file is no JSON or no configuration; it names the file.
        OSError: if the file cannot be read.
    """
    text = read_text(path, errors="replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no JSON ({error}): expected what python -m space show NAME --json prints"
        ) from error
    try:
        if not (isinstance(data, dict) and "config" in data):
            return config_from_json(data)
        return dataclasses.replace(config_from_json(data["config"]), task=Task.from_json(data))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
