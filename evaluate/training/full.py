"""One network trained as it is meant to be: with checkpoints, continued where it ended, on one device or several.

    python -m evaluate train resnet18 --data FOLDER --recipe full
    python -m evaluate train runs/NAME/configs/ID.json --data FOLDER --recipe full      # into runs/NAME/trained/
    torchrun --nproc-per-node 4 -m evaluate train resnet18 --data FOLDER --recipe full

A directory holds ``checkpoint.pt`` (all that training needs to go on) and at the end ``train.json`` (settings,
environment, curve), ``config.json`` (the network, what it was trained for and how) and ``model.pt``, its weights:

    config = space.load_config("runs/train/NAME/config.json")
    model = space.build(config)
    model.load_state_dict(torch.load("runs/train/NAME/model.pt"))
    config.task.preprocessing, config.task.class_names

``model.pt`` is a state dict whose ``_metadata``, where torch keeps versions of modules, holds what config.json says
under the key ``network``: the weights can be taken away alone.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pickle
import platform
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from evaluate.images.load import ImageData, LabelledImages
from evaluate.training.device import device_name, is_device_lost, resolve_device, sealed, threads
from evaluate.training.memory import is_out_of_memory, words_of
from evaluate.training.provenance import Proxy
from evaluate.training.proxy import check_data, plan
from evaluate.training.recipe import Recipe
from evaluate.training.score import Epoch
from evaluate.training.trainer import DivergedError, Trainer
from evaluate.training.whole import check_whole, described
from space import Config, Task, build
from space.shell.files import json_bytes, write_files
from space.shell.reading import check_regular
from space.shell.scores import score_text, standard_error

CHECKPOINT, REPORT, CONFIG, WEIGHTS = "checkpoint.pt", "train.json", "config.json", "model.pt"


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that train together: this one's number among `world`."""

    rank: int = 0
    world: int = 1


@contextlib.contextmanager
def process_group(device: str) -> Iterator[Group]:
    """The group that torchrun has started this process in; a group of one without it.

    Raises:
        ValueError: if there are more processes than CUDA devices.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Group()
        return

    local = int(os.environ["LOCAL_RANK"])
    if device == "cuda":
        if local >= torch.cuda.device_count():
            raise ValueError(
                f"torchrun started process {local + 1} here, but there are {torch.cuda.device_count()} CUDA devices: "
                "give --nproc-per-node as many as there are"
            )
        torch.cuda.set_device(local)
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Group(torch.distributed.get_rank(), world)
        gc.collect()  # what still holds the group's threads would end the process by a signal
        torch.distributed.barrier()
    finally:
        torch.distributed.destroy_process_group()


def train_network(
    name: str,
    config: Config,
    recipe: Recipe,
    data: ImageData,
    directory: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    test: LabelledImages | None = None,
    proxy: Proxy | None = None,
    run: str | None = None,
    show: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train the network itself to the end of the recipe; go on where the directory's checkpoint ended.

    Its head has as many classes as the images have; nothing else of it is changed, and its input size is that of its
    task, where it has one.

    A checkpoint is written after every scored epoch, whole or not at all, so that a killed training loses the epochs
    since then. The result is the same as without interruption (same machine, same number of processes); on CUDA but for
    rounding where the recipe lets cuDNN time its kernels (`Recipe.autotune`), which may choose others the next time.

    Args:
        name: of the network, for the report.
        config: the network.
        recipe: how to train it.
        data: images at the recipe's resolution.
        directory: where the files go; made as needed.
        seed: of the weights, the order of the images and the augmentation.
        device: ``auto``, ``cpu`` or ``cuda``.
        test: the test split, if it is to be scored at the end. Nothing is chosen by it.
        proxy: what a search measured of the network, to stand beside the result.
        run: the name of the run that found it.
        show: gets a line an epoch.

    Returns:
        The content of train.json.

    Raises:
        ValueError: if the recipe would train another network, if the directory belongs to another training or is
            damaged, if the images are too few or of another resolution, if the network cannot read them, if memory does
            not do, or if training diverges.
        OSError: if the directory cannot be written.
    """
    place = resolve_device(device)
    check_whole(name, config, recipe, recipe.resolution if config.task is None else config.task.input_size)
    check_data(recipe, data)
    how = plan(config, recipe, data.classes, place)
    settings = {
        "network": name,
        "config": config.to_json(),
        "recipe": recipe.to_json(),
        "data": data.name,
        "data_key": data.key,
        "seed": seed,
    }

    held_out = len(data.val_labels)

    def work(group: Group) -> dict[str, Any]:
        first = group.rank == 0
        directory.mkdir(parents=True, exist_ok=True)
        saved = load_checkpoint(directory, settings)
        model = build(how.proxy, data.classes, recipe.resolution, zero_init_last=True)
        try:
            trainer = Trainer(
                model, recipe, data.to(place), device=place, precision=how.precision,
                seed=seed, rank=group.rank, world=group.world,
            )  # fmt: skip
            curve: list[Epoch] = []
            if saved is not None:
                trainer.load_state_dict(saved["trainer"])
                curve = saved["curve"]
                if first:
                    show(f"goes on after epoch {trainer.epochs_done} of {recipe.epochs}")
            for epoch in range(trainer.epochs_done + 1, recipe.epochs + 1):
                train_loss = trainer.epoch()
                if epoch % recipe.evaluate_every and epoch < recipe.epochs:
                    continue
                top1, _ = trainer.evaluate()
                curve.append(Epoch(epoch=epoch, train_loss=train_loss, top1=top1))
                if first:
                    state = {"settings": settings, "trainer": trainer.state_dict(), "curve": curve}
                    write_files({directory / CHECKPOINT: tensor_bytes(state)})
                    speed = trainer.images_trained / trainer.seconds
                    score = score_text(top1, held_out, 2)
                    show(f"epoch {epoch:4}/{recipe.epochs}  loss {train_loss:.4f}  top-1 {score:>13} %  "
                         f"{trainer.seconds:8.1f} s  {speed:7.0f} images/s")  # fmt: skip
            final = None if test is None else trainer.evaluate_on(test.images, test.labels)
        except DivergedError as error:
            raise ValueError(f"{name} diverged: {error}; try a lower learning rate") from error
        except (RuntimeError, MemoryError) as error:
            if is_device_lost(error):
                raise ValueError(
                    f"{name}: the CUDA device has failed ({words_of(error)}); the same command goes on after the last "
                    "checkpoint"
                ) from error
            if not is_out_of_memory(error):
                raise
            raise ValueError(
                f"{name}: out of memory on {place} ({words_of(error)}); try a smaller batch_size in the recipe"
            ) from error
        task = Task(data.resolution, data.classes, data.class_names, trainer.normalise.preprocessing())
        scores = _scores(curve[-1]["top1"], held_out, None if final is None else final[0], test)
        training = {
            "recipe": recipe.to_json(),
            "data": data.name,
            "data_key": data.key,
            "seed": seed,
            "epochs": trainer.epochs_done,
            **scores,
            "run": run,
            "proxy": None if proxy is None else proxy.to_json(),
        }
        about = described(name, config, task, training)
        report = settings | {
            "config_id": config.id,
            **data.broken_json(),
            "macs": about["macs"],
            "params": about["params"],
            **task.to_json(),
            "environment": _environment(place, group.world),
            "precision": how.precision,
            "engine": trainer.engine,
            "epochs_done": trainer.epochs_done,
            "seconds": trainer.seconds,
            "images_per_second": trainer.images_trained / trainer.seconds,
            "curve": [dict(point) for point in curve],
            **scores,
            "proxy": None if proxy is None else proxy.to_json(),
        }
        if first:
            weights = OrderedDict((key, each.detach().cpu().contiguous()) for key, each in model.state_dict().items())
            weights._metadata = {"network": json.dumps(about)}  # type: ignore[attr-defined]  # as torch does
            write_files(
                {
                    directory / WEIGHTS: tensor_bytes(weights),
                    directory / CONFIG: json_bytes(about),
                    directory / REPORT: json_bytes(report),
                }
            )
        return report

    with process_group(place) as group, sealed(seed, place, recipe.autotune), threads(how.threads):
        return work(group)  # on its return the trainer is gone, which must not outlive the group


def _scores(top1: float, held_out: int, test_top1: float | None, test: LabelledImages | None) -> dict[str, Any]:
    """Both scores of a training in percent, of how many images each is, and its standard error in points."""
    images = None if test is None else len(test.labels)
    return {
        "top1": top1,
        "held_out": held_out,
        "standard_error": standard_error(top1, held_out),
        "test_top1": test_top1,
        "test_images": images,
        "test_standard_error": None if test_top1 is None or images is None else standard_error(test_top1, images),
    }


def load_checkpoint(directory: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The directory's checkpoint, None if there is none.

    Raises:
        ValueError: if it is damaged or of a training with other settings.
    """
    path = directory / CHECKPOINT
    if not path.exists():
        return None
    try:
        check_regular(path)
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        there = content["settings"]
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError, ValueError) as error:
        raise ValueError(f"{path} is damaged: put a backup in its place, or delete it to start again") from error
    # its name may be another path to the same file
    different = [key for key in settings if key != "network" and there.get(key) != settings[key]]
    if different:
        raise ValueError(
            f"{directory} holds a training with another {' and '.join(different)}: choose another --name, or repeat "
            "its own settings to continue it"
        )
    return content


def tensor_bytes(content: Any) -> bytes:
    """What `torch.save` would put into a file."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _environment(device: str, world: int) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": device_name(device),
        "processes": world,
        "date": time.strftime("%Y-%m-%d"),
    }
