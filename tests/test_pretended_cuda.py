"""The CUDA path without a GPU: no step waits for it, nothing is left on the host, a failed capture does no harm."""

from __future__ import annotations

import dataclasses
import types
import warnings
from typing import Any

import pytest
import torch

from evaluate.images.load import ImageData, load_data
from evaluate.measures import untrained
from evaluate.measures import zero_cost as zero_cost_module
from evaluate.measures.zero_cost import MEASURES, zero_cost
from evaluate.training.augment import Augmenter
from evaluate.training.device import DeviceLostError
from evaluate.training.presets import RECIPES
from evaluate.training.trainer import Trainer
from space import build, landmark
from tests.pretended_cuda import CUDA, PretendedGraphs, missing, pretended

needs_pretence = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def random_data(count: int = 1024) -> ImageData:
    images, labels = {"dtype": torch.uint8}, {"dtype": torch.int64}
    return ImageData("fake", torch.zeros(count, 3, 32, 32, **images), torch.zeros(count, **labels),
                     torch.zeros(600, 3, 32, 32, **images), torch.zeros(600, **labels), 10)  # fmt: skip


def on_cuda(patch: pytest.MonkeyPatch, name: str, micro_batch: int | None = None, **changes: Any) -> Trainer:
    """A trainer of a landmark's proxy on the pretended device; its backward pass makes gradients up."""
    usual = {"resolution": 32, "batch_size": 256, "proxy_macs": 21_000_000, "cutout": 8, "train_images": None}
    recipe = dataclasses.replace(RECIPES["fast"], **(usual | changes))
    model = build(recipe.proxy(landmark(name), 10), 10, 32, zero_init_last=True)
    trainer = Trainer(
        model, recipe, random_data().to("cuda"), device="cuda", precision="bf16", seed=0,
        micro_batch=micro_batch, graph=False,
    )  # fmt: skip

    def backward(loss: torch.Tensor) -> None:
        assert loss.device == CUDA and loss.requires_grad and loss.ndim == 0
        for p in trainer.model.parameters():
            p.grad = torch.empty_like(p) if p.grad is None else p.grad  # of the form that the engine gives

    patch.setattr(torch.Tensor, "backward", backward)
    return trainer


@needs_pretence
@pytest.mark.parametrize(
    ("name", "micro_batch", "changes"),
    [
        ("resnet18", None, {}),
        ("resnext50_32x4d", 96, {}),
        ("densenet_40_12", None, {}),
        ("resnet18", None, {"crop": False, "crop_area": 0.25}),
        ("resnet18", 100, {"crop": False, "flip": False, "cutout": 0}),
    ],
)
def test_a_step_never_waits_for_the_device(
    name: str, micro_batch: int | None, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended(monkeypatch) as mode:
        trainer = on_cuda(monkeypatch, name, micro_batch, **changes)
        trainer.network.train()
        mode.reads.clear()
        trainer._step()
        trainer._step()
        assert mode.reads == []
        trainer.epoch()
        assert mode.reads == ["epoch"]  # the mean loss, once an epoch
        trainer.evaluate()
        assert mode.reads[1:] == ["evaluate_on"] * 3  # three sums at once, which a fake gives one by one


@needs_pretence
def test_a_tensor_left_on_the_host_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended(monkeypatch):
        trainer = on_cuda(monkeypatch, "resnet18")
        trainer.augmenter.rows = torch.zeros(32, dtype=torch.int64)
        with pytest.raises(RuntimeError, match="device"):
            trainer._step()


@needs_pretence
def test_a_value_read_in_a_step_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended(monkeypatch) as mode:
        trainer = on_cuda(monkeypatch, "resnet18")
        mode.reads.clear()
        batch = Augmenter.batch

        def reading(self: Augmenter, chosen: torch.Tensor) -> torch.Tensor:
            return batch(self, chosen[: len(chosen) * int(chosen.max().item())])

        monkeypatch.setattr(Augmenter, "batch", reading)
        trainer._step()
        assert mode.reads == ["reading"]


@needs_pretence
def test_a_momentum_of_another_form_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended(monkeypatch):
        trainer = on_cuda(monkeypatch, "resnet18")
        trainer._step()
        weight = next(p for p in trainer.model.parameters() if p.ndim == 4 and p.shape[2] == 3)
        trainer.optimiser.state[weight]["momentum_buffer"] = torch.empty(weight.shape, device="cuda")
        with pytest.raises(AssertionError, match="strides"):
            trainer._step()


@needs_pretence
@pytest.mark.parametrize("name", ["resnet18", "densenet_40_12"])
def test_the_measures_of_an_untrained_network_stay_on_the_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zero_cost_module, "resolve_device", str)
    monkeypatch.setattr(zero_cost_module, "sealed", lambda *_: torch.no_grad())  # no CUDA whose state it could keep
    # Fake parameters cannot be copied; what the measures change of a network without values does not matter.
    monkeypatch.setattr(untrained, "copy", types.SimpleNamespace(deepcopy=lambda model: model))
    with pretended(monkeypatch, truth=True) as mode:
        config = RECIPES["cpu"].proxy(landmark(name), 10)
        values = zero_cost(config, torch.zeros(8, 3, 16, 16), torch.zeros(8), 10, device="cuda")
        assert {key: value.reason for key, value in values.items()} == dict.fromkeys(MEASURES)
        layers = sum(
            isinstance(module, torch.nn.Conv2d | torch.nn.Linear) for module in build(config, 10, 16).modules()
        )
        of_layers = [read for read in mode.reads if read in ("<genexpr>", "__torch_function__")]
        assert len(mode.reads) - len(of_layers) < 10 and len(of_layers) < 12 * layers


# ------------------------------------------------------------------------------------------------------------- graphs


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> tuple[PretendedGraphs, Any]:
    """Pretended graphs, and what makes trainers on the CPU that use them."""
    recipe = dataclasses.replace(RECIPES["smoke"], epochs=5, batch_size=32, train_images=160, crop=True, cutout=2)
    data = load_data("digits", 8)
    trainers: list[Trainer] = []

    def fresh(graph: bool = True, micro_batch: int | None = None) -> Trainer:
        torch.manual_seed(0)
        model = build(recipe.proxy(landmark("resnet18"), 10), 10, 8, zero_init_last=True)
        trainer = Trainer(model, recipe, data, device="cpu", precision="fp32", seed=3, micro_batch=micro_batch)
        trainer._capture = graph
        trainers.append(trainer)
        return trainer

    def state() -> list[torch.Tensor]:
        last = trainers[-1]
        assert all(p.grad is None for p in last.model.parameters()), "the graph makes its own gradients"
        own = [*last.model.parameters(), *last.model.buffers(), last.at, last.total, last.rate]
        return own + [each["momentum_buffer"] for each in last.optimiser.state.values()]

    made = PretendedGraphs(monkeypatch, state)
    original = torch.cuda.CUDAGraph

    def graph() -> Any:
        one = original()
        one.step = trainers[-1]._step  # type: ignore[attr-defined]
        return one

    monkeypatch.setattr(torch.cuda, "CUDAGraph", graph)
    return made, fresh


def restored(graphs: PretendedGraphs) -> bool:
    return graphs.current is graphs.usual and graphs.capturing is None


@pytest.mark.parametrize("micro_batch", [None, 12])
def test_capturing_changes_no_number(micro_batch: int | None, graphs: tuple[PretendedGraphs, Any]) -> None:
    made, fresh = graphs
    eager = fresh(False, micro_batch)
    losses = [eager.epoch() for _ in range(5)]
    trainer = fresh(True, micro_batch)
    assert [trainer.epoch() for _ in range(5)] == losses
    assert trainer.evaluate() == eager.evaluate()
    assert (trainer.engine, made.replays) == ("CUDA graph", 21) and restored(made)


def test_a_failed_capture_is_said_and_harms_neither_this_network_nor_the_next(
    graphs: tuple[PretendedGraphs, Any],
) -> None:
    made, fresh = graphs
    eager = fresh(False)
    losses = [eager.epoch() for _ in range(5)]

    def fail() -> None:
        raise RuntimeError("operation failed due to a previous error during capture")

    trainer, made.fail = fresh(), fail
    with pytest.warns(UserWarning, match="goes on without a CUDA graph, several times slower: operation failed"):
        assert [trainer.epoch() for _ in range(5)] == losses
    assert trainer.engine == "eager (no graph: operation failed due to a previous error during capture)"
    assert restored(made) and made.replays == 0
    following, made.fail = fresh(), lambda: None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [following.epoch() for _ in range(5)] == losses
    assert following.engine == "CUDA graph" and restored(made)


@pytest.mark.parametrize(
    ("words", "lost", "kind"),
    [
        ("CUDA error: out of memory", False, RuntimeError),
        ("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", False, RuntimeError),
        ("CUDA error: an illegal memory access was encountered", True, DeviceLostError),
    ],
)
def test_what_a_capture_cannot_get_over_goes_to_the_caller(
    words: str, lost: bool, kind: type[Exception], graphs: tuple[PretendedGraphs, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, fresh = graphs
    trainer = fresh()
    step, steps = trainer._step, []

    def failing() -> None:
        steps.append(1)
        if len(steps) == 5:  # the first that is captured
            raise RuntimeError(words)
        step()

    def end() -> None:
        raise RuntimeError("operation failed due to a previous error during capture")

    trainer._step = failing
    made.fail, made.lost = end, lost
    with pytest.raises(kind, match=words):
        trainer.epoch()
    assert restored(made)
