"""Names that become directories, and text of others on a terminal."""

import json
from pathlib import Path

import pytest

from evaluate.__main__ import main as evaluate
from evaluate.training.recipe import Recipe
from search.__main__ import main as search
from space.landmarks.own import read_landmarks
from space.shell.names import EVALUATE, LONGEST, check_name, safe_name, visible

BIDIRECTIONAL = "a\u202egnp.b"


@pytest.mark.parametrize(
    "parts, name",
    [
        (("resnet18", "digits", "smoke", "seed0"), "resnet18-digits-smoke-seed0"),
        (("4.1GFLOPs", "match", "cardinality=1,2"), "4.1GFLOPs-match-cardinality=1,2"),
        (("net", "digits", "../../x"), "net-digits-x"),
        (("..", "a/../b"), "a-b"),
        (("-rf", ""), "rf"),
        (("a\n\x1b[2Jb", BIDIRECTIONAL), "a-2Jb-a-gnp.b"),
        (("größe", "猫"), "größe-猫"),
        (("///",), "unnamed"),
        ((), "unnamed"),
    ],
)
def test_names_are_made_of_what_is_safe(parts: tuple[str, ...], name: str) -> None:
    assert safe_name(*parts) == name
    check_name("name", name, "such as --name x")


def test_long_names_are_cut_and_stay_different() -> None:
    one, other = safe_name("猫" * 400, "a"), safe_name("猫" * 400, "b")
    assert one != other and max(len(one.encode()), len(other.encode())) <= LONGEST
    check_name("name", one, "such as --name x")


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-rf", "a/b", "a\\b", "a\0b", "a\nb", "\x1b[2J", BIDIRECTIONAL, " a", "\udc80"]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a plain name .*; such as --name x") as caught:
        check_name("run name", name, "such as --name x")
    assert str(caught.value).isprintable()


def test_names_that_are_too_long_or_taken() -> None:
    with pytest.raises(ValueError, match=f"expected at most {LONGEST}"):
        check_name("run name", "x" * (LONGEST + 1), "such as --name x")
    assert EVALUATE == ("fidelity", "lesion", "paths", "train")
    for name in EVALUATE:
        with pytest.raises(ValueError, match=f"keeps its results in runs/{name}"):
            check_name("run name", name, "such as --name x")


def test_what_is_not_seen_is_shown() -> None:
    assert visible("größe 猫 9x9") == "größe 猫 9x9"
    assert visible("a\x1b[31m\r\n\u202e\u2066\udc80") == r"a\x1b[31m\r\n\u202e\u2066\udc80"
    assert visible("a\n\tb\x07", keep="\n\t") == "a\n\tb\\x07"


def recipe_file(place: Path, name: str) -> Path:
    place.write_text(json.dumps({
        "name": name, "epochs": 1, "batch_size": 32, "learning_rate": 0.1, "resolution": 8, "train_images": 64,
    }))  # fmt: skip
    return place


@pytest.mark.parametrize(
    "command, directory",
    [
        (["paths", "cifar_resnet20", "--samples", "1"], "paths/cifar_resnet20-digits-outside-seed0"),
        (["lesion", "cifar_resnet20", "--images", "8", "--draws", "1"], "lesion/cifar_resnet20-digits-outside"),
        (["train", "cifar_resnet20", "--input", "8"], "train/cifar_resnet20-digits-outside-seed0"),
    ],
)
def test_a_recipe_writes_nothing_outside_of_runs(
    command: list[str], directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "deep" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    recipe = recipe_file(here / "recipe.json", "../../../../outside")
    assert evaluate([*command, "--data", "digits", "--recipe", str(recipe), "--device", "cpu"]) == 0
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))[:4]] == [
        "deep", "deep/here", "deep/here/recipe.json", "deep/here/runs",
    ]  # fmt: skip
    assert any((here / "runs" / directory).iterdir())


def test_names_in_recipes_and_landmarks_are_bounded_and_printable(tmp_path: Path) -> None:
    for name in ("x" * 81, "a\x1b[2J", BIDIRECTIONAL, "two\nlines", " "):
        with pytest.raises(ValueError, match="name") as caught:
            Recipe(name=name, epochs=1, batch_size=2, learning_rate=0.1, resolution=32)
        assert str(caught.value).isprintable()
        mine = tmp_path / "mine.json"
        mine.write_text(json.dumps({"name": name * 3, "macs": "1G", "params": "1M"}))
        with pytest.raises(ValueError, match="name is"):
            read_landmarks(mine)
    mine.write_text(json.dumps({"name": "--help", "macs": "1G", "params": "1M"}))
    with pytest.raises(ValueError, match="no dash in front"):
        read_landmarks(mine)


@pytest.mark.parametrize("name", ["paths", "lesion", "-rf", "a\u202eb", "x" * 200])
def test_a_search_refuses_such_a_name_before_it_makes_anything(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert search(["--budget", "100M", f"--name={name}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m search: run name") and error[:-1].isprintable()
    assert not list(tmp_path.iterdir())
