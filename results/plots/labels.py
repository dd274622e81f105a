"""Where labels go so that they do not overlap: plain geometry in pixels, no drawing, always the same answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Box(NamedTuple):
    """A rectangle, from (left, bottom) to (right, top)."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """The area that two rectangles share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return wide * high if wide > 0 and high > 0 else 0.0

    def inside(self, other: Box) -> bool:
        """Whether this rectangle lies in the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


def shorten(text: str, most: int = 40) -> str:
    """A name that is not too long for a label."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move rising positions apart, as little as possible in the sum of squares, and keep their order.

    Args:
        wanted: positions in rising order.
        gap: the least distance of neighbours.
        low: no position is below it.
        high: none is above, as long as they fit between `low` and `high`.
    """
    # With number * gap taken off, "at least a gap apart" reads "never falling": pool neighbours that fall.
    pools: list[tuple[float, int]] = []
    for number, position in enumerate(wanted):
        mean, count = position - number * gap, 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean, count = (mean * count + before * size) / (count + size), count + size
        pools.append((mean, count))
    level = [mean for mean, count in pools for _ in range(count)]
    ceiling = max(low, high - (len(level) - 1) * gap)
    return [min(max(mean, low), ceiling) + number * gap for number, mean in enumerate(level)]


Segment = tuple[float, float, float, float]  # x, y of one end, x, y of the other


def untangle(starts: Sequence[tuple[float, float]], ends: Sequence[tuple[float, float]]) -> list[int]:
    """Give each start an end so that no two of the straight lines cross.

    Returns:
        For each end, which start it belongs to; start n has end n where nothing crosses.
    """
    order = list(range(len(starts)))
    swapped = True
    while swapped:  # every swap shortens the sum of the lines, so this ends
        swapped = False
        for i, j in itertools.combinations(range(len(order)), 2):
            a, b = starts[order[i]], starts[order[j]]
            saved = math.dist(a, ends[i]) + math.dist(b, ends[j]) - math.dist(a, ends[j]) - math.dist(b, ends[i])
            if saved > 1e-6 and _cross(np.array((*a, *ends[i])), np.array((*b, *ends[j]))):
                order[i], order[j] = order[j], order[i]
                swapped = True
    return order


class Anchor(NamedTuple):
    """A round mark that wants a label of a given size."""

    x: float
    y: float
    radius: float
    width: float
    height: float


_ANGLES = np.pi * np.arange(32) / 16
_DISTANCES = np.array([3.0, 6.0, 9.0, 14.0, 20.0, 28.0, 38.0, 50.0, 65.0, 85.0, 110.0, 140.0, 180.0, 230.0, 300.0])
_CHUNK = 32  # places that are priced at once


def place(
    anchors: Sequence[Anchor],
    frame: Box,
    obstacles: Sequence[Box] = (),
    lines: Sequence[Segment] = (),
    gap: float = 2.0,
) -> list[Box]:
    """A box for each label: in the frame, over no other label and no obstacle, near its mark, off the marks.

    Labels are placed one after the other, each at the cheapest of several hundred places around its mark, and once
    more when all others are placed. Of a few orders the one that comes out cheapest is taken. Going over one of
    `lines` costs a little.

    Raises:
        ValueError: if a label finds no free place: the frame is too small.
    """
    everyone = range(len(anchors))
    crowd = [sum(math.exp(-math.hypot(here.x - a.x, (here.y - a.y) * 2) / 60) for a in anchors) for here in anchors]
    orders = (
        sorted(everyone, key=lambda n: -crowd[n]),
        sorted(everyone, key=lambda n: -anchors[n].y),
        sorted(everyone, key=lambda n: anchors[n].x),
    )
    choices = [_choices(anchor, anchors, frame, obstacles, lines, gap) for anchor in anchors]
    tries = [_place(anchors, choices, order, gap) for order in orders]
    found = [each for each in tries if each is not None]
    if not found:
        raise ValueError("no place is left for a label: the picture is too small")
    return [Box(*map(float, box)) for box in min(found, key=lambda each: each[0])[1]]


def nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    """The point of a box that is nearest to (x, y)."""
    return min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)


class _Choices(NamedTuple):
    """Where one label may go as long as no other is placed, the cheapest place first."""

    boxes: Floats  # (places, 4), as `Box`
    prices: Floats  # (places,), what the marks and lines charge
    leaders: Floats  # (places, 4), the line from the mark to the label


def _choices(
    anchor: Anchor,
    anchors: Sequence[Anchor],
    frame: Box,
    obstacles: Sequence[Box],
    lines: Sequence[Segment],
    gap: float,
) -> _Choices:
    boxes = _around(anchor)
    inside = (
        (boxes[:, 0] >= frame.left) & (boxes[:, 2] <= frame.right)
        & (boxes[:, 1] >= frame.bottom) & (boxes[:, 3] <= frame.top)
    )  # fmt: skip
    boxes = boxes[inside]
    boxes = boxes[~(_overlaps(boxes, _rows(obstacles), gap) > 0).any(axis=1)]
    x, y = np.clip(anchor.x, boxes[:, 0], boxes[:, 2]), np.clip(anchor.y, boxes[:, 1], boxes[:, 3])
    distance = np.maximum(0.0, np.hypot(x - anchor.x, y - anchor.y) - anchor.radius)
    marks = np.array([(a.x - a.radius, a.y - a.radius, a.x + a.radius, a.y + a.radius) for a in anchors])
    closer = (_distances(boxes, marks) < distance[:, None] + 3).sum(axis=1) - 1  # marks it might be taken to name
    # how far off it is, and a little for not being beside its mark
    prices = distance + np.abs((boxes[:, 1] + boxes[:, 3]) / 2 - anchor.y) / 12 + 10 * closer
    prices += 60 * _overlaps(boxes, marks).sum(axis=1) / (anchor.width * anchor.height)
    prices += 9 * _meet(_rows(lines)[None, :, :], boxes[:, None, :]).sum(axis=1)
    order = np.argsort(prices, kind="stable")
    leaders = np.stack([np.full_like(x, anchor.x), np.full_like(y, anchor.y), x, y], axis=1)
    return _Choices(boxes[order], prices[order], leaders[order])


def _around(anchor: Anchor) -> Floats:
    """Boxes about a mark, in rings; a label's middle is as far out as its own half size demands in that direction."""
    reach = anchor.radius + _DISTANCES[:, None]
    x = anchor.x + np.cos(_ANGLES) * (reach + anchor.width / 2)
    y = anchor.y + np.sin(_ANGLES) * (reach + anchor.height / 2)
    half_width, half_height = anchor.width / 2, anchor.height / 2
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=2).reshape(-1, 4)


def _place(
    anchors: Sequence[Anchor], choices: Sequence[_Choices], order: Sequence[int], gap: float
) -> tuple[float, Floats] | None:
    """The price of all labels and their boxes, in the order of `anchors`."""
    boxes, leaders = np.zeros((len(anchors), 4)), np.zeros((len(anchors), 4))
    prices = np.zeros(len(anchors))
    placed = np.zeros(len(anchors), dtype=bool)
    for number in [*order, *order]:
        placed[number] = False
        others, ways = boxes[placed], leaders[placed]
        open_ = choices[number]
        free = np.flatnonzero(~(_overlaps(open_.boxes, others, gap) > 0).any(axis=1))
        best, least = -1, math.inf
        for start in range(0, len(free), _CHUNK):
            chunk = free[start : start + _CHUNK]
            if open_.prices[chunk[0]] >= least:
                break
            box, own = open_.boxes[chunk][:, None, :], open_.leaders[chunk][:, None, :]
            price = open_.prices[chunk] + 150 * _meet(ways[None, :, :], box).sum(axis=1)
            price += 40 * _cross(own, ways[None, :, :]).sum(axis=1) + 150 * _meet(own, others[None, :, :]).sum(axis=1)
            cheapest = int(np.argmin(price))
            if price[cheapest] < least:
                best, least = int(chunk[cheapest]), float(price[cheapest])
        if best < 0:
            return None
        boxes[number], leaders[number], prices[number] = open_.boxes[best], open_.leaders[best], least
        placed[number] = True
    return float(prices.sum()), boxes


# Arrays of boxes and segments have four numbers in their last axis; the axes before it are broadcast.


def _rows(items: Sequence[Box] | Sequence[Segment]) -> Floats:
    return np.array(items, dtype=float).reshape(-1, 4)


def _overlaps(boxes: Floats, others: Floats, gap: float = 0.0) -> Floats:
    """(boxes, others): the area that each two share if the first is wider by a gap on all sides."""
    a, b = boxes[:, None, :], others[None, :, :]
    wide = np.minimum(a[..., 2] + gap, b[..., 2]) - np.maximum(a[..., 0] - gap, b[..., 0])
    high = np.minimum(a[..., 3] + gap, b[..., 3]) - np.maximum(a[..., 1] - gap, b[..., 1])
    area: Floats = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    return area


def _distances(boxes: Floats, others: Floats) -> Floats:
    """(boxes, others): how far apart each two are."""
    a, b = boxes[:, None, :], others[None, :, :]
    wide = np.maximum(np.maximum(a[..., 0] - b[..., 2], b[..., 0] - a[..., 2]), 0.0)
    high = np.maximum(np.maximum(a[..., 1] - b[..., 3], b[..., 1] - a[..., 3]), 0.0)
    apart: Floats = np.hypot(wide, high)
    return apart


def _cross(a: Floats, b: Floats) -> NDArray[np.bool_]:
    """Whether segments cross."""
    ax, ay, bx, by = (a[..., n] for n in range(4))
    cx, cy, dx, dy = (b[..., n] for n in range(4))
    first = ((bx - ax) * (cy - ay) > (by - ay) * (cx - ax)) != ((bx - ax) * (dy - ay) > (by - ay) * (dx - ax))
    other = ((dx - cx) * (ay - cy) > (dy - cy) * (ax - cx)) != ((dx - cx) * (by - cy) > (dy - cy) * (bx - cx))
    crossing: NDArray[np.bool_] = first & other
    return crossing


def _meet(lines: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Whether segments go through boxes."""
    left, bottom, right, top = (boxes[..., n] for n in range(4))
    near = (np.maximum(lines[..., 0], lines[..., 2]) > left) & (np.minimum(lines[..., 0], lines[..., 2]) < right)
    near &= (np.maximum(lines[..., 1], lines[..., 3]) > bottom) & (np.minimum(lines[..., 1], lines[..., 3]) < top)
    ends = (left < lines[..., 2]) & (lines[..., 2] < right) & (bottom < lines[..., 3]) & (lines[..., 3] < top)
    rising, falling = boxes, np.stack([left, top, right, bottom], axis=-1)
    met: NDArray[np.bool_] = near & (ends | _cross(lines, rising) | _cross(lines, falling))
    return met
