"""The kinds of files that a network is exported to: each is made, as bytes, and read back from them."""

from __future__ import annotations

import io
import json
import logging
import platform
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from space import build, config_from_json

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGEST_ONNX = 2**31 - 2**24  # bytes of weights: a file of protocol buffers ends at 2 GiB, and the graph needs some
PRODUCER = "archfrontier"


@dataclass(frozen=True)
class Subject:
    """What is exported."""

    model: nn.Module  # in eval mode
    images: Tensor  # two, as an example of what it reads: (2, 3, h, w), or (2, h, w, 3) uint8
    about: dict[str, Any]  # name, configuration, cost
    origin: str  # where it comes from, in words
    output: str = "logits"  # or probabilities

    def metadata(self) -> dict[str, str]:
        """For kinds of files that can carry it; of trained weights also how images are put to them."""
        size = self.about["input_size"]
        reads = f"(n, 3, {size}, {size}) float32, RGB, (pixel / 255 - mean) / std as preprocessing says"
        if self.output == "probabilities":
            reads = f"(n, {size}, {size}, 3) uint8, RGB"
        told = {"producer": PRODUCER, "origin": self.origin, "network": json.dumps(self.about)}
        told |= {"input": reads, "output": f"(n, {self.about['classes']}) {self.output}"}
        known = ("class_names", "preprocessing", "training")
        return told | {key: json.dumps(self.about[key]) for key in known if key in self.about}


class Reader(NamedTuple):
    """What a file's bytes were read back by."""

    name: str
    run: Callable[[Tensor], Tensor]  # images -> outputs


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the exporters of torch say about themselves; errors are raised all the same."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def make_safetensors(subject: Subject) -> bytes:
    """The state dict."""
    from safetensors.torch import save

    tensors = {name: tensor.contiguous() for name, tensor in subject.model.state_dict().items()}
    return save(tensors, metadata=subject.metadata())


def read_safetensors(content: bytes, subject: Subject) -> Reader:
    """Loaded strictly into a new module."""
    from safetensors import __version__
    from safetensors.torch import load

    about = subject.about
    model = build(config_from_json(about["config"]), about["classes"], about["input_size"])
    model.load_state_dict(load(content))
    return Reader(f"safetensors {__version__}", model.eval())


def make_onnx(subject: Subject) -> bytes:
    """`torch.onnx`, any batch, weights inside.

    Raises:
        ValueError: if the weights are beyond what an ONNX file can hold.
    """
    import torch

    size = sum(tensor.numel() * tensor.element_size() for tensor in subject.model.state_dict().values())
    if size > LARGEST_ONNX:
        raise ValueError(
            f"the weights take {size / 2**30:.1f} GiB and an ONNX file holds 2 GiB: write .pt2 or .safetensors"
        )
    program = torch.onnx.export(
        subject.model, (subject.images,), dynamo=True, verbose=False, external_data=False,
        dynamic_shapes=_any_batch(), input_names=["images"], output_names=[subject.output],
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    proto = program.model_proto
    proto.producer_name = PRODUCER
    for key, value in subject.metadata().items():
        proto.metadata_props.add(key=key, value=value)
    return bytes(proto.SerializeToString())


def read_onnx(content: bytes, subject: Subject) -> Reader:
    """A session of onnxruntime on the CPU.

    Raises:
        ValueError: if it takes the bytes for no network, as an old onnxruntime does with a new torch's.
    """
    import onnxruntime
    import torch

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class of their own above them
        raise ValueError(
            f"onnxruntime {onnxruntime.__version__} cannot read what torch {torch.__version__} made ({error}); no file "
            "was written; type pip install -U onnxruntime"
        ) from error

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([subject.output], {"images": images.numpy()})[0])

    return Reader(f"onnxruntime {onnxruntime.__version__}", run)


def make_pt2(subject: Subject) -> bytes:
    """`torch.export`, any batch, weights inside."""
    import torch

    program = torch.export.export(subject.model, (subject.images,), dynamic_shapes=_any_batch())
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files=subject.metadata())
    return buffer.getvalue()


def read_pt2(content: bytes, subject: Subject) -> Reader:
    """`torch.export.load`."""
    import torch

    return Reader(f"torch.export {torch.__version__}", torch.export.load(io.BytesIO(content)).module())


def make_python(subject: Subject) -> bytes:
    """The network's source code."""
    from results.export.python import source

    return source(subject.about, subject.origin).encode()


def read_python(content: bytes, subject: Subject) -> Reader:
    """Executed as a module of its own, with the weights loaded strictly.

    Raises:
        ValueError: if it does not run, as where modules of a user's own family read more than numbers of a config.
    """
    names: dict[str, Any] = {"__name__": "model"}
    try:
        exec(compile(content, "model.py", "exec", dont_inherit=True), names)  # not this file's __future__
        model: nn.Module = names["make_model"]()
        model.load_state_dict(subject.model.state_dict())
    except Exception as error:  # whatever a user's own modules may raise
        raise ValueError(
            f"the modules of a {subject.about['family']} do not run in a file by themselves ({type(error).__name__}: "
            f"{error}); no file was written: expected .pt2, .onnx or .safetensors"
        ) from error
    return Reader(f"Python {platform.python_version()}", model.eval())


def _any_batch() -> Any:
    import torch

    return ({0: torch.export.Dim("batch")},)


class Format(NamedTuple):
    """A kind of file."""

    needs: tuple[str, ...]  # packages beyond torch
    make: Callable[[Subject], bytes]
    read: Callable[[bytes, Subject], Reader]
    weights: bool = True  # whether it holds them


FORMATS: dict[str, Format] = {
    ".safetensors": Format(("safetensors",), make_safetensors, read_safetensors),
    ".onnx": Format(("onnx", "onnxruntime", "onnxscript"), make_onnx, read_onnx),
    ".pt2": Format((), make_pt2, read_pt2),
    ".py": Format((), make_python, read_python, weights=False),
}
