"""A network -> a file to take away, checked against the eager module before it is kept.

    from results import load_run
    from results.export import export_model
    export_model(load_run("runs/NAME").best(), "model.onnx", weights="runs/train/NAME/model.pt")

=================  ================================================================================
``.safetensors``   the weights; the metadata hold the configuration and, if trained, how images are put to them
``.onnx``          the network with its weights, any batch; one file
``.pt2``           the same as a program of `torch.export`
``.json``          the configuration, for `space.load_config` and all commands
``.py``            the network's code: needs torch alone, holds no weights
=================  ================================================================================

A file of weights is loaded back by::

    model = space.build(space.load_config("model.json"))
    model.load_state_dict(safetensors.torch.load_file("model.safetensors"))

`formats` makes and reads back each kind of file, `weights` loads weights; `python` writes source code, of the program's
own `definitions`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.export.formats import FORMATS, Subject, quiet
from results.export.weights import described, need, read_weights, trained, untrained
from space import LANDMARKS, Config, Preprocessing, config_from_json, cost
from space.landmarks.networks import TARGETS
from space.shell.files import json_bytes, write_files

if TYPE_CHECKING:
    from torch import Tensor, nn

    from results.run.run import Candidate

ROUNDINGS = 10  # a difference may be so many times what float32 itself is away from float64 ...
ALWAYS, NEVER = 1e-5, 0.1  # ... and this part of the largest output in any case, this one in none
BATCHES = (1, 3)  # what is compared
ENDINGS = (*FORMATS, ".json")


@dataclass(frozen=True)
class Exported:
    """A file that was written."""

    path: Path
    size: int  # bytes
    about: dict[str, Any]  # name, configuration, cost; the proxy score of a run's network
    weights: str  # where they are from, in words
    checked_by: str
    difference: float | None = None  # largest absolute difference to the eager module's outputs; None if there are none
    largest: float | None = None  # absolute output of the eager module
    rounding: float | None = None  # of the eager module: its largest absolute difference to float64; None if not asked

    def __str__(self) -> str:
        lines = [f"weights: {self.weights}"]
        if self.difference is not None:
            batches = " and ".join(str(batch) for batch in BATCHES)
            words = f"largest output {self.largest:.3g}"
            if self.rounding is not None:
                words += f"; float32 rounds the network's own outputs by {self.rounding:.2g}"
            lines.append(
                f"checked by {self.checked_by} on batches of {batches}: max absolute difference {self.difference:.2g} "
                f"({words})"
            )
        else:
            lines.append(f"checked by {self.checked_by}: the same")
        return "\n".join([*lines, f"written: {self.path} ({self.size:,} bytes)"])


def export_model(
    network: Candidate | Config,
    path: str | Path,
    *,
    classes: int | None = None,
    input_size: int | None = None,
    weights: str | Path | Mapping[str, Tensor] | None = None,
    seed: int = 0,
    origin: str = "",
    with_preprocessing: bool = False,
) -> Exported:
    """Write a network to a file, whole or not at all, after what was made has been read back and compared.

    Args:
        network: what a run found, or any configuration.
        path: its ending says what is written: .safetensors, .onnx, .pt2, .json or .py.
        classes: number of classes; those that the weights were trained for, else as the network's file or run says,
            else 1000 or, for CIFAR nets, 10.
        input_size: height and width of the images; likewise, at last 224 or, for CIFAR nets, 32.
        weights: a state dict or its file, loaded strictly; without it the weights are untrained.
        seed: of untrained weights.
        origin: where the network comes from, a few words for whoever finds the file.
        with_preprocessing: .onnx and .pt2 alone: take (n, h, w, 3) uint8 images, RGB, and give probabilities; for
            weights that say how images were put to them.

    Raises:
        ValueError: for an unknown ending, a missing package, weights of another network, or if what was made does not
            give the eager module's outputs: then no file is left.
        OSError: if the weights cannot be read or the file cannot be written.
    """
    path = Path(path)
    check_path(path)
    if with_preprocessing and path.suffix not in (".onnx", ".pt2"):
        raise ValueError(f"{path}: only .onnx and .pt2 files can take images as they are: expected one of these")
    told = None
    where = "as given" if isinstance(weights, Mapping) else str(weights)
    state = weights if isinstance(weights, Mapping) else None
    if isinstance(weights, str | Path) and path.suffix != ".json":
        state = read_weights(Path(weights))
        told = described(Path(weights), state)
    own = network if isinstance(network, Config) else network.config
    if told is not None:
        if config_from_json(told["config"]) != own:
            raise ValueError(f"{where} was trained for {told.get('name')}, another network than this, {own.id}")
        classes = told["classes"] if classes is None else classes
        input_size = told["input_size"] if input_size is None else input_size
    about = _about(network, classes, input_size)
    if told is not None:
        about |= {key: told[key] for key in ("class_names", "preprocessing", "training") if key in told}
    if with_preprocessing and "preprocessing" not in about:
        raise ValueError(
            "nothing says how images were put to these weights: expected those of python -m evaluate train, which know"
        )
    config, number, size = config_from_json(about["config"]), about["classes"], about["input_size"]
    if path.suffix == ".json":
        if weights is not None:
            raise ValueError("a .json file holds no weights: give them with .safetensors, .onnx, .pt2 or .py")
        content = json_bytes(about)
        if config_from_json(json.loads(content)["config"]) != config:
            raise ValueError(f"{path}: the configuration that was read back is another; no file was written")
        write_files({path: content})
        return Exported(path, len(content), about, "none in a .json file", "reading it back")

    import torch

    kind = FORMATS[path.suffix]

    images = torch.randn(sum(BATCHES), 3, size, size, generator=torch.Generator().manual_seed(seed))
    with torch.random.fork_rng(devices=[]), torch.no_grad(), quiet():
        if state is None:
            model = untrained(config, number, size, seed, images)
            words = f"UNTRAINED, seed {seed} (norms with the statistics of {len(images)} random images)"
        else:
            model = trained(config, number, size, state, where)
            words = where
        output = "logits"
        if with_preprocessing:
            from results.export.preprocessed import Preprocessed

            model, output = Preprocessed(model, Preprocessing.from_json(about["preprocessing"])), "probabilities"
            images = torch.randint(0, 256, (len(images), size, size, 3), dtype=torch.uint8)
        subject = Subject(model, images[:2], about, origin, output)
        content = kind.make(subject)
        reader = kind.read(content, subject)
        compared = _compare(model, reader.run, images, path)
    if not kind.weights:
        words = f"none in a {path.suffix} file; checked with: {words}"
    write_files({path: content})
    return Exported(path, len(content), about, words, reader.name, *compared)


def check_path(path: Path) -> None:
    """Make sure that a file of this name can be made.

    Raises:
        ValueError: for an unknown ending, a missing package, or where none can be.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: the ending says what is written: expected one of {', '.join(ENDINGS)}")
    if path.suffix in FORMATS:
        need(path.suffix, *FORMATS[path.suffix].needs)
    if path.is_dir():
        raise ValueError(f"{path} is a directory: expected the name of a file")
    if path.parent.exists() and not path.parent.is_dir():
        raise ValueError(f"{path.parent} is a file: expected a directory for {path.name}")


def _about(network: Candidate | Config, classes: int | None, input_size: int | None) -> dict[str, Any]:
    """What is known of a network, counted at its target: plain JSON values."""
    if not isinstance(network, Config):
        usual = network.input_size, network.classes
    else:
        usual = TARGETS[network.kind] if network.task is None else network.target()
    size = usual[0] if input_size is None else input_size
    number = usual[1] if classes is None else classes
    counted = cost(network if isinstance(network, Config) else network.config, size, number)
    if not isinstance(network, Config):
        latency = network.latency_ms if (size, number) == usual else None
        return replace(
            network, macs=counted.macs, params=counted.params, input_size=size, classes=number, latency_ms=latency
        ).to_json()
    return {
        "name": next((each.name for each in LANDMARKS.values() if each.config == network), network.id),
        "family": network.family,
        "config": network.to_json(),
        "macs": counted.macs,
        "params": counted.params,
        "input_size": size,
        "classes": number,
    }


def _compare(
    model: nn.Module, run: Callable[[Tensor], Tensor], images: Tensor, path: Path
) -> tuple[float, float, float | None]:
    """(largest absolute difference of the outputs, largest absolute output, the network's own rounding error).

    How far float32 carries depends on the network: untrained and 150 layers deep, its outputs change in the fourth
    digit with the order of summation. So it is measured, where there is any difference.

    Raises:
        ValueError: if they differ by more than rounding explains.
    """
    import torch

    expected = [model(batch) for batch in torch.split(images, list(BATCHES))]
    got = [run(batch) for batch in torch.split(images, list(BATCHES))]
    if not all(torch.isfinite(each).all() for each in expected):
        raise ValueError(f"{path}: the network's outputs are not finite with these weights; no file was written")
    if any(a.shape != b.shape or not torch.isfinite(a).all() for a, b in zip(got, expected, strict=True)):
        raise ValueError(f"{path}: what was made gives other outputs than the network; no file was written")
    whole = torch.cat(expected)
    largest, difference = float(whole.abs().max()), float((torch.cat(got) - whole).abs().max())
    if not difference:
        return difference, largest, None
    rounding = float((copy.deepcopy(model).double()(images.double()) - whole).abs().max())
    explained = min(max(ROUNDINGS * rounding, ALWAYS * largest), NEVER * largest)
    if difference > explained:
        raise ValueError(
            f"{path}: what was made differs from the network by {difference:.2g}, where outputs are up to "
            f"{largest:.3g} and rounding explains {explained:.2g}; no file was written"
        )
    return difference, largest, rounding
