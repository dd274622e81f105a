"""The picture of published errors: first as data, then as what is drawn, box by box."""

from dataclasses import replace
from pathlib import Path

import pytest

from results.plots import style
from results.plots.published import Line, Point, draw_published, published_data, radius
from space import LANDMARKS
from space.landmarks.networks import ILSVRC_ENTRIES
from space.landmarks.own import read_landmarks
from tests.pictures import check, make_run


@pytest.mark.parametrize(("size", "target"), [(224, "imagenet"), (32, "cifar"), (64, "cifar")])
def test_published_as_data(size: int, target: str) -> None:
    data = published_data(make_run([], input_size=size))
    points = {point.name: point for line in data.lines for point in line.points}
    expected = {each.name for each in LANDMARKS.values() if each.target == target}
    assert set(points) == expected
    for name, point in points.items():
        known = LANDMARKS[name]
        assert known.published.top1_error is not None
        assert known.macs is not None
        assert point.y == known.published.top1_error
        assert point.x == known.macs / 1e9
        assert point.label.startswith(known.label)
    for line in data.lines:
        assert [point.x for point in line.points] == sorted(point.x for point in line.points)
    marked = {name for name, point in points.items() if point.label.split(" (ILSVRC")[0] != LANDMARKS[name].label}
    assert marked == ({"alexnet", "zfnet", "googlenet"} if target == "imagenet" else {"wrn_22_8", "wrn_16_10"})
    for name in marked:
        assert points[name].label.split(" (ILSVRC")[0][-1] + " " in data.footnote
    assert "proxy" not in data.y_label


def test_area_is_parameters() -> None:
    assert radius(40, 100) ** 2 == pytest.approx(4 * radius(10, 100) ** 2)


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=style.THEMES)
@pytest.mark.parametrize("size", [224, 32])
def test_published_labels_keep_apart_and_inside(size: int, theme: style.Theme) -> None:
    data = published_data(make_run([], input_size=size))
    texts = check(draw_published(data, theme), 30 if size == 224 else 20)
    for line in data.lines:
        for point in line.points:
            assert point.label in texts


def test_years_of_the_challenge() -> None:
    data = published_data(make_run([]))
    rings = [point for line in data.lines for point in line.points if point.ring]
    labels = " ".join(point.label for point in rings)
    assert all(str(entry.year) in labels for entry in ILSVRC_ENTRIES)
    assert {point.name for point in rings} == {"alexnet", "zfnet", "googlenet", "vgg16", "resnet152_v1"}
    assert "VGG-16 (ILSVRC 2014, second)" in labels
    assert "Clarifai, is not published" in data.footnote
    assert "Rings" not in published_data(make_run([], input_size=32)).footnote


def test_landmarks_of_ones_own_stand_in_their_setting(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "name,macs,params,top1_error,setting,target\nmine,2G,5M,20.5,384 px,imagenet\nunsaid,2G,5M,,,imagenet\n"
        "perfect,2G,5M,0,,imagenet\nother,2G,5M,5,,cifar\n"
    )
    run = replace(make_run([]), own_landmarks=read_landmarks(path))
    data = published_data(run)
    (line,) = [line for line in data.lines if line.family == "own"]
    assert [(point.name, point.x, point.y) for point in line.points] == [("mine", 2.0, 20.5)]
    assert not line.joined
    assert f"{line.points[0].label.removeprefix('mine')} 384 px" in data.footnote
    texts = check(draw_published(data), 60)
    assert {line.points[0].label, "your own"} <= set(texts)


def test_the_picture_grows_with_its_labels() -> None:
    data = published_data(make_run([]))
    few, many = (
        tuple(Point(f"n{n}", f"a network of my own {n} " * 5, 4.0 + n / 100, 22.0, 10**7) for n in range(number))
        for number in (3, 48)
    )
    usual = draw_published(replace(data, lines=(Line("own", few, joined=False),)))
    figure = draw_published(replace(data, lines=(Line("own", many, joined=False),)))
    assert figure.get_figwidth() > usual.get_figwidth()
    check(figure, 50)
