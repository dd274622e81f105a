"""`python -m space` as a user meets it: text, JSON, refusals in one sentence, pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from space import CONVENTION, LANDMARKS, config_from_json, landmark, load_config
from space.__main__ import main

ROOT = Path(__file__).parents[1]
KEYS = {"name", "family", "config", "macs", "params", "activations"}


def run(*arguments, **options):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "space", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )


def shown(capsys, *arguments):
    """What the command prints, with status 0."""
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, *arguments):
    """The one line on stderr of a command that ends with status 2."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1 and err.startswith("python -m space")
    assert "Traceback" not in err
    return err


def test_list(capsys):
    lines = shown(capsys, "list").splitlines()
    assert lines[0].startswith(CONVENTION)
    assert lines[2].split()[:4] == ["name", "family", "target", "MACs"]
    rows = {line.split()[0]: line for line in lines[4:]}
    assert list(rows) == list(LANDMARKS)
    assert rows["resnet50"].split()[1:6] == ["resnet", "imagenet", "4.089G", "25.56M", "24.01"]
    assert "not 1-crop" in rows["alexnet"]


def test_list_json(capsys):
    data = json.loads(shown(capsys, "list", "--json"))
    assert [each["name"] for each in data] == list(LANDMARKS)
    assert all(set(each) >= KEYS for each in data)
    for each in data:
        known = LANDMARKS[each["name"]]
        assert (each["macs"], each["params"]) == (known.macs, known.params)
        if known.config is None:
            assert each["config"] is None and each["activations"] is None
        else:
            assert config_from_json(each["config"]) == known.config
            assert each["activations"] > 0


def test_show(capsys):
    lines = shown(capsys, "show", "resnet50").splitlines()
    assert lines[0].startswith(CONVENTION)
    assert "224x224 and 1000 classes" in lines[0]
    text = "\n".join(lines)
    assert "4,089,184,256" in text and "25,557,032" in text and "fb.resnet.torch" in text


def test_show_json(capsys):
    data = json.loads(shown(capsys, "show", "resnet50", "--json"))
    assert set(data) >= KEYS
    assert (data["macs"], data["params"]) == (4_089_184_256, 25_557_032)
    assert data["activations"] == 11_315_688 - 64 * 56 * 56 - 1000  # pycls counts the pooling and the classifier too
    assert (data["input_size"], data["classes"]) == (224, 1000)
    small = json.loads(shown(capsys, "show", "resnet50", "--json", "--input", "64", "--classes", "10"))
    assert small["params"] == 25_557_032 - 990 * 2049
    assert (small["input_size"], small["classes"]) == (64, 10)


def test_show_cifar_landmark_at_its_own_target(capsys):
    data = json.loads(shown(capsys, "show", "cifar_resnet20", "--json"))
    assert (data["params"], data["input_size"], data["classes"]) == (269_722, 32, 10)


def test_show_layers(capsys):
    data = json.loads(shown(capsys, "show", "densenet121", "--layers", "--json"))
    for key in ("macs", "params", "activations"):
        assert sum(layer[key] for layer in data["layers"]) == data[key]
    assert data["layers"][0] == {
        "layer": "features.conv0",
        "kind": "conv",
        "output": [64, 112, 112],
        "in_channels": 3,
        "kernel": 7,
        "stride": 2,
        "groups": 1,
        "macs": 118_013_952,
        "params": 9408,
        "activations": 802_816,
    }
    lines = shown(capsys, "show", "resnext50_32x4d", "--layers").splitlines()
    row = next(line for line in lines if line.startswith("layer2.0.conv2"))
    assert "conv 3x3/2, 256 -> 256, 32 groups" in row
    assert "256 x 28 x 28" in row and "14,450,688" in row and "0.34 %" in row
    assert lines[-1].split()[0] == "total"
    assert lines[-1].split()[1:3] == ["4,230,479,872", "25,028,904"]


def test_show_figures_only(capsys):
    data = json.loads(shown(capsys, "show", "vgg16", "--json"))
    assert data["config"] is None and data["macs"] == 15_470_264_320
    assert "the space cannot express it" in shown(capsys, "show", "vgg16")
    assert "figures only" in refused(capsys, "show", "vgg16", "--layers")
    assert "figures only" in refused(capsys, "show", "vgg16", "--input", "128")


def test_show_config_file(capsys, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(landmark("resnet18").to_json()))
    data = json.loads(shown(capsys, "show", str(path), "--json"))
    assert (data["name"], data["family"], data["params"]) == ("mine", "resnet", 11_689_512)
    path.write_text(json.dumps(landmark("wrn_16_8").to_json()))
    data = json.loads(shown(capsys, "show", str(path), "--json"))
    assert (data["input_size"], data["classes"], data["params"]) == (32, 10, 10_961_370)
    assert CONVENTION in shown(capsys, "show", str(path), "--layers")


def test_show_json_is_a_config_file(capsys, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(shown(capsys, "show", "densenet169", "--json"))
    assert load_config(path) == landmark("densenet169")
    assert json.loads(shown(capsys, "show", str(path), "--json"))["params"] == 14_149_480


def test_landmarks_of_your_own(capsys, tmp_path):
    path = tmp_path / "own.json"
    net = {"name": "lab net", "config": landmark("resnet18").to_json(), "top1_error": 24.5}
    path.write_text(json.dumps([net, {"name": "another", "macs": "2.2G", "params": "14M"}]))
    rows = shown(capsys, "list", "--landmark", str(path)).splitlines()[4:]
    assert len(rows) == len(LANDMARKS) + 2
    assert rows[-2].split()[:7] == ["lab", "net", "resnet", "imagenet", "1.814G", "11.69M", "24.50"]
    assert rows[-1].split()[:6] == ["another", "own", "imagenet", "2.200G", "14.00M", "-"]
    data = json.loads(shown(capsys, "show", "lab net", "--landmark", str(path), "--json"))
    assert (data["params"], data["published"]["top1_error"]) == (11_689_512, 24.5)
    assert "14.00M" in shown(capsys, "show", "another", "--landmark", str(path))
    assert "figures only" in refused(capsys, "show", "another", "--landmark", str(path), "--layers")
    assert "resnet18.csv" in refused(capsys, "list", "--landmark", str(tmp_path / "resnet18.csv"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required"),
        (("lst",), "invalid choice"),
        (("show",), "required"),
        (("show", "resnet51"), "did you mean resnet50"),
        (("show", "xyzzy"), "python -m space list"),
        (("show", "missing.json"), "No such file"),
        (("show", "resnet50", "--input", "0"), "input size is 0"),
        (("show", "resnet50", "--input", "-3"), "input size is -3"),
        (("show", "resnet50", "--input", "large"), "invalid int value: 'large'"),
        (("show", "resnet50", "--input", "1000000"), "input size is 1000000"),
        (("show", "resnet50", "--classes", "0"), "classes is 0"),
        (("show", "densenet121", "--input", "4"), "too small"),
        (("list", "--colour"), "unrecognized arguments"),
    ],
)
def test_refuses(capsys, arguments, words):
    assert words in refused(capsys, *arguments)


GOOD = landmark("resnet50").to_json()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\x00\xff\xfe\x01" * 100, "is no JSON"),
        (b"[" * 100_000, "bad.json"),
        (b"[]", "got list"),
        (b"null", "got NoneType"),
        (b'{"config": 3}', "got int"),
        (b"{}", "family None"),
        (json.dumps(GOOD | {"family": "vgg"}).encode(), "family 'vgg'"),
        (json.dumps(GOOD | {"colour": 1}).encode(), "unknown key 'colour'"),
        (json.dumps(GOOD | {"depths": [3, 4, 0, 3]}).encode(), "is 0"),
        (json.dumps(GOOD | {"stem_width": 10**9}).encode(), "1000000000"),
    ],
)
def test_refuses_files(capsys, tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    line = refused(capsys, "show", str(path))
    assert words in line and "bad.json" in line


def test_refuses_a_directory(capsys, tmp_path):
    assert "directory" in refused(capsys, "show", str(tmp_path)).lower()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_refuses_an_unreadable_file(capsys, tmp_path):
    path = tmp_path / "secret.json"
    path.write_text("{}")
    path.chmod(0)
    assert "denied" in refused(capsys, "show", str(path))


def test_process_status_and_no_traceback():
    bad = run("show", "resnet51")
    assert (bad.returncode, bad.stdout, bad.stderr.count("\n")) == (2, "", 1)
    good = run("show", "resnet18", "--json")
    assert good.returncode == 0 and json.loads(good.stdout)["params"] == 11_689_512


def test_help_says_what_is_counted():
    out = run("--help")
    assert out.returncode == 0
    assert CONVENTION in " ".join(out.stdout.split())


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX pipe")
def test_closed_pipe_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "space", "show", "densenet264", "--layers"]
    out = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writer)
    assert (out.returncode, out.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "space", "show", "densenet264", "--layers", "--json"]
        out = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert out.returncode == 2
    assert out.stderr == "python -m space: the output cannot be written: No space left on device\n"
