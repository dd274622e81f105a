"""Every figure that needs a CUDA device, in parts, within a time limit.

    python -m benchmarks.gpu --data FOLDER --out DIR              # at most 9 minutes
    python -m benchmarks.gpu --data FOLDER --out DIR              # again, until it says that all is done

First a smoke test of a minute, without which nothing else is begun; then parts in the order of their worth, each a
command of its own within its own slice of the time: what it prints goes to DIR/<part>.txt. One that was cut off goes on
where it ended (fidelity, recipes, survey) or starts again (the others); it is begun once more after the parts behind it
have had their turn. After each call DIR.tar.gz holds all of DIR. `--list` shows the parts and their commands;
`--device cpu --quick` rehearses them on a CPU with toy sizes, which gives no figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARGIN = 5.0  # seconds kept for writing
LAST_TRAINING = 60.0  # seconds that a training may take which was begun in time
QUICK = {
    "epochs": 1,
    "batch_size": 64,
    "learning_rate": 0.1,
    "resolution": 8,
    "proxy_macs": 300_000,
    "train_images": 256,
}


@dataclass(frozen=True)
class Part:
    """A command; `{python}` is run in the checkout, `{out}` and `{data}` are filled in."""

    name: str
    command: str
    least: float  # seconds: not begun with less left
    most: float = 240.0  # seconds of a call: then it is cut off, and the next part has its turn


def parts(quick: bool, device: str) -> tuple[Part, ...]:
    """All parts, the most wanted first."""
    toy = (
        " --networks resnet18 densenet121 --rounds 1 --seconds 0.2 --proxy-macs 1300000 --resolution 8" if quick else ""
    )
    few = " --networks resnet18 densenet121" if quick else ""
    fast = faithful = "--recipe {out}/quick.json" if quick else ""
    fast, faithful = fast or "--recipe fast", faithful or "--recipe faithful"
    on = f" --device {device}"
    return (
        Part("smoke", f"-m benchmarks.gpu_smoke{on}{' --quick' if quick else ''}", 30, 90),
        Part(
            "throughput",
            "-m benchmarks.throughput --proxy-macs 160000000 --resolution 16 --batch 512 --seconds 1.5"  # as `fast`
            f" --out {{out}}/throughput.json{on}{toy}",
            90,
        ),
        Part(
            "packing",
            f"-m benchmarks.packing --data {{data}} {fast} --at-once 1 2 4 --out {{out}}/packing.json{on}"
            + (" --networks resnet18 --epochs 2" if quick else ""),
            90,
        ),
        Part(
            "recipes",
            f"-m benchmarks.recipes --data {{data}} --out {{out}}/recipes --minutes {{minutes}}{on}"
            + (" --networks resnet18 densenet121 --only r16-m5200000-n4000-e4" if quick else ""),
            20,
        ),
        Part("fidelity-fast", f"-m evaluate fidelity --data {{data}} {fast} --out {{out}}/fidelity-fast{on}{few}", 20),
        Part("repeat", f"-m benchmarks.repeat --data {{data}} {fast} --out {{out}}/repeat.json{on}", 60),
        Part("cuda-tests", "-m pytest -q -rs tests/test_trainer.py tests/test_latency.py", 30, 90),
        Part(
            "throughput-full-width",
            "-m benchmarks.throughput --proxy-macs 1335000000 --batch 256 --seconds 1.5"
            " --out {out}/throughput-full-width.json"
            f"{on}{toy or ' --networks resnet50 resnet152 resnext50_32x4d wide_resnet50_2'}",
            60,
        ),
        Part(
            "fidelity-fast-cifar",
            f"-m evaluate fidelity --set cifar --data {{data}} {fast} --out {{out}}/fidelity-fast-cifar{on}"
            + (" --networks cifar_resnet20 densenet_40_12" if quick else ""),
            20,
        ),
        Part("latency", f"-m evaluate latency resnet50 --batch 1 64 256{on}" + (" --input 32" if quick else ""), 20),
        Part(
            "fidelity-faithful",
            f"-m evaluate fidelity --data {{data}} {faithful} --out {{out}}/fidelity-faithful{on}{few}",
            30,
        ),
        Part(
            "fidelity-faithful-cifar",
            f"-m evaluate fidelity --set cifar --data {{data}} {faithful} --out {{out}}/fidelity-faithful-cifar{on}"
            + (" --networks cifar_resnet20 densenet_40_12" if quick else ""),
            30,
        ),
        Part(
            "survey",  # ground truth for benchmarks.search_quality
            f"-m benchmarks.survey --data {{data}} {fast} --out {{out}}/survey.csv --minutes {{minutes}}{on}"
            + (" --networks 2" if quick else " --networks 600"),
            60,
        ),
    )


def run(part: Part, data: str, out: Path, left: float) -> str:
    """Run a part; return "done", "failed", or "cut off". Its processes end with it."""
    last = max(0.0, left - LAST_TRAINING) / 60  # minutes, after which those that can stop begin no training
    filled = part.command.format(data=shlex.quote(data), out=shlex.quote(str(out)), minutes=f"{last:.2f}")
    command = [sys.executable, *shlex.split(filled)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment |= {"PYTHONUNBUFFERED": "1"}
    with (out / f"{part.name}.txt").open("w", encoding="utf-8") as log:
        log.write(f"$ python {filled}\n")
        log.flush()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(left)
        except subprocess.TimeoutExpired:
            return "cut off"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it has started
            process.wait()
    if code == 3 and part.name in ("recipes", "survey"):  # its own way to say that the time was up
        return "cut off"
    return "done" if code == 0 else f"failed with status {code}"


def pack(out: Path) -> Path:
    """All of the directory as one archive beside it."""
    archive = out.with_name(out.name + ".tar.gz")
    with tarfile.open(archive, "w:gz") as whole:
        whole.add(out, out.name)
    return archive


def main(arguments: list[str] | None = None) -> int:
    """Run what is not done yet. Exit status 0 when all is done, 3 if the time was up, 1 if a part failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="CIFAR-10: a folder of parquet files, or a hub name")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--minutes", type=float, default=9.0, help="(%(default)s)")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu with --quick (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="toy sizes: a rehearsal, no figures")
    parser.add_argument("--only", nargs="+", metavar="PART", help="some of the parts")
    parser.add_argument("--list", action="store_true", help="print the parts and stop")
    options = parser.parse_args(arguments)
    chosen = [part for part in parts(options.quick, options.device) if not options.only or part.name in options.only]
    if options.list:
        print("\n".join(f"{part.name:24} python {part.command}" for part in chosen))
        return 0
    end = time.monotonic() + 60 * options.minutes - MARGIN
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    data = str(Path(options.data).resolve()) if Path(options.data).exists() else options.data
    if options.quick:
        (out / "quick.json").write_text(json.dumps({"name": "quick"} | QUICK), encoding="utf-8")
    states = {}
    for part in chosen:
        stamp = out / f".{part.name}.done"
        left = end - time.monotonic()
        if stamp.exists():
            states[part.name] = "done before"
        elif left < part.least:
            states[part.name] = "no time left"
        else:
            began = time.monotonic()
            states[part.name] = run(part, data, out, min(left, part.most))
            if states[part.name] == "done":
                stamp.touch()
            print(f"{part.name:24} {states[part.name]}  {time.monotonic() - began:.0f} s", flush=True)
            pack(out)
            if part.name == "smoke" and states[part.name] != "done":
                print((out / "smoke.txt").read_text(encoding="utf-8"))
                break
    print(f"\nall results: {pack(out)}")
    print("\n" + "\n".join(f"{name:24} {state}" for name, state in states.items()))
    if any(state.startswith("failed") for state in states.values()):
        return 1
    return 0 if all(state.startswith("done") for state in states.values()) else 3


if __name__ == "__main__":
    sys.exit(main())
