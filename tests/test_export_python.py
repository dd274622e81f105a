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
from space import (
    FAMILIES,
    LANDMARKS,
    Config,
    DenseConfig,
    ResidualConfig,
    build,
    config_from_json,
    cost,
    landmark,
    load_family,
)

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


def same(config: Config, directory: Path, size: int = 24) -> None:
    made = export_model(config, directory / "model.py", classes=5, input_size=size)
    assert made.difference == 0
    names: dict[str, Any] = {}
    exec((directory / "model.py").read_text(), names)
    own, expected = names["make_model"](7).state_dict(), build(config, 7, size).state_dict()
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
        assert torch.equal(tensor, expected[name]), name


def test_all_is_laid_out_as_ruff_does_it(tiny_configs: dict[str, Config], tmp_path: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    real = {name: landmark(name) for name in ("resnext101_32x8d", "densenet201", "preresnet110", "wrn_28_10")}
    for number, config in enumerate((tiny_configs | EDGES | real).values()):
        (tmp_path / f"model{number}.py").write_text(source(about(config), "a run with a long name " * 9))
    for words in (["format", "--check"], ["check", "--select", "E,F,I,W,B,UP"]):
        command = [ruff, *words, "--isolated", "--no-cache", "--line-length", "120", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_torch_alone_is_imported(tiny_config: Config) -> None:
    text = source(about(tiny_config))
    modules = [
        name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([each.name for each in node.names] if isinstance(node, ast.Import) else [str(node.module)])
    ]
    needed = {name.split(".")[0] for name in modules}
    assert "torch" in needed and needed - {"torch"} <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 450


def test_only_what_the_family_needs_is_written(tiny_configs: dict[str, Config]) -> None:
    residual, dense = (source(about(tiny_configs[name])) for name in ("bottleneck", "dense"))
    for text in (residual, dense):
        code = text[text.index("class Config") :]
        assert "def reset_classifier" not in code and "def macs" not in code  # nothing in the file calls them
        assert "Tensor" not in code and "type: ignore" not in code
    assert "class ResidualBlock" in residual and "Dense" not in residual and "Gate" not in residual
    assert "class Transition" in dense and "class ResidualBlock" not in dense


def test_the_table_at_the_top_is_the_networks() -> None:
    names: dict[str, Any] = {}
    config = landmark("resnext50_32x4d")
    exec(source(about(config)), names)
    table = names["Config"]().blocks(32, 5, 3)
    assert [tuple(map(tuple, block.layers)) for block in table] == [
        tuple(map(tuple, block.layers)) for block in config.blocks(32, 5)
    ]
    assert names["Config"].depths == (3, 4, 6, 3) and names["Config"].widths == (256, 512, 1024, 2048)
    assert table[1].layers[2] == ("conv2", 128, 128, 3, 1, 8, 32, 0, False)  # 32x4d: 128 channels in 32 groups


@pytest.mark.parametrize("family", [*FAMILIES])
def test_every_family(family: str, tmp_path: Path) -> None:
    name = next(name for name, each in LANDMARKS.items() if each.family == family)
    same(landmark(name).scaled(0.125), tmp_path, 64)


OWN = (Path(__file__).resolve().parent.parent / "docs" / "mobilenet.py").read_text(encoding="utf-8")
MOBILE = {
    "family": "mobilenet_v2", "stem": "imagenet", "stem_width": 8, "depths": [1, 2, 1, 1, 1, 1, 1],
    "widths": [8, 8, 8, 16, 16, 24, 32], "last_width": 64,
}  # fmt: skip
OWN_REFUSED = {
    "another package": (("import numpy\n", ""), ("F.relu6(self.bn1", "numpy.abs(1) * F.relu6(self.bn1"), "need numpy"),
    "a module under another name": (
        ("import torch.fx as fx\n", ""), ("out = F.relu6(", "out = fx and F.relu6("), "import torch.fx as fx",
    ),
    "one name twice": (
        ("", "def run_stage():\n    pass\n"), ("return x + out", "return run_stage and x + out"), "called run_stage",
    ),
    "a property of the configuration": (
        ("", ""), ('= 1 if config.stem == "cifar"', '= 1 if config.kind == "cifar"'),
        "do not run in a file by themselves .AttributeError",
    ),
    "a maker that is no class": (
        ("", ""), ("module=MobileNet", "module=lambda *words: MobileNet(*words)"), "is no class or function",
    ),
}  # fmt: skip


def test_an_own_family(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    try:
        load_family(f"{path}:FAMILY")
        path.write_text("its file is gone\n")  # the text that was run is what counts
        config = config_from_json(MOBILE)
        same(config, tmp_path)
    finally:
        FAMILIES.pop("mobilenet_v2", None)
    text = (tmp_path / "model.py").read_text()
    assert "class InvertedResidual" in text and "MobileShape" not in text and "space." not in text.split('"""')[2]


@pytest.mark.parametrize("name", OWN_REFUSED)
def test_an_own_family_that_fits_in_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (first, behind), (old, new), said = OWN_REFUSED[name]
    assert old in OWN
    text = OWN.replace("from torch import Tensor, nn\n", f"{first}from torch import Tensor, nn\n{behind}", 1)
    (tmp_path / "mine.py").write_text(text.replace(old, new))
    try:
        load_family(f"{tmp_path / 'mine.py'}:FAMILY")
        with pytest.raises(ValueError, match=said) as error:
            export_model(config_from_json(MOBILE), tmp_path / "model.py", classes=5, input_size=32)
    finally:
        FAMILIES.pop("mobilenet_v2", None)
    assert "\n" not in str(error.value) and ".onnx" in str(error.value)
    assert not (tmp_path / "model.py").exists()


def test_words_of_a_user_stay_words(tiny_configs: dict[str, Config]) -> None:
    evil = 'run """\nimport os\\N{x} \x00'
    text = source(about(tiny_configs["basic"]) | {"name": evil}, evil)
    tree = ast.parse(text)
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["torch"]
    head = " ".join(str(ast.get_docstring(tree)).split())
    assert head.count("run ____import os_N{x} _") == 2
    scored = source(about(tiny_configs["basic"]) | {"proxy_top1": 71.25})
    assert "Proxy top-1 71.25 %: a short training" in " ".join(str(ast.get_docstring(ast.parse(scored))).split())
