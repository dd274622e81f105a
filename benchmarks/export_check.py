"""Do exported networks give the network's own outputs? One published network of each family in every format.

    python -m benchmarks.export_check --out benchmarks/results/export-check.txt

Weights are untrained (seed 0), norms with the statistics of random images. Every file is read back by what its users
read it with, onnxruntime, `torch.export.load`, safetensors, Python itself, and compared on batches of 1 and 3 random
images with the eager module in float32 on the CPU; the configuration is compared as such. `difference` and `largest`
are of absolute outputs; `rounding` is how far the eager module itself is from its outputs in float64, measured where
there is a difference. Then the source code of random small networks of every class, as `benchmarks.exactness` draws
them. Seconds are those of the whole export with its check, once, in this process. Exit status 1 if anything is refused.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.exactness import KINDS, random_cases
from benchmarks.machine import machine_line
from results.export import ENDINGS, Exported, export_model
from space import LANDMARKS, landmark
from space.shell.files import write_files

NETWORKS = (
    "resnet50",
    "wide_resnet50_2",
    "resnext50_32x4d",
    "regnetx_1.6gf",
    "regnety_1.6gf",
    "densenet121",
    "preresnet110",
)


def landmark_lines(names: list[str], directory: Path) -> Iterator[str]:
    """A line a network and format."""
    for name in names:
        about = LANDMARKS[name]
        for ending in ENDINGS:
            start = time.perf_counter()
            made = export_model(landmark(name), directory / f"{name}{ending}")
            seconds = time.perf_counter() - start
            yield _line(name, about.family, f"{about.input_size}", ending, made, seconds)
            made.path.unlink()


def _line(name: str, family: str, size: str, ending: str, made: Exported, seconds: float) -> str:
    figures = "".join(
        f"{'-' if each is None else f'{each:.2g}':>12}" for each in (made.difference, made.rounding, made.largest)
    )
    return f"{name:<17}{family:<13}{size:>5}  {ending:<13}{made.size:>13,}{figures}{seconds:>9.1f}  {made.checked_by}"


def random_line(kind: str, count: int, directory: Path) -> str:
    """The source code of many random networks: the largest difference of all."""
    differences = [
        export_model(case.config, directory / "model.py", classes=case.classes, input_size=case.input_size).difference
        for case in random_cases(kind, count, 0)
    ]
    worst = max(each for each in differences if each is not None)
    return f"{len(differences)} random {kind} networks as .py: max absolute difference {worst:.2g}"


def main() -> int:
    """Export, compare, print and write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.export_check", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME", help="published networks")
    parser.add_argument("--random", type=int, default=300, metavar="N", help="random networks of each class (300)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the table is written, too")
    options = parser.parse_args()

    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    lines = [f"{machine_line('cpu')}, {torch.get_num_threads()} threads, {load} at the start, seed 0", ""]
    lines.append(
        f"{'network':<17}{'family':<13}{'input':>5}  {'format':<13}{'bytes':>13}{'difference':>12}{'rounding':>12}"
        f"{'largest':>12}{'seconds':>9}  checked by"
    )
    print("\n".join(lines), flush=True)
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            for line in landmark_lines(options.networks, Path(folder)):
                lines.append(line)
                print(line, flush=True)
            torch.set_num_threads(1)  # small networks: more threads only wait for each other
            ends = [random_line(kind, options.random, Path(folder)) for kind in KINDS]
        except ValueError as error:
            ends, status = [f"refused: {error}"], 1
    print("\n" + "\n".join(ends))
    if options.out is not None:
        write_files({options.out: "\n".join([*lines, "", *ends, ""]).encode()})
    return status


if __name__ == "__main__":
    sys.exit(main())
