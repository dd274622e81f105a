"""Networks as files: what is read back gives the network's own outputs, and what does not is refused."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import results.export.formats
from evaluate.images.load import load_data
from evaluate.training.full import train_network
from evaluate.training.presets import RECIPES
from results.export import ENDINGS, export_model
from results.export.formats import FORMATS, Format, Subject, make_python, make_safetensors, read_python
from space import Config, build, cost, landmark, load_config

Tiny = dict[str, Config]
KINDS = ("grouped", "pre-activation, option A", "dense BC", "regnety")
SOME = (KINDS[-1], *(pytest.param(name, marks=pytest.mark.slow) for name in KINDS[:-1]))


def images(count: int, size: int = 24) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(7))


def a_state(config: Config, classes: int = 5) -> dict[str, Tensor]:
    """Weights as after a training: no number of a norm is zero or one."""
    torch.manual_seed(3)
    model = build(config, classes, 24, zero_init_last=True).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        model(images(8))
    return model.state_dict()


def outputs(config: Config, state: dict[str, Tensor], count: int) -> Tensor:
    model = build(config, 5, 24)
    model.load_state_dict(state)
    with torch.no_grad():
        return model.eval()(images(count))


@pytest.mark.parametrize("name", SOME)
def test_onnx(name: str, tmp_path: Path, tiny_configs: Tiny) -> None:
    import onnx
    import onnxruntime

    state = a_state(tiny_configs[name])
    made = export_model(
        tiny_configs[name], tmp_path / "m.onnx", classes=5, input_size=24, weights=state, origin="a test"
    )
    assert made.difference is not None and made.largest is not None and made.difference <= 1e-5 * made.largest
    assert made.rounding is None or 0 < made.rounding <= 1e-5 * made.largest
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]  # no external data
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    for count in (1, 2, 5):  # any batch, from a file that knows nothing of this process
        got = session.run(None, {"images": images(count).numpy()})[0]
        torch.testing.assert_close(
            torch.from_numpy(got), outputs(tiny_configs[name], state, count), rtol=1e-4, atol=1e-4
        )
    metadata = {each.key: each.value for each in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert metadata["origin"] == "a test" and json.loads(metadata["network"])["config"] == tiny_configs[name].to_json()


@pytest.mark.parametrize("name", SOME)
def test_program(name: str, tmp_path: Path, tiny_configs: Tiny) -> None:
    state = a_state(tiny_configs[name])
    export_model(tiny_configs[name], tmp_path / "m.pt2", classes=5, input_size=24, weights=state)
    about = {"network": ""}
    program = torch.export.load(tmp_path / "m.pt2", extra_files=about).module()
    for count in (1, 2, 5):
        with torch.no_grad():
            torch.testing.assert_close(
                program(images(count)), outputs(tiny_configs[name], state, count), rtol=1e-5, atol=1e-5
            )
    assert json.loads(about["network"])["classes"] == 5


def test_weights_are_loaded_back_as_the_documentation_says(tmp_path: Path, tiny_configs: Tiny) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file

    state = a_state(tiny_configs["dense BC"])
    made = export_model(tiny_configs["dense BC"], tmp_path / "m.safetensors", classes=5, input_size=24, weights=state)
    assert made.difference == 0
    export_model(tiny_configs["dense BC"], tmp_path / "m.json", classes=5, input_size=24)
    model = build(load_config(tmp_path / "m.json"), 5, 24).eval()
    model.load_state_dict(load_file(tmp_path / "m.safetensors"))
    with torch.no_grad():
        assert torch.equal(model(images(2)), outputs(tiny_configs["dense BC"], state, 2))
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        about = json.loads(file.metadata()["network"])
    assert (about["input_size"], about["classes"]) == (24, 5)
    assert about["macs"] == cost(tiny_configs["dense BC"], 24, 5).macs


def test_configuration_of_a_published_network(tmp_path: Path) -> None:
    export_model(landmark("resnet50"), tmp_path / "r.json")
    assert load_config(tmp_path / "r.json") == landmark("resnet50")
    about = json.loads((tmp_path / "r.json").read_text())
    assert (about["name"], about["macs"], about["classes"]) == ("resnet50", 4_089_184_256, 1000)
    assert "proxy_top1" not in about  # nothing was trained
    export_model(landmark("cifar_resnet20"), tmp_path / "c.json")  # its own target
    about = json.loads((tmp_path / "c.json").read_text())
    assert (about["input_size"], about["classes"]) == (32, 10)


def test_untrained_weights_are_those_of_the_seed(tmp_path: Path, tiny_configs: Tiny) -> None:
    from safetensors.torch import load_file

    before = torch.get_rng_state()
    made = export_model(tiny_configs["basic"], tmp_path / "m.safetensors", input_size=24, classes=5, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    assert made.weights.startswith("UNTRAINED, seed 4")
    torch.manual_seed(4)
    fresh = build(tiny_configs["basic"], 5, 24)
    written = load_file(tmp_path / "m.safetensors")
    assert written.keys() == fresh.state_dict().keys()
    for name, parameter in fresh.named_parameters():
        assert torch.equal(written[name], parameter), name
    assert not torch.equal(written["bn1.running_mean"], torch.zeros(8))  # measured, so that checks see the norms


def test_a_real_training_is_exported(tmp_path: Path, tiny_configs: Tiny) -> None:
    data = load_data("digits", 8)
    train_network(
        "tiny", tiny_configs["basic"], dataclasses.replace(RECIPES["smoke"], proxy_macs=None), data, tmp_path / "run",
        device="cpu", show=lambda line: None,
    )  # fmt: skip
    made = export_model(
        load_config(tmp_path / "run" / "config.json"), tmp_path / "m.safetensors", classes=10, input_size=8,
        weights=tmp_path / "run" / "model.pt",
    )  # fmt: skip
    assert made.difference == 0 and made.weights.endswith("model.pt")
    again = export_model(
        load_config(tmp_path / "run" / "config.json"), tmp_path / "m.py", classes=10, input_size=8,
        weights=tmp_path / "m.safetensors",
    )  # fmt: skip
    assert again.difference == 0 and "none in a .py file" in again.weights
    header = " ".join((tmp_path / "m.py").read_text().split())
    assert "as (pixel / 255 - (" in header and "Classes: 0, 1, 2" in header


# --- what does not give the network's outputs is never written ------------------------------------------------------


def test_other_outputs_are_refused_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_configs: Tiny
) -> None:
    def wrong(subject: Subject) -> bytes:
        subject.model.get_submodule("fc").bias.data[0] += 1  # type: ignore[union-attr, operator]
        content = make_safetensors(subject)
        subject.model.get_submodule("fc").bias.data[0] -= 1  # type: ignore[union-attr, operator]
        return content

    monkeypatch.setitem(FORMATS, ".safetensors", FORMATS[".safetensors"]._replace(make=wrong))
    (tmp_path / "m.safetensors").write_text("old")
    with pytest.raises(ValueError, match=r"differs from the network by 1, where outputs are up to"):
        export_model(tiny_configs["basic"], tmp_path / "m.safetensors", classes=5, input_size=24)
    assert (tmp_path / "m.safetensors").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


MISTAKES = {
    "no norm": (
        "bottleneck",
        "self.get_submodule(norm)(self.get_submodule(conv)(out))",
        "self.get_submodule(conv)(out)",
    ),
    "no ReLU": ("bottleneck", "F.relu(out, inplace=True)\n\n    def between", "out\n\n    def between"),
    "no shortcut": ("basic", "branch + shortcut", "branch"),
    "the raw input is projected": ("pre-activation", "ZeroPadShortcut) else out", "ZeroPadShortcut) else x"),
    "the last norm's ReLU": ("pre-activation", '"bn", "relu")', '"bn")'),
    "the stem's pooling": ("imagenet", "MaxPool2d(3, 2, 1)", "AvgPool2d(3, 2, 1)"),
    "a dense layer's ReLU": ("dense BC", "F.relu(self.norm2(out), inplace=True)", "self.norm2(out)"),
    "a transition's pooling": ("dense BC", "AvgPool2d(2, 2)", "MaxPool2d(2, 2)"),
    "a number of the table": ("grouped", "groups=", "widens="),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_check_sees_any_mistake_in_the_code(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_configs: Tiny
) -> None:
    name, right, wrong = MISTAKES[mistake]

    def make(subject: Subject) -> bytes:
        content = make_python(subject)
        assert right.encode() in content
        return content.replace(right.encode(), wrong.encode())

    monkeypatch.setitem(FORMATS, ".py", Format((), make, read_python, weights=False))
    with pytest.raises(ValueError, match="no file was written"):
        export_model(tiny_configs[name], tmp_path / "m.py", classes=5, input_size=24)
    assert not list(tmp_path.iterdir())


def test_what_onnxruntime_cannot_read(tmp_path: Path, tiny_configs: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, ".onnx", FORMATS[".onnx"]._replace(make=lambda subject: b"no network"))
    with pytest.raises(ValueError, match=r"onnxruntime .* cannot read what torch .* made \(.*; no file was written"):
        export_model(tiny_configs["basic"], tmp_path / "m.onnx", classes=5, input_size=24)
    assert not list(tmp_path.iterdir())


def test_outputs_that_are_not_finite_are_refused(tmp_path: Path, tiny_configs: Tiny) -> None:
    state = a_state(tiny_configs["basic"])
    state["fc.bias"] = state["fc.bias"].fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite with these weights"):
        export_model(tiny_configs["basic"], tmp_path / "m.safetensors", classes=5, input_size=24, weights=state)
    assert not list(tmp_path.iterdir())


# --- what is refused before anything is made ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.pth", "m", "m.ONNX", ".onnx"])
def test_other_endings(name: str, tmp_path: Path, tiny_configs: Tiny) -> None:
    with pytest.raises(ValueError, match=r"expected one of \.safetensors, \.onnx, \.pt2, \.py, \.json"):
        export_model(tiny_configs["basic"], tmp_path / name)
    assert set(ENDINGS) == {".safetensors", ".onnx", ".pt2", ".py", ".json"}


def test_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_configs: Tiny) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # what an import of a package that is not there meets
    with pytest.raises(ValueError, match=r"onnxruntime, not installed here; type pip install 'archfrontier\[exp"):
        export_model(tiny_configs["basic"], tmp_path / "m.onnx")


def test_more_than_an_onnx_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_configs: Tiny) -> None:
    monkeypatch.setattr(results.export.formats, "LARGEST_ONNX", 1000)  # a network of 2 GiB is nothing for a test
    with pytest.raises(ValueError, match=r"an ONNX file holds 2 GiB: write \.pt2 or \.safetensors"):
        export_model(tiny_configs["basic"], tmp_path / "m.onnx", input_size=24)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fc.weight": torch.zeros(7, 16), "fc.bias": torch.zeros(7)}, r"tell 7 classes, not 5; type --classes 7"),
        ({"conv1.weight": None}, r"'conv1\.weight' is not among them"),
        ({"more": torch.zeros(1)}, r"which has no 'more'"),
        ({"conv1.weight": torch.zeros(4, 3, 3, 3)}, r"shape \(4, 3, 3, 3\), in this network it is \(8, 3, 3, 3\)"),
    ],
)
def test_weights_of_another_network(changes: dict[str, Any], sentence: str, tmp_path: Path, tiny_configs: Tiny) -> None:
    state: dict[str, Any] = {**a_state(tiny_configs["basic"]), **changes}
    torch.save({name: value for name, value in state.items() if value is not None}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=rf"model\.pt: .*{sentence}"):
        export_model(tiny_configs["basic"], tmp_path / "m.pt2", classes=5, input_size=24, weights=tmp_path / "model.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_files_that_hold_no_weights(name: str, tmp_path: Path, tiny_configs: Tiny) -> None:
    path = tmp_path / name
    for content in (b"", b"no weights", b"\x80\x02c__builtin__\nprint\n."):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name} cannot be read as weights"):
            export_model(tiny_configs["basic"], tmp_path / "m.pt2", weights=path)
    torch.save([1, 2], path.with_suffix(".pt"))
    with pytest.raises(ValueError, match=r"model\.pt holds no state dict"):
        export_model(tiny_configs["basic"], tmp_path / "m.pt2", weights=path.with_suffix(".pt"))
    with pytest.raises(ValueError, match=r"a \.json file holds no weights"):
        export_model(tiny_configs["basic"], tmp_path / "m.json", weights=path)
