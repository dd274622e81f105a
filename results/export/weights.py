"""Weights of a network that is exported: from a file, or untrained."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from space import Config, Task, build, config_from_json
from space.shell.reading import opened

if TYPE_CHECKING:
    from torch import Tensor, nn


def need(ending: str, *packages: str) -> None:
    """Make sure that what a kind of file is written or read by is installed.

    Raises:
        ValueError: if not; it says what to type.
    """
    if missing := [name for name in packages if find_spec(name) is None]:
        raise ValueError(
            f"{ending} files need {', '.join(missing)}, not installed here; type pip install 'archfrontier[export]'"
        )


def trained(config: Config, classes: int, input_size: int, given: Mapping[str, Tensor], where: str) -> nn.Module:
    """The network with given weights, in eval mode.

    Args:
        config: the network.
        classes: number of classes.
        input_size: height and width of its images.
        given: a state dict.
        where: what an error calls it.

    Raises:
        ValueError: if it has not just this network's names and shapes.
    """
    model = build(config, classes, input_size)
    own = model.state_dict()
    if missing := [name for name in own if name not in given]:
        raise ValueError(f"{where}: no weights of this network, {missing[0]!r} is not among them")
    if unknown := [name for name in given if name not in own]:
        raise ValueError(f"{where}: no weights of this network, which has no {unknown[0]!r}")
    for name, tensor in own.items():
        got, expected = tuple(given[name].shape), tuple(tensor.shape)
        if got == expected:
            continue
        if name in ("fc.weight", "classifier.weight") and got[1:] == expected[1:]:
            raise ValueError(f"{where}: these weights tell {got[0]} classes, not {classes}; type --classes {got[0]}")
        raise ValueError(f"{where}: {name} has the shape {got}, in this network it is {expected}")
    model.load_state_dict(dict(given))
    return model.eval()


def described(path: Path, state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """What a file of weights says of its network, as the config.json of a training does; None where it says nothing.

    Args:
        path: of the file.
        state: what `read_weights` gave.

    Raises:
        ValueError: if what it says is damaged.
    """
    if path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get("network")
    else:
        text = getattr(state, "_metadata", {}).get("network")  # where torch keeps versions of modules
    if text is None:
        return None
    try:
        told: dict[str, Any] = json.loads(text)
        config_from_json(told["config"])
        Task.from_json(told)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: what it says of its network is damaged ({error})") from error
    return told if "training" in told else None


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict of a file: ``.safetensors``, or what ``torch.save`` wrote (no code of it is run).

    Raises:
        ValueError: if it is not one.
        OSError: if the file cannot be read.
    """
    import torch

    with opened(path):  # what cannot be read is an OSError, whatever the readers below make of it
        pass
    try:
        if path.suffix == ".safetensors":
            need(path.suffix, "safetensors")
            from safetensors import SafetensorError
            from safetensors.torch import load_file

            try:
                return load_file(path)
            except SafetensorError as error:
                raise RuntimeError(error) from error
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:100]
        raise ValueError(
            f"{path} cannot be read as weights ({reason}): expected a state dict as torch.save or safetensors writes "
            "it, such as the model.pt of python -m evaluate train"
        ) from error
    if not (isinstance(content, dict) and content and all(isinstance(each, torch.Tensor) for each in content.values())):
        raise ValueError(f"{path} holds no state dict: expected names and tensors, as torch.save(model.state_dict())")
    return content


def untrained(config: Config, classes: int, input_size: int, seed: int, images: Tensor) -> nn.Module:
    """The network as `space.build` makes it after ``torch.manual_seed(seed)``, in eval mode.

    Its norms have the statistics of `images` (n, 3, h, w), n > 1. With those of a fresh norm, zero and one, a deep
    network's outputs overflow, and no check could tell whether its norms are where they should be.
    """
    import torch
    from torch import nn

    torch.default_generator.manual_seed(seed)  # that of the CPU alone
    model = build(config, classes, input_size)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momentum = norms[0].momentum
    for norm in norms:
        norm.momentum = None  # the mean over all batches, here one
    model.train()(images)
    for norm in norms:
        norm.momentum = momentum
    return model.eval()
