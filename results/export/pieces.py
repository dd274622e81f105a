"""What the source code of all networks has in common; see `export_python`."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from space.networks.layers import Conv


def table(name: str, words: str, rows: Sequence[Sequence[int]]) -> str:
    """A constant with a comment, as formatters lay it out."""
    made = [f"({', '.join(map(str, row))})," for row in rows]
    if len(made) == 1:
        return f"# {words}\n{name} = ({made[0]})"
    return "\n".join([f"# {words}", f"{name} = (", *("    " + row for row in made), ")"])


def stem_conv(layer: Conv) -> str:
    """The convolution that reads the image."""
    return f"nn.Conv2d(3, STEM, {layer.kernel}, {layer.stride}, {layer.kernel // 2}, bias=False)"


def body(lines: Sequence[str]) -> str:
    """Lines of a method."""
    return indent("\n".join(lines), " " * 8)


def model_class(made: Sequence[str], classifier: str, run: Sequence[str]) -> str:
    """The network's class.

    Args:
        made: lines that make its parts.
        classifier: the name of its linear layer.
        run: lines that lead from ``x``, images, to ``x``, maps.
    """
    return f'''class Model(nn.Module):
    """(n, 3, h, w) images -> (n, classes) logits."""

    def __init__(self, classes):
        super().__init__()
{body(made)}
        nn.init.zeros_(self.{classifier}.bias)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He initialisation
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x):
{body(run)}
        return self.{classifier}(F.adaptive_avg_pool2d(x, 1).flatten(1))
'''
