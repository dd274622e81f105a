"""Networks varied along an axis: the papers' numbers come out, none costs more than it may, errors name a way out."""

import itertools
import json
from typing import Any

import pytest

from space import Budget, Config, DenseConfig, ResidualConfig, cost, landmark
from space.solving.axes import Target
from space.solving.directions import DIRECTIONS, spend
from space.solving.resize import deepened, paper_depth, solve_width, with_depth
from space.solving.solve import measure_at
from space.solving.sweeps import AxisSweep, DirectionSweep, Sweep, sweep_from_json
from space.solving.vary import Setting, default_start, parse_axes, settings, vary

AT_224, AT_32 = (224, 1000), (32, 10)


def swept(start: str, axes: dict[str, list[Any]], budget: str, at: tuple[int, int] = AT_224) -> list[Setting]:
    return settings(landmark(start), axes, Target(Budget.parse(budget), "match", *at))


def residual(setting: Setting) -> ResidualConfig:
    assert isinstance(setting.config, ResidualConfig)
    return setting.config


@pytest.mark.parametrize(
    ("start", "budget", "expected"),
    [
        ("resnet50", "4.1G", ["64d", "40d", "24d", "13d", "4d"]),  # the paper's 14d is 4 % over
        ("resnet101", "7.8G", ["64d", "40d", "24d", "14d", "4d"]),
    ],
)
def test_cardinality_gives_table_3_of_resnext(start: str, budget: str, expected: list[str]) -> None:
    found = swept(start, {"cardinality": [1, 2, 4, 8, 32]}, budget)
    assert [each.solved for each in found] == expected
    assert [residual(each).groups for each in found] == [(groups,) * 4 for groups in (1, 2, 4, 8, 32)]
    assert {residual(each).widths for each in found} == {(256, 512, 1024, 2048)}, "outer widths stay"
    assert {residual(each).depths for each in found} == {landmark(start).depths}  # type: ignore[attr-defined]
    assert found[0].config.id == landmark(start).id
    assert found[4].config.id == landmark(start.replace("resnet", "resnext") + "_32x4d").id
    budgeted = Budget.parse(budget).macs
    assert all(abs(cost(each.config).macs / budgeted - 1) < 0.04 for each in found)


def test_base_width_is_the_same_the_other_way_round() -> None:
    found = swept("resnet50", {"base_width": [64, 40, 24, 14]}, "4.1G")
    assert [each.solved for each in found] == ["1 groups", "2 groups", "4 groups", "8 groups"]
    assert found[3].config.id == landmark("resnext50_8x14d").id


def test_a_start_of_another_cost_is_brought_to_the_budget_first() -> None:
    one, two = swept("resnet50", {"cardinality": [1, 2]}, "1G")
    assert residual(one).widths == residual(two).widths == (120, 248, 496, 992)
    assert all(abs(cost(each.config).macs / 1e9 - 1) < 0.04 for each in (one, two))


def test_depth_on_cifar_gives_the_widening_of_wide_resnets() -> None:
    found = swept("wrn_28_10", {"depth": [10, 16, 22, 28, 40]}, "1.55G", AT_32)
    assert [each.solved for each in found] == ["k 12.5", "k 8", "k 6.5", "k 5.5", "k 4.5"]
    assert found[1].config.id == landmark("wrn_16_8").id, "the budget is that of WRN-16-8"
    assert [paper_depth(each.config) for each in found] == [10, 16, 22, 28, 40]
    assert {residual(each).stem_width for each in found} == {16}, "the stem of a Wide ResNet is no part of k"


@pytest.mark.parametrize(
    ("start", "axes", "budget", "at", "most_left"),
    [
        ("wrn_28_10", {"depth": [10, 16, 22, 28, 40]}, "1.5G", AT_32, 0.02),
        ("resnet50", {"depth": [26, 50, 101], "cardinality": [1, 32]}, "4.1G", AT_224, 0.01),
        ("resnet50", {"block": ["basic", "bottleneck"], "resolution": [160, 224, 288]}, "4.1G", AT_224, 0.02),
        ("densenet121", {"depth": [63, 121, 169]}, "2.87G", AT_224, 0.005),
        ("densenet_bc_100_12", {"growth_rate": [4, 8, 12, 24]}, "0.29G", AT_32, 0.05),
        ("wrn_28_10", {"widening": [1, 2, 4]}, "1.5G", AT_32, 0.05),
        ("densenet121", {"compression": [0.3, 0.5, 1.0]}, "2.87G", AT_224, 0.07),
        ("resnet101", {"width": [128, 192, 256]}, "7.85G", AT_224, 0.04),
    ],
)  # fmt: skip
def test_the_budget_is_spent_and_never_exceeded(
    start: str, axes: dict[str, list[Any]], budget: str, at: tuple[int, int], most_left: float
) -> None:
    macs = Budget.parse(budget).macs
    found = swept(start, axes, budget, at)
    assert len({each.name for each in found}) == len(found)
    for each in found:
        spent = cost(each.config, each.input_size, at[1]).macs / macs
        assert 1 - most_left <= spent <= 1, each.name
        for axis, value in each.values:
            if axis == "depth":
                assert paper_depth(each.config) == value
            elif axis == "cardinality":
                assert residual(each).groups == (value,) * 4
            elif axis == "resolution":
                assert each.input_size == value
            elif axis == "width":
                assert residual(each).widths[0] == value
            elif axis == "widening":
                assert residual(each).inner_widths == tuple(16 * value * 2**stage for stage in range(3))
            else:
                assert getattr(each.config, axis) == value


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet152", 152), ("resnext101_32x4d", 101),
        ("wrn18_2", 18), ("wide_resnet50_2", 50), ("cifar_resnet110", 110), ("preresnet164", 164), ("wrn_28_10", 28),
        ("resnext29_8x64d", 29), ("densenet121", 121), ("densenet201", 201), ("densenet_40_12", 40),
        ("densenet_bc_100_12", 100),
    ],
)  # fmt: skip
def test_depth_is_what_the_papers_call_it(name: str, depth: int) -> None:
    config = landmark(name)
    assert paper_depth(config) == depth
    assert with_depth(config, depth) == config


def test_blocks_are_shared_out_in_proportion_and_never_taken_back() -> None:
    config = landmark("resnet50")
    shares = [deepened(config, blocks).depths for blocks in range(4, 64)]  # type: ignore[attr-defined]
    assert shares[0] == (1, 1, 1, 1) and (3, 4, 6, 3) in shares and (6, 8, 12, 6) in shares
    for fewer, more in itertools.pairwise(shares):
        assert sum(more) == sum(fewer) + 1 and all(a <= b for a, b in zip(fewer, more, strict=True))


@pytest.mark.parametrize(
    ("name", "at", "directions"),
    [
        ("resnet18", AT_224, {"depth", "width", "resolution"}),
        ("resnet50", AT_224, {"depth", "width", "cardinality", "resolution"}),
        ("resnext50_32x4d", AT_224, {"depth", "width", "cardinality", "resolution"}),
        ("densenet121", AT_224, {"depth", "growth_rate", "resolution"}),
        ("wrn_16_8", AT_32, {"depth", "width", "resolution"}),
    ],
)  # fmt: skip
def test_each_direction_costs_the_factor_and_changes_nothing_else(
    name: str, at: tuple[int, int], directions: set[str]
) -> None:
    start = landmark(name)
    found = spend(start, [2.0, 4.0], input_size=at[0], classes=at[1])
    own = cost(start, *at).macs
    assert found.settings[0].name == "start" and found.settings[0].config == start
    assert {dict(each.values)["direction"] for each in found.settings[1:]} == directions
    assert len(found.left_out) == len(DIRECTIONS) - len(directions)
    for each in found.settings[1:]:
        values = dict(each.values)
        times = cost(each.config, each.input_size, at[1]).macs / own
        assert times == pytest.approx(values["factor"], rel=0.12), each.name
        kept = {key for key, value in start.to_json().items() if each.config.to_json()[key] == value}
        changed = start.to_json().keys() - kept
        allowed = {
            "depth": {"depths"},
            "width": {"stem_width", "widths", "inner_widths"},
            "cardinality": {"groups", "inner_widths", "family"},
            "growth_rate": {"growth_rate", "stem_width"},
            "resolution": set(),
        }[str(values["direction"])]
        assert changed <= allowed
        assert (each.input_size != at[0]) == (values["direction"] == "resolution")


def test_more_groups_have_the_base_width_of_the_start() -> None:
    found = spend(landmark("resnext101_32x4d"), [2.0], directions=["cardinality"])
    wide = residual(found.settings[1])
    assert wide.inner_widths[0] == 4 * wide.groups[0] and 60 <= wide.groups[0] <= 70, "Table 4 has 64x4d"


def refused(start: Config, axes: dict[str, list[Any]], words: str, budget: str = "4.1G") -> None:
    with pytest.raises(ValueError, match=words) as error:
        settings(start, axes, Target(Budget.parse(budget), "match"))
    assert "\n" not in str(error.value)


def test_what_cannot_be_is_said_in_one_sentence() -> None:
    resnet, dense = landmark("resnet50"), landmark("densenet121")
    refused(resnet, {"growth_rate": [12]}, "a resnet has no growth_rate: expected another --start, such as densenet121")
    refused(dense, {"cardinality": [2]}, "a densenet has no cardinality: expected another --start, such as resnet50")
    refused(landmark("resnet18"), {"cardinality": [2]}, "basic blocks, in which cardinality saves nothing")
    refused(resnet, {"depth": [51]}, "depth 51: expected layers of whole blocks, such as 50 or 53")
    refused(resnet, {"depth": [5]}, "depth 5: expected layers of whole blocks, such as 14 or 17")
    refused(resnet, {"width": [512]}, "costs more than 4.1GFLOPs with one block a stage")
    refused(resnet, {"depth": [101], "width": [64]}, "depth and width together leave nothing to solve")
    refused(resnet, {"depth": [3002]}, "depth 3002 costs more than 10MFLOPs in any width", "10M")
    refused(resnet, {"block": ["dense"]}, "block 'dense': expected basic or bottleneck")
    with pytest.raises(ValueError, match="costs more than 1MFLOPs in any width"):
        solve_width(dense, 1_000_000, measure_at(224, 1000))
    for factors, directions, words in (
        ([1.0], ["depth"], "factor 1: expected other than 1"),
        ([50.0], ["depth"], "factor 50"),
        ([2.0], ["height"], "direction 'height': expected some of depth, width"),
        ([2.0], ["growth_rate"], "nothing to compare: growth_rate: DenseNets alone have one"),
    ):
        with pytest.raises(ValueError, match=words):
            spend(resnet, factors, directions=directions)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cardinality"], "expected values such as cardinality=1,2,4,8,32"),
        (["cardinal=2"], "expected AXIS=VALUES, AXIS one of cardinality"),
        (["depth=x"], "expected numbers, such as depth=26,50,101"),
        (["depth=-3"], "expected values such as"),
        (["depth=10", "depth=20"], "names depth twice"),
        (["depth=10", "width=64", "resolution=160"], "has 3 axes: expected one or two"),
    ],
)
def test_a_sweep_that_cannot_be_read_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_axes(words)


def test_axes_are_read_and_have_a_start() -> None:
    axes = parse_axes(["depth=10,16,16", "widening=1,2.5"])
    assert axes == {"depth": [10, 16], "widening": [1.0, 2.5]}
    imagenet, cifar = (Target(Budget(10**9), "match", size) for size in (224, 32))
    assert [default_start([axis], imagenet) for axis in ("depth", "cardinality", "growth_rate")] == [
        "resnet50", "resnet50", "densenet121",
    ]  # fmt: skip
    assert [default_start([axis], cifar) for axis in ("depth", "cardinality", "compression")] == [
        "wrn_28_10", "resnext29_8x64d", "densenet_bc_100_12",
    ]  # fmt: skip
    assert vary(landmark("resnet50"), {"depth": 26}, Target(Budget(10**9), "match")).name == "depth=26"


def test_a_growth_rate_keeps_the_compression() -> None:
    found = swept("densenet_bc_100_12", {"growth_rate": [8, 24]}, "0.29G", AT_32)
    for each in found:
        assert isinstance(each.config, DenseConfig)
        assert (each.config.compression, each.config.stem_width) == (0.5, 2 * each.config.growth_rate)


@pytest.mark.parametrize(
    ("sweep", "title"),
    [
        (
            AxisSweep("a/mine.json", landmark("resnet50"), (("cardinality", (1, 4)), ("depth", (26,)))),
            "cardinality-depth-mine",
        ),
        (DirectionSweep("resnet50", landmark("resnet50"), ("depth", "width"), (0.5, 2.0)), "pays-resnet50"),
    ],
)
def test_a_sweep_is_written_and_read_exactly(sweep: Sweep, title: str) -> None:
    assert sweep_from_json(json.loads(json.dumps(sweep.to_json()))) == sweep
    assert sweep.title == title
    with pytest.raises(ValueError, match="no sweep"):
        sweep_from_json(sweep.to_json() | {"kind": "other"})
