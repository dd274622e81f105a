"""What the tables of the papers share: their columns, and one network as a row beside its printed figures."""

from __future__ import annotations

from collections.abc import Sequence

from space.landmarks.networks import LANDMARKS
from space.networks.config import Config
from space.networks.layers import total
from space.papers.outline import outline
from space.papers.printed_costs import PRINTED, Printed
from space.shell.tables import Column, Row, Table

G, M = 1e9, 1e6
NETWORK = Column("network", "network")
LAYERS = Column("layers", "layers", "d")
PARAMS, PRINTED_PARAMS = Column("params", "params (M)", ".3f", M), Column("printed_params", "printed", ">")
MACS, PRINTED_MACS = Column("macs", "GFLOPs", ".3f", G), Column("printed_macs", "printed", ">")
DIFFERENCE = Column("difference", "difference", "+z.1%")
TOP1, TOP5 = Column("top1_error", "top-1 error %", ".2f"), Column("top5_error", "top-5 %", ".2f")
SETTING = Column("setting", "setting")
WHY = Column("why", "why")


def architecture(names: Sequence[str]) -> Table:
    """The networks side by side, as the first table of a paper has them."""
    lines = {name: outline(LANDMARKS[name].network()) for name in names}
    first = lines[names[0]]
    rows = tuple(
        {"layer": line.layer, "output": line.output} | {name: lines[name][number].text for name in names}
        for number, line in enumerate(first)
    )
    columns = [Column("layer", "layer"), Column("output", "output")]
    return Table(
        "Blocks and output sizes (images of 224x224)",
        (*columns, *(Column(name, LANDMARKS[name].label) for name in names)),
        rows,
    )


def row(name: str, config: Config | None = None) -> Row:
    """A landmark's exact counts beside what is printed of them.

    Args:
        name: of the landmark.
        config: another form of it, that is counted in its place.
    """
    counted = total((config or LANDMARKS[name].network()).blocks(224, 1000))
    macs = next((each.macs for each in PRINTED.get(name, ()) if each.macs is not None), None)
    return {
        "network": LANDMARKS[name].label,
        "params": counted.params,
        "printed_params": next((each.params for each in PRINTED.get(name, ()) if each.params is not None), None),
        "macs": counted.macs,
        "printed_macs": macs,
        "difference": None if macs is None else counted.macs / G / float(macs) - 1,
    }


def sources(names: Sequence[str], errors: bool = False) -> tuple[str, ...]:
    """Where the printed costs of these landmarks, and their first errors, come from."""
    printed: list[Printed] = [each for name in names for each in PRINTED.get(name, ())]
    found = [f"costs: {each.source}" for each in printed]
    found += [f"errors: {LANDMARKS[name].published.source}" for name in names if errors]
    return tuple(dict.fromkeys(found))
