"""Batches: shifted, mirrored, blanked, normalised; each image on its own, the same chance the same batch."""

import dataclasses

import pytest
import torch

from evaluate.images.load import load_data
from evaluate.training.augment import Augmenter, Normaliser
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.recipe import Recipe
from space import Config

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


RESIZED = dataclasses.replace(PLAIN, crop_area=0.25)


def smooth(size: int, count: int = 512) -> torch.Tensor:
    """(count, 3, size, size): red says the column, green the row, blue is constant."""
    places = (torch.arange(size) * (240 // size)).to(torch.uint8)
    columns, rows = places.expand(size, size), places[:, None].expand(size, size)
    return torch.stack([columns, rows, torch.full_like(rows, 7)]).expand(count, -1, -1, -1).contiguous()


def resized(size: int = 24, recipe: Recipe = RESIZED, mirror: bool = True, seed: int = 0) -> torch.Tensor:
    """Crops in units of pixels of the image they are cut from, (512, 3, size, size)."""
    augmenter = Augmenter(smooth(size), AS_IT_IS, recipe, mirror)
    augmenter.draw(torch.Generator().manual_seed(seed))
    cut = augmenter.batch(torch.arange(512))
    assert cut.is_contiguous(memory_format=torch.channels_last)
    return cut / (240 // size)


def test_resized_crops_are_rectangles_of_the_image() -> None:
    cut = resized()
    inner = cut[:, :, 6:18, 6:18]  # the border is repeated at the edges of the image
    steps = inner[:, 0, :, 1:] - inner[:, 0, :, :-1], inner[:, 1, 1:] - inner[:, 1, :-1]
    widths, heights = (step.mean((1, 2)) for step in steps)
    for step, size in zip(steps, (widths, heights), strict=True):
        assert torch.allclose(step, size[:, None, None].expand_as(step), atol=1e-3)  # straight and even
    areas, aspects = widths * heights, widths / heights
    assert 0.24 < areas.min() < 0.28 and 0.95 < areas.max() < 1.001
    assert 0.6 < areas.mean() < 0.65  # uniform from 0.25 to 1
    assert 0.745 < aspects.min() < 0.8 and 1.25 < aspects.max() < 1.342
    assert widths.max() <= 1.001 and heights.max() <= 1.001
    lefts, rights = cut[:, 0, :, 0].mean(1), cut[:, 0, :, -1].mean(1)
    assert lefts.min() >= 0 and rights.max() <= 23 and lefts.std() > 1  # inside, and not all in one place
    assert torch.allclose(cut[:, 2], torch.full_like(cut[:, 2], 0.7))


def test_a_resized_crop_is_what_bilinear_scaling_gives() -> None:
    augmenter = Augmenter(smooth(24), AS_IT_IS, RESIZED)
    augmenter.halves[:, 0], augmenter.centres[:, 0] = torch.tensor([[0.5], [0.75]]), torch.tensor([[-0.5], [0.25]])
    got = augmenter.batch(torch.tensor([0]))
    box = smooth(24)[:1, :, 0:12, 6:24].float()  # rows -1 to 0, columns -0.5 to 1
    expected = torch.nn.functional.interpolate(box, (24, 24), mode="bilinear")
    # at the box's own edges a crop sees what lies beyond them, which scaling the box alone does not
    assert torch.allclose(got[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1], atol=1e-3)


def test_resized_crops_of_whole_images_are_the_images() -> None:
    augmenter = Augmenter(RAMP, AS_IT_IS, RESIZED)  # nothing drawn: the whole image
    assert torch.allclose(augmenter.batch(torch.arange(64)), RAMP.float(), atol=1e-4)


def test_resized_crops_are_mirrored_where_that_may_be() -> None:
    flip = dataclasses.replace(RESIZED, flip=True)
    plain, mirrored = resized(), resized(recipe=flip)
    backwards = mirrored[:, 0, 0, 0] > mirrored[:, 0, 0, -1]
    assert 200 < backwards.sum() < 312
    assert (plain[:, 0, 0, 0] < plain[:, 0, 0, -1]).all()
    never = resized(recipe=flip, mirror=False)
    assert (never[:, 0, 0, 0] < never[:, 0, 0, -1]).all()


def test_resized_crops_learn(tiny_configs: dict[str, Config]) -> None:
    """A real training: a network above chance on digits that it only ever saw cut."""
    recipe = dataclasses.replace(RESIZED, epochs=6, train_images=None, proxy_macs=None, learning_rate=0.2)
    score = train_proxy(tiny_configs["basic"], recipe, load_data("digits", 8), device="cpu")
    assert score.state == "complete" and score.top1 > 60
