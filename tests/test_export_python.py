"""The source code of a network: needs torch alone, is well laid out, and is the same network."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from results.export import export_model
from results.export.python import source
from space import Config, DenseConfig, ResidualConfig, build, cost, landmark

EDGES: dict[str, Config] = {
    "one stage, nothing changes": ResidualConfig("resnet", "cifar", 8, "basic", (2,), (8,), (8,), (1,)),
    "one stage, the only block widens": ResidualConfig("resnet", "cifar", 8, "basic", (1,), (16,), (8,), (1,)),
    "option A without a stride": ResidualConfig("resnet", "cifar", 8, "basic", (2,), (16,), (8,), (1,), shortcut="A"),
    "a stage that narrows": ResidualConfig("resnet", "cifar", 16, "bottleneck", (1, 2), (32, 8), (8, 8), (1, 2)),
    "every block projects": ResidualConfig(
        "preresnet", "regnet", 8, "bottleneck", (1, 1), (16, 32), (8, 8), (1, 1), preactivation=True
    ),
    "one dense block": DenseConfig("densenet", "cifar", 8, (2,), 4),
}


def about(config: Config) -> dict[str, Any]:
    counted = cost(config, 32, 5)
    return {
        "name": "a network", "family": config.family, "config": config.to_json(), "macs": counted.macs,
        "params": counted.params, "input_size": 32, "classes": 5,
    }  # fmt: skip


def same(config: Config, directory: Path) -> None:
    made = export_model(config, directory / "model.py", classes=5, input_size=24)
    assert made.difference == 0
    names: dict[str, Any] = {}
    exec((directory / "model.py").read_text(), names)
    own, expected = names["make_model"](7).state_dict(), build(config, 7, 24).state_dict()
    assert {key: tensor.shape for key, tensor in own.items()} == {key: each.shape for key, each in expected.items()}


def test_the_same_network(tiny_config: Config, tmp_path: Path) -> None:
    same(tiny_config, tmp_path)


@pytest.mark.parametrize("name", EDGES)
def test_the_same_network_at_the_edges(name: str, tmp_path: Path) -> None:
    same(EDGES[name], tmp_path)


def test_weights_start_as_those_of_space_build(tiny_config: Config) -> None:
    names: dict[str, Any] = {}
    exec(source(about(tiny_config)), names)
    torch.manual_seed(2)
    own = names["make_model"]().state_dict()
    torch.manual_seed(2)
    expected = build(tiny_config, 5, 32).state_dict()
    for name, tensor in own.items():
        if name in ("fc.weight", "classifier.weight"):  # drawn once here and twice there
            bound = tensor.shape[1] ** -0.5
            assert bound * 0.8 < float(tensor.abs().max()) <= bound
        else:
            assert torch.equal(tensor, expected[name]), name


def test_all_is_laid_out_as_ruff_does_it(tiny_configs: dict[str, Config], tmp_path: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    real = {name: landmark(name) for name in ("resnext101_32x8d", "densenet201", "preresnet110", "wrn_28_10")}
    for number, config in enumerate((tiny_configs | EDGES | real).values()):
        (tmp_path / f"model{number}.py").write_text(source(about(config), "a run with a long name " * 9))
    for width in ("88", "120"):
        for words in (["format", "--check"], ["check", "--select", "E,F,I,W,B,UP"]):
            command = [ruff, *words, "--isolated", "--no-cache", "--line-length", width, str(tmp_path)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr


def test_torch_alone_is_imported_and_the_file_is_short(tiny_config: Config) -> None:
    text = source(about(tiny_config))
    modules = [
        name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([each.name for each in node.names] if isinstance(node, ast.Import) else [str(node.module)])
    ]
    assert modules and {name.split(".")[0] for name in modules} == {"torch"}
    assert len(text.splitlines()) <= 120


def test_only_what_the_network_needs_is_written(tiny_configs: dict[str, Config]) -> None:
    plain, grouped = (source(about(tiny_configs[name])) for name in ("bottleneck", "grouped"))
    code = plain[plain.index("from torch") :]
    assert "groups" not in code and "F.pad" not in code and "bn.weight" not in code
    assert "groups=groups" in grouped
    edge = source(about(EDGES["one stage, nothing changes"]))
    assert "downsample" not in edge and "if " not in edge.split("class Model")[0]
    edge = source(about(EDGES["every block projects"]))
    assert "shortcut = self.downsample(out)" in edge and "None" not in edge
    edge = source(about(EDGES["one dense block"]))
    assert "Transition" not in edge and "TRANSITIONS" not in edge
    assert "INNER" not in source(about(tiny_configs["dense"]))


def test_the_table_at_the_top_is_the_networks() -> None:
    names: dict[str, Any] = {}
    exec(source(about(landmark("resnext50_32x4d"))), names)
    assert names["STAGES"] == (  # blocks, channels read, given, inner, groups, stride: the paper's Table 1
        (3, 64, 256, 128, 32, 1),
        (4, 256, 512, 256, 32, 2),
        (6, 512, 1024, 512, 32, 2),
        (3, 1024, 2048, 1024, 32, 2),
    )
    exec(source(about(landmark("densenet121"))), names)
    assert names["BLOCKS"] == ((6, 64), (12, 128), (24, 256), (16, 512))
    assert names["TRANSITIONS"] == ((256, 128), (512, 256), (1024, 512))


def test_words_of_a_user_stay_words(tiny_configs: dict[str, Config]) -> None:
    evil = 'run """\nimport os\\N{x} \x00'
    text = source(about(tiny_configs["basic"]) | {"name": evil}, evil)
    tree = ast.parse(text)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    head = " ".join(str(ast.get_docstring(tree)).split())
    assert head.count("run ____import os_N{x} _") == 2
    scored = source(about(tiny_configs["basic"]) | {"proxy_top1": 71.25})
    assert "Proxy top-1 71.25 %: a short training" in " ".join(str(ast.get_docstring(ast.parse(scored))).split())
