"""The readers of values and files, each with valid inputs that are mutated; command lines are another file's."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from PIL import Image

from benchmarks.fuzz_inputs import json_bytes, mutated_bytes, mutated_text, mutated_tree
from benchmarks.fuzz_run import Reader
from evaluate.images.decode import Encoded, decode
from evaluate.images.load import data_name, load_data
from evaluate.images.sources import open_source, parse_spec
from evaluate.training.presets import RECIPES, find_recipe
from results import load_run
from results.cli.filters import where
from search.cli.status import read_status
from search.run.log import read_log
from space import LANDMARKS, Budget, cost, load_config
from space.budget import parse_count
from space.landmarks.own import read_landmarks
from space.shell.names import check_name
from space.solving.axes import Target
from space.solving.vary import AXES, default_start, parse_axes, settings, start_named

BUDGETS = ("4.1GFLOPs", "600M", "4.1e9", "4.1 GMACs", "0.6G", "1_000_000_000", "200mflops", "10T")
COUNTS = ("25M", "25.6M", "25_000_000", "1.5e7", "11k", "3")
NAMES = ("my-run", "4.1G-frontier-digits-cpu", "run 2", "r\u00e9seau", "a.b", "x" * 60)
SWEEPS = tuple(f"{axis}={example}" for axis, (_, example) in AXES.items())
CONDITIONS = (
    'macs < 2e9 and family == "resnext"', "proxy_top1 > 10", "trial in (1, 2, 3)", "not (params < 5e6)",
    "macs / params > 100", "family in ['resnet', 'densenet'] or trial == 0", "latency_ms < 3", "-macs < 0",
    "landmark != 'resnet50'", "on_frontier", "macs in (loss / trial) / reason", "reason == 'x'", "seconds * 2 > loss",
)  # fmt: skip
CSV = "name,macs,params,top1_error,setting,target,year\nmine,2G,5M,20.5,384 px,imagenet,2020\nhers,300M,1M,5,,cifar,\n"
OWN = (
    {"name": "mine", "macs": "4.1G", "params": "25.6M", "top1_error": 23.9, "year": 2020, "label": "Mine"},
    {"name": "net", "config": LANDMARKS["resnet18"].network().to_json(), "top1_error": 30.2, "top5_error": 11},
    [{"name": "one", "macs": "300M", "params": "2M"}, {"name": "two", "macs": 300000000, "params": 2e6}],
)
Make = Callable[[Path], Reader]


def special_files(folder: Path) -> tuple[Path, ...]:
    """Places that are no regular files, in `folder` or of the system."""
    fifo, loop, sub = folder / "fifo", folder / "loop", folder / "directory.json"
    if not fifo.exists():
        os.mkfifo(fifo)
        loop.symlink_to(loop)
        sub.mkdir()
    return fifo, loop, sub, Path("/dev/zero"), Path("/dev/null"), folder / "nothing.json", Path("/proc/self/mem")


def text_reader(name: str, valid: Sequence[str], read: Callable[[str], object]) -> Make:
    """Reads one text."""

    def make(folder: Path) -> Reader:
        return Reader(name, lambda rng: mutated_text(rng, rng.choice(valid), valid), lambda text: _done(read(text)))

    return make


def file_reader(
    name: str, contents: Callable[[random.Random], tuple[bytes, str]], read: Callable[[Path], object],
    errors: tuple[type[Exception], ...] = (ValueError,), names: tuple[str, ...] = (),
) -> Make:  # fmt: skip
    """Reads one file; now and then it is none, but a FIFO, a device, a folder, a link to itself."""

    def make(folder: Path) -> Reader:
        special = special_files(folder)

        def draw(rng: random.Random) -> tuple[bytes, str] | Path:
            return rng.choice(special) if rng.random() < 0.01 else contents(rng)

        def read_it(given: tuple[bytes, str] | Path) -> None:
            if isinstance(given, Path):
                path = given
                if names:  # the reader chooses the file's name itself
                    path = folder / names[0]
                    path.unlink(missing_ok=True)
                    path.symlink_to(given)
            else:
                path = folder / (names[0] if names else given[1])
                path.unlink(missing_ok=True)
                path.write_bytes(given[0])
            read(path)

        return Reader(name, draw, read_it, errors)

    return make


def _done(result: object) -> None:
    """Drop a result; a reader gives none."""


def _tree_file(trees: Sequence[Any], ending: str = "input.json") -> Callable[[random.Random], tuple[bytes, str]]:
    others = [json.dumps(tree).encode() for tree in trees]

    def contents(rng: random.Random) -> tuple[bytes, str]:
        tree = rng.choice(trees)
        return json_bytes(rng, tree if rng.random() < 0.1 else mutated_tree(rng, tree, trees), others), ending

    return contents


CONFIGS: list[Any] = [each.config.to_json() for each in LANDMARKS.values() if each.config is not None]


def _configuration(path: Path) -> None:
    config = load_config(path)
    cost(config, 224, 1000)


def _landmark_file(rng: random.Random) -> tuple[bytes, str]:
    if rng.random() < 0.4:
        lines = mutated_text(rng, CSV, (CSV,)).encode("utf-8", "surrogatepass")
        return (mutated_bytes(rng, lines, (lines,)) if rng.random() < 0.2 else lines), "own.csv"
    return _tree_file(OWN, "own.json")(rng)


def data_specifications(folder: Path) -> Reader:
    """What stands behind --data, opened where it is a folder; nothing is fetched."""
    place = folder / "images"
    for name in ("train/cat/1.png", "train/dog/1.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(_picture("png"))
    special = [str(path) for path in special_files(folder)]
    valid = ("digits", str(place), f"{place}?split=train", "uoft-cs/cifar100?label=fine_label", *special)

    def read(text: str) -> None:
        data_name(text)
        spec = parse_spec(text)
        if spec.kind == "folder" and Path(os.path.realpath(spec.place)).is_relative_to(folder.resolve()):
            open_source(spec)

    return Reader("data specifications", lambda rng: mutated_text(rng, rng.choice(valid), valid), read)


def solved_sweeps(folder: Path) -> Reader:
    """A sweep's words up to the networks that it trains."""
    target = Target(Budget.parse("600M"), "match", 64, 100)

    def draw(rng: random.Random) -> list[str]:
        return [mutated_text(rng, rng.choice(SWEEPS), SWEEPS, most=1) for _ in range(rng.randint(1, 2))]

    def read(words: list[str]) -> None:
        axes = parse_axes(words)
        settings(start_named(default_start(list(axes), target)), axes, target)

    return Reader("sweeps, solved", draw, read)


def conditions(folder: Path) -> Reader:
    """--where on the table of a real run."""
    frame = load_run(folder / "run").frame()
    return Reader(
        "--where",
        lambda rng: mutated_text(rng, rng.choice(CONDITIONS), CONDITIONS),
        lambda text: _done(where(frame, text)),
    )


def _of_run(name: str, file: str, mutate: Callable[[random.Random, bytes], bytes], read: Callable[[Path], Any]) -> Make:
    """One file of a run's directory is damaged, the directory is read."""

    def make(folder: Path) -> Reader:
        content = (folder / "run" / file).read_bytes()

        def contents(rng: random.Random) -> tuple[bytes, str]:
            return mutate(rng, content), file

        reader = file_reader(name, contents, lambda path: read(path.parent), (ValueError, OSError), (file,))
        made = reader(folder / "run")
        return made

    return make


def _status(directory: Path) -> None:
    status = read_status(directory)
    status.text()
    json.dumps(status.to_json())


def _log(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        match rng.randrange(4):
            case 0:
                lines[at] = json_bytes(rng, mutated_tree(rng, json.loads(content.splitlines()[0]), OF_LOGS), lines)
            case 1:
                del lines[at]
            case 2:
                lines.insert(at, rng.choice(lines))
            case _:
                other = json.loads(rng.choice(content.splitlines()))
                lines[at] = json_bytes(rng, mutated_tree(rng, other, [other]), lines)
        lines = lines or [b""]
    return b"\n".join(lines)


OF_LOGS: list[Any] = [{"event": "start", "key": [1]}, {"event": "end"}, 1, None]


def _run_file(rng: random.Random, content: bytes) -> bytes:
    tree = json.loads(content)
    return json_bytes(rng, mutated_tree(rng, tree, [tree, {"storage": "postgresql://u@127.0.0.1:1/x"}]), [content])


def study_attributes(folder: Path) -> Reader:
    """The JSON of one attribute of the study or of a trial, as another program may have left it."""
    run = folder / "run"
    intact = (run / "study.db").read_bytes()
    with closing(sqlite3.connect(run / "study.db")) as opened:
        rows = [
            (table, key, value)
            for table in ("trial_user_attributes", "study_user_attributes")
            for key, value in opened.execute(f"select {table[:-1]}_id, value_json from {table}")
        ]  # fmt: skip
    trees = [json.loads(value) for _, _, value in rows]

    def draw(rng: random.Random) -> list[tuple[str, int, str]]:
        chosen = [rng.randrange(len(rows)) for _ in range(rng.randint(1, 2))]
        return [
            (
                rows[n][0],
                rows[n][1],
                json_bytes(rng, mutated_tree(rng, trees[n], trees), [b"{}"]).decode(errors="replace"),
            )
            for n in chosen
        ]

    def read(changes: list[tuple[str, int, str]]) -> None:
        (run / "study.db").write_bytes(intact)
        with closing(sqlite3.connect(run / "study.db")) as opened, opened:
            for table, key, value in changes:
                opened.execute(f"update {table} set value_json = ? where {table[:-1]}_id = ?", (value, key))
        found = load_run(run)
        found.frontier()
        if found.settings["mode"] == "frontier" and len(found.frontier()):
            found.best()
        _status(run)

    return Reader("study attributes", draw, read, (ValueError, OSError))


def _picture(kind: str) -> bytes:
    shades = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
    content = io.BytesIO()
    Image.fromarray(shades).save(content, kind)
    return content.getvalue()


def images(folder: Path) -> Reader:
    """One encoded image."""
    valid = [_picture(kind) for kind in ("png", "jpeg", "bmp", "gif", "webp", "tiff")]
    valid += [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", b"P6\n2 2\n255\n" + bytes(12), b"\x80\x04."]

    def read(content: bytes) -> None:
        list(decode([Encoded("image", content)], 8))

    return Reader("images", lambda rng: mutated_bytes(rng, rng.choice(valid), valid), read)


def parquet(folder: Path) -> Reader:
    """A folder with one damaged parquet file, and up to the decoded images."""
    place = folder / "parquet"
    place.mkdir(exist_ok=True)
    file = place / "train-0.parquet"
    cells = [{"bytes": _picture("png"), "path": None} for _ in range(12)]
    valid = []
    for codec in ("none", "snappy"):
        pq.write_table(pa.table({"image": cells, "label": [n % 2 for n in range(12)]}), file, compression=codec)
        valid.append(file.read_bytes())

    def draw(rng: random.Random) -> bytes:
        content = mutated_bytes(rng, rng.choice(valid), valid)
        if rng.random() < 0.5 and len(content) > 400:  # leave the ends alone, which are looked at first
            sound = rng.choice(valid)
            content = sound[:4] + content[4 : len(sound) - 300] + sound[len(sound) - 300 :]
        return content

    def read(content: bytes) -> None:
        shutil.rmtree(folder / "cache", ignore_errors=True)
        file.write_bytes(content)
        load_data(place, 8)

    return Reader("parquet", draw, read)


READERS: dict[str, Make] = {
    "budgets": text_reader("budgets", BUDGETS, Budget.parse),
    "counts": text_reader("counts", COUNTS, lambda text: parse_count(text, "--max-params")),
    "run names": text_reader("run names", NAMES, lambda name: check_name("run name", name, "choose another --name")),
    "sweeps": text_reader("sweeps", SWEEPS, lambda text: parse_axes(text.split(" "))),
    "sweeps, solved": solved_sweeps,
    "configurations": file_reader("configurations", _tree_file(CONFIGS), _configuration, (ValueError, OSError)),
    "recipes": file_reader("recipes", _tree_file([each.to_json() for each in RECIPES.values()]), find_recipe),
    "landmarks": file_reader("landmarks", _landmark_file, read_landmarks),
    "data specifications": data_specifications,
    "conditions": conditions,
    "run.json": _of_run("run.json", "run.json", _run_file, load_run),
    "log.jsonl": _of_run("log.jsonl", "log.jsonl", _log, lambda directory: read_log(directory / "log.jsonl")),
    "log.jsonl, status": _of_run("log.jsonl, status", "log.jsonl", _log, _status),
    "study bytes": _of_run("study bytes", "study.db", lambda rng, c: mutated_bytes(rng, c, [c]), _status),
    "study attributes": study_attributes,
    "parquet": parquet,
    "images": images,
}
