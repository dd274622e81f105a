"""A family is one record: nobody else asks for a configuration's class or compares a family's name."""

import ast
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evaluate.measures.counting import count_with_ptflops, count_with_torch
from results.report.data import MARKERS as REPORT_MARKERS
from space import FAMILIES, LANDMARKS, Config, ResidualConfig, build, config_from_json, cost, landmark
from space.networks.axis import Axis
from space.networks.family import MARKERS
from space.networks.layers import Conv, Linear, Pool, Repeat, total, total_macs
from space.networks.network import layer_module
from space.networks.residual_family import RESNET

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("space", "evaluate", "results", "search")
CLASSES = {cls.__name__ for family in FAMILIES.values() for cls in family.config.__mro__} - {"Config", "ABC", "object"}
# Where a family may be asked for: its own files, and these.
EXCEPTIONS = {
    "space/networks/residual_sizes.py": "the families of residual networks share a file; Wide ResNet keeps its stem",
    "evaluate/calibration/truth.py": "torchvision trained its DenseNets by a recipe of their own: a fact of a source",
}


def is_class_test(node: ast.AST) -> bool:
    """isinstance(x, ResidualConfig | ...), or type(x) is ResidualConfig."""
    named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    if isinstance(node, ast.Call):
        return (
            isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass") and bool(named & CLASSES)
        )
    return isinstance(node, ast.Compare) and bool(named & CLASSES)


def is_name_test(node: ast.AST) -> bool:
    """family == "resnet", family in ("resnet", ...), or such a case of a match."""
    if isinstance(node, ast.Compare | ast.MatchValue):
        words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
        return bool(words & FAMILIES.keys())
    return False


def questions(package: str) -> Iterator[str]:
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if is_class_test(node) or is_name_test(node):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_asks_for_a_family(package: str) -> None:
    found = [place for place in questions(package) if place.partition(":")[0] not in EXCEPTIONS]
    assert not found, "what differs by family belongs in its record: space/networks/family.py"


def test_the_search_for_such_questions_finds_them() -> None:
    for text in (
        "isinstance(config, ResidualConfig)", "isinstance(config, DenseConfig | ResidualConfig)",
        "type(config) is DenseConfig", "family == 'densenet'", "config.family in ('wide_resnet', 'preresnet')",
    ):  # fmt: skip
        assert any(is_class_test(node) or is_name_test(node) for node in ast.walk(ast.parse(text))), text
    for text in ("isinstance(config, Config)", "family == other", "family in FAMILIES", "f(config, ResidualConfig)"):
        assert not any(is_class_test(node) or is_name_test(node) for node in ast.walk(ast.parse(text))), text


def test_every_exception_is_one() -> None:
    found = {place.partition(":")[0] for package in PACKAGES for place in questions(package)}
    assert found == EXCEPTIONS.keys()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_record_agrees_with_its_class(name: str) -> None:
    family = FAMILIES[name]
    assert family.name == name
    assert name in family.config.LABELS
    for known in LANDMARKS.values():
        if known.config is not None and known.family == name:
            assert type(known.config) is family.config
            assert family.describe(known.config)
            assert {"depth", "width", "block"} <= family.traits(known.config).keys()


def test_records_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="expected letters"):
        dataclasses.replace(RESNET, name="res net")
    with pytest.raises(ValueError, match="LABELS"):
        dataclasses.replace(RESNET, name="mine")
    with pytest.raises(ValueError, match="expected #rrggbb"):
        dataclasses.replace(RESNET, colour="blue")
    with pytest.raises(ValueError, match="marker is '!'"):
        dataclasses.replace(RESNET, marker="!")
    with pytest.raises(ValueError, match="both a colour and a marker"):
        dataclasses.replace(RESNET, marker="")
    with pytest.raises(ValueError, match="all of axes, shape"):
        dataclasses.replace(RESNET, shape=None)
    with pytest.raises(ValueError, match="no axes for cifar"):
        dataclasses.replace(RESNET, axes={"imagenet": (Axis("depth1", 1, 2),)})


def test_every_marker_has_its_symbol_on_the_page() -> None:
    assert REPORT_MARKERS.keys() == set(MARKERS)


# --- layers that the arithmetic does not know --------------------------------------------------------------------


class Attention(NamedTuple):
    """A record that nothing knows the cost of."""

    name: str
    channels: int

    def totals(self, copies: int) -> tuple[int, int, int]:
        return 0, 0, 0


@dataclass(frozen=True)
class Attentive(ResidualConfig):
    """A network with such a layer."""

    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        stem, *rest = super().blocks(input_size, classes, in_channels)
        return (stem, Repeat("", (Attention("attention", 8),)), *rest)  # type: ignore[arg-type]


def test_an_unknown_layer_is_an_error_wherever_it_is_counted_or_built() -> None:
    config = Attentive(**landmark("cifar_resnet20").__dict__)
    blocks = config.blocks(32, 10)
    for ask in (
        lambda: total(blocks), lambda: total_macs(blocks), lambda: cost(config, 32, 10), lambda: build(config, 10, 32),
        lambda: layer_module(Attention("attention", 8)),  # type: ignore[arg-type]
        lambda: count_with_ptflops(config, 32, 10), lambda: count_with_torch(config, 32, 10),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="of no kind that is counted and built"):
            ask()


def test_an_unknown_pooling_is_an_error() -> None:
    with pytest.raises(TypeError, match="of no kind"):
        layer_module(Pool("pool", "median", 8, 8))


def test_a_bias_is_parameters_and_no_multiply_add() -> None:
    bare, biased = Conv("conv", 8, 16, 3, 1, 10), Conv("conv", 8, 16, 3, 1, 10, bias=True)
    assert (bare.totals(2)[0], bare.totals(2)[2]) == (biased.totals(2)[0], biased.totals(2)[2])
    assert biased.totals(2)[1] - bare.totals(2)[1] == 2 * 16
    assert sum(each.numel() for each in layer_module(biased).parameters()) == biased.totals(1)[1]
    assert Linear("fc", 4, 3).totals(1) == (12, 15, 0)


# --- ids ---------------------------------------------------------------------------------------------------------


def with_a_new_field(config: Config) -> Config:
    """The same numbers in a copy of their class that has one field more, at its default."""
    newer: Any = dataclasses.make_dataclass("Newer", [("colour", str, "red")], bases=(type(config),), frozen=True)
    copy: Config = newer(**{field.name: getattr(config, field.name) for field in dataclasses.fields(config)})
    return copy


def test_a_new_field_with_a_default_changes_no_id() -> None:
    expressed = [each.config for each in LANDMARKS.values() if each.config is not None]
    for config in expressed:
        newer = with_a_new_field(config)
        assert "colour" in newer.to_json()
        assert newer.id == config.id
        assert dataclasses.replace(newer, colour="blue").id != config.id  # type: ignore[call-arg]


def test_an_id_leaves_out_only_what_is_at_its_default() -> None:
    config = landmark("resnet50")
    others = {
        "stride_in": "1x1", "shortcut": "none", "preactivation": True, "stem_width": 72, "depths": (3, 4, 6, 4),
    }  # fmt: skip
    ids = {dataclasses.replace(config, **{key: value}).id for key, value in others.items()}  # type: ignore[arg-type]
    assert len(ids | {config.id}) == len(others) + 1
    kept = {key: value for key, value in config.to_json().items() if key not in ("stride_in", "shortcut")}
    assert config_from_json(json.loads(json.dumps(kept))).id == config.id
