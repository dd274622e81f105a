"""Image sets: digits embedded, folders of parquet made here, and everything that may be wrong with a folder."""

import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from evaluate.images.load import ImageData, load_data, load_test, stratified_split
from evaluate.images.parquet import split_files


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path_factory.mktemp("cache")))


def png(value: int, size: tuple[int, int] = (8, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (value, 10, 20)).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, columns: dict[str, list[Any]], features: datasets.Features | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(columns, features).to_parquet(str(path))


def images(n: int, offset: int = 0, size: tuple[int, int] = (8, 8)) -> list[dict[str, Any]]:
    return [{"bytes": png((i + offset) % 250, size), "path": f"{i}.png"} for i in range(n)]


def test_digits() -> None:
    data = load_data("digits", 8)
    assert (data.name, data.classes, data.resolution) == ("digits", 10, 8)
    assert data.train_images.dtype == torch.uint8 and data.train_images.shape[1:] == (3, 8, 8)
    assert len(data.train_labels) + len(data.val_labels) == 1797
    assert abs(len(data.val_labels) - 0.2 * 1797) < 5
    assert int(data.train_images.max()) == 255
    counts = torch.bincount(data.val_labels)
    assert counts.min() >= 34 and counts.max() <= 37  # stratified
    joined = torch.cat([data.train_images, data.val_images])[:, 0].double().flatten(1)
    from sklearn.datasets import load_digits

    assert joined.sum() == pytest.approx(load_digits().images.sum() * 255 / 16, rel=1e-3)  # none lost, none twice


def test_the_seed_decides_what_is_held_out() -> None:
    one, same, other = (load_data("digits", 8, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.val_images, same.val_images) and torch.equal(one.train_images, same.train_images)
    assert not torch.equal(one.val_images, other.val_images)


def test_resolution_and_limit() -> None:
    data = load_data("digits", 16, train_images=100)
    assert data.train_images.shape == (100, 3, 16, 16)
    assert data.val_images.shape[2:] == (16, 16)
    assert len(set(data.train_labels.tolist())) == 10  # a prefix is a fair sample
    with pytest.raises(ValueError, match="resolution"):
        load_data("digits", 0)


def test_split_takes_one_of_each_class_and_leaves_single_images() -> None:
    labels = torch.tensor([0] * 20 + [1] * 3 + [2])
    train, val = stratified_split(labels, 3, 0.1, 0)
    assert sorted(labels[val].tolist()) == [0, 0, 1]
    assert sorted(train.tolist() + val.tolist()) == list(range(24))


@pytest.mark.parametrize("image, label", [("img", "label"), ("image", "fine_label"), ("picture", "labels")])
@pytest.mark.parametrize("metadata", [True, False])
def test_parquet_folder(tmp_path: Path, image: str, label: str, metadata: bool) -> None:
    features = None
    if metadata:
        names = datasets.ClassLabel(names=["cat", "dog"])
        features = datasets.Features({image: datasets.Image(), label: names, "coarse_label": datasets.Value("int64")})
    folder = tmp_path / "pets [1]"  # brackets are a pattern to glob
    for part in range(2):
        rows: dict[str, list[Any]] = {
            image: images(20, 20 * part),
            label: [i % 2 for i in range(20)],
            "coarse_label": [7] * 20,
        }
        write(folder / f"train-0000{part}-of-00002.parquet", rows, features)
    write(folder / "test-00000-of-00001.parquet", {image: images(5), label: [0] * 5, "coarse_label": [7] * 5}, features)
    data = load_data(str(folder), 8)
    assert data.name == "pets [1]" and data.classes == 2
    assert data.class_names == (("cat", "dog") if metadata else ("0", "1"))
    assert len(data.train_labels) == 36 and len(data.val_labels) == 4
    pixels = torch.cat([data.train_images, data.val_images])
    labels = torch.cat([data.train_labels, data.val_labels])
    assert sorted(pixels[:, 0, 0, 0].tolist()) == list(range(40))
    assert torch.equal(pixels[:, 0, 3, 3].long() % 2, labels)  # images kept their labels
    assert pixels[0, 1:, 0, 0].tolist() == [10, 20]
    assert not list(folder.glob("*.lock"))


def test_wide_images_are_cut_to_a_square_and_numbers_of_labels_may_have_gaps(tmp_path: Path) -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    buffer = io.BytesIO()
    Image.fromarray(wide).save(buffer, "PNG")
    rows = [{"bytes": buffer.getvalue(), "path": None}] * 6
    write(tmp_path / "pictures.parquet", {"image": rows, "label": [5, 9, 5, 9, 5, 9]})
    data = load_data(tmp_path, 10)
    assert set(data.train_images.flatten().tolist()) == {200}
    assert data.class_names == ("5", "9") and set(data.train_labels.tolist()) == {0, 1}


@pytest.mark.parametrize(
    "names, expected",
    [
        (["train.parquet", "test.parquet"], ["train.parquet"]),
        (["a.parquet", "b.parquet"], ["a.parquet", "b.parquet"]),
        (["a.parquet", "validation-0.parquet"], ["a.parquet"]),
        (["default/train/0000.parquet", "default/test/0000.parquet"], ["default/train/0000.parquet"]),
        (["data/train-0.parquet", "data/test-0.parquet", "x.parquet"], ["data/train-0.parquet"]),
    ],
)
def test_only_train_files_are_used(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    files = split_files(tmp_path, [tmp_path / name for name in sorted(names)])
    assert [str(path.relative_to(tmp_path)) for path in files] == expected


def make_missing(_: Path) -> None: ...


def make_empty(folder: Path) -> None:
    folder.mkdir()


def make_file(folder: Path) -> None:
    folder.write_text("x")


def make_test_only(folder: Path) -> None:
    write(folder / "test.parquet", {"image": images(4), "label": [0, 1, 0, 1]})


def make_damaged(folder: Path) -> None:
    folder.mkdir()
    (folder / "train.parquet").write_bytes(b"PAR1 this is not parquet PAR1")


def make_damaged_inside(folder: Path) -> None:
    write(folder / "train.parquet", {"image": images(400), "label": [0, 1] * 200})
    raw = bytearray((folder / "train.parquet").read_bytes())
    raw[4:2000] = bytes(1996)
    (folder / "train.parquet").write_bytes(raw)


def make_no_rows(folder: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    write(folder / "train.parquet", {"image": [], "label": []}, features)


def make_no_image(folder: Path) -> None:
    write(folder / "train.parquet", {"text": ["a", "b"], "label": [0, 1]})


def make_no_label(folder: Path) -> None:
    write(folder / "train.parquet", {"image": images(4), "caption": ["a"] * 4})


def make_one_class(folder: Path) -> None:
    write(folder / "train.parquet", {"image": images(4), "label": [3] * 4})


def make_missing_label(folder: Path) -> None:
    write(folder / "train.parquet", {"image": images(4), "label": [0, 1, None, 1]})


def make_broken_image(folder: Path) -> None:
    rows = [*images(7), {"bytes": png(1)[:40], "path": "secret/broken.png"}]
    write(folder / "train.parquet", {"image": rows, "label": [0, 1] * 4})


def make_image_without_bytes(folder: Path) -> None:
    write(folder / "train.parquet", {"image": [*images(7), {"bytes": None, "path": "x.png"}], "label": [0, 1] * 4})


def make_all_single(folder: Path) -> None:
    write(folder / "train.parquet", {"image": images(3), "label": [0, 1, 2]})


@pytest.mark.parametrize(
    "make, message",
    [
        (make_missing, "no such folder"),
        (make_file, "is a file"),
        (make_empty, "holds no .parquet"),
        (make_test_only, "no training split"),
        (make_damaged, r"train\.parquet is no readable parquet"),
        (make_damaged_inside, "damaged"),
        (make_no_rows, "holds no rows"),
        (make_no_image, "no image column.*text, label"),
        (make_no_label, "labels.*image, caption"),
        (make_one_class, "one class only"),
        (make_missing_label, r"label of row 2 of train\.parquet is missing"),
        (make_broken_image, r"image of row 7 of train\.parquet \(broken\.png\) cannot be decoded"),
        (make_image_without_bytes, r"image of row 7 of train\.parquet \(x\.png\) cannot be decoded: it holds no bytes"),
        (make_all_single, "held out"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, make: Any, message: str) -> None:
    folder = tmp_path / "set"
    make(folder)
    with pytest.raises(ValueError, match=message) as caught:
        load_data(folder, 8)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_to_a_device() -> None:
    data = load_data("digits", 8, train_images=10)
    moved = data.to("meta")
    assert isinstance(moved, ImageData) and moved.train_images.device.type == moved.val_labels.device.type == "meta"
    assert moved.classes == 10


def test_digits_have_no_test_split_and_no_mirror_image() -> None:
    with pytest.raises(ValueError, match="digits has no test split"):
        load_test("digits", 8)
    data, larger = load_data("digits", 8), load_data("digits", 16, seed=2, train_images=50)
    assert not data.mirror and data.origin and len(data.key) == 64 and data.key == larger.key
    with pytest.raises(ValueError, match="1 image to train on"):
        load_data("digits", 8, train_images=1)


CLASSES = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})


def rows(n: int, offset: int = 0) -> dict[str, list[Any]]:
    return {"image": images(n, offset), "label": [(i + offset) % 2 for i in range(n)]}


def test_the_key_is_of_the_content_alone(tmp_path: Path) -> None:
    write(tmp_path / "one" / "train.parquet", rows(40), CLASSES)
    for part in range(4):
        write(tmp_path / "other" / "data" / f"train-{part}-of-4.parquet", rows(10, 10 * part), CLASSES)
    one, other = load_data(tmp_path / "one", 8), load_data(tmp_path / "other", 4, seed=1)
    assert one.key == other.key and len(one.key) == 64
    assert load_data(tmp_path / "one", 8).key == one.key  # remembered
    swapped = rows(40)
    swapped["label"][:2] = swapped["label"][1::-1]
    write(tmp_path / "one" / "train.parquet", swapped, CLASSES)
    assert load_data(tmp_path / "one", 8).key != one.key
    assert one.mirror and one.origin == "parquet: train.parquet, image column image, label column label (guessed)"
    assert other.origin.startswith("parquet: 4 files from data/train-0-of-4.parquet to data/train-3-of-4.parquet, ")


def test_a_missing_image_in_a_later_file_is_named_by_its_own_row(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", rows(10), CLASSES)
    broken = rows(10)
    broken["image"][4]["bytes"] = b"x"
    write(tmp_path / "train-1.parquet", broken, CLASSES)
    with pytest.raises(ValueError, match=r"image of row 4 of train-1\.parquet \(4\.png\) cannot be decoded"):
        load_data(tmp_path, 8)
    broken["label"] = [0, 1, 0, None, *[1] * 6]
    write(tmp_path / "train-1.parquet", broken, CLASSES)
    with pytest.raises(ValueError, match=r"label of row 3 of train-1\.parquet is missing"):
        load_data(tmp_path, 8)


def test_files_that_are_not_one_table(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", rows(10), CLASSES)
    other = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["dog", "cat"])})
    write(tmp_path / "train-1.parquet", rows(10), other)
    with pytest.raises(ValueError, match=r"columns or classes of train-1\.parquet differ from train-0\.parquet"):
        load_data(tmp_path, 8)


def test_columns_and_split_can_be_chosen(tmp_path: Path) -> None:
    columns = rows(20) | {"mask": images(20, 100), "kind": ["b", "a"] * 10, "weight": [0.5] * 20}
    write(tmp_path / "train.parquet", columns)
    write(tmp_path / "extra-0-of-1.parquet", columns)
    data = load_data(f"{tmp_path}?image=mask&label=kind&split=extra", 8)
    assert data.origin == "parquet: extra-0-of-1.parquet, image column mask, label column kind"
    assert data.class_names == ("a", "b") and int(data.train_images[:, 0].min()) >= 100
    for option, message in (
        ("image=x", "has no column x: its columns are image, label, mask, kind, weight"),
        ("image=kind", "column kind holds no images, but image, mask may"),
        ("label=weight", "column weight holds no classes"),
        ("split=dev", "has no split dev: its files are extra, train"),
    ):
        with pytest.raises(ValueError, match=message):
            load_data(f"{tmp_path}?{option}", 8)


def test_the_split_for_the_final_evaluation(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", rows(20), CLASSES)
    with pytest.raises(ValueError, match="has no test and no validation split"):
        load_test(tmp_path, 8)
    write(tmp_path / "validation.parquet", rows(4, 60), CLASSES)
    assert load_test(tmp_path, 8).images[:, 0, 0, 0].tolist() == [60, 61, 62, 63]
    turned = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["dog", "cat"])})
    write(tmp_path / "test.parquet", rows(6, 30), turned)
    test = load_test(tmp_path, 8)
    assert test.images[:, 0, 0, 0].tolist() == [*range(30, 36)] and test.images.dtype == torch.uint8
    assert test.labels.tolist() == [1, 0] * 3 and test.class_names == ("cat", "dog")  # numbered as in training
    write(tmp_path / "test.parquet", rows(6) | {"label": [-1] * 6}, CLASSES)
    assert len(load_test(tmp_path, 8).labels) == 4  # no labels: passed over
    (tmp_path / "validation.parquet").unlink()
    with pytest.raises(ValueError, match=r"images of test\.parquet have no labels"):
        load_test(tmp_path, 8)
    write(tmp_path / "test.parquet", {"image": images(3), "label": [0, 1, 7]})
    with pytest.raises(ValueError, match=r"class 0 of the images to evaluate on .* is none of the 2 classes"):
        load_test(tmp_path, 8)


def test_gaps_in_numbers_of_labels_are_the_same_in_test(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", {"image": images(6), "label": [5, 9, 7, 5, 9, 7]})
    write(tmp_path / "test.parquet", {"image": images(2), "label": [9, 7]})
    assert load_test(tmp_path, 8).labels.tolist() == [2, 1]
