"""Training speed in images/s: a plain script, the same tuned by hand, and ours; beside the device's limit.

    python -m benchmarks.throughput [--proxy-macs 84000000] [--resolution 32] [--batch 128] [--out FILE.json]

(a) plain: what a user would write. `DataLoader` with workers, each image flipped and cropped on its own as a tensor,
    fp32, eager, `loss.item()` after every step for the log.
(b) tuned: the same by a careful hand. Images on the device, augmented as a batch, bf16 (mixed), channels-last, fused
    optimiser, eager, the loss read once an epoch.
(c) ours: as `evaluate.training.proxy.train_proxy` trains it, with its precision, threads, kernels and layers.

The same networks, the same batch, random images, in turn, `--rounds` times in one process; medians. The limit is the
rate of a large matrix product in the precision that (c) uses. FLOPs are counted as 6 a multiply-add of an image.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.machine import machine
from evaluate.images.load import ImageData
from evaluate.training.augment import Normaliser
from evaluate.training.device import peak_flops, resolve_device, synchronise, threads
from evaluate.training.proxy import Plan, as_trained, plan, proxy_trainer
from evaluate.training.recipe import Recipe
from space import build, cost, landmark

# basic shallow, basic wide, bottleneck, deep bottleneck, 32 groups, wide bottleneck, dense, deep dense
NETWORKS = ("resnet18", "wrn18_2", "resnet50", "resnet152", "resnext50_32x4d", "wide_resnet50_2", "densenet121",
            "densenet201")  # fmt: skip
CLASSES = 10
PAD = 8  # crop by up to a PAD-th of the resolution


class Images(Dataset[tuple[Tensor, int]]):
    """Flip, crop and normalise one image at a time, as the transforms of most scripts do."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels
        self.shift = max(1, images.shape[-1] // PAD)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> tuple[Tensor, int]:
        """(3, h, w) float, label."""
        image = self.images[at].float() / 255
        if torch.rand(()) < 0.5:
            image = image.flip(-1)
        size, pad = image.shape[-1], self.shift
        top, left = torch.randint(0, 2 * pad + 1, (2,)).tolist()
        image = F.pad(image, (pad,) * 4)[:, top : top + size, left : left + size]
        return (image - 0.5) / 0.25, int(self.labels[at])


def plain(model: nn.Module, data: ImageData, recipe: Recipe, device: str) -> Callable[[], None]:
    """(a) An epoch, ready to run."""
    model = model.to(device)
    workers = 1 if device == "cpu" else 8
    loader = DataLoader(Images(data.train_images.cpu(), data.train_labels.cpu()), recipe.batch_size, shuffle=True,
                        num_workers=workers, drop_last=True, persistent_workers=True,
                        pin_memory=device == "cuda")  # fmt: skip
    optimiser = torch.optim.SGD(model.parameters(), recipe.learning_rate, 0.9, weight_decay=5e-4, nesterov=True)

    def epoch() -> None:
        model.train()
        running = 0.0
        for images, labels in loader:
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            optimiser.zero_grad()
            loss = F.cross_entropy(model(images), labels, label_smoothing=0.1)
            loss.backward()
            optimiser.step()
            running += loss.item()

    return epoch


def tuned(model: nn.Module, data: ImageData, recipe: Recipe, device: str) -> Callable[[], None]:
    """(b) An epoch, ready to run."""
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        model.parameters(), recipe.learning_rate, 0.9, weight_decay=5e-4, nesterov=True, fused=True
    )
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    normalise = Normaliser.of(images)
    pad = max(1, images.shape[-1] // PAD)

    def epoch() -> None:
        model.train()
        running = torch.zeros((), device=device)
        for chosen in torch.split(torch.randperm(len(labels), device=device), recipe.batch_size):
            if len(chosen) < recipe.batch_size:
                break
            x = normalise(images[chosen])
            x = torch.where(torch.rand(len(x), 1, 1, 1, device=device) < 0.5, x.flip(-1), x)
            top, left = (int(v) for v in torch.randint(0, 2 * pad + 1, (2,)))  # one shift a batch
            size = x.shape[-1]
            x = F.pad(x, (pad,) * 4)[:, :, top : top + size, left : left + size]
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                loss = F.cross_entropy(model(x), labels[chosen], label_smoothing=0.1)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            running += loss.detach()
        running.item()

    return epoch


def settings(kind: str, how: Plan, recipe: Recipe, device: str) -> contextlib.AbstractContextManager[Any]:
    """What each is run under: ours as a proxy is, the tuned one with cuDNN's search for the fastest kernels."""
    if kind == "ours":
        return as_trained(how, recipe, 0, device)
    if kind == "tuned":
        return torch.backends.cudnn.flags(enabled=True, benchmark=True)
    return contextlib.nullcontext()


def seconds(epoch: Callable[[], object], device: str) -> float:
    """Wall clock of an epoch."""
    synchronise(device)
    began = time.perf_counter()
    epoch()
    synchronise(device)
    return time.perf_counter() - began


def steps_for(model: nn.Module, batch: int, resolution: int, device: str, wanted: float) -> int:
    """How many plain steps last about so many seconds."""
    model = model.to(device)
    images = torch.randn(batch, 3, resolution, resolution, device=device)
    for _ in range(2):
        synchronise(device)
        began = time.perf_counter()
        model(images).sum().backward()
        synchronise(device)
        took = time.perf_counter() - began
    return max(4, min(400, round(wanted / took)))


def measure(name: str, options: argparse.Namespace, device: str) -> dict[str, Any]:
    """One network: a row of the table."""
    recipe = Recipe(name="throughput", epochs=10_000, batch_size=options.batch, learning_rate=0.05,
                    resolution=options.resolution, proxy_macs=options.proxy_macs, stem="cifar")  # fmt: skip
    how = plan(landmark(name), recipe, CLASSES, device)

    def fresh() -> nn.Module:
        torch.manual_seed(0)
        return build(how.proxy, CLASSES, options.resolution)

    steps = steps_for(fresh(), options.batch, options.resolution, device, options.seconds)
    shape = (steps * options.batch, 3, options.resolution, options.resolution)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (len(pixels),))
    data = ImageData("random", pixels, labels, pixels[:2], labels[:2], CLASSES)
    epochs: dict[str, Callable[[], object]] = {
        "plain": plain(fresh(), data, recipe, device),
        "tuned": tuned(fresh(), data, recipe, device),
    }
    with settings("ours", how, recipe, device):
        trainer = proxy_trainer(how, recipe, data, 0, device)
    epochs["ours"] = trainer.epoch
    times: dict[str, list[float]] = {kind: [] for kind in epochs}
    for turn in range(options.rounds + 1):
        for kind, epoch in epochs.items():
            with settings(kind, how, recipe, device):
                took = seconds(epoch, device)
            if turn:  # the first one warms up: workers, kernels, the graph
                times[kind].append(took)
    speed = {kind: len(pixels) / statistics.median(each) for kind, each in times.items()}
    with threads(how.threads):
        peak = peak_flops(device, how.precision, torch.get_num_threads())
    flops = 6 * how.macs * speed["ours"]
    return {
        "network": name,
        "proxy_macs": cost(how.proxy, options.resolution, CLASSES).macs,
        "steps": steps,
        "precision": how.precision,
        "engine": trainer.engine,
        "threads": how.threads,
        "images_per_second": speed,
        "seconds": times,
        "ours_over_plain": speed["ours"] / speed["plain"],
        "ours_over_tuned": speed["ours"] / speed["tuned"],
        "tflops": flops / 1e12,
        "peak_share": flops / peak,
    }


def text(rows: list[dict[str, Any]], setting: dict[str, Any]) -> str:
    """The table."""
    lines = [
        f"{setting['device']}, torch {setting['torch']}, Python {setting['python']}; "
        f"proxy_macs {setting['proxy_macs']:,}, "
        f"{setting['resolution']}x{setting['resolution']}, batch {setting['batch']}, {setting['rounds']} rounds, "
        f"{setting['threads']} threads",
        "",
        f"{'network':18}{'MMACs':>8}  {'plain':>8}{'tuned':>8}{'ours':>8} images/s {'ours/plain':>11}{'ours/tuned':>11}"
        f"{'TFLOP/s':>9}{'of peak':>8}  how",
    ]
    for row in rows:
        speed = row["images_per_second"]
        how = f"{row['precision']}, {row['engine']}" + (f", {row['threads']} thread" if row["threads"] else "")
        lines.append(
            f"{row['network']:18}{row['proxy_macs'] / 1e6:8.1f}  {speed['plain']:8.0f}{speed['tuned']:8.0f}"
            f"{speed['ours']:8.0f}          {row['ours_over_plain']:11.2f}{row['ours_over_tuned']:11.2f}"
            f"{row['tflops']:9.3f}{100 * row['peak_share']:7.1f}%  {how}"
        )
    plains, tuneds = ([row[key] for row in rows] for key in ("ours_over_plain", "ours_over_tuned"))
    lines.append("")
    lines.append(
        f"ours/plain: median {statistics.median(plains):.2f}, least {min(plains):.2f}; "
        f"ours/tuned: median {statistics.median(tuneds):.2f}, least {min(tuneds):.2f}"
    )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--proxy-macs", type=int, default=84_000_000, help="of ResNet-50's proxy (%(default)s)")
    parser.add_argument("--resolution", type=int, default=32, help="pixels (%(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="images a step (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="timed epochs of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of an epoch, about (%(default)s)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also as JSON")
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    setting = {
        **machine(device),
        "threads": torch.get_num_threads(),
        **{key: getattr(options, key) for key in ("proxy_macs", "resolution", "batch", "rounds")},
    }
    rows = []
    for name in options.networks:
        rows.append(measure(name, options, device))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        if options.out:
            options.out.write_text(json.dumps({"setting": setting, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print(text(rows, setting), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
