"""When do bfloat16 and a second thread pay on a CPU? The measurements behind `evaluate.training.device.WORTH_*`.

    python -m benchmarks.cpu_choices

Training steps of proxies of several sizes, fp32 and bf16 (mixed), one thread and two; the best of six steps each.
`work` is what the rule looks at: multiply-adds of a batch, a convolution.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.machine import machine_line
from evaluate.training.device import threads
from evaluate.training.recipe import Recipe
from space import build, cost, landmark
from space.networks.layers import Conv

NETWORKS = ("resnet18", "resnet50", "resnext50_32x4d", "resnext50_8x14d", "wide_resnet50_2", "densenet121",
            "densenet161")  # fmt: skip
# ResNet-50's proxy in millions of multiply-adds, pixels, batch
SIZES = ((1.3, 8, 64), (5.2, 8, 64), (5.2, 16, 128), (21.0, 16, 64), (21.0, 16, 128))


def speed(model: nn.Module, images: Tensor, labels: Tensor, number: int, bf16: bool) -> float:
    """Images a second of training steps."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, fused=True)
    times = []
    with threads(number):
        for _ in range(7):
            began = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = F.cross_entropy(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            times.append(time.perf_counter() - began)
    return len(images) / min(times[1:])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m benchmarks.cpu_choices", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    print(f"{machine_line('cpu')}; images/s, and ratios")
    print(f"{'network':18}{'proxy':>6}{'pixels':>7}{'batch':>6}{'work':>8}{'fp32':>7}{'bf16/fp32':>11}"
          f"{'2 threads/1':>13}{'with bf16':>11}")  # fmt: skip
    for name in NETWORKS:
        for millions, pixels, batch in SIZES:
            macs = round(millions * 1e6)
            recipe = Recipe("x", 1, batch, learning_rate=0.1, resolution=pixels, proxy_macs=macs, stem="cifar")
            proxy = recipe.proxy(landmark(name), 10)
            convs = sum(isinstance(layer, Conv) for layer in proxy.layers(pixels, 10))
            work = cost(proxy, pixels, 10).macs * batch / convs
            torch.manual_seed(0)
            model = build(proxy, 10, pixels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            images = torch.randn(batch, 3, pixels, pixels).contiguous(memory_format=torch.channels_last)
            labels = torch.randint(0, 10, (batch,))
            one, one16, two, two16 = (
                speed(model, images, labels, number, bf16) for number in (1, 2) for bf16 in (False, True)
            )
            print(f"{name:18}{millions:5}M{pixels:7}{batch:6}{work / 1e6:7.1f}M{one:7.0f}{one16 / one:11.2f}"
                  f"{two / one:13.2f}{two16 / one16:11.2f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
