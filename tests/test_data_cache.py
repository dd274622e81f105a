"""The cache of decoded images: found again, safe against others and against damage, done without where it must be."""

import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evaluate.images.cache import cache_folder
from evaluate.images.load import ImageData, load_data, load_test

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, first in (("cat", 0), ("dog", 100)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(10):
            save(tmp_path / "pets" / name / f"{i}.bmp", first + i)
    return tmp_path / "pets"


def save(path: Path, value: int) -> None:
    Image.new("RGB", (8, 8), (value, 10, 20)).save(path)


def values(data: ImageData) -> list[int]:
    return sorted(torch.cat([data.train_images, data.val_images])[:, 0, 0, 0].tolist())


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.npy"))


def same(one: ImageData, other: ImageData) -> bool:
    return torch.equal(one.train_images, other.train_images) and torch.equal(one.val_images, other.val_images)


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("ARCHFRONTIER_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_folder() == tmp_path / "shared" / "archfrontier"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "archfrontier"


def test_images_are_decoded_once(folder: Path, cache: Path) -> None:
    first = load_data(folder, 8)
    assert [path.stat().st_mode & 0o700 for path in kept(cache)] == [0o600]
    before = (folder / "cat" / "0.bmp").stat()
    save(folder / "cat" / "0.bmp", 250)
    os.utime(folder / "cat" / "0.bmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert same(load_data(folder, 8), first)  # it was not read again: same path, size and time
    assert values(load_data(folder, 8, seed=1)) == values(first) and len(load_data(folder, 8, 0, 3).train_labels) == 3
    assert len(kept(cache)) == 1  # seeds and limits share it
    os.utime(folder / "cat" / "0.bmp", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    changed = load_data(folder, 8)
    assert values(changed) == sorted([*range(1, 10), *range(100, 110), 250])
    assert changed.key == first.key  # names and sizes are the same
    assert load_data(folder, 16).resolution == 16 and len(kept(cache)) == 3


def test_it_is_an_array_that_numpy_reads(folder: Path, cache: Path) -> None:
    load_data(folder, 8)
    array = np.load(kept(cache)[0], mmap_mode="r", allow_pickle=False)
    assert array.shape == (20, 3, 8, 8) and array[:, 0, 0, 0].tolist() == [*range(10), *range(100, 110)]


def test_changing_what_was_loaded_does_not_change_the_cache(folder: Path) -> None:
    (folder / "test" / "cat").mkdir(parents=True)
    save(folder / "test" / "cat" / "x.bmp", 7)
    data, test = load_data(folder, 8), load_test(folder, 8)
    data.train_images.zero_()
    test.images.zero_()
    assert values(load_data(folder, 8)) == [*range(10), *range(100, 110)]
    assert load_test(folder, 8).images[0, 0, 0, 0] == 7


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1000] ^= 1
    path.write_bytes(raw)


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def another_shape(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"(20, 3, 8, 8)", b"(20, 8, 8, 3)"))


@pytest.mark.parametrize("damage", [flip, shorten, lengthen, empty, another_shape, Path.unlink])
def test_damage_is_noticed_and_mended(folder: Path, cache: Path, damage: Callable[[Path], None]) -> None:
    first = load_data(folder, 8)
    (file,) = kept(cache)
    whole = file.read_bytes()
    damage(file)
    assert same(load_data(folder, 8), first)
    assert file.read_bytes() == whole and not list(cache.glob("*.part"))


def test_without_a_folder_that_can_be_written_it_goes_on(folder: Path, cache: Path) -> None:
    first = load_data(folder, 8)
    for path in cache.iterdir():
        path.unlink()
    cache.rmdir()
    cache.write_text("a file, no folder")
    with pytest.warns(UserWarning, match=r"cache of decoded images \(.*cache\) cannot be used: .*ARCHFRONTIER_CACHE"):
        assert same(load_data(folder, 8), first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(load_data(folder, 8), first)  # said once


def test_a_full_disk_leaves_nothing_behind(folder: Path, cache: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.warns(UserWarning, match=r"cannot be used: File too large; images are decoded in every run"):
            data = load_data(folder, 8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert values(data) == [*range(10), *range(100, 110)] and list(cache.iterdir()) == []


def test_a_broken_image_leaves_nothing_behind(folder: Path, cache: Path) -> None:
    (folder / "dog" / "9.bmp").write_bytes(b"BM")
    with pytest.raises(ValueError, match=r"dog/9\.bmp cannot be decoded"):
        load_data(folder, 8)
    assert list(cache.iterdir()) == []


def test_what_a_killed_process_left_goes_away(folder: Path, cache: Path) -> None:
    cache.mkdir()
    old, new = cache / "a-1.part", cache / "b-2.part"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 10**6,) * 2)
    load_data(folder, 8)
    assert not old.exists() and new.exists()


CODE = """
import sys, time
from pathlib import Path
import torch
from evaluate.images.load import load_data
place, number = Path(sys.argv[1]), sys.argv[2]
(place / f"ready{number}").touch()
while not (place / "go").exists():
    time.sleep(0.001)
data = load_data(place / "pets", 8)
torch.save([data.train_images, data.val_images], place / f"out{number}.pt")
"""


def test_two_processes_at_once(folder: Path, cache: Path, tmp_path: Path) -> None:
    for i in range(10, 700):
        save(folder / "cat" / f"{i}.bmp", i % 250)
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen([*command, str(n)], cwd=ROOT, stderr=subprocess.PIPE, text=True, env=env) for n in range(2)
    ]
    while not all((tmp_path / f"ready{n}").exists() for n in range(2)):
        assert all(process.poll() is None for process in both)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    for process in both:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0 and "Warning" not in error, error
    one, other = (torch.load(tmp_path / f"out{n}.pt") for n in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert len(kept(cache)) == 1 and not list(cache.glob("*.part"))
    again = load_data(folder, 8)
    assert torch.equal(again.train_images, one[0]) and torch.equal(again.val_images, one[1])
