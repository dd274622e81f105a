"""Landmarks of your own: what files may hold, what is counted, and what is refused."""

import json

import pytest

from space import LANDMARKS, landmark
from space.landmarks.networks import Landmark
from space.landmarks.own import read_landmarks

FIGURES = {"name": "mine", "macs": "4.1G", "params": 25_600_000}


def written(tmp_path, content, name="mine.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refusal(path):
    with pytest.raises(ValueError) as refused:
        read_landmarks(path)
    text = str(refused.value)
    assert path.name in text and "\n" not in text
    return text


def test_figures_alone(tmp_path):
    (one,) = read_landmarks(written(tmp_path, FIGURES))
    assert (one.name, one.label, one.family, one.target) == ("mine", "mine", "own", "imagenet")
    assert (one.macs, one.params, one.year, one.config) == (4_100_000_000, 25_600_000, None, None)
    assert one.published.top1_error is None and one.published.setting == "not said"
    assert one.published.source == "mine.json"


def test_every_key(tmp_path):
    (one,) = read_landmarks(
        written(
            tmp_path,
            FIGURES
            | {"label": "Mine, 2024", "family": "vgg", "year": 2024, "top1_error": 21.5, "top5_error": "0.5"}
            | {"setting": "1-crop 224", "source": "our report", "target": "cifar", "macs": 6e8, "params": "1.5M"},
        )
    )
    assert (one.label, one.family, one.year, one.target) == ("Mine, 2024", "vgg", 2024, "cifar")
    assert (one.macs, one.params, one.input_size, one.classes) == (600_000_000, 1_500_000, 32, 10)
    figure = one.published
    assert (figure.top1_error, figure.top5_error, figure.year) == (21.5, 0.5, 2024)
    assert (figure.setting, figure.source) == ("1-crop 224", "our report")


@pytest.mark.parametrize("form", ["bare", "as a run writes it"])
def test_a_configuration_is_counted(tmp_path, form):
    config = landmark("resnet50").to_json()
    held = config if form == "bare" else {"name": "abc", "trial": 3, "proxy_top1": 41.5, "macs": 1, "config": config}
    small = {"name": "small", "config": landmark("cifar_resnet20").to_json()}
    big, little = read_landmarks(written(tmp_path, [{"name": "big", "config": held}, small]))
    assert (big.family, big.target, big.macs, big.params) == ("resnet", "imagenet", 4_089_184_256, 25_557_032)
    assert big.config == landmark("resnet50")
    assert (little.target, little.macs, little.params) == ("cifar", 40_551_040, 269_722)


def test_csv(tmp_path):
    lines = "name, macs, params, top1_error, label\n\nfirst,4.1G,25.6M,23.9,The first\nsecond,600M,5M\n"
    first, second = read_landmarks(written(tmp_path, "\ufeff" + lines, "figures.csv"))
    assert (first.macs, first.params, first.label) == (4_100_000_000, 25_600_000, "The first")
    assert first.published.top1_error == 23.9
    assert (second.name, second.label, second.published.top1_error) == ("second", "second", None)


def test_several_files_have_one_set_of_names(tmp_path):
    one, two = written(tmp_path, FIGURES), written(tmp_path, "name,macs,params\nother,1G,1M\n", "two.csv")
    assert [each.name for each in read_landmarks(one, two)] == ["mine", "other"]
    two.write_text("name,macs,params\nmine,1G,1M\n")
    with pytest.raises(ValueError, match=r"two\.csv, line 2: a landmark called 'mine' was there before"):
        read_landmarks(one, two)


@pytest.mark.parametrize("name", list(LANDMARKS))
def test_published_landmarks_survive_json(name):
    known = LANDMARKS[name]
    assert Landmark.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_own_landmarks_survive_json(tmp_path):
    entries = [FIGURES, {"name": "net", "config": landmark("densenet121").to_json(), "top1_error": 25.02}]
    for known in read_landmarks(written(tmp_path, entries)):
        assert Landmark.from_json(json.loads(json.dumps(known.to_json()))) == known


@pytest.mark.parametrize(
    "change",
    [{"extra": 1}, {"target": "mnist"}, {"published": None}, {"published": {"top1": 1}}, {"config": {"family": "vgg"}}],
)
def test_damaged_json_is_no_landmark(change):
    with pytest.raises(ValueError, match=r"landmark|family 'vgg'"):
        Landmark.from_json(LANDMARKS["resnet50"].to_json() | change)
    with pytest.raises(ValueError, match="'config'"):
        Landmark.from_json({})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has no landmark"),
        ("3", "entry 1: expected an object with a name, got int"),
        ({"macs": "1G", "params": 1}, "entry 1: a name is missing"),
        (FIGURES | {"colour": "red"}, "unknown key 'colour', expected some of name, label"),
        (FIGURES | {"name": "resnet50"}, "'resnet50' is a published network"),
        (FIGURES | {"name": "auto"}, "not auto or none"),
        (FIGURES | {"name": "a,b"}, "no comma"),
        (FIGURES | {"name": " "}, "one line of text"),
        (FIGURES | {"name": "a\nb"}, "one line of text"),
        (FIGURES | {"label": 7}, "label is '7'"),
        (FIGURES | {"target": "mnist"}, "expected one of imagenet, cifar"),
        (FIGURES | {"target": ["cifar"]}, "expected one of imagenet, cifar"),
        (FIGURES | {"year": 1815}, "year is 1815"),
        (FIGURES | {"year": 2015.5}, "year is 2015.5"),
        (FIGURES | {"year": "soon"}, "year is 'soon': expected a number"),
        (FIGURES | {"top1_error": -1}, "top1_error is -1: expected percent, from 0 to 100"),
        (FIGURES | {"top5_error": 100.1}, "top5_error is 100.1"),
        (FIGURES | {"top1_error": float("nan")}, "top1_error is nan"),
        (FIGURES | {"top1_error": True}, "expected a number"),
        (FIGURES | {"top1_error": 5, "top5_error": 20}, "top5_error 20 is more than top1_error 5"),
        (FIGURES | {"macs": "lots"}, "macs 'lots': expected multiply-adds"),
        (FIGURES | {"macs": -4.1e9}, "macs '-4100000000.0'"),
        (FIGURES | {"params": "25.6Q"}, "params '25.6Q': expected a number"),
        ({"name": "mine", "macs": "4.1G"}, "params is missing"),
        ({"name": "mine", "macs": "4.1G", "params": None}, "params is missing"),
        ({"name": "mine", "config": {"family": "vgg"}}, "family 'vgg'"),
        ({"name": "mine", "config": 3}, "got int"),
        (FIGURES | {"config": landmark("resnet50").to_json()}, "macs is counted from the config"),
        ([FIGURES, FIGURES], "entry 2: a landmark called 'mine' was there before"),
    ],
)
def test_json_that_is_refused(tmp_path, content, words):
    assert words in refusal(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: expected a header with a column name"),
        ("name,macs,params\n", "has no landmark"),
        ("name;macs;params\na;1G;1M\n", "line 1: unknown column 'name;macs;params'"),
        ("name,config\na,{}\n", "line 1: unknown column 'config'"),
        ("name,macs,name\n", "no column twice"),
        ("name,macs,params\na,1G,1M,2\n", "line 2: 4 cells, but the header has 3"),
        ("name,macs,params\n\na,1G,1M\nb,1G,-1M\n", "line 4: params '-1M'"),
        ('name,macs,params\n"a,1G,1M\n', "no CSV"),
    ],
)
def test_csv_that_is_refused(tmp_path, content, words):
    assert words in refusal(written(tmp_path, content, "figures.csv"))


def test_files_that_are_refused(tmp_path):
    assert "ends with .json or .csv" in refusal(written(tmp_path, FIGURES, "mine.yaml"))
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xff\xfe\x00name")
    assert "no text in UTF-8" in refusal(path)
    assert "No such file" in refusal(tmp_path / "nowhere.json")
