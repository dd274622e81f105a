"""The closed form against what ptflops and torch see executed; the full comparison is benchmarks/exactness.py."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.exactness import differences, random_cases
from evaluate.measures.counting import count_with_ptflops, count_with_torch
from space import Config, DenseConfig, ResidualConfig, cost


@pytest.mark.parametrize("kind", ["residual", "dense"])
def test_random_networks_are_counted_exactly(kind: str) -> None:
    for case in random_cases(kind, 8, seed=7):
        assert differences(case) == [], case


@pytest.mark.parametrize("name", ["plain", "plain, bottleneck", "plain, pre-activation"])
def test_plain_networks_are_counted_exactly(name: str, tiny_configs: dict[str, Config]) -> None:
    ours = cost(tiny_configs[name], 24, 7)
    assert count_with_ptflops(tiny_configs[name], 24, 7) == (ours.macs, ours.params)
    assert count_with_torch(tiny_configs[name], 24, 7) == (ours.macs, ours.params)


def test_random_networks_reach_every_branch() -> None:
    residual = [case.config for case in random_cases("residual", 200, seed=7)]
    dense = [case.config for case in random_cases("dense", 200, seed=7)]
    for field in ("stem", "block", "stride_in", "shortcut", "preactivation", "family"):
        expected = {"stem": 3, "family": len(ResidualConfig.LABELS)}.get(field, 2)
        assert len({getattr(config, field) for config in residual}) == expected
    assert any(config.block == "basic" and max(config.groups) > 1 for config in residual)  # type: ignore[attr-defined]
    assert {config.bottleneck > 0 for config in dense} == {True, False}  # type: ignore[attr-defined]
    assert {config.stem for config in dense} == {"imagenet", "cifar"}  # type: ignore[attr-defined]


def test_a_difference_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_cases("dense", 1, seed=1)[0]
    exact = cost(case.config, case.input_size, case.classes)
    monkeypatch.setattr("benchmarks.exactness.cost", lambda *_: replace(exact, macs=exact.macs + 1))
    found = differences(case)
    assert [text.partition(":")[0] for text in found] == ["MACs = ptflops", "MACs = torch"]


def test_hand_counted() -> None:
    config = DenseConfig(
        family="densenet", stem="cifar", stem_width=4, depths=(1,), growth_rate=2, bottleneck=0, compression=1.0
    )
    # stem 3*4*9 and one layer 4*2*9, at 8x8; classifier 6*10
    macs = (108 + 72) * 64 + 60
    assert count_with_torch(config, 8, 10)[0] == count_with_ptflops(config, 8, 10)[0] == macs


def test_counting_is_quiet_and_leaves_random_numbers_alone(capfd: pytest.CaptureFixture[str]) -> None:
    import torch

    config = random_cases("dense", 1, seed=3)[0].config
    torch.manual_seed(1)
    count_with_ptflops(config, 32, 10)
    count_with_torch(config, 32, 10)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
    assert capfd.readouterr() == ("", "")


def test_ptflops_failing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluate.measures.counting.get_model_complexity_info", lambda *_, **__: (None, None))
    config = random_cases("residual", 1, seed=5)[0].config
    with pytest.raises(RuntimeError, match="ptflops cannot count"):
        count_with_ptflops(config, 64, 10)


@pytest.mark.slow
def test_a_broken_torchvision_does_not_matter(tmp_path: Path) -> None:
    """PyPI's torchvision beside a CPU build of torch fails so, where ptflops looks for deformable convolutions."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "evaluate", "count", "cifar_resnet20"],
        capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": paths}, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "all three agree" in done.stdout
