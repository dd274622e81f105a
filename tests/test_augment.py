"""Batches: shifted, mirrored, blanked, normalised; each image on its own, the same chance the same batch."""

import dataclasses

import pytest
import torch

from evaluate.training.augment import Augmenter, Normaliser
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe

PLAIN = RECIPES["smoke"]
# every pixel says its column: column c is 10 * c
RAMP = (torch.arange(8, dtype=torch.uint8) * 10).expand(64, 3, 8, 8).contiguous()
AS_IT_IS = Normaliser(torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1))


def batch(recipe: Recipe, mirror: bool = True, seed: int = 0, normalise: Normaliser = AS_IT_IS) -> torch.Tensor:
    augmenter = Augmenter(RAMP, normalise, recipe, mirror)
    augmenter.draw(torch.Generator().manual_seed(seed))
    return augmenter.batch(torch.arange(64))


def test_without_augmentation_a_batch_is_its_images() -> None:
    chosen = torch.tensor([5, 3])
    images = torch.randint(0, 256, (8, 3, 4, 4), dtype=torch.uint8)
    got = Augmenter(images, AS_IT_IS, PLAIN).batch(chosen)
    assert torch.equal(got, images[chosen].float())
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_crops_shift_by_up_to_an_eighth_and_repeat_the_border() -> None:
    shifted = batch(dataclasses.replace(PLAIN, crop=True))
    assert set(shifted[:, 0, 4, 4].tolist()) == {30.0, 40.0, 50.0}
    rows = {tuple(row) for row in shifted[:, 0, 0].tolist()}
    assert rows == {(0, 0, 10, 20, 30, 40, 50, 60), tuple(range(0, 80, 10)), (10, 20, 30, 40, 50, 60, 70, 70)}
    assert shifted.is_contiguous(memory_format=torch.channels_last)


def test_crops_shift_down_too() -> None:
    augmenter = Augmenter(RAMP.transpose(2, 3).contiguous(), AS_IT_IS, dataclasses.replace(PLAIN, crop=True))
    augmenter.draw(torch.Generator().manual_seed(0))
    assert set(augmenter.batch(torch.arange(64))[:, 0, 4, 4].tolist()) == {30.0, 40.0, 50.0}


def test_flips_mirror_about_half_of_the_images() -> None:
    mirrored = batch(dataclasses.replace(PLAIN, flip=True))
    forwards, backwards = list(range(0, 80, 10)), list(range(70, -1, -10))
    rows = mirrored[:, 0, 0].tolist()
    assert {tuple(row) for row in rows} == {tuple(forwards), tuple(backwards)}
    assert 20 < rows.count(backwards) < 44


def test_data_that_may_not_be_mirrored_are_not() -> None:
    assert torch.equal(batch(dataclasses.replace(PLAIN, flip=True), mirror=False), RAMP.float())


@pytest.mark.parametrize("side", [1, 3, 4])
def test_cutout_blanks_a_square_that_may_lie_partly_outside(side: int) -> None:
    minus = Normaliser(torch.full((1, 3, 1, 1), -1.0), torch.ones(1, 3, 1, 1))  # so that no pixel is zero by itself
    blank = batch(dataclasses.replace(PLAIN, cutout=side), normalise=minus) == 0
    assert torch.equal(blank[:, 0], blank[:, 1]) and torch.equal(blank[:, 0], blank[:, 2])
    heights, widths = blank[:, 0].any(2).sum(1), blank[:, 0].any(1).sum(1)
    assert torch.equal(blank[:, 0].sum((1, 2)), heights * widths)  # one rectangle
    assert heights.max() == widths.max() == side and heights.min() >= 1
    assert len({tuple(one.flatten().tolist()) for one in blank[:, 0]}) > 20  # each image its own


def test_the_same_chance_gives_the_same_batch() -> None:
    everything = dataclasses.replace(PLAIN, flip=True, crop=True, cutout=2)
    assert torch.equal(batch(everything, seed=1), batch(everything, seed=1))
    assert not torch.equal(batch(everything, seed=1), batch(everything, seed=2))


def test_normaliser() -> None:
    pixels = torch.randint(0, 256, (32, 3, 8, 8), dtype=torch.uint8)
    out = Normaliser.of(pixels)(pixels)
    assert abs(float(out.mean())) < 1e-5 and float(out.std()) == pytest.approx(1, abs=1e-3)
    assert out.is_contiguous(memory_format=torch.channels_last)
    black = torch.zeros(4, 3, 2, 2, dtype=torch.uint8)
    assert torch.equal(Normaliser.of(black)(black), torch.zeros(4, 3, 2, 2))
