"""Images that a program makes: coloured fractals over clouds, for a ranking that needs no download.

The figure of a class is the attractor of an iterated function system: two to four contracting affine maps, applied in
random order to a point that is drawn wherever it comes (Barnsley, Fractals Everywhere, 1988; fractals as training
images: Kataoka et al., arXiv:2101.08515). Every image changes its class's maps a little, turns, mirrors, scales and
shifts the figure, gives it a colour and lays it over a texture of its own. So a class is a shape at several scales,
and neither a colour nor a place gives it away.

All arithmetic is on integers, and random numbers are the raw words of NumPy's Philox (Salmon et al., 2011), whose
stream NumPy keeps, unlike those of its distributions: the same images from the same seed on every machine. An image
depends on its number and not on how many there are. At another resolution it is the same figure, pose, colour and
cloud, drawn with other points.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

VERSION = 1  # to be raised when a design and a seed give other pixels than before: it is part of the data's key
CHUNK = 100  # images that are made at once; each chunk has a stream of its own
MOST_MAPS = 4

_ONE = 1 << 14  # fixed point: coordinates and coefficients
_TURN = 1024  # parts of a full turn
# Rounded, so that the last bit of a machine's sine does not matter.
_SIN = np.array([round(_ONE * math.sin(2 * math.pi * part / _TURN)) for part in range(_TURN)], np.int64)
_COS = np.roll(_SIN, -_TURN // 4)
_BURN = 10  # points of a walk that are not drawn: they may not have reached the attractor
_LEAST_CELLS, _MOST_CELLS = 30, 150  # of 16 x 16 that a class's figure touches: less is dust, more a blot
_SUBPIXELS = 2  # across a pixel and down
_CELLS, _WEIGHTS = (2, 4, 8), (4, 2, 1)  # of the clouds, across the image: coarse to fine
_MOST = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class Design:
    """What the images are; parts are percent. `benchmarks.fractals` compares designs."""

    classes: int = 10
    seed: int = 0
    maps: tuple[int, int] = (2, MOST_MAPS)  # fewest and most of a class
    jitter: int = 6  # most that a coefficient of a map changes, of 1
    turn: int = 60  # most that a figure turns to either side, degrees
    scale: tuple[int, int] = (80, 95)  # least and most of the figure's half size, of half the image
    shift: int = 15  # most that the figure is moved, of half the image
    texture: int = 60  # contrast of the clouds: how far the ground goes from its first colour to its second
    contrast: int = 80  # least distance of the figure's colour from the ground, levels of every channel
    lighter: int = 100  # percent of the figures that are lighter than their ground; the others are darker
    chroma: int = 50  # part of a colour that differs from channel to channel
    noise: int = 0  # most that either of two uniform draws adds to a channel of a pixel, levels
    points: int = 4  # that are drawn, a pixel


class _Stream:
    """Random integers that are the same on every machine."""

    def __init__(self, *key: object) -> None:
        digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
        self._philox = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def between(self, low: int, high: int, *shape: int) -> Integers:
        """Whole numbers from `low` to `high`, both included, at most 2**24 apart."""
        words = self._philox.random_raw(math.prod(shape)) >> np.uint64(40)
        return low + (words * np.uint64(high - low + 1) >> np.uint64(24)).astype(np.int64).reshape(shape)


def pixels(design: Design, split: str, count: int, resolution: int) -> Iterator[NDArray[np.uint8]]:
    """The first images of a split, in batches of (b, 3, resolution, resolution), RGB.

    Args:
        design: what they are.
        split: any word; another word gives other images of the same classes.
        count: how many images.
        resolution: height and width in pixels.
    """
    maps, counts = _systems(design)
    classes = labels(design, split, -(-count // CHUNK) * CHUNK)
    for first in range(0, count, CHUNK):
        stream = _Stream("images", VERSION, design, split, first // CHUNK)
        here = classes[first : first + CHUNK]
        yield _chunk(design, stream, maps[here], counts[here], resolution)[: count - first]


def labels(design: Design, split: str, count: int) -> Integers:
    """Their classes, (count,): in random order, as many of each class as can be in any beginning."""
    block = design.classes * -(-CHUNK // design.classes)
    blocks = [np.zeros(0, np.int64)]
    for number in range(-(-count // block)):
        keys = _Stream("labels", VERSION, design, split, number).between(0, _MOST, block)
        blocks.append(np.argsort(keys, kind="stable") % design.classes)
    return np.concatenate(blocks)[:count]


# ------------------------------------------------------------------------------------------ the figures


def _systems(design: Design) -> tuple[Integers, Integers]:
    """Each class's maps, (classes, MOST_MAPS, 6) in fixed point, and how many of them count, (classes,)."""
    found = [_system(design, number) for number in range(design.classes)]
    return np.stack([maps for maps, _ in found]), np.array([count for _, count in found], np.int64)


def _system(design: Design, number: int) -> tuple[Integers, int]:
    """A class's maps: the first drawn whose figure, filling the square from -1 to 1, is neither dust nor a blot."""
    stream = _Stream("class", VERSION, design.seed, design.maps, number)
    while True:
        count = int(stream.between(*design.maps))
        maps = _contractions(stream, count)
        x, y = _points(stream, maps[None], np.array([count]), 500, 8).reshape(2, -1)
        across, down = (int(x.max() + x.min()) // 2, int(y.max() + y.min()) // 2)
        half = int(max(x.max() - across, y.max() - down))
        if not 0 < half < 8 * _ONE:
            continue
        cells = {*zip(((x - across) * 8 // (half + 1)).tolist(), ((y - down) * 8 // (half + 1)).tolist(), strict=True)}
        if _LEAST_CELLS <= len(cells) <= _MOST_CELLS:
            return _recentred(maps, across, down, half), count


def _contractions(stream: _Stream, count: int) -> Integers:
    """Affine maps (count, 6): x' = a x + b y + e, y' = c x + d y + f; a turn, two contractions, a turn, and a shift."""
    (c1, s1), (c2, s2) = ((_COS[part], _SIN[part]) for part in stream.between(0, _TURN - 1, 2, count))
    large = stream.between(_ONE * 30 // 100, _ONE * 75 // 100, count)
    small = stream.between(_ONE * 20 // 100, _ONE * 60 // 100, count)
    e, f = stream.between(-_ONE, _ONE, 2, count)
    a = ((c1 * large >> 14) * c2 - (s1 * small >> 14) * s2) >> 14
    b = -((c1 * large >> 14) * s2 + (s1 * small >> 14) * c2) >> 14
    c = ((s1 * large >> 14) * c2 + (c1 * small >> 14) * s2) >> 14
    d = ((c1 * small >> 14) * c2 - (s1 * large >> 14) * s2) >> 14
    return np.stack([a, b, c, d, e, f], -1)


def _recentred(maps: Integers, across: int, down: int, half: int) -> Integers:
    """The same figure in coordinates whose origin and unit are its centre and half its size; (MOST_MAPS, 6)."""
    a, b, c, d, e, f = maps.T
    e = ((a * across + b * down) >> 14) + e - across
    f = ((c * across + d * down) >> 14) + f - down
    moved = np.stack([a, b, c, d, e * _ONE // half, f * _ONE // half], -1)
    return np.concatenate([moved, np.repeat(moved[:1], MOST_MAPS - len(maps), 0)])


def _points(stream: _Stream, maps: Integers, counts: Integers, walkers: int, steps: int) -> Integers:
    """Points of the figures, (2, steps, n, walkers): at each step a map of the figure's is applied to the last point.

    Args:
        stream: chooses the maps.
        maps: (n, m, 6).
        counts: (n,), how many of a figure's maps count.
        walkers: points of a figure that move at the same time, from the origin on; their first steps are left out.
        steps: how many are kept.
    """
    rows = np.arange(len(maps))[:, None]
    x = y = np.zeros((len(maps), walkers), np.int64)
    kept = np.empty((2, steps, len(maps), walkers), np.int64)
    for step in range(-_BURN, steps):
        chosen = stream.between(0, _MOST, len(maps), walkers) * counts[:, None] >> 24
        a, b, c, d, e, f = np.moveaxis(maps[rows, chosen], -1, 0)
        x, y = ((a * x + b * y) >> 14) + e, ((c * x + d * y) >> 14) + f
        if step >= 0:
            kept[:, step] = x, y
    return kept


# ------------------------------------------------------------------------------------------ the images


def _chunk(design: Design, stream: _Stream, maps: Integers, counts: Integers, resolution: int) -> NDArray[np.uint8]:
    """Images of these figures, (n, 3, resolution, resolution); what the resolution does not change is drawn first."""
    count = len(maps)
    jitter = _ONE * design.jitter // 100
    maps = maps + stream.between(-jitter, jitter, *maps.shape)
    pose = _pose(design, stream, count)
    grids = [stream.between(0, 255, count, cells + 1, cells + 1) for cells in _CELLS]
    colours = _colours(design, stream, count)

    cover = _cover(stream, maps, counts, pose, resolution, design.points)[:, None]
    first, second, figure = colours
    ground = first + ((second - first) * _cloud(grids, resolution)[:, None] >> 8)
    image = ground + (figure - ground) * cover // _SUBPIXELS**2
    if design.noise:
        image += stream.between(-design.noise, design.noise, 2, *image.shape).sum(0)
    result: NDArray[np.uint8] = np.clip(image, 0, 255).astype(np.uint8)
    return result


def _pose(design: Design, stream: _Stream, count: int) -> Integers:
    """An affine map an image, (count, 6) in fixed point: mirror, turn, scale, shift."""
    most = design.turn * _TURN // 360
    turn = stream.between(-most, most, count) % _TURN
    size = stream.between(*design.scale, count) * _ONE // 100
    mirror = 1 - 2 * stream.between(0, 1, count)
    shift = _ONE * design.shift // 100
    right, down = stream.between(-shift, shift, 2, count)
    cos, sin = _COS[turn] * size >> 14, _SIN[turn] * size >> 14
    return np.stack([cos * mirror, -sin, sin * mirror, cos, right, down], -1)


def _colours(design: Design, stream: _Stream, count: int) -> Integers:
    """The ground's first and second colour and the figure's, (3, count, 3, 1, 1)."""
    grey, rgb = stream.between(0, 255, 3, count, 1, 1, 1), stream.between(0, 255, 3, count, 3, 1, 1)
    drawn = (grey * (100 - design.chroma) + rgb * design.chroma) // 100
    first, second, figure = drawn
    first, second = (ground * (255 - design.contrast) // 255 for ground in (first, second))
    second = first + (second - first) * design.texture // 100
    lightest = np.maximum(first, second)
    figure = lightest + design.contrast + figure * (255 - design.contrast - lightest) // 255
    colours = np.stack([first, second, figure])
    return np.where(stream.between(1, 100, count, 1, 1, 1) <= design.lighter, colours, 255 - colours)


def _cover(
    stream: _Stream, maps: Integers, counts: Integers, pose: Integers, resolution: int, density: int
) -> Integers:
    """How many of a pixel's parts the figure touches, (n, resolution, resolution)."""
    fine = _SUBPIXELS * resolution
    walkers = 2 * resolution
    touched = np.zeros(len(maps) * fine * fine, bool)
    a, b, c, d, e, f = pose.T[..., None]
    row = np.arange(len(maps))[:, None] * fine
    x, y = _points(stream, maps, counts, walkers, max(1, density * resolution**2 // walkers))
    across = (((a * x + b * y) >> 14) + e + _ONE) * resolution >> 14
    down = (((c * x + d * y) >> 14) + f + _ONE) * resolution >> 14
    inside = (across >= 0) & (across < fine) & (down >= 0) & (down < fine)
    touched[((row + down) * fine + across)[inside]] = True
    parts = touched.reshape(len(maps), resolution, _SUBPIXELS, resolution, _SUBPIXELS)
    cover: Integers = parts.sum((2, 4), dtype=np.int64)
    return cover


def _cloud(grids: list[Integers], resolution: int) -> Integers:
    """Value noise: random grids enlarged to the image by bilinear interpolation, the finer the weaker; from 0 to 255.

    Args:
        grids: (n, cells + 1, cells + 1) each, from 0 to 255, the coarsest first.
        resolution: height and width in pixels.
    """
    total: Integers = np.zeros((len(grids[0]), resolution, resolution), np.int64)
    for grid, weight in zip(grids, _WEIGHTS, strict=True):
        at = (2 * np.arange(resolution) + 1) * (grid.shape[-1] - 1) * 128 // resolution  # the pixels' centres, in 1/256
        low, part = at >> 8, at & 255
        rows = grid[:, low] * (256 - part)[:, None] + grid[:, low + 1] * part[:, None]
        total += weight * (rows[:, :, low] * (256 - part) + rows[:, :, low + 1] * part) >> 16
    # a mean of several numbers keeps near the middle: it is spread again
    return np.clip(2 * (total // sum(_WEIGHTS)) - 128, 0, 255)
