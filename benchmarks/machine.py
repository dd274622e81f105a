"""What a figure was measured on: every benchmark says it in its first line."""

from __future__ import annotations

import platform

import torch

from evaluate.training.device import device_name


def machine(device: str) -> dict[str, str]:
    """For the JSON files."""
    return {"device": device_name(device), "torch": torch.__version__, "python": platform.python_version()}


def machine_line(device: str) -> str:
    """For the text."""
    return "{device}, torch {torch}, Python {python}".format(**machine(device))
