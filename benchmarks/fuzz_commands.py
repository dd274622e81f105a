"""The words of the command lines, given to `main` in this process, in a folder that nothing can be written outside of.

What a line asks for is not done to its end: it is accepted once a module would be called or a figure would be made.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import io
import os
import random
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.figure
import torch

from benchmarks.fuzz_inputs import NUMBERS, TEXTS, mutated_text
from benchmarks.fuzz_run import Reached, Reader, check_message

RENEWED = 100  # command lines in one sandbox
GOOD = (
    "resnet18", "densenet121", "cifar_resnet20", "runs/run", "config.json", "own.csv", "recipe.json", "images",
    "digits", "smoke", "1", "2", "32", "10", "0.5", "100M", "300M", "cpu", "out.csv", "out.png", "out.json", "frontier",
    "all", "none", "sqlite:///runs/run/study.db", "postgresql://user:secret@127.0.0.1:1/db", "fifo", "/dev/zero",
    "loop",
)  # fmt: skip
LINES: dict[str, tuple[str, ...]] = {
    "space": (
        "list",
        "list --json --landmark own.csv",
        "show resnet18 --layers",
        "show config.json --input 64 --classes 10 --json",
        "show vgg16",
        "block resnet50 --stage 2 --markdown",
        "block --width 256 --inner 64 --groups 2",
        "block --block basic --width 64",
        "table resnet",
        "table ilsvrc --json",
    ),
    "evaluate": (
        "count resnet18",
        "count config.json --input 64 --classes 10",
        "score resnet18 --recipe smoke --seed 3",
        "train resnet18 --data images --recipe recipe.json --name x",
        "train runs/run --recipe smoke",
        "latency resnet18 --batch 1 2 --input 32 --device cpu",
        "zerocost resnet18 --recipe smoke",
        "fidelity --recipe smoke --set cifar --seeds 2 --networks cifar_resnet20",
        "paths cifar_resnet20 --count",
        "paths cifar_resnet20 --recipe smoke --samples 3 --json",
        "lesion cifar_resnet20 --recipe smoke --seeds 1 --images 10 --draws 1",
    ),
    "results": (
        "runs/run",
        "runs/run --plots frontier --x params --theme dark --format svg",
        "runs/run --plots architecture --trial 1",
        "show runs/run --frontier --columns network,macs,params",
        "show runs/run --out out.csv --limit 2 --sort macs:desc",
        "show runs/run --format latex --where proxy_top1>3",
        "compare runs/run runs/two --plot both.png",
        "export runs/run --max-macs 2G --to model.json",
        "export runs/run --trial 0 --to model.safetensors",
        "export config.json --to code.py --classes 10",
        "block resnet50 --out b.png",
        "published --out p.svg --landmark own.csv --target cifar",
    ),
    "search": (
        "--budget 300M --dry-run 2 --json",
        "--budget 300M --input 32 --classes 10 --recipe smoke --trials 1 --name new",
        "--budget 300M --mode match --sweep cardinality=1,2 --dry-run 2 --input 64",
        "--budget 300M --families resnet densenet --max-params 5M --sampler qmc --recipe recipe.json --data images",
        "--budget 300M --warm-start runs/run --name warm --recipe smoke --landmarks none --plots none -q",
        "--budget 1G --storage sqlite:///x.db --landmark own.csv --refine 0.3 --early-stopping --workers 2",
        "--budget 300M --objective latency --max-latency 5 --device cpu --dry-run 1 --gpu-fraction 0.5",
        "pays --start resnet18 --factors 2 --seeds 2 --recipe smoke --data digits --name pays",
        "status runs/run",
        "status runs/run --json",
        "status runs/two",
    ),
}
HELP = (  # the commands that have options of their own
    "", "show", "export", "compare", "published", "status", "pays", "block", "list", "table", "count", "score", "train",
    "latency", "zerocost", "fidelity", "paths", "lesion",
)  # fmt: skip


def commands(name: str) -> Callable[[Path], Reader]:
    """The fuzzing of the command line of one package; it changes this process for good."""

    def make(folder: Path) -> Reader:
        template, sandbox = folder / "template", folder / "sandbox"
        shutil.copytree(template, sandbox, symlinks=True, ignore=lambda _, names: [n for n in names if n == "fifo"])
        os.chdir(sandbox)
        _confine(folder)
        main = importlib.import_module(f"{name}.__main__").main
        options = _options(name)
        uses = 0

        def draw(rng: random.Random) -> list[str]:
            lines = LINES[name]
            words = rng.choice(lines).split(" ")
            for _ in range(rng.randint(0, 3)):
                words = _mutated(rng, words, lines, options)
            return [word.replace("\0", "0") for word in words]  # no argument can hold a zero byte

        def read(words: list[str]) -> None:
            nonlocal uses
            uses += 1
            if uses % RENEWED == 0:
                _renew(template, sandbox)
            _answer(name, main, words)

        _renew(template, sandbox)
        return Reader(f"python -m {name}", draw, read)

    return make


def _renew(template: Path, sandbox: Path) -> None:
    """The sandbox as it was."""
    os.chdir(sandbox.parent)
    shutil.rmtree(sandbox, ignore_errors=True)
    shutil.copytree(template, sandbox, symlinks=True)
    os.mkfifo(sandbox / "fifo")
    os.chdir(sandbox)


def _answer(name: str, main: Callable[[list[str]], int], words: list[str]) -> None:
    """Run one command line.

    Raises:
        ValueError: if it is refused, with what it said.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(words))
        except SystemExit as stop:  # argparse
            status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    if status == 0:
        return
    said = [line for line in err.getvalue().splitlines() if line.startswith("python -m")] or [""]
    check_message(said[-1])
    if status == 2:
        raise ValueError(said[-1])
    raise RuntimeError(f"exit status {status} of {words}: {err.getvalue()[-300:]}")


def _mutated(rng: random.Random, words: list[str], lines: Sequence[str], options: Sequence[str]) -> list[str]:
    at = rng.randrange(len(words) or 1)
    match rng.randrange(8):
        case 0:
            return words[:at] + words[at + 1 :]
        case 1:
            return words[: at + 1] + words[at:]
        case 2 if words:
            return [*words[:at], mutated_text(rng, words[at], GOOD, most=2), *words[at + 1 :]]
        case 3:
            return [*words[:at], rng.choice((*GOOD, *TEXTS, *NUMBERS)), *words[at + 1 :]]
        case 4 if words:  # the value of an option, most likely
            return [*words[:-1], rng.choice((*GOOD, *NUMBERS))]
        case 5 | 6:
            return [*words, rng.choice(options), *(rng.choice((*GOOD, *NUMBERS)) for _ in range(rng.randint(0, 2)))]
        case _:
            other = rng.choice(lines).split(" ")
            return words[:at] + other[rng.randrange(len(other)) :]


def _options(name: str) -> list[str]:
    """All options of a package's command lines, as its parsers have them."""
    found: dict[str, None] = {}
    init = argparse.ArgumentParser.add_argument

    @functools.wraps(init)
    def noted(self: Any, *flags: str, **more: Any) -> Any:
        found.update(dict.fromkeys(flag for flag in flags if flag.startswith("-")))
        return init(self, *flags, **more)

    argparse.ArgumentParser.add_argument = noted  # type: ignore[method-assign]
    argparse._ArgumentGroup.add_argument = noted  # type: ignore[method-assign]
    try:
        main = importlib.import_module(f"{name}.__main__").main
        for word in HELP:
            quiet = io.StringIO()
            with contextlib.suppress(SystemExit), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                main([*word.split(), "--help"])
    finally:
        argparse.ArgumentParser.add_argument = init  # type: ignore[method-assign]
        argparse._ArgumentGroup.add_argument = init  # type: ignore[method-assign]
    return list(found)


# ------------------------------------------------------------------------------------------------- confinement

_WRITES = {"os.mkdir": (0,), "os.rename": (0, 1), "os.remove": (0,), "os.rmdir": (0,), "os.link": (0, 1),
           "os.symlink": (1,), "os.truncate": (0,), "os.chmod": (0,), "os.utime": (0,), "shutil.rmtree": (0,),
           "sqlite3.connect": (0,)}  # fmt: skip


def _confine(folder: Path) -> None:
    """From now on this process writes nothing outside of `folder`, calls no module, draws no figure, has no network.

    A path outside is answered as by a disk that is not the user's: permission denied.
    """
    allowed = os.path.realpath(folder) + os.sep

    def outside(path: object) -> bool:
        if isinstance(path, int) or path is None:
            return False
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
        text = text.removeprefix("file:").split("?")[0]
        if text in ("", ":memory:", os.devnull):
            return False
        parent, last = os.path.split(os.path.abspath(text))
        return not (os.path.join(os.path.realpath(parent), last) + os.sep).startswith(allowed)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
            wrong = [path] if (writes or (mode and set(mode) & set("wax+"))) and outside(path) else []
        else:
            wrong = [arguments[n] for n in _WRITES.get(event, ()) if n < len(arguments) and outside(arguments[n])]
            if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"):
                raise PermissionError(13, "Permission denied", event)
        if wrong:
            raise PermissionError(13, "Permission denied", str(wrong[0]))

    def reached(*_: object, **__: object) -> None:
        raise Reached

    os.environ |= {"HOME": str(folder), "TMPDIR": str(folder), "ARCHFRONTIER_CACHE": str(folder / "cache"),
                   "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "PGCONNECT_TIMEOUT": "1"}  # fmt: skip
    sys.modules["ray"] = None  # type: ignore[assignment]  # it would start servers
    torch.nn.Module.__call__ = reached  # type: ignore[method-assign]
    matplotlib.figure.Figure.__init__ = reached  # type: ignore[method-assign]
    socket.setdefaulttimeout(1)
    sys.dont_write_bytecode = True
    sys.addaudithook(hook)
