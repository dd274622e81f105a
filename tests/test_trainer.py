"""The training loop against one written out by hand."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from evaluate.images.load import ImageData, load_data
from evaluate.training.augment import Normaliser
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from evaluate.training.trainer import DivergedError, Trainer, schedule

RECIPE = dataclasses.replace(RECIPES["smoke"], epochs=2, batch_size=32, train_images=128, learning_rate=0.05)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def small() -> nn.Module:
    """Without batch norm, so that an image's gradient does not depend on its neighbours."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))


def trained(data: ImageData, recipe: Recipe = RECIPE, micro_batch: int | None = None, device: str = "cpu",
            graph: bool = True, precision: str = "fp32") -> tuple[Trainer, list[float]]:  # fmt: skip
    trainer = Trainer(
        small(), recipe, data.to(device), device=device, precision=precision,
        seed=3, micro_batch=micro_batch, graph=graph,
    )  # fmt: skip
    return trainer, [trainer.epoch() for _ in range(recipe.epochs)]


def test_schedule_rises_to_the_peak_and_ends_near_zero() -> None:
    rates = [schedule(step, 100, 0.25) for step in range(100)]
    assert max(rates) == rates[24] == 1.0
    assert rates[:25] == sorted(rates[:25]) and rates[24:] == sorted(rates[24:], reverse=True)
    assert 0 < rates[-1] < 0.01
    assert all(0 < schedule(step, 1, warmup) <= 1 for step in range(1) for warmup in (0.0, 0.5, 0.9))
    assert schedule(0, 10, 0.0) > 0.9


def test_the_weights_are_those_of_a_loop_by_hand(digits: ImageData) -> None:
    trainer, losses = trained(digits)
    model, rng = small(), torch.Generator().manual_seed(3)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}],
        lr=1.0, momentum=0.9, nesterov=True,
    )  # fmt: skip
    images, labels = digits.train_images[:128], digits.train_labels[:128]
    normalise = Normaliser.of(images)
    step = 0
    for epoch in range(2):
        total = 0.0
        for chosen in torch.randperm(128, generator=rng).split(32):
            for group in optimiser.param_groups:
                group["lr"] = 0.05 * schedule(step, 8, RECIPE.warmup)
            loss = F.cross_entropy(model(normalise(images[chosen])), labels[chosen], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() / 4
            step += 1
        assert losses[epoch] == pytest.approx(total, rel=1e-5)
    for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_batch_in_parts_gives_the_same_gradients(digits: ImageData) -> None:
    whole, losses = trained(digits)
    parts, same = trained(digits, micro_batch=12)  # 12 + 12 + 8
    assert parts.micro_batch == 12
    assert losses == pytest.approx(same, rel=1e-5)
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_every_image_is_trained_on_once_an_epoch(digits: ImageData) -> None:
    trainer, _ = trained(digits, dataclasses.replace(RECIPE, train_images=100))
    assert trainer.steps == 3  # 96 of 100: what does not fill a batch waits
    assert len(set(trainer.order.flatten().tolist())) == 96
    assert trainer.images_trained == 2 * 96 and trainer.seconds > 0


def test_scores_are_those_of_the_model(digits: ImageData) -> None:
    trainer, _ = trained(digits)
    with torch.inference_mode():
        logits = trainer.model(trainer.normalise(digits.val_images))
    top1, loss = trainer.evaluate()
    assert top1 == pytest.approx(100 * float((logits.argmax(1) == digits.val_labels).float().mean()))
    assert loss == pytest.approx(float(F.cross_entropy(logits, digits.val_labels)), rel=1e-5)


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(digits: ImageData) -> None:
    recipe = dataclasses.replace(RECIPE, crop=True, epochs=4)

    def fresh() -> Trainer:
        return Trainer(small(), recipe, digits, device="cpu", precision="fp32", seed=3)

    whole, broken, continued = fresh(), fresh(), fresh()
    losses = [whole.epoch() for _ in range(4)]
    broken.epoch(), broken.epoch()
    continued.load_state_dict(broken.state_dict())
    assert [continued.epoch(), continued.epoch()] == losses[2:]
    for one, other in zip(whole.model.parameters(), continued.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert continued.images_trained == whole.images_trained


def test_a_loss_that_is_not_finite_ends_it(digits: ImageData) -> None:
    with pytest.raises(DivergedError, match="epoch 1 of 2"):
        trained(digits, dataclasses.replace(RECIPE, learning_rate=1e30))


def test_mixed_precision_learns_too(digits: ImageData) -> None:
    _, losses = trained(digits, dataclasses.replace(RECIPE, epochs=4), precision="bf16")
    _, exact = trained(digits, dataclasses.replace(RECIPE, epochs=4))
    assert losses[-1] < losses[0] and losses[-1] == pytest.approx(exact[-1], rel=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("micro_batch", [None, 12])
def test_a_captured_graph_trains_like_eager_steps(digits: ImageData, micro_batch: int | None) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=6, crop=True, cutout=2)
    eager, losses = trained(digits, recipe, micro_batch, "cuda", graph=False)
    graph, same = trained(digits, recipe, micro_batch, "cuda")
    assert (eager.engine, graph.engine) == ("eager", "CUDA graph")
    assert same == pytest.approx(losses, rel=1e-3)
    assert graph.evaluate() == pytest.approx(eager.evaluate(), rel=1e-2)
