"""Paths through residual networks: gradients written down by hand, sums over all paths, and the command."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evaluate.__main__ import main
from evaluate.paths.lesion_report import interval
from evaluate.paths.paths import (
    Effective,
    contributions,
    decay,
    effective,
    effective_interval,
    path_gradients,
    path_shares,
    sample_norms,
)
from results.plots.panels import draw_row
from results.plots.paths import paths_plot_data
from results.plots.style import THEMES
from space import Config, ResidualConfig, build
from space.networks.residual_modules import ResidualBlock
from space.shell.scores import Interval
from tests.pictures import check


class Scale(ResidualBlock):
    """y = x + factor * x: a block whose ways can be distinguished by hand."""

    def __init__(self, factor: float) -> None:
        nn.Module.__init__(self)
        self.factor, self.preactivation = factor, True

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.factor * x, x


def by_hand() -> nn.Module:
    """Two such blocks and a head that looks at the pixels themselves: with pixel p its logits are p and 0."""
    head = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0], [0.0]]))
    return nn.Sequential(Scale(2.0), Scale(3.0), nn.Flatten(), head)


def test_four_paths_by_hand() -> None:
    pixel = torch.full((4, 1, 1, 1), 0.1)
    through = torch.tensor([[False, True, False, True], [False, False, True, True]])
    gradient = path_gradients(by_hand(), pixel, torch.zeros(4, dtype=torch.int64), through).flatten()
    # The network gives (1 + 2)(1 + 3) * 0.1 = 1.2 whichever path is taken back; the loss falls by 1 - sigmoid(1.2).
    slope = -(1 - 1 / (1 + math.exp(-1.2)))
    assert gradient.tolist() == pytest.approx([slope * each for each in (1, 2, 3, 2 * 3)])


def test_norms_by_length_by_hand() -> None:
    def batch(chosen: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full((len(chosen), 1, 1, 1), 0.1), torch.zeros(len(chosen), dtype=torch.int64)

    norms = sample_norms(by_hand(), batch, 5, 300, 0, "cpu")  # more than one batch
    slope = 1 - 1 / (1 + math.exp(-1.2))
    assert norms.shape == (3, 300)
    assert norms[0].tolist() == pytest.approx([slope] * 300, rel=1e-5)
    assert norms[2].tolist() == pytest.approx([6 * slope] * 300, rel=1e-5)
    seen = (norms[1] / slope).round().tolist()
    assert set(seen) == {2.0, 3.0} and 100 < seen.count(2.0) < 200


def test_all_paths_add_up_to_the_gradient(tiny_residual: ResidualConfig) -> None:
    torch.manual_seed(0)
    model = build(tiny_residual, 5, 24).double().eval()
    image, label = torch.randn(1, 3, 24, 24, dtype=torch.float64), torch.tensor([3])
    count = sum(tiny_residual.depths)
    through = torch.tensor(list(itertools.product([False, True], repeat=count))).T
    copies = 2**count
    each = path_gradients(model, image.expand(copies, -1, -1, -1), label.expand(copies), through)
    leaf = image.clone().requires_grad_()
    (whole,) = torch.autograd.grad(F.cross_entropy(model(leaf), label), leaf)
    assert torch.allclose(each.sum(0, keepdim=True), whole, rtol=1e-9, atol=1e-12)
    assert (each.flatten(1).norm(dim=1) > 0).all()
    lonely = path_gradients(model, image, label, through[:, 5:6])
    assert torch.allclose(lonely, each[5:6], rtol=1e-9, atol=1e-12)  # what the others do is nothing to an image
    assert not any("through" in name for name, _ in model.named_modules())


def test_the_papers_54_blocks() -> None:
    shares = path_shares(54)
    assert sum(shares) == pytest.approx(1)
    assert 100 * sum(shares[5:18]) == pytest.approx(0.45, abs=0.005)  # arXiv:1605.06431, section 5
    assert sum(shares[19:36]) > 0.95
    assert path_shares(2) == [0.25, 0.5, 0.25]


def test_contributions_and_effective_lengths() -> None:
    assert contributions([1.0, 0.5, 0.25]) == pytest.approx([4 / 9, 4 / 9, 1 / 9])
    assert effective([0.01, 0.02, 0.9, 0.06, 0.01]) == Effective(2, 3)
    assert effective([0.2, 0.2, 0.2, 0.2, 0.2]) == Effective(0, 4)
    assert decay([8.0, 4.0, 2.0, 1.0, 0.0]) == pytest.approx(0.5)
    assert decay([1.0, 0.0]) is None
    with pytest.raises(ValueError, match="no gradient arrives"):
        contributions([0.0, 0.0])


def test_interval_of_effective_lengths() -> None:
    certain = torch.tensor([[1.0], [1.0], [1.0]], dtype=torch.float64).expand(3, 50)
    assert effective_interval(certain, 0) == ((0, 0), (2, 2))
    rare = torch.zeros(3, 50, dtype=torch.float64)
    rare[1], rare[2, 0] = 1.0, 10.0  # with the one long path that counts, lengths 1 and 2; in 36 % of samples it is not
    (low, high), (near, far) = effective_interval(rare, 0)
    assert (low, high, near, far) == (1, 1, 1, 2)


# ---------------------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory, tiny_configs: dict[str, Config]) -> Path:
    path = tmp_path_factory.mktemp("net") / "tiny.json"
    path.write_text(json.dumps(tiny_configs["basic"].to_json()))
    return path


def run(net: Path, out: Path, *more: str) -> int:
    return main(["paths", str(net), "--data", "digits", "--device", "cpu", "--samples", "8", "--out", str(out), *more])


def test_command(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(net, tmp_path / "out", "--recipe", "smoke") == 0
    printed = capsys.readouterr().out
    assert "3 blocks, 2^3 = 8 paths" in printed and "1605.06431" in printed
    report = json.loads((tmp_path / "out" / "paths.json").read_text())
    assert report["shares"] == [0.125, 0.375, 0.375, 0.125]
    assert sum(report["contributions"]) == pytest.approx(1)
    assert len(report["norms"]) == 4 and all(low < mean < high for mean, low, high in report["norms"])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"paths.json", "paths.txt", "paths.png", "paths.svg", "paths-dark.png", "paths-dark.svg"}
    data = paths_plot_data(report)
    assert data.panels[0].series[0].y == (12.5, 37.5, 37.5, 12.5)
    assert data.panels[1].series[0].y == tuple(norm[0] for norm in report["norms"])
    for theme in THEMES.values():
        assert "The 8 paths of" in check(draw_row(data, theme))[-2]


def test_weights_of_a_training(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "quick.json"
    recipe.write_text(
        json.dumps({"name": "quick", "epochs": 2, "batch_size": 64, "learning_rate": 0.1, "resolution": 8})
    )
    words = [
        "--input", "8", "--data", "digits", "--recipe", str(recipe), "--device", "cpu", "--name", "t", "--seed", "3",
    ]  # fmt: skip
    assert main(["train", str(net), *words]) == 0
    trained = tmp_path / "runs" / "train" / "t"
    capsys.readouterr()
    assert run(net, tmp_path / "out", "--weights", str(trained / "model.pt"), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["seed"], report["recipe"]["name"]) == (3, "quick")
    assert report["error"] == pytest.approx(100 - json.loads((trained / "train.json").read_text())["top1"])

    def refused(*more: str, network: Path = net) -> str:
        assert run(network, tmp_path / "refused", *more) == 2
        assert not (tmp_path / "refused").exists()
        error = capsys.readouterr().err.splitlines()
        return error[-1]

    weights = ("--weights", str(trained / "model.pt"))
    assert "leave --recipe away" in refused(*weights, "--recipe", "smoke")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(json.loads(net.read_text()) | {"depths": [1, 1]}))
    assert "trained for another network" in refused(*weights, network=other)
    assert "with its files beside it" in refused("--weights", str(tmp_path / "nowhere.pt"))
    (trained / "model.pt").write_bytes(b"nothing")
    assert "holds no weights" in refused(*weights)
    (trained / "train.json").write_text("{}")
    assert "is damaged" in refused(*weights)


def test_counts_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", "densenet121", "--count"]) == 0
    assert "58 dense layers, 2^58 = 2.88e+17 paths" in capsys.readouterr().out
    assert main(["paths", "cifar_resnet110", "--count", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["paths"], report["units"]) == (str(2**54), 54)
    assert main(["paths", "preresnet1001", "--count"]) == 0
    assert "of all paths go through" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, more, message",
    [
        ("densenet121", [], "of a DenseNet give --count"),
        ("cifar_resnet20", ["--samples", "0"], "--samples 0: expected 1 or more"),
        ("plain", ["--count"], "has one path alone"),
    ],
)
def test_command_refuses(
    name: str, more: list[str], message: str, tmp_path: Path, tiny_configs: dict[str, Config],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if name == "plain":
        (tmp_path / "plain.json").write_text(json.dumps(tiny_configs["plain"].to_json()))
        name = str(tmp_path / "plain.json")
    assert main(["paths", name, "--recipe", "smoke", "--device", "cpu", "--out", str(tmp_path / "out"), *more]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [{}, {"units": 2}, {"units": 1, "norms": [], "shares": []}])
def test_what_is_no_report_is_said(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"paths\.json"):
        paths_plot_data(content)


def test_student() -> None:
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == pytest.approx((2, 2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert interval([5.0]) == (5.0, None, None) and str(interval([5.0])) == "5.0"
    assert Interval(50.0, -10.0, 110.0).within(0, 100) == (50.0, 0, 100)
    with pytest.raises(ValueError, match="no values"):
        interval([])
