"""Wrong inputs for everything that reads: python -m benchmarks.fuzz --out DIR.

Every reader gets 100,000 seeded inputs if one takes less than a millisecond of the processor, else 1,000: valid ones
that were mutated (flipped bits, splices, huge numbers, control and bidirectional characters, nested JSON, other types),
and paths of FIFOs, devices, folders and links. Counted are inputs that are accepted, inputs that are refused in one
sentence, tracebacks, and hangs (30 s). Readers run one after another, each in a process of its own with at most 8 GB;
what is done stays in DIR, and the same command goes on. `benchmarks/results/fuzz.txt` is a run's output.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.fuzz_commands import commands
from benchmarks.fuzz_readers import CSV, READERS, _picture
from benchmarks.fuzz_run import Counts, fuzz
from evaluate.training.presets import RECIPES
from search.__main__ import main as search
from space import LANDMARKS
from space.shell.tables import align

COMMANDS = ("space", "evaluate", "results", "search")
ALL = READERS | {f"python -m {name}": commands(name) for name in COMMANDS}
ROOT = Path(__file__).resolve().parents[1]
MEMORY = 8 * 2**30  # bytes of address space
HEADER = ("reader", "inputs", "accepted", "refused", "tracebacks", "hangs", "ms an input")


def prepare(folder: Path) -> None:
    """What readers need: a real run of four small networks, copies of it, and files to name on command lines."""
    template = folder / "template"
    template.mkdir(parents=True)
    before = os.getcwd()
    os.chdir(template)
    try:
        words = "--budget 60M --input 32 --classes 10 --trials 4 --recipe smoke --landmarks none --plots none -q"
        if search([*words.split(), "--name", "run"]):
            raise RuntimeError("the search that makes the run has failed")
    finally:
        os.chdir(before)
    shutil.copytree(template / "runs" / "run", folder / "run")
    shutil.copytree(template / "runs" / "run", template / "runs" / "two")
    (template / "config.json").write_text(json.dumps(LANDMARKS["cifar_resnet20"].network().to_json()))
    (template / "recipe.json").write_text(json.dumps(RECIPES["smoke"].to_json() | {"name": "mine"}))
    (template / "own.csv").write_text(CSV)
    (template / "loop").symlink_to("loop")
    for name in ("cat", "dog"):
        (template / "images" / "train" / name).mkdir(parents=True)
        for number in range(8):
            (template / "images" / "train" / name / f"{number}.png").write_bytes(_picture("png"))


def fuzz_one(name: str, folder: Path, seed: int, inputs: int | None, kept: Path | None = None) -> Counts:
    """One reader in this process, on a prepared folder; `kept` holds what was counted before, and what is counted."""
    os.environ["ARCHFRONTIER_CACHE"] = str(folder / "cache")
    if kept is None:
        return fuzz(ALL[name](folder), seed, inputs)
    before = Counts.load(kept) if kept.exists() and kept.stat().st_size else None
    with kept.open("a+", encoding="utf-8"):
        pass
    with kept.open("r+", encoding="utf-8") as file:  # open before a command line's confinement
        return fuzz(ALL[name](folder), seed, inputs, before, file)


def snapshot(folder: Path) -> str:
    """A digest of the names, sizes and times of all files below a folder but caches and git's own."""
    digest = hashlib.sha256()
    for root, folders, names in sorted(os.walk(folder)):
        folders[:] = sorted(each for each in folders if each not in (".git", "__pycache__") and "_cache" not in each)
        for name in sorted(names):
            stat = os.lstat(os.path.join(root, name))
            digest.update(f"{root}/{name} {stat.st_size} {stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def finished(path: Path) -> bool:
    """Whether a reader has had all its inputs."""
    counts = Counts.load(path) if path.exists() and path.stat().st_size else None
    return counts is not None and counts.inputs == counts.wanted


def table(rows: list[Counts]) -> str:
    """What is printed."""
    cells = [
        (each.reader, f"{each.inputs:,}", f"{each.accepted:,}", f"{each.refused:,}", f"{each.tracebacks:,}",
         f"{each.hangs:,}", f"{1000 * each.seconds / max(1, each.inputs):.2f}")
        for each in rows
    ]  # fmt: skip
    lines = [align(HEADER, cells, right=(1, 2, 3, 4, 5, 6))]
    total = sum(each.inputs for each in rows)
    broken, hung = sum(each.tracebacks for each in rows), sum(each.hangs for each in rows)
    lines += ["", f"{total:,} inputs, {broken:,} tracebacks, {hung:,} hangs"]
    for each in rows:
        for finding in each.findings:
            lines += ["", f"{each.reader}: {finding['what']} in {finding['where']}: {finding['said']}",
                      f"  input {finding['input'][:300]}"]  # fmt: skip
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print the table. Returns 1 if anything broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="counts, a file a reader")
    parser.add_argument(
        "--readers", nargs="+", default=list(ALL), choices=list(ALL), metavar="NAME", help=", ".join(ALL)
    )
    parser.add_argument("--inputs", type=int, metavar="N", help="for every reader (100,000 or 1,000, by its speed)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="the table of what DIR holds; nothing is run")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)  # the prepared folder, in a reader's own process
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    files = {
        name: options.out / f"{name.replace(' ', '-').replace('/', '-')}-{options.seed}.json"
        for name in options.readers
    }
    if options.child:
        (name,) = options.readers
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        fuzz_one(name, options.child, options.seed, options.inputs, files[name])
        return 0
    if options.show:
        print(table([Counts.load(path) for path in files.values() if path.exists() and path.stat().st_size]))
        return 0
    died = []
    before = snapshot(ROOT)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "made"
        prepare(made)
        for number, name in enumerate(name for name in options.readers if not finished(files[name])):
            folder = Path(place) / str(number)
            shutil.copytree(made, folder, symlinks=True)
            more = [] if options.inputs is None else ["--inputs", str(options.inputs)]
            command = [sys.executable, "-m", "benchmarks.fuzz", "--out", str(options.out.resolve()), "--readers", name]
            command += ["--seed", str(options.seed), "--child", str(folder), *more]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                died.append(f"{name}: its process ended with status {done.returncode}: {done.stderr[-1500:]}")
            print(f"{name}: {'died' if done.returncode else 'done'}", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    rows = [Counts.load(path) for path in files.values() if path.exists()]
    print(f"Python {platform.python_version()}, seed {options.seed}; limit 30 s an input")
    print(f"\n{table(rows)}")
    changed = snapshot(ROOT) != before
    print("\n".join(["", *died, f"files of the repository changed: {'yes' if changed else 'no'}"]))
    return int(bool(died) or changed or any(each.tracebacks or each.hangs for each in rows))


if __name__ == "__main__":
    sys.exit(main())
