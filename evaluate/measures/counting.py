"""Independent counters beside `space.cost`: what ptflops and torch see a module execute.

Both run the real module once, so they would notice a layer that is counted but not executed, or the other way round.
`benchmarks/exactness.py` compares them with the closed form over all landmarks and many random networks.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator

import torch
from torch.utils.flop_counter import FlopCounterMode

from space import Config, build
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, unknown_layer


@contextlib.contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Let these packages seem not to be installed while another one is imported, unless they are loaded already."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it raises ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# For layers that no network here has, ptflops imports torchvision and timm if they are there, and lets a torchvision
# fail that does not fit torch: "operator torchvision::nms does not exist".
with _without("torchvision", "timm"):
    from ptflops import get_model_complexity_info


def count_with_ptflops(config: Config, input_size: int = 224, classes: int = 1000) -> tuple[int, int]:
    """(multiply-adds, parameters) as ptflops counts them, on a module made for this and thrown away.

    ptflops leaves hooks on what it counts, so it never gets a module that is used afterwards. Its ``aten`` backend
    counts the multiplications of convolutions and matrices plus the additions of biases; the latter are no
    multiply-adds and are taken off. (Its default, ``pytorch``, adds norms, activations and pooling as well.)

    Raises:
        ValueError: if the input is too small for the network.
        TypeError: for a layer of an unknown kind.
        RuntimeError: if ptflops cannot count it.
    """
    with torch.random.fork_rng(()):
        model = build(config, classes, input_size).eval()
    biases = sum(_bias_additions(layer) for layer in config.layers(input_size, classes))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), torch.no_grad():
        macs, params = get_model_complexity_info(
            model,
            (3, input_size, input_size),
            backend="aten",
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
        )
    if macs is None or params is None:  # it prints the traceback and goes on
        lines = said.getvalue().strip().splitlines()
        why = lines[-1] if lines else "it does not say why"
        raise RuntimeError(f"ptflops cannot count this {config.family}: {why}")
    return int(macs) - biases, int(params)


def _bias_additions(layer: Layer) -> int:
    """How many additions of a bias a layer's record stands for."""
    match layer:
        case Linear():
            return layer.out_features
        case Conv():
            return layer.out_channels * layer.out_size**2 if layer.bias else 0
        case Norm() | Pool():
            return 0
        case _:
            raise unknown_layer(layer)


def count_with_torch(config: Config, input_size: int = 224, classes: int = 1000) -> tuple[int, int]:
    """(multiply-adds, parameters) as torch's own `FlopCounterMode` counts them: half of its flops.

    It looks at shapes alone, so that the module can live on the meta device and nothing is computed.

    Raises:
        ValueError: if the input is too small for the network.
    """
    with torch.device("meta"):
        model = build(config, classes, input_size).eval()
        image = torch.empty(1, 3, input_size, input_size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    return counter.get_total_flops() // 2, sum(parameter.numel() for parameter in model.parameters())
