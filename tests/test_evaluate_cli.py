"""`python -m evaluate`: every command once for real, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evaluate
from evaluate.__main__ import main
from space import landmark
from space.shell.command import answer
from space.shell.scores import standard_error


def test_public_names_resolve() -> None:
    for name in evaluate.__all__:
        assert getattr(evaluate, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        evaluate.nonsense  # noqa: B018


def test_importing_the_package_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys, evaluate, evaluate.__main__ as m; m.make_parser().format_help(); "
        "print([name for name in ('torch', 'numpy', 'datasets', 'sklearn') if name in sys.modules])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_command_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(landmark("resnet18").to_json()))
    assert main(["score", str(path), "--data", "digits", "--recipe", "smoke", "--device", "cpu"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["state"] == "complete" and printed["recipe"]["name"] == "smoke" and printed["top1"] > 0
    assert printed["standard_error"] == pytest.approx(standard_error(printed["top1"], printed["held_out"]))


def test_command_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "cifar_resnet20"]) == 0
    text = capsys.readouterr().out
    assert text.count("40,551,040") == 3 and "all three agree" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["count", "resnet51"], "resnet51"),
        (["count", "vgg16"], "vgg16"),
        (["count", "missing.json"], "No such file"),
        (["count", "resnet18", "--input", "0"], "input size"),
        (["count", "densenet121", "--input", "8"], "too small"),
        (["score", "resnet18", "--data", "no/such/folder", "--recipe", "smoke"], "no such folder"),
        (["score", "resnet18", "--recipe", "nonsense"], "smoke, digits, fractals, cpu, fast, faithful, full"),
        (["score", "resnet18", "--device", "tpu"], "auto, cpu, cuda"),
    ],
)
def test_command_refuses_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert message in output.err and output.err.count("\n") == 1 and not output.out


def test_command_line_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["score"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_sigterm_ends_a_command_as_ctrl_c_does(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
        return "worked on"

    before = signal.getsignal(signal.SIGINT)
    assert answer("python -m evaluate", work) == 130
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "python -m evaluate: interrupted\n")
    assert signal.getsignal(signal.SIGINT) == before, "the next command of this process can be interrupted too"


def test_ctrl_c_in_a_finaliser_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    class Struck:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            done.append("deleted")

    def work() -> str:
        Struck()
        assert not done, "the signal struck inside of __del__"
        time.sleep(60)
        return "worked on"

    done: list[str] = []
    start = time.monotonic()
    assert answer("python -m evaluate", work) == 130
    assert time.monotonic() - start < 30
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "python -m evaluate: interrupted\n")
