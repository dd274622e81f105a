"""Only regular files are read: a pipe would wait for ever, a device never ends."""

import faulthandler
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from evaluate.__main__ import main as evaluate
from evaluate.images.load import load_data
from evaluate.images.sources import list_files
from evaluate.training.presets import find_recipe
from results import load_run
from results.__main__ import main as results
from search.__main__ import main as search
from search.cli.status import status
from space.shell.reading import check_regular, opened, read_bytes, read_text

SECONDS = 120
COMMANDS = {"evaluate": evaluate, "results": results, "search": search}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_regular_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes("größe".encode())
    (tmp_path / "link").symlink_to(file)
    assert read_bytes(tmp_path / "link") == file.read_bytes() and read_text(str(file)) == "größe"
    assert read_bytes(file, 7) == file.read_bytes()
    with pytest.raises(OSError, match="more than 6 bytes"):
        read_bytes(file, 6)
    with file.open("r+b") as big:
        big.truncate(1 << 40)  # a hole: it takes no room
    with pytest.raises(OSError, match="more than 268,435,456 bytes"):
        read_bytes(file)


def test_others_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    for path, message in ((tmp_path / "pipe", "a pipe"), (tmp_path / "zero.json", "a device"), (tmp_path, "directory")):
        for read in (read_bytes, check_regular, lambda each: opened(each).__enter__()):
            with pytest.raises(OSError, match=message):
                read(path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "none")
    with pytest.raises(OSError, match="more than 1,000 bytes"):  # says that it has none
        read_bytes("/proc/self/smaps", 1000)


def images(folder: Path, count: int = 12) -> Path:
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (8, 8), (number * 20, 0, 0)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """A test that hangs ends all, with a traceback that says where."""
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def pipe_of_images(place: Path) -> None:
    os.mkfifo(images(place / "set") / "cat" / "pipe.jpg")


def device_of_images(place: Path) -> None:
    (images(place / "set") / "cat" / "zero.jpg").symlink_to("/dev/zero")


def pipe_of_parquet(place: Path) -> None:
    (place / "set").mkdir()
    os.mkfifo(place / "set" / "train.parquet")


def nothing(place: Path) -> None:
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.json")
    os.mkfifo(place / "pipe.csv")
    (place / "run").mkdir()
    os.mkfifo(place / "run" / "study.db")
    (place / "runs" / "mine").mkdir(parents=True)
    os.mkfifo(place / "runs" / "mine" / "study.db")


SCORE = ("evaluate", "score", "cifar_resnet20", "--recipe", "smoke", "--data")


@pytest.mark.parametrize(
    "make, words, message",
    [
        (pipe_of_images, (*SCORE, "set"), "set/cat/pipe.jpg cannot be read: it is a pipe"),
        (device_of_images, (*SCORE, "set"), "set/cat/zero.jpg cannot be read: it is a device"),
        (pipe_of_parquet, (*SCORE, "set"), "it is a pipe, expected a regular file"),
        (nothing, (*SCORE, "pipe"), "pipe is neither a folder nor a file"),
        (nothing, (*SCORE, "/dev/zero"), "/dev/zero is neither a folder nor a file"),
        (nothing, ("evaluate", "count", "./pipe"), "./pipe: it is a pipe"),
        (nothing, ("evaluate", "count", "/dev/zero"), "/dev/zero: it is a device"),
        (nothing, ("evaluate", "score", "cifar_resnet20", "--recipe", "pipe"), "'pipe' cannot be read (it is a pipe"),
        (nothing, ("results", "run"), "study.db cannot be read: it is a pipe"),
        (nothing, ("search", "status", "run"), "study.db cannot be read: it is a pipe"),
        (nothing, ("search", "--budget", "100M", "--landmark", "pipe.csv"), "pipe.csv: it is a pipe"),
        (
            nothing,
            (
                "search",
                "--budget",
                "100M",
                "--data",
                "digits",
                "--recipe",
                "smoke",
                "--name",
                "mine",
                "--landmarks",
                "none",
            ),
            "study.db: it is a pipe",
        ),
    ],
)
def test_no_command_hangs(
    make: Callable[[Path], None], words: tuple[str, ...], message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert COMMANDS[words[0]](list(words[1:])) == 2
    assert message in capsys.readouterr().err


def test_what_lies_beside_a_study_is_passed_over(master: Path, tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes((master / "study.db").read_bytes())
    for name in ("run.json", "log.jsonl", "holder.lock"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "trained" / "one").mkdir(parents=True)
    os.mkfifo(tmp_path / "trained" / "one" / "train.json")
    (note,) = load_run(tmp_path).notes
    assert "train.json was left out: " in note and "a pipe" in note
    with pytest.raises(OSError, match=r"a pipe.*log\.jsonl"):
        status(tmp_path)
    (tmp_path / "log.jsonl").unlink()
    assert "nobody is at work on it" in status(tmp_path)


def test_each_real_folder_is_walked_once(tmp_path: Path) -> None:
    names = [f"d{number}" for number in range(30)]
    for name in names:
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "set" / name / "a.png")
        for other in names:
            (tmp_path / "set" / name / f"to-{other}").symlink_to(f"../{other}")
    (tmp_path / "outside" / "cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "outside" / "cat" / "b.png")
    (tmp_path / "beside.png").write_bytes(b"")
    (tmp_path / "set" / "a").symlink_to(tmp_path / "outside")  # comes first by name, is read after all real folders
    (tmp_path / "set" / "z").symlink_to(tmp_path / "outside")
    (tmp_path / "set" / "up").symlink_to("..")
    found = list_files(tmp_path / "set")
    assert found == ([], sorted(["a/cat/b.png", *(f"{name}/a.png" for name in names)]))


def test_a_class_that_is_another_name_of_one_is_said(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "kitten").symlink_to("cat")
    with pytest.raises(ValueError, match="class folder kitten holds no images, or a link to a folder that is read und"):
        load_data(tmp_path, 8)


def test_no_program_is_started_for_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "gs"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    folder = images(tmp_path / "set")
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n%%EOF\n"
    (folder / "cat" / "0.jpg").write_bytes(eps)
    with pytest.raises(ValueError, match=r"cat/0.jpg cannot be decoded: it is none of JPEG, PNG, BMP, WEBP, GIF, TIFF"):
        load_data(folder, 8)
    assert not (tmp_path / "started").exists()


def test_numbers_of_any_size_in_a_recipe_are_refused_in_a_sentence(tmp_path: Path) -> None:
    for field in ("learning_rate", "epochs", "momentum", "proxy_macs"):
        recipe = {"name": "x", "epochs": 1, "batch_size": 2, "learning_rate": 0.1} | {field: 10**400}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        with pytest.raises(ValueError, match=f"{field} is 1000") as caught:
            find_recipe(tmp_path / "recipe.json")
        assert len(str(caught.value)) < 250 + len(str(tmp_path))
