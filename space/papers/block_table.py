"""The table of `python -m space block`: a block, or a network's, beside its unrolled alternatives."""

from __future__ import annotations

from space.networks.config import MAX_CHANNELS, Config, check_int
from space.networks.layers import total
from space.papers.blocks import Block, alternatives, at_cost, of_stage, unrolled, unrolling_of
from space.shell.tables import Column, Row, Sheet, Table

_AT, _TIMES = Column("at", "at"), Column("times", "times", ".2f")
_PARAMS = Column("params", "params", ",")

NUMBERS = {  # of a block that is named by them: what each is
    "width": "maps that the block reads",
    "inner": "maps of its 3x3 (a quarter of the width; basic: the width); of a dense layer's 1x1 (4 growth rates)",
    "groups": "groups of its 3x3 (1)",
    "growth": "maps that a dense layer adds (32)",
    "size": "height and width of the maps (56)",
}


def by_numbers(kind: str, numbers: dict[str, int]) -> Block:
    """A block from some of `NUMBERS`, with the usual ones for the others.

    Raises:
        ValueError: for numbers that no such block can have, or that it has no use for.
    """
    useless = ("groups",) if kind == "dense" else ("growth",)
    for name in useless:
        if name in numbers:
            raise ValueError(f"--{name} is no number of a {kind} block: expected it without")
    growth = {"growth": numbers.get("growth", 32)} if kind == "dense" else {}
    width = numbers["width"]
    check_int("--width", width, 1, MAX_CHANNELS)
    inner = {"bottleneck": max(1, width // 4), "basic": width, "dense": 4 * growth.get("growth", 0)}[kind]
    return Block(
        kind, width, numbers.get("inner", inner), numbers.get("groups", 1), growth.get("growth", 0),
        numbers.get("size", 56),
    )  # fmt: skip


def block_sheet(block: Block) -> Sheet:
    """A block beside its alternatives, by one position of its output."""
    found = alternatives(block)
    base = sum(conv.weights(1) for conv in block.convs)
    rows = tuple(_row(at, each, base) for at, each in (("the block", block), *found))
    columns = (
        _AT, Column("block", "block"), Column("each", "multiply-adds a position"), Column("position_macs", "sum", ","),
        _TIMES, _PARAMS, Column("position_activations", "activations a position", ","),
        Column("receptive_field", "sees"), Column("nonlinearities", "ReLUs", "d"),
    )  # fmt: skip
    equal = [row for row in rows if row["at"] == "equal width"]
    affordable = [row for row in rows if row["at"] == "equal cost"]
    notes = [f"At equal width, {'; '.join(_dearer(row) for row in equal)}."]
    if affordable:
        notes.append(f"At equal cost there is room for {'; '.join(row['block'] for row in affordable)}.")
    return Sheet(
        f"{block.name}, at {block.size}x{block.size}",
        (Table("The block and its alternatives", columns, rows),),
        tuple(notes),
    )


def network_sheet(name: str, config: Config, stage: int, input_size: int, classes: int) -> Sheet:
    """The block of a network's stage beside its alternatives, and the whole network with all blocks replaced.

    Raises:
        ValueError: if the network has no such stage, or the input is too small.
    """
    block = of_stage(config, stage, input_size)
    sheet = block_sheet(block)
    other = unrolled(config)
    base = total(config.blocks(input_size, classes)).macs
    forms = {
        "the network": config,
        "equal width": other,
        "equal cost": at_cost(other, base, input_size, classes),
    }
    rows = tuple(_network_row(at, each, base, input_size, classes) for at, each in forms.items() if each)
    columns = (
        _AT, Column("blocks", "blocks"), Column("widths", "widths"), Column("macs", "GFLOPs", ".3f", 1e9), _TIMES,
        _PARAMS, Column("activations", "activations", ","),
    )  # fmt: skip
    title = (
        f"The whole network with every block's alternative in its place, {input_size}x{input_size}, {classes} classes"
    )
    return Sheet(f"{name}, stage {stage}: {sheet.title}", (*sheet.tables, Table(title, columns, rows)), sheet.notes)


def _row(at: str, block: Block, base: int) -> Row:
    each = [conv.weights(1) for conv in block.convs]
    sees = block.receptive_field
    return {
        "at": at,
        "block": block.name,
        "each": each,
        "position_macs": sum(each),
        "times": sum(each) / base,
        "params": block.cost.params,
        "position_activations": sum(conv.out_channels for conv in block.convs),
        "receptive_field": f"{sees}x{sees}",
        "nonlinearities": len(each),
    }


def _dearer(row: Row) -> str:
    return f"{row['block']} costs {row['times']:.2f} times as much"


def _network_row(at: str, config: Config, base: int, input_size: int, classes: int) -> Row:
    cost = total(config.blocks(input_size, classes))
    blocks, widths = unrolling_of(config).words(config)
    return {
        "at": at,
        "blocks": blocks,
        "widths": widths,
        "macs": cost.macs,
        "times": cost.macs / base,
        "params": cost.params,
        "activations": cost.activations,
        "config": config.to_json(),
    }
