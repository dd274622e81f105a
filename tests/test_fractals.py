"""Images that a program makes: the same everywhere, independent splits, and a task that can be learned."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fractals as benchmark
from docs.fractals_picture import picture
from evaluate.images import cache
from evaluate.images.embedded import FRACTALS_HELD_OUT, FRACTALS_TEST, FRACTALS_TRAIN, Fractals
from evaluate.images.fractals import CHUNK, Design, labels, pixels
from evaluate.images.load import load_data, load_test
from evaluate.training.presets import RECIPES

DESIGN = Design(classes=5)


def made(design: Design = DESIGN, split: str = "train", count: int = 120, resolution: int = 16) -> np.ndarray:
    return np.concatenate(list(pixels(design, split, count, resolution)))


@pytest.mark.parametrize(
    ("resolution", "digest"),
    [
        (8, "75fe0d3fe79b07dd"),
        (16, "c5eebc5847785ea5"),
        (33, "21645945a9978c3e"),
    ],
)
def test_the_same_on_every_machine(resolution: int, digest: str) -> None:
    found = hashlib.sha256(made(resolution=resolution).tobytes() + labels(DESIGN, "train", 120).tobytes())
    assert found.hexdigest()[:16] == digest


def test_an_image_does_not_depend_on_how_many_there_are() -> None:
    many = made(count=2 * CHUNK + 30)
    assert many.shape == (2 * CHUNK + 30, 3, 16, 16)
    assert (made(count=37) == many[:37]).all() and (made(count=CHUNK + 1) == many[: CHUNK + 1]).all()
    assert (labels(DESIGN, "train", 37) == labels(DESIGN, "train", 400)[:37]).all()


def test_no_image_is_twice_in_a_split_or_in_two() -> None:
    splits = [made(split=split, count=300) for split in ("train", "held out", "test")]
    everything = np.concatenate(splits).reshape(900, -1)
    assert len(np.unique(everything, axis=0)) == 900
    other = made(dataclasses.replace(DESIGN, seed=1), count=300)
    assert not (other == splits[0]).reshape(300, -1).all(1).any()


@pytest.mark.parametrize("classes", [2, 10, 130])
def test_every_beginning_has_as_many_of_each_class_as_can_be(classes: int) -> None:
    design = dataclasses.replace(DESIGN, classes=classes)
    block = classes * -(-CHUNK // classes)
    found = labels(design, "train", 3 * block)
    assert (np.bincount(found[: 2 * block]) == 2 * block // classes).all()
    assert (found[:block] != found[block : 2 * block]).any()


def test_a_figure_keeps_its_place_at_another_resolution() -> None:
    small, large = made(count=40, resolution=16).astype(float), made(count=40, resolution=32).astype(float)
    halved = large.reshape(40, 3, 16, 2, 16, 2).mean((3, 5))
    same = np.abs(halved - small).mean((1, 2, 3))
    other = np.abs(halved - np.roll(small, 1, 0)).mean((1, 2, 3))
    assert (same < 0.5 * other).mean() > 0.9


def test_statistics_are_like_those_of_photographs() -> None:
    images = made(Design(), count=2000) / 255  # CIFAR-10: mean 0.49 0.48 0.45, deviation 0.25 0.24 0.26
    assert np.abs(images.mean((0, 2, 3)) - 0.48).max() < 0.1
    assert np.abs(images.std((0, 2, 3)) - 0.25).max() < 0.1


def test_a_class_is_known_by_its_shape_and_not_by_its_colour_or_place() -> None:
    design = Design(classes=4)
    train, val = made(design, count=1200).astype(float), made(design, "held out", 400).astype(float)
    answers, truth = labels(design, "train", 1200), labels(design, "held out", 400)

    def nearest(of_train: np.ndarray, of_val: np.ndarray) -> float:
        away = (of_val**2).sum(1)[:, None] - 2 * of_val @ of_train.T + (of_train**2).sum(1)
        return float((answers[away.argmin(1)] == truth).mean())

    colours = nearest(train.mean((2, 3)), val.mean((2, 3)))
    shapes = []
    for images in (train, val):
        grey = images.mean(1)
        shapes.append(np.abs(grey - np.median(grey, (1, 2))[:, None, None]).reshape(len(grey), -1))
        shapes[-1] /= np.linalg.norm(shapes[-1], axis=1, keepdims=True)
    assert colours < 0.35 and nearest(*shapes) > 0.6  # of four classes guessing finds 0.25


def test_as_data() -> None:
    data = load_data("fractals", 8)
    assert (len(data.train_labels), len(data.val_labels)) == (FRACTALS_TRAIN, FRACTALS_HELD_OUT)
    assert (data.name, data.classes, data.mirror, data.resolution) == ("fractals", Design().classes, True, 8)
    few = load_data("fractals", 8, seed=5, train_images=50)
    assert (few.train_images == data.train_images[:50]).all() and few.key == data.key
    assert (few.val_images == data.val_images).all()
    chosen = load_data("fractals?images=60&classes=12&seed=3", 16)
    assert chosen.train_images.shape == (60, 3, 16, 16) and chosen.classes == len(chosen.class_names) == 12
    assert chosen.key != data.key and chosen.origin == "fractals of 12 classes, made from seed 3"


def test_the_test_split_is_one_of_its_own() -> None:
    test, data = load_test("fractals", 8), load_data("fractals", 8, train_images=500)
    assert len(test.labels) == FRACTALS_TEST and test.key != data.key
    assert not (test.images[:500] == data.train_images).flatten(1).all(1).any()


def test_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path))
    first = load_data("fractals", 8, train_images=100)
    files = sorted(tmp_path.glob("*.npy"))
    assert len(files) == 2
    monkeypatch.setattr("evaluate.images.embedded.pixels", lambda *arguments: pytest.fail("made again"))
    assert (load_data("fractals", 8, train_images=100).train_images == first.train_images).all()
    monkeypatch.undo()
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path))
    for file in files:
        file.write_bytes(file.read_bytes()[:-9])  # damaged: made anew
    assert (load_data("fractals", 8, train_images=100).train_images == first.train_images).all()


def test_without_a_cache_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path / "file"))
    cache._warn_once.cache_clear()
    with pytest.warns(UserWarning, match="the cache of decoded images"):
        data = load_data("fractals", 8, train_images=100)
    assert (data.train_images.numpy() == made(Design(), count=100, resolution=8)).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fractals?images=1", "images=1: expected a whole number from 2 to 10000000"),
        ("fractals?images=many", "images=many: expected a whole number"),
        ("fractals?classes=-3", "classes=-3: expected a whole number from 2 to 10000"),
        ("fractals?split=train", "unknown option 'split': expected images, classes, seed"),
        ("fractals?", "nothing stands behind the question mark"),
    ],
)
def test_impossible_options(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_data(spec, 8)


def test_designs_are_compared_and_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = benchmark.Candidate(
        Fractals(Design(classes=3), 200), dataclasses.replace(RECIPES["smoke"], train_images=200)
    )
    monkeypatch.setattr(benchmark, "CANDIDATES", {"quick": quick})
    words = ["--out", str(tmp_path), "--networks", "resnet18", "wrn18_1.5"]
    assert benchmark.main(words) == 0
    assert "1/2  ResNet-18" in capsys.readouterr().out
    table = (tmp_path / "fractals.txt").read_text()
    assert table.startswith("set few: cpu") and "\nquick             2      1" in table
    assert benchmark.main(words) == 0
    assert "1/2  ResNet-18" not in capsys.readouterr().out and (tmp_path / "fractals.txt").read_text() == table


def test_what_designs_are_judged_on() -> None:
    few, regnets = benchmark.networks_of("few"), benchmark.networks_of("regnet")
    assert {each.name for each in few} == set(benchmark.FEW)
    assert {each.family for each in regnets} == {"regnetx", "regnety"} and len(regnets) == 22
    assert not {each.name for each in regnets} & {each.name for each in benchmark.networks_of("imagenet")}


def test_the_picture_has_a_row_for_each_class() -> None:
    image = picture(Design(classes=3))
    assert image.size == (2 * 8 * 64 + 8, 3 * 64) and len(image.getcolors()) > 100
