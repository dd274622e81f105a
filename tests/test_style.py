"""How pictures look: themes that can be read, ticks, files; no trace in matplotlib."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from results.plots import style
from results.plots.frontier import draw_frontier
from results.plots.frontier_data import frontier_data
from space import FAMILIES
from tests.pictures import crowded

OLIVE = "#999933"  # of Tol's muted scheme: Okabe and Ito's yellow is too pale
OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}


def contrast(one: object, other: object) -> float:
    """WCAG 2.2, 1.4.3: from 1 to 21."""

    def luminance(colour: object) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("white", "black") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=style.THEMES)
def test_text_can_be_read_and_marks_be_seen(theme: style.Theme) -> None:
    for colour in (theme.ink, theme.quiet, theme.budget):
        assert contrast(colour, theme.paper) >= 4.5
    for family in [*FAMILIES, "vgg", "a new one"]:
        colour, _ = theme.family(family)
        assert contrast(theme.readable(colour), theme.paper) >= 4.5
        assert contrast(colour, theme.paper) >= 2


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=style.THEMES)
def test_families_differ_in_colour_and_in_marker(theme: style.Theme) -> None:
    looks = [theme.family(family) for family in [*FAMILIES, "vgg", "a new one"]]
    for (colour, marker), (other, another) in itertools.combinations(looks, 2):
        assert colour != other
        assert marker != another
    hues = {colour for colour, _ in looks} - {theme.neutral, style.OTHER[0]}
    assert hues <= OKABE_ITO | {OLIVE}


@given(st.floats(-3, 3), st.floats(0.02, 4))
def test_ticks_are_few_round_and_inside(low: float, decades: float) -> None:
    start, end = 10**low, 10 ** (low + decades)
    ticks = style.log_ticks(start, end)
    assert 2 <= len(ticks) <= 16
    assert ticks == sorted(ticks)
    assert all(start * 0.999999 <= tick <= end * 1.000001 for tick in ticks)
    assert all(float(f"{tick:.6g}") == pytest.approx(tick, rel=1e-4) for tick in ticks)


def test_both_file_formats_hold_the_whole_figure() -> None:
    figure = draw_frontier(frontier_data(crowded()))
    assert style.image(figure, "png").startswith(b"\x89PNG")
    svg = style.image(figure, "svg")
    assert svg == style.image(figure, "svg")
    assert f'viewBox="0 0 {figure.get_figwidth() * 72:.2f}'.rstrip("0")[:14].encode() in svg


def test_drawing_leaves_no_trace_in_matplotlib() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw_frontier(frontier_data(crowded()))
    assert dict(matplotlib.rcParams) == before
