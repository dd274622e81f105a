"""Broken images: all are found, the first ten are named, and --skip-broken goes on without them and records it."""

import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from evaluate.__main__ import main as evaluate
from evaluate.images.load import ImageData, load_data, load_test
from evaluate.images.sources import parse_spec, without_broken
from results import load_run
from search.__main__ import main as search

SMOKE = ["--recipe", "smoke", "--device", "cpu", "--data"]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path_factory.mktemp("cache")))
    return Path(os.environ["ARCHFRONTIER_CACHE"])


def fill(folder: Path, count: int = 60) -> None:
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (8, 8), (number * 100 + i, 0, 0)).save(folder / name / f"{i:02}.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with twelve broken images of several kinds in each split."""
    for split in ("train", "test"):
        fill(tmp_path / "set" / split)
        cats = tmp_path / "set" / split / "cat"
        for i in range(8):
            (cats / f"{i:02}.png").write_bytes(b"text")
        (cats / "08.png").write_bytes(b"")
        (cats / "09.png").write_bytes((cats / "20.png").read_bytes()[:45])
        (cats / "10.png").unlink()
        (cats / "10.png").symlink_to("gone.png")
        (cats / "11.png").unlink()
        os.mkfifo(cats / "11.png")
    return tmp_path / "set"


def reds(data: ImageData) -> list[tuple[int, int]]:
    """(red, label) of every image, sorted: the colour tells which image it is."""
    pixels = torch.cat([data.train_images, data.val_images])[:, 0, 0, 0].tolist()
    return sorted(zip(pixels, torch.cat([data.train_labels, data.val_labels]).tolist(), strict=True))


WHOLE = [(i, 0) for i in range(12, 60)] + [(100 + i, 1) for i in range(60)]


def test_all_are_counted_and_ten_are_named(folder: Path, cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"data .*set: 12 of 120 images are broken: image ") as caught:
            load_data(folder, 8)
        text = str(caught.value)
        assert text.count("/train/cat/") == 10 and "and 2 more; --skip-broken goes on without" in text
        assert (
            "00.png cannot be decoded: it is none of JPEG" in text and "08.png cannot be decoded: it holds no" in text
        )
        assert "/test/" not in text and "\n" not in text
    assert not list(cache.glob("*.npy"))


def test_without_them_labels_and_pixels_still_fit(folder: Path, cache: Path) -> None:
    spec = without_broken(str(folder))
    first = load_data(spec, 8)
    assert reds(first) == WHOLE
    assert len(first.broken) == 12 and first.origin.endswith("2 class folders; 12 broken images left out")
    assert "10.png cannot be read: No such file" in first.broken[10] and "it is a pipe" in first.broken[11]
    stored = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    again = load_data(spec, 8)
    assert (again.key, again.broken) == (first.key, first.broken) and torch.equal(again.val_images, first.val_images)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == stored
    (listed,) = cache.glob("*.broken")
    for damage in (b"", b"[[500, 1]]", b"7", None):
        listed.write_bytes(damage) if damage is not None else listed.unlink()
        assert reds(load_data(spec, 8)) == WHOLE
    test = load_test(spec, 8)
    assert test.origin.endswith("12 broken images left out")
    assert test.images[:, 0, 0, 0].tolist() == [red for red, _ in WHOLE]
    with pytest.raises(ValueError, match="12 of 120 images are broken"):  # what was skipped once is not hidden
        load_data(folder, 8)


def test_a_cache_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", "/dev/null/no")
    with pytest.warns(UserWarning, match="cannot be used"):
        assert reds(load_data(without_broken(str(folder)), 8)) == WHOLE


def test_a_folder_that_is_whole_is_the_same_data(tmp_path: Path) -> None:
    fill(tmp_path / "set", 20)
    plain, skipped = load_data(tmp_path / "set", 8), load_data(f"{tmp_path / 'set'}?broken=skip", 8)
    assert plain.key == skipped.key and plain.origin == skipped.origin and not skipped.broken
    assert plain.broken_json() == {}


def test_rows_of_a_table(tmp_path: Path) -> None:
    rows = []
    for i in range(30):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), (i, 0, 0)).save(buffer, "PNG")
        rows.append({"bytes": {3: None, 4: b"", 5: b"text"}.get(i, buffer.getvalue()), "path": f"{i}.png"})
    table = pa.table({"image": pa.array(rows), "label": [i % 2 for i in range(30)]})
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(ValueError, match=r"3 of 30 images are broken: the image of row 3 of train.parquet \(3.png\)"):
        load_data(tmp_path, 8)
    data = load_data(f"{tmp_path}?broken=skip", 8)
    assert reds(data) == sorted((i, i % 2) for i in range(30) if i not in (3, 4, 5))


def test_a_class_of_broken_images_alone(tmp_path: Path) -> None:
    fill(tmp_path / "set", 5)
    for path in (tmp_path / "set" / "cat").iterdir():
        path.write_bytes(b"text")
    with pytest.raises(ValueError, match="all images of class cat are broken"):
        load_data(f"{tmp_path / 'set'}?broken=skip", 8)


def test_how_it_is_asked_for(tmp_path: Path) -> None:
    assert without_broken("digits") == "digits"
    assert parse_spec(without_broken("me/set?label=fine")).skip_broken
    assert parse_spec(without_broken("me/set?label=fine")).options == {"label": "fine"}
    (tmp_path / "odd?name").mkdir()
    with pytest.raises(ValueError, match="rename the folder"):
        without_broken(str(tmp_path / "odd?name"))
    with pytest.raises(ValueError, match="expected broken=skip"):
        parse_spec("me/set?broken=yes")


def test_command_lines_record_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert evaluate(["score", "cifar_resnet20", *SMOKE, "set"]) == 2
    assert "--skip-broken goes on without" in capsys.readouterr().err
    assert evaluate(["score", "cifar_resnet20", *SMOKE, "set", "--skip-broken"]) == 0
    said = capsys.readouterr()
    assert "12 broken images left out" in said.err
    assert json.loads(said.out)["broken_images"]["count"] == 12
    recipe = {"name": "short", "epochs": 1, "batch_size": 16, "learning_rate": 0.1}
    (tmp_path / "short.json").write_text(json.dumps(recipe))
    train = ["train", "cifar_resnet20", "--recipe", "short.json", "--device", "cpu", "--data", "set", "--skip-broken"]
    assert evaluate([*train, "--test", "--name", "mine"]) == 0
    report = json.loads((tmp_path / "runs" / "train" / "mine" / "train.json").read_text())
    assert report["broken_images"]["count"] == 12 and len(report["broken_images"]["first"]) == 10
    command = [
        "--budget", "100M", "--input", "32", "--classes", "10", "--trials", "0", "--landmarks", "none", "--plots",
        "none", "--name", "broken", *SMOKE, "set",
    ]  # fmt: skip
    assert search(command) == 2 and not (tmp_path / "runs" / "broken").exists()
    assert search([*command, "--skip-broken"]) == 0
    run = load_run("runs/broken")
    assert run.about["broken_images"]["count"] == 12 and run.settings["data"] == "set?broken=skip"
    assert run.data_name == "set"
