"""Where labels go so that they do not overlap: plain geometry in pixels, no drawing, always the same answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple


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
    owner = list(range(len(starts)))
    swapped = True
    while swapped:  # every swap shortens the sum of the lines, so this ends
        swapped = False
        for i, j in itertools.combinations(range(len(owner)), 2):
            a, b = starts[owner[i]], starts[owner[j]]
            saved = math.dist(a, ends[i]) + math.dist(b, ends[j]) - math.dist(a, ends[j]) - math.dist(b, ends[i])
            if saved > 1e-6 and _cross((*a, *ends[i]), (*b, *ends[j])):
                owner[i], owner[j] = owner[j], owner[i]
                swapped = True
    return owner


class Anchor(NamedTuple):
    """A round mark that wants a label of a given size."""

    x: float
    y: float
    radius: float
    width: float
    height: float


_ANGLES = tuple(math.pi * turn / 16 for turn in range(32))
_DISTANCES = (3.0, 6.0, 9.0, 14.0, 20.0, 28.0, 38.0, 50.0, 65.0, 85.0, 110.0, 140.0, 180.0, 230.0, 300.0)


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
    tries = [_place(anchors, order, frame, obstacles, lines, gap) for order in orders]
    found = [each for each in tries if each is not None]
    if not found:
        raise ValueError("no place is left for a label: the picture is too small")
    return min(found, key=lambda each: each[0])[1]


def _place(
    anchors: Sequence[Anchor],
    order: Sequence[int],
    frame: Box,
    obstacles: Sequence[Box],
    lines: Sequence[Segment],
    gap: float,
) -> tuple[float, list[Box]] | None:
    """The price of all labels and their boxes, in the order of `anchors`."""
    marks = [Box(a.x - a.radius, a.y - a.radius, a.x + a.radius, a.y + a.radius) for a in anchors]
    placed: dict[int, Box] = {}
    prices: dict[int, float] = {}
    for number in [*order, *order]:
        anchor = anchors[number]
        others = {n: box for n, box in placed.items() if n != number}
        taken = [*others.values(), *obstacles]
        leaders = [(anchors[n].x, anchors[n].y, *nearest(box, anchors[n].x, anchors[n].y)) for n, box in others.items()]
        best: Box | None = None
        least = math.inf
        for box in _candidates(anchor):
            if _reach(anchor, box) >= least or not box.inside(frame):
                continue
            roomy = Box(box.left - gap, box.bottom - gap, box.right + gap, box.top + gap)
            if any(roomy.overlap(other) for other in taken):
                continue
            price = _price(anchor, box, marks, leaders, list(others.values()), lines, least)
            if price < least:
                best, least = box, price
        if best is None:
            return None
        placed[number], prices[number] = best, least
    return sum(prices.values()), [placed[number] for number in range(len(anchors))]


def nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    """The point of a box that is nearest to (x, y)."""
    return min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)


def _distance(box: Box, other: Box) -> float:
    wide = max(box.left - other.right, other.left - box.right, 0.0)
    high = max(box.bottom - other.top, other.bottom - box.top, 0.0)
    return math.hypot(wide, high)


def _candidates(anchor: Anchor) -> list[Box]:
    boxes = []
    for distance in _DISTANCES:
        for angle in _ANGLES:
            dx, dy = math.cos(angle), math.sin(angle)
            # The label's middle is as far out as its own half size demands in that direction.
            reach = anchor.radius + distance
            x = anchor.x + dx * reach + dx * anchor.width / 2
            y = anchor.y + dy * reach + dy * anchor.height / 2
            box = Box(x - anchor.width / 2, y - anchor.height / 2, x + anchor.width / 2, y + anchor.height / 2)
            boxes.append(box)
    return boxes


def _reach(anchor: Anchor, box: Box) -> float:
    """The least that a place costs: how far off it is, and a little for not being beside its mark."""
    x, y = nearest(box, anchor.x, anchor.y)
    distance = max(0.0, math.hypot(x - anchor.x, y - anchor.y) - anchor.radius)
    return distance + abs((box.bottom + box.top) / 2 - anchor.y) / 12


def _price(
    anchor: Anchor,
    box: Box,
    marks: Sequence[Box],
    leaders: Sequence[Segment],
    labels: Sequence[Box],
    lines: Sequence[Segment],
    limit: float,
) -> float:
    """What a place costs; counting ends once it is `limit` or more."""
    x, y = nearest(box, anchor.x, anchor.y)
    distance = max(0.0, math.hypot(x - anchor.x, y - anchor.y) - anchor.radius)
    closer = sum(_distance(box, mark) < distance + 3 for mark in marks) - 1  # marks it might be taken to name
    price = _reach(anchor, box) + 10 * closer
    price += 60 * sum(box.overlap(mark) for mark in marks) / (anchor.width * anchor.height)
    if price < limit:
        price += 9 * sum(_meets(line, box) for line in lines)
    if price < limit:
        price += 150 * sum(_meets(leader, box) for leader in leaders)
    if price < limit:
        own = (anchor.x, anchor.y, x, y)
        price += 40 * sum(_cross(own, leader) for leader in leaders) + 150 * sum(_meets(own, other) for other in labels)
    return price


def _cross(a: Segment, b: Segment) -> bool:
    ax, ay, bx, by = a
    cx, cy, dx, dy = b
    if ((bx - ax) * (cy - ay) > (by - ay) * (cx - ax)) == ((bx - ax) * (dy - ay) > (by - ay) * (dx - ax)):
        return False
    return ((dx - cx) * (ay - cy) > (dy - cy) * (ax - cx)) != ((dx - cx) * (by - cy) > (dy - cy) * (bx - cx))


def _meets(line: Segment, box: Box) -> bool:
    """Whether a line goes through a box."""
    if max(line[0], line[2]) <= box.left or min(line[0], line[2]) >= box.right:
        return False
    if max(line[1], line[3]) <= box.bottom or min(line[1], line[3]) >= box.top:
        return False
    if box.left < line[2] < box.right and box.bottom < line[3] < box.top:
        return True
    return _cross(line, (box.left, box.bottom, box.right, box.top)) or _cross(
        line, (box.left, box.top, box.right, box.bottom)
    )
