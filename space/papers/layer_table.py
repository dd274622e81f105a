"""A network layer by layer: what `python -m space show NAME --layers` prints."""

from __future__ import annotations

from typing import Any

from space.networks.config import Config
from space.networks.layers import Conv, Layer, Linear, Pool, total
from space.shell.tables import align


def _output(layer: Layer) -> tuple[int, ...]:
    match layer:
        case Conv():
            return layer.out_channels, layer.out_size, layer.out_size
        case Pool():
            return layer.channels, layer.out_size, layer.out_size
        case Linear():
            return (layer.out_features,)
        case _:
            return layer.channels, layer.size, layer.size


def layer_json(layer: Layer) -> dict[str, Any]:
    """One layer as plain values: shape, and its own cost."""
    macs, params, activations = layer.totals(1)
    record: dict[str, Any] = {"layer": layer.name, "kind": type(layer).__name__.lower(), "output": _output(layer)}
    if isinstance(layer, Conv):
        record |= {key: getattr(layer, key) for key in ("in_channels", "kernel", "stride", "groups")}
    return record | {"macs": macs, "params": params, "activations": activations}


def layer_table(config: Config, size: int, classes: int) -> str:
    """Every layer with its shape, its cost and its share of the network's multiply-adds.

    Raises:
        ValueError: if the input is too small for the network.
    """
    layers = config.layers(size, classes)
    whole = total(config.blocks(size, classes))
    rows = []
    for layer in layers:
        macs, params, _ = layer.totals(1)
        shape = " x ".join(map(str, _output(layer)))
        rows.append((layer.name, _kind(layer), shape, f"{macs:,}", f"{params:,}", f"{100 * macs / whole.macs:.2f} %"))
    rows.append(("total", "", "", f"{whole.macs:,}", f"{whole.params:,}", "100.00 %"))
    return align(("layer", "kind", "output shape", "MACs", "params", "share"), rows, right=(3, 4, 5))


def _kind(layer: Layer) -> str:
    match layer:
        case Conv():
            groups = f", {layer.groups} groups" if layer.groups > 1 else ""
            stride = f"/{layer.stride}" if layer.stride > 1 else ""
            return f"conv {layer.kernel}x{layer.kernel}{stride}, {layer.in_channels} -> {layer.out_channels}{groups}"
        case Linear():
            return f"linear, {layer.in_features} -> {layer.out_features}"
        case Pool():
            return f"{layer.kind} pool"
        case _:
            return "norm"
