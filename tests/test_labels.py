"""Where labels go: geometry alone, nothing is drawn."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.plots.labels import Anchor, Box, nearest, place, shorten, spread, untangle


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted), st.floats(0.1, 3))
def test_spread_keeps_order_distance_and_bounds(wanted: list[float], gap: float) -> None:
    got = spread(wanted, gap, 0, 100)
    assert len(got) == len(wanted)
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(got))
    assert all(-1e-6 <= y <= 100 + 1e-6 for y in got)


def test_spread_moves_nothing_that_has_room() -> None:
    assert spread([10.0, 20.0, 30.0], 5, 0, 100) == [10.0, 20.0, 30.0]
    assert spread([50.0, 50.0], 4, 0, 100) == [48.0, 52.0]
    assert spread([100.0, 100.0], 4, 0, 100) == [96.0, 100.0]
    assert spread([], 4, 0, 100) == []


def test_untangle_moves_nothing_that_does_not_cross() -> None:
    # the lower start may go to the upper end without a crossing, too: it stays where it is
    assert untangle([(0.0, 0.0), (90.0, 5.0)], [(100.0, 5.0), (100.0, 6.0)]) == [0, 1]
    assert untangle([(0.0, 5.0), (5.0, 5.0)], [(10.0, 8.0), (10.0, 9.0)]) == [1, 0]
    assert untangle([], []) == []


@pytest.mark.parametrize("seed", range(20))
def test_untangled_lines_do_not_cross(seed: int) -> None:
    rng = random.Random(seed)
    starts = sorted(((rng.uniform(0, 90), rng.uniform(0, 100)) for _ in range(40)), key=lambda start: start[1])
    ends = [(100.0, float(y)) for y in spread([y for _, y in starts], 2, 0, 100)]
    owners = untangle(starts, ends)
    assert sorted(owners) == list(range(40))
    lines = [(starts[owner], end) for owner, end in zip(owners, ends, strict=True)]
    for (start, end), (other, stop) in itertools.combinations(lines, 2):
        assert left_of(start, end, other) == left_of(start, end, stop) or (
            left_of(other, stop, start) == left_of(other, stop, end)
        )


def left_of(a: tuple[float, float], b: tuple[float, float], point: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (point[1] - a[1]) > (b[1] - a[1]) * (point[0] - a[0])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(350, 450), st.floats(250, 350)), min_size=1, max_size=25))
def test_placed_labels_never_touch(points: list[tuple[float, float]]) -> None:
    anchors = [Anchor(x, y, 4, 90, 11) for x, y in points]
    frame, obstacle = Box(0, 0, 900, 600), Box(460, 280, 600, 340)
    boxes = place(anchors, frame, [obstacle])
    assert all(box.inside(frame) and not box.overlap(obstacle) for box in boxes)
    assert not any(a.overlap(b) for a, b in itertools.combinations(boxes, 2))
    assert boxes == place(anchors, frame, [obstacle])


def test_too_small_a_frame_is_said() -> None:
    with pytest.raises(ValueError, match="too small"):
        place([Anchor(5, 5, 2, 90, 11)], Box(0, 0, 20, 20))


def test_a_label_is_beside_its_mark_and_off_the_others() -> None:
    anchor, mark = Anchor(100, 100, 4, 40, 10), Anchor(110, 100, 4, 40, 10)
    (box,) = place([anchor], Box(0, 0, 200, 200))
    assert 3 < math.dist((100, 100), nearest(box, 100, 100)) < 8
    for label, own, other in zip(place([anchor, mark], Box(0, 0, 200, 200)), (100, 110), (110, 100), strict=True):
        assert math.dist((own, 100), nearest(label, own, 100)) < math.dist((other, 100), nearest(label, other, 100))


def test_a_line_is_gone_round() -> None:
    anchor = Anchor(100, 100, 4, 40, 10)
    (box,) = place([anchor], Box(0, 0, 200, 200), lines=[(104, 100, 200, 100)])
    assert box.right <= 104 or box.bottom >= 100 or box.top <= 100


def test_shorten() -> None:
    assert shorten("ResNet-50", 9) == "ResNet-50"
    assert shorten("ResNet-50 v1", 9) == "ResNet-5…"
    assert shorten("a  bcdefg", 4) == "a…"
