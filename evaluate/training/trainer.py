"""The one training loop. `Trainer` makes a module learn, epoch by epoch; proxies and full trainings both use it.

Everything is on the device: images, their order, learning rates and the chance of the augmentation are written into
fixed memory once an epoch, and a step reads its part of it by a counter that is on the device as well. So no step
waits for Python; on CUDA the whole step (batch, forward, backward, optimiser) is one captured graph that is replayed.
"""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evaluate.images.load import ImageData
from evaluate.training.augment import Augmenter, Normaliser
from evaluate.training.device import is_device_lost
from evaluate.training.graph import capture
from evaluate.training.memory import is_out_of_memory, words_of
from evaluate.training.recipe import Recipe

EAGER_STEPS = 4  # before a graph is captured: cuDNN chooses kernels, the optimiser makes its memory
EVALUATION_BATCH = 1024


class DivergedError(Exception):
    """The loss is not finite; the message says when."""


class Trainer:
    """A module, its optimiser, its images: `epoch` trains, `evaluate` scores.

    Args:
        model: anything from (n, 3, h, w) to (n, classes).
        recipe: how to train.
        data: images at the recipe's resolution, on the device.
        device: ``cpu`` or ``cuda``.
        precision: ``bf16`` (mixed) or ``fp32``.
        seed: of the order of the images and the augmentation.
        micro_batch: images at once; gradients of a batch are added up. The recipe's batch unless given.
        rank: this process's number among `world`, each of which trains on its part of every batch.
        world: how many processes train together (DistributedDataParallel); 1 without.
        graph: whether to capture the step, on CUDA and in one process.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        data: ImageData,
        *,
        device: str,
        precision: str,
        seed: int,
        micro_batch: int | None = None,
        rank: int = 0,
        world: int = 1,
        graph: bool = True,
    ) -> None:
        self.recipe, self.data, self.device, self.precision = recipe, data, device, precision
        self.rank, self.world = rank, world
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: nn.Module = self.model
        if world > 1:
            self.network = torch.nn.parallel.DistributedDataParallel(self.model)
        count = len(data.train_labels) if recipe.train_images is None else recipe.train_images
        images, self.labels = data.train_images[:count], data.train_labels[:count]
        self.normalise = Normaliser.of(images)
        self.augmenter = Augmenter(images, self.normalise, recipe, data.mirror)
        self.batch = recipe.batch_size // world  # of this process
        self.steps = len(images) // recipe.batch_size  # what does not fill a batch waits for another epoch's order
        self.micro_batch = min(micro_batch or self.batch, self.batch)
        self.rng = torch.Generator(device).manual_seed(seed)
        self.rate = torch.zeros((), device=device)
        self.optimiser = self._optimiser()
        # What a step reads and writes. The sums stay on the device: reading one would make it wait.
        self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self.order = torch.zeros(self.steps, self.batch, dtype=torch.int64, device=device)
        self.rates = torch.zeros(self.steps, device=device)
        self.total = torch.zeros((), device=device)
        self.epochs_done = 0
        self.images_trained = 0
        self.seconds = 0.0  # of training alone
        self._graph: torch.cuda.CUDAGraph | None = None
        self._capture = graph and device == "cuda" and world == 1
        self.engine = "eager"

    def _optimiser(self) -> torch.optim.Optimizer:
        """SGD with Nesterov momentum; norms and biases do not decay."""
        parameters = list(self.model.parameters())
        return torch.optim.SGD(
            [
                {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.recipe.weight_decay},
                {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=self.rate,  # on the device, so that a captured step sees it change
            momentum=self.recipe.momentum,
            nesterov=True,
            fused=True,  # one kernel for all parameters: these networks have hundreds of small ones
        )

    # ------------------------------------------------------------------------------------------ training

    def epoch(self) -> float:
        """Train on every image once; return the mean training loss.

        Raises:
            DivergedError: if the loss is not finite.
        """
        began = time.perf_counter()
        self.network.train()
        device = self.device
        order = torch.randperm(len(self.labels), generator=self.rng, device=device)
        whole = order[: self.steps * self.batch * self.world].view(self.steps, self.world, self.batch)
        self.order.copy_(whole[:, self.rank])
        first, steps = self.epochs_done * self.steps, self.recipe.epochs * self.steps
        rates = [
            self.recipe.learning_rate * schedule(first + step, steps, self.recipe.warmup) for step in range(self.steps)
        ]
        self.rates.copy_(torch.tensor(rates))
        self.augmenter.draw(self.rng)
        self.at.zero_()
        self.total.zero_()
        done = 0
        if self._capture and self._graph is None:
            done = self._try_capture()
        for _ in range(done, self.steps):
            if self._graph is not None:
                self._graph.replay()
            else:
                self._step()
        if self.world > 1:
            torch.distributed.all_reduce(self.total)
            for buffer in self.model.buffers():  # each process has seen its own images last: all take the first one's
                torch.distributed.broadcast(buffer, 0)
        mean = self.total.item() / self.steps / self.world
        self.epochs_done += 1
        self.images_trained += self.steps * self.batch * self.world
        self.seconds += time.perf_counter() - began
        if not math.isfinite(mean):
            raise DivergedError(f"the training loss is not finite in epoch {self.epochs_done} of {self.recipe.epochs}")
        return mean

    def _step(self) -> None:
        """One step of the optimiser, wherever `at` stands. Reads and writes fixed memory alone."""
        chosen = self.order.index_select(0, self.at).squeeze(0)
        self.rate.copy_(self.rates.index_select(0, self.at).squeeze(0))
        self.optimiser.zero_grad(set_to_none=True)
        parts = torch.split(chosen, self.micro_batch)
        for number, part in enumerate(parts, 1):
            images, labels = self.augmenter.batch(part), self.labels.index_select(0, part)
            with self._synced(number == len(parts)):
                with self._autocast():
                    logits = self.network(images)
                    loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
                loss = loss * (len(part) / self.batch)
                loss.backward()  # type: ignore[no-untyped-call]
            self.total += loss.detach()
        self.optimiser.step()
        self.at += 1

    def _synced(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Gradients of several processes are averaged once a batch, after its last part."""
        if self.world > 1 and not last:
            context: contextlib.AbstractContextManager[Any] = self.network.no_sync()  # type: ignore[operator]
            return context
        return contextlib.nullcontext()

    def _try_capture(self) -> int:
        """Train `EAGER_STEPS` steps, then capture the step. Returns how many were trained.

        If the step cannot be captured, training goes on without a graph and `engine` says why.
        """
        if self.steps * self.recipe.epochs < 4 * EAGER_STEPS:
            self._capture = False
            self.engine = "eager (too few steps for a graph)"
            return 0
        warm = min(EAGER_STEPS, self.steps)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(warm):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        self.optimiser.zero_grad(set_to_none=True)  # the graph makes its own
        try:
            self._graph = capture(self._step, stream)
            self.engine = "CUDA graph"
        except RuntimeError as error:
            self.optimiser.zero_grad(set_to_none=True)
            if is_out_of_memory(error) or is_device_lost(error):
                raise
            self._capture = False
            self.engine = f"eager (no graph: {words_of(error)})"
            warnings.warn(f"training goes on without a CUDA graph, several times slower: {error}", stacklevel=2)
        return warm

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")

    # ------------------------------------------------------------------------------------------ scoring

    def evaluate(self) -> tuple[float, float]:
        """(top-1 in percent, cross entropy) on the held-out images.

        Raises:
            DivergedError: if the loss is not finite.
        """
        top1, loss = self.evaluate_on(self.data.val_images, self.data.val_labels)
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss on held-out images is not finite in epoch {self.epochs_done} of {self.recipe.epochs}"
            )
        return top1, loss

    def evaluate_on(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """(top-1 in percent, cross entropy) on images (n, 3, h, w) uint8 of any place and labels (n,)."""
        self.model.eval()
        # right answers, summed loss, images: of this process's part, then of all
        sums = torch.zeros(3, dtype=torch.float64, device=self.device)
        batch = max(self.micro_batch, min(EVALUATION_BATCH, 4 * self.micro_batch))
        with torch.inference_mode(), self._autocast():
            for first in range(self.rank * batch, len(labels), self.world * batch):
                part, answers = (x[first : first + batch].to(self.device) for x in (images, labels))
                logits = self.model(self.normalise(part)).float()
                sums[0] += (logits.argmax(1) == answers).sum()
                sums[1] += F.cross_entropy(logits, answers, reduction="sum")
                sums[2] += len(answers)
        if self.world > 1:
            sums = sums.clone()
            torch.distributed.all_reduce(sums)
        right, loss, count = sums.tolist()
        return 100 * right / count, loss / count

    # ------------------------------------------------------------------------------------------ checkpoints

    def state_dict(self) -> dict[str, Any]:
        """All that training needs to go on as if it had not stopped; tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.get_state(),
            "epochs_done": self.epochs_done,
            "images_trained": self.images_trained,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`'s state. Before the first `epoch` only: a captured graph would keep the old one."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.rng.set_state(state["rng"].cpu())
        self.epochs_done = state["epochs_done"]
        self.images_trained = state["images_trained"]
        self.seconds = state["seconds"]


def schedule(step: int, steps: int, warmup: float) -> float:
    """The part of the peak learning rate at a step: a line up to it, then a cosine that ends just above zero."""
    rise = warmup * steps
    if step + 1 <= rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (steps - rise + 1)))
