"""Configurations: what is refused where they are made or read, their files, ids and scaled copies."""

import json

import pytest

from space import LANDMARKS, DenseConfig, ResidualConfig, config_from_json, cost, landmark, load_config

EXPRESSED = [name for name, known in LANDMARKS.items() if known.config is not None]
# Those of the same name among conftest's tiny_configs.
RESIDUAL = ResidualConfig("resnext", "cifar", 8, "bottleneck", (2, 1), (16, 32), (8, 16), (4, 4)).to_json()
GROUPED_BASIC = ResidualConfig("resnext", "cifar", 8, "basic", (2, 1), (8, 16), (8, 16), (2, 4)).to_json()
DENSE = DenseConfig("densenet", "cifar", 8, (2, 3, 2), 4).to_json()
BAD = {
    "not an object": ([1, 2], "JSON object"),
    "null": (None, "JSON object"),
    "a number": (3, "JSON object"),
    "no family": ({}, "family None"),
    "unknown family": (RESIDUAL | {"family": "vgg"}, "expected one of resnet"),
    "family of another class": (RESIDUAL | {"family": "densenet"}, "unknown key"),
    "family is a list": (RESIDUAL | {"family": ["resnet"]}, "family"),
    "unknown key": (RESIDUAL | {"colour": "red"}, "unknown key 'colour'"),
    "missing key": ({key: value for key, value in RESIDUAL.items() if key != "depths"}, "missing key 'depths'"),
    "text for a list": (RESIDUAL | {"depths": "3,4"}, "depths is '3,4'"),
    "number for a list": (RESIDUAL | {"widths": 64}, "widths is 64"),
    "object for a list": (RESIDUAL | {"widths": {"1": 64}}, "widths is"),
    "empty list": (RESIDUAL | {"depths": []}, "depths is"),
    "nested list": (RESIDUAL | {"depths": [[1], [1]]}, "entry of depths"),
    "float for int": (RESIDUAL | {"depths": [2.0, 1]}, "entry of depths is 2.0"),
    "bool for int": (RESIDUAL | {"depths": [True, 1]}, "entry of depths is True"),
    "null for int": (RESIDUAL | {"stem_width": None}, "stem_width is None"),
    "bool for stem width": (RESIDUAL | {"stem_width": True}, "stem_width is True"),
    "int for bool": (RESIDUAL | {"preactivation": 1}, "preactivation is 1"),
    "lengths differ": (RESIDUAL | {"depths": [1, 1, 1]}, "expected 3"),
    "zero depth": (RESIDUAL | {"depths": [2, 0]}, "entry of depths is 0"),
    "negative width": (RESIDUAL | {"widths": [16, -32]}, "entry of widths is -32"),
    "absurd width": (RESIDUAL | {"widths": [16, 10**9]}, "1000000000"),
    "absurd depth": (RESIDUAL | {"depths": [2, 10**9]}, "1000000000"),
    "groups do not divide": (RESIDUAL | {"groups": [3, 4]}, "groups 3 does not divide 8"),
    "groups do not divide the width": (
        GROUPED_BASIC | {"widths": [9, 16], "shortcut": "B"},
        "groups 2 does not divide",
    ),
    "groups do not divide the stem of a basic net": (
        GROUPED_BASIC | {"stem_width": 7},
        "groups 2 does not divide",
    ),
    "groups do not divide the stage before": (
        GROUPED_BASIC | {"groups": [2, 16], "inner_widths": [8, 32], "widths": [8, 32]},
        "groups 16 does not divide",
    ),
    "unknown stem": (RESIDUAL | {"stem": "mnist"}, "stem is 'mnist'"),
    "unknown block": (RESIDUAL | {"block": "dense"}, "block is 'dense'"),
    "list for a choice": (RESIDUAL | {"block": ["basic"]}, "block is"),
    "unknown stride": (RESIDUAL | {"stride_in": "5x5"}, "stride_in is '5x5'"),
    "unknown shortcut": (RESIDUAL | {"shortcut": "C"}, "shortcut is 'C'"),
    "shortcut A narrows": (RESIDUAL | {"shortcut": "A", "widths": [32, 16]}, "cannot narrow from 32 to 16"),
    "shortcut A narrows the stem": (RESIDUAL | {"shortcut": "A", "stem_width": 64}, "cannot narrow from 64 to 16"),
    "compression 0": (DENSE | {"compression": 0}, "compression is 0"),
    "compression above 1": (DENSE | {"compression": 1.5}, "compression is 1.5"),
    "compression is not a number": (DENSE | {"compression": float("nan")}, "compression is nan"),
    "compression is text": (DENSE | {"compression": "0.5"}, "compression is '0.5'"),
    "compression is a bool": (DENSE | {"compression": True}, "compression is True"),
    "growth 0": (DENSE | {"growth_rate": 0}, "growth_rate is 0"),
    "negative bottleneck": (DENSE | {"bottleneck": -1}, "bottleneck is -1"),
    "dense beyond machines": (DENSE | {"depths": [10_000], "growth_rate": 65_536}, "beyond any machine"),
    "dense unknown key": (DENSE | {"widths": [1]}, "unknown key 'widths'"),
    "dense missing key": ({key: value for key, value in DENSE.items() if key != "growth_rate"}, "missing key"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configs_are_refused_with_a_sentence(name, tmp_path):
    data, words = BAD[name]
    with pytest.raises(ValueError) as refusal:
        config_from_json(data)
    message = str(refusal.value)
    assert words in message
    assert "\n" not in message and len(message) < 300
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_config(path)


@pytest.mark.parametrize("content", [b"", b"{", b"not json", b"\xff\x00" * 50, b'{"family": "resnet"', b"[" * 100_000])
def test_bad_files(content, tmp_path):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_config(path)


def test_good_files(tiny_configs, tmp_path):
    path = tmp_path / "good.json"
    for config in tiny_configs.values():
        for data in (config.to_json(), {"config": config.to_json(), "macs": 1}):
            path.write_text(json.dumps(data))
            assert load_config(path) == config


def test_ids_tell_configs_apart(tiny_configs):
    assert len({config.id for config in tiny_configs.values()}) == len(tiny_configs)
    assert all(len(config.id) == 12 for config in tiny_configs.values())
    # An integer compression reads as the same network.
    whole = DenseConfig("densenet", "cifar", 16, (2, 2), 4, 0, 1)
    assert whole == tiny_configs["dense"] and whole.id == tiny_configs["dense"].id


def test_configs_are_frozen_and_hashable(tiny_configs):
    with pytest.raises(AttributeError):
        tiny_configs["basic"].depths = (1, 1)
    assert len(set(tiny_configs.values())) == len(tiny_configs)


@pytest.mark.parametrize("factor", [0.05, 0.25, 0.5, 1.0, 1.7])
def test_scaled_stays_valid(tiny_configs, factor):
    grouped = ResidualConfig("resnext", "cifar", 16, "basic", (2, 1), (32, 64), (32, 64), (16, 16))
    for config in [*tiny_configs.values(), grouped, *map(landmark, EXPRESSED)]:
        scaled = config.scaled(factor)
        assert type(scaled) is type(config) and scaled.depths == config.depths
        if factor < 0.5:
            assert cost(scaled, 64, 10).macs <= cost(config, 64, 10).macs
