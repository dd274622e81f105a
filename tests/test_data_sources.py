"""What is typed for images, and pickles, which are refused."""

import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluate.images.load import data_name, load_data, load_test
from evaluate.images.sources import Spec, parse_spec


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path_factory.mktemp("cache")))


def fill(folder: Path) -> None:
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            Image.new("RGB", (8, 8), (number * 100 + i, 10, 20)).save(folder / name / f"{i}.png")


# ---------------------------------------------------------------------------------------------- what is typed


def test_a_path_wins_over_a_hub_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_spec("me/pets") == Spec("hub", "me/pets")
    fill(tmp_path / "me" / "pets")
    assert parse_spec("me/pets") == Spec("folder", "me/pets")
    assert parse_spec("me/pets?split=a b") == Spec("folder", "me/pets", {"split": "a b"})
    assert parse_spec("me/cats?label=fine_label&split=train") == Spec(
        "hub", "me/cats", {"label": "fine_label", "split": "train"}
    )
    fill(tmp_path / "what?label")
    assert parse_spec("what?label") == Spec("folder", "what?label")
    assert load_data("what?label", 8).classes == 2


@pytest.mark.parametrize(
    "spec, message",
    [
        ("foo", "data 'foo': no such folder; expected fractals, digits, a folder"),
        ("./nope/x", "no such folder"),
        ("a/b/c", "no such folder"),
        ("", "no such folder"),
        (Path("me/pets"), "no such folder"),
        ("digits?split=train", "digits takes no options"),
        ("me/pets?colour=red", "unknown option 'colour': expected split, image, label, config"),
        ("me/pets?label", "cannot read 'label'"),
        ("me/pets?", "nothing stands behind the question mark"),
        ("/?config=x", "a folder has no config"),
    ],
)
def test_what_cannot_be_meant(spec: str | Path, message: str) -> None:
    for load in (load_data, load_test):
        with pytest.raises(ValueError) as caught:
            load(spec, 8)
        assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec, name",
    [
        ("digits", "digits"),
        ("uoft-cs/cifar100?label=fine_label", "cifar100"),
        ("/data/pets [1]/", "pets-1"),
        ("some/../where", "where"),
        ("/", "unnamed"),
        ("..x/...", "unnamed"),
        ("x" * 200, "x" * 80),
    ],
)
def test_short_names(spec: str, name: str) -> None:
    assert data_name(spec) == name


def test_the_name_of_here_is_that_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "animals").mkdir()
    monkeypatch.chdir(tmp_path / "animals")
    assert data_name(".") == "animals"


# ---------------------------------------------------------------------------------------------- pickles


class Trap:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("sprung",)


def cifar(folder: Path) -> Path:
    (folder / "cifar-10-batches-py").mkdir()
    (folder / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps(Trap()))
    return folder


def cifar100(folder: Path) -> Path:
    (folder / "train").write_bytes(pickle.dumps(Trap(), protocol=2))  # no name tells
    return folder


def archive(folder: Path) -> Path:
    (folder / "data_batch_1").write_bytes(pickle.dumps(Trap()))
    (folder / "sub").mkdir()
    with tarfile.open(folder / "sub" / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(folder / "data_batch_1", "cifar-10-batches-py/data_batch_1")
    (folder / "data_batch_1").unlink()
    return folder / "sub"


def objects(folder: Path) -> Path:
    np.save(folder / "images.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    return folder


def a_pickle(folder: Path) -> Path:
    (folder / "images.pkl").write_bytes(pickle.dumps(Trap()))
    return folder / "images.pkl"


@pytest.mark.parametrize(
    "make, named",
    [
        (cifar, "holds pickles (cifar-10-batches-py/data_batch_1)"),
        (cifar100, "holds pickles (train)"),
        (archive, "holds pickles (cifar-10-python.tar.gz)"),
        (
            lambda folder: archive(folder) / "cifar-10-python.tar.gz",
            "holds a pickle (cifar-10-batches-py/data_batch_1)",
        ),
        (objects, "holds pickles (images.npy)"),
        (a_pickle, "images.pkl is a pickle"),
    ],
)
def test_pickles_are_refused_and_never_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    place = make(tmp_path / "set")
    with pytest.raises(ValueError) as caught:
        load_data(place, 8)
    assert named in str(caught.value)
    assert "never loaded: expected fractals, digits, a folder of parquet files" in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "name, what", [("x.zip", "is an archive"), ("x.tar.gz", "is an archive"), ("x.csv", "is a file")]
)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match=f"{name} {what}: expected fractals, digits, a folder"):
        load_data(tmp_path / name, 8)


def test_a_link_to_itself_is_one_sentence(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert data_name(loop) == "loop"
    with pytest.raises(ValueError, match="no such folder"):
        parse_spec(str(loop))
