"""Folders of images: what is read of them, and everything that may be wrong with one."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from evaluate.images.load import load_data, load_test


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path_factory.mktemp("cache")))


def save(path: Path, value: int = 0, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 10, 20)).save(path)


def fill(
    folder: Path, names: tuple[str, ...] = ("cat", "dog"), each: int = 6, end: str = "png", start: int = 0
) -> None:
    for number, name in enumerate(names):
        for i in range(each):
            save(folder / name / f"{i}.{end}", start + number * 100 + i)


def test_folder_of_images(tmp_path: Path) -> None:
    fill(tmp_path / "train", ("dog", "cat"), each=10)
    for i in range(10):
        save(tmp_path / "train" / "cat" / "deep" / "er" / f"{i}.PNG", 120 + i)
    fill(tmp_path / "val", ("dog", "cat"), each=3, start=50)
    for stray in (
        "train/Thumbs.db",
        "train/cat/.DS_Store",
        "train/cat/._0.png",
        "README.md",
        "train/__MACOSX/cat/0.png",
    ):
        (tmp_path / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stray).write_bytes(b"stray")
    data = load_data(tmp_path, 8)
    assert data.class_names == ("cat", "dog") and data.mirror
    assert data.origin == "image folder: split train (guessed), 2 class folders"
    assert (len(data.train_labels), len(data.val_labels)) == (27, 3)
    pixels = torch.cat([data.train_images, data.val_images])[:, 0, 4, 4].tolist()
    labels = torch.cat([data.train_labels, data.val_labels]).tolist()
    assert sorted(zip(pixels, labels, strict=True)) == sorted(
        [(value, 1) for value in range(10)] + [(100 + i, 0) for i in range(10)] + [(120 + i, 0) for i in range(10)]
    )
    test = load_test(tmp_path, 8)
    assert test.origin == "image folder: split val (guessed), 2 class folders"
    assert test.images[:, 0, 0, 0].tolist() == [150, 151, 152, 50, 51, 52] and test.labels.tolist() == [0] * 3 + [1] * 3


def test_classes_directly_in_the_folder_and_test_before_val(tmp_path: Path) -> None:
    fill(tmp_path, ("a", "b"), end="jpg")
    with pytest.raises(ValueError, match="no folder test or val: nothing to evaluate on"):
        load_test(tmp_path, 8)
    fill(tmp_path / "val", ("a", "b"), each=1)
    fill(tmp_path / "Test", ("b",), each=2)
    data = load_data(tmp_path, 8)
    assert data.class_names == ("a", "b") and len(data.train_labels) + len(data.val_labels) == 12
    test = load_test(tmp_path, 8)
    assert test.labels.tolist() == [1, 1] and test.class_names == ("a", "b")  # numbered as in training
    assert test.to("meta").images.device.type == "meta"


def test_a_split_can_be_chosen(tmp_path: Path) -> None:
    fill(tmp_path / "train", ("a", "b"))
    fill(tmp_path / "small", ("a", "b"), each=2)
    fill(tmp_path / "test", ("a", "b"), each=2)
    data = load_data(f"{tmp_path}?split=small", 8)
    assert len(data.train_labels) == 2 and data.origin == "image folder: split small, 2 class folders"
    assert len(load_test(f"{tmp_path}?split=small", 8).labels) == 4
    with pytest.raises(ValueError, match=r"has no split big: its folders with images are small, test, train"):
        load_data(f"{tmp_path}?split=big", 8)
    with pytest.raises(ValueError, match=r"no label to choose: expected \?split= only"):
        load_data(f"{tmp_path}?label=x", 8)
    with pytest.raises(ValueError, match="no folder test or val"):  # what was trained on is not evaluated on
        load_test(f"{tmp_path}?split=test", 8)


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    fill(tmp_path / "store")
    train = tmp_path / "set" / "train"
    train.mkdir(parents=True)
    (train / "cat").symlink_to(tmp_path / "store" / "cat")
    (train / "dog").symlink_to(tmp_path / "store" / "dog")
    (tmp_path / "store" / "cat" / "back").symlink_to(tmp_path / "store" / "cat")
    (train / "dog" / "up").symlink_to(tmp_path / "store")
    data = load_data(tmp_path / "set", 8)
    assert len(data.train_labels) + len(data.val_labels) == 12


def test_the_key_of_a_folder_is_of_names_and_sizes(tmp_path: Path) -> None:
    for place in ("one", "two/train"):
        fill(tmp_path / place, end="bmp")
    one, two = load_data(tmp_path / "one", 8), load_data(tmp_path / "two", 16, seed=5)
    assert one.key == two.key and len(one.key) == 64
    save(tmp_path / "one" / "cat" / "more.bmp")
    assert load_data(tmp_path / "one", 8).key != two.key


def without_class(folder: Path) -> None:
    fill(folder / "train")
    save(folder / "train" / "lost.png")


def empty_class(folder: Path) -> None:
    fill(folder / "train")
    (folder / "train" / "eel").mkdir()


def class_of_texts(folder: Path) -> None:
    fill(folder)
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("x")


def flat(folder: Path) -> None:
    save(folder / "1.png")


def broken_link(folder: Path) -> None:
    fill(folder)
    (folder / "cat" / "gone.png").symlink_to(folder / "nowhere.png")


def zero_bytes(folder: Path) -> None:
    fill(folder)
    (folder / "cat" / "zero.jpg").touch()


def text(folder: Path) -> None:
    fill(folder)
    (folder / "cat" / "text.jpg").write_text("<html>404</html>")


def truncated(folder: Path) -> None:
    fill(folder)
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(buffer, "JPEG")
    (folder / "cat" / "half.jpg").write_bytes(buffer.getvalue()[:1500])


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def large_bomb(folder: Path) -> None:
    fill(folder)
    (folder / "cat" / "bomb.png").write_bytes(bomb(60_000))


def small_bomb(folder: Path) -> None:
    fill(folder)
    (folder / "cat" / "bomb.png").write_bytes(bomb(10_000))


def only_test(folder: Path) -> None:
    fill(folder / "test")
    fill(folder / "val")


def one_each(folder: Path) -> None:
    fill(folder, each=1)


@pytest.mark.parametrize(
    "make, message",
    [
        (without_class, "image train/lost.png lies in no class folder, so it has no label"),
        (empty_class, "class folder train/eel holds no images"),
        (class_of_texts, "class folder notes holds no images"),
        (flat, "image 1.png lies in no class folder"),
        (lambda folder: fill(folder, ("cat",)), "has one class only (cat): expected two or more"),
        (lambda folder: fill(folder / "x" / "train"), "has one class only (x)"),
        (only_test, "holds no training split, only test, val"),
        (one_each, "no class has two images"),
        (broken_link, "cat/gone.png cannot be read: No such file or directory"),
        (zero_bytes, "cat/zero.jpg cannot be decoded: it holds no bytes"),
        (text, "cat/text.jpg cannot be decoded: it is none of JPEG, PNG"),
        (truncated, "cat/half.jpg cannot be decoded: image file is truncated"),
        (large_bomb, "cat/bomb.png cannot be decoded: Image size (3600000000 pixels)"),
        (small_bomb, "cat/bomb.png cannot be decoded: Image size (100000000 pixels)"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    folder = tmp_path / "set"
    make(folder)
    with pytest.raises(ValueError) as caught:
        load_data(folder, 8)
    assert message in str(caught.value) and str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_few_to_train_on(tmp_path: Path) -> None:
    fill(tmp_path, each=2)
    (tmp_path / "cat" / "0.png").unlink()
    assert len(load_data(tmp_path, 8).train_labels) == 2
    with pytest.raises(ValueError, match="has 1 image to train on, 1 held out"):
        load_data(tmp_path, 8, train_images=1)


def test_classes_that_training_does_not_know(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", ("cat", "eel"))
    with pytest.raises(
        ValueError, match=r"class eel of the images to evaluate on .*split test.* none of the 2 classes"
    ):
        load_test(tmp_path, 8)
