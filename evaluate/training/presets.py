"""The recipes that have a name, and how one is found by its name or in a file.

Those in `RECIPES` train proxies; ``full`` trains a network itself and is made for its input size (`full_recipe`). Each
says where it comes from, on what hardware it takes how long, and what result to expect. What has not been
measured is not stated.
"""

from __future__ import annotations

import json
from pathlib import Path

from evaluate.images.sources import DIGITS, FRACTALS, split_options
from evaluate.training.recipe import Recipe
from space.networks.config import INPUT_SIZE
from space.shell.reading import read_text

RECIPES: dict[str, Recipe] = {
    # Source: ours, for tests and first tries. Hardware: any. Time: about a second a network.
    # Expect: digits well above chance with the smallest networks; no ranking worth anything.
    "smoke": Recipe(
        name="smoke", epochs=2, batch_size=64, learning_rate=0.1, resolution=8, proxy_macs=300_000, stem="cifar",
        train_images=512, flip=False, crop=False,
    ),
    # Source: ours, for the embedded digits. Hardware: any CPU. Time: median 12 s a network on two cores of an AMD EPYC
    # that other processes shared (25 ImageNet landmarks). Expect: an order no better than chance: tau 0.02, 0.41 within
    # a budget, two seeds (benchmarks/results/fidelity-digits.txt). It shows the machinery.
    "digits": Recipe(
        name="digits", epochs=3, batch_size=64, learning_rate=0.2, resolution=8, proxy_macs=1_300_000,
        stem="cifar", flip=False,
    ),
    # Source: ours, the default for fractals (docs/fractals.md). Hardware: any CPU. Time: median 18 s a network on two
    # cores of an AMD EPYC that some ten other processes shared (25 ImageNet landmarks). Expect: 39 to 65 %; tau 0.45,
    # 0.74 within a budget, regret 0.27 points, one seed (benchmarks/results/fidelity-fractals.txt).
    "fractals": Recipe(
        name="fractals", epochs=1, batch_size=32, learning_rate=0.025, resolution=12, proxy_macs=1_300_000,
        stem="cifar", train_images=8_000,
    ),
    # Source: the best of ten that were tried on two CPU cores (benchmarks/results/recipes-cpu.txt). Hardware: any CPU.
    # Time: median 53 s a network on two cores of an AMD EPYC that ten other processes shared (CIFAR-10, 25 ImageNet
    # landmarks). Expect: 30 to 40 %; tau 0.51, 0.76 within a budget, one seed (benchmarks/results/fidelity-cpu.txt).
    "cpu": Recipe(
        name="cpu", epochs=8, batch_size=64, learning_rate=0.025, resolution=16, proxy_macs=1_300_000,
        stem="cifar", train_images=4_000, evaluate_every=4,
    ),
    # Source: ours, for CIFAR-10 on one H100, chosen by an estimate from its data sheet (python -m benchmarks.roofline):
    # ResNet-50's proxy takes 4.5 s at least, a tenth of the peak, where 21 M multiply-adds at 32x32 and batch 256 leave
    # it at 2 %. Meant: 10 s a network. Time, rate and fidelity are not measured: python -m benchmarks.gpu does it.
    "fast": Recipe(
        name="fast", epochs=12, batch_size=512, learning_rate=0.4, resolution=16, proxy_macs=160_000_000,
        stem="cifar", evaluate_every=3,
    ),
    # Source: as `fast`, at CIFAR's own resolution: 29 s at least for ResNet-50's proxy. Meant: 60 s a network. Time,
    # rate and fidelity are not measured either.
    "faithful": Recipe(
        name="faithful", epochs=30, batch_size=512, learning_rate=0.4, resolution=32, proxy_macs=333_000_000,
        stem="cifar", cutout=8, evaluate_every=5,
    ),
}  # fmt: skip

FULL = "full"
PRESETS = (*RECIPES, FULL)
SMALL, LARGE = 64, 128  # pixels from which on random resized crops are trained on; from which on as on ImageNet


def full_recipe(input_size: int) -> Recipe:
    """Recipe ``full``: one network, unchanged, to the end, at its own input size.

    Below 64 pixels it is the schedule of Wide ResNets (arXiv:1605.07146: 200 epochs, batch 128, rate 0.1, weight decay
    5e-4) with a cosine in place of steps, and cutout of half the image (arXiv:1708.04552). From 64 on, images are cut
    by random resized crops (arXiv:1409.4842); at least a quarter of the area, not 8 %, for what is cut is enlarged from
    the input size and not from larger images. The rate is 0.1 for 256 images with five epochs of warm-up
    (arXiv:1706.02677), here 0.05 for 128; label smoothing 0.1 and no decay of norms and biases (arXiv:1812.01187).
    From 128 on it has ImageNet's 100 epochs and weight decay of 1e-4; from 64 to 127, where data sets have 5,000 to
    100,000 images, 200 epochs and 5e-4.

    Hardware: one or several GPUs. Time and result are not measured yet.

    Args:
        input_size: height and width of the network's images, pixels.
    """
    if input_size < SMALL:
        return Recipe(
            name=FULL, epochs=200, batch_size=128, learning_rate=0.1, resolution=input_size, label_smoothing=0.0,
            warmup=0.02, cutout=input_size // 2, evaluate_every=5, autotune=True,
        )  # fmt: skip
    epochs, decay = (100, 1e-4) if input_size >= LARGE else (200, 5e-4)
    return Recipe(
        name=FULL, epochs=epochs, batch_size=128, learning_rate=0.05, resolution=input_size, weight_decay=decay,
        label_smoothing=0.1, warmup=5 / epochs, crop=False, crop_area=0.25, evaluate_every=5, autotune=True,
    )  # fmt: skip


def find_recipe(name_or_path: str | Path, input_size: int = INPUT_SIZE) -> Recipe:
    """A preset by its name, or a recipe from a JSON file.

    Args:
        name_or_path: what is looked for.
        input_size: of the network or the run, pixels: what ``full`` is made for, and the resolution of a file that
            says none.

    Raises:
        ValueError: if it is neither; it lists the presets.
    """
    text = str(name_or_path)
    if text == FULL:
        return full_recipe(input_size)
    if text in RECIPES:
        return RECIPES[text]
    presets = ", ".join(PRESETS)
    try:
        data = json.loads(read_text(text))
    except FileNotFoundError as error:
        raise ValueError(f"recipe {text!r}: expected one of {presets}, or a JSON file") from error
    except OSError as error:
        raise ValueError(
            f"recipe {text!r} cannot be read ({error.strerror or error}); presets are {presets}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"recipe {text!r} is no JSON: {error}; presets are {presets}") from error
    try:
        return Recipe.from_json({"resolution": input_size} | data if isinstance(data, dict) else data)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error


def default_recipe(device: str, data: str) -> Recipe:
    """``fractals`` for fractals and ``digits`` for the embedded digits, else ``fast`` on CUDA and ``cpu`` elsewhere.

    Args:
        device: ``cpu`` or ``cuda``.
        data: as given to `evaluate.images.load.load_data`.
    """
    place, _ = split_options(data)
    if place in (DIGITS, FRACTALS):
        return RECIPES[place]
    return RECIPES["fast" if device == "cuda" else "cpu"]
