"""How much the tests notice: small faults are put into the code, and the tests that run those lines must fail.

    python -m benchmarks.mutants map --root CHECKOUT --out MAP      # the whole suite, once: which test runs which line
    python -m benchmarks.mutants choose --root CHECKOUT --map MAP --count 60 --seed 0 --out mutants.json
    python -m benchmarks.mutants run --root CHECKOUT --map MAP --mutants mutants.json --out results.jsonl

A mutant is one change of one expression or statement in a function of `space/`, `search/` or `evaluate/training/`: a
comparison or an operation replaced by another one, a number made one larger, a truth value or condition turned round,
a `return` that gives None, a `raise` that does nothing. Mutants are chosen at random among the lines that some test
runs, and kept by their function's name and their text, not by their place, so that the same ones can be given to
another checkout, where files have other names. Those that are found there no more are said to be gone.

`run` works in a copy of the checkout and goes on where it ended. The tests that run the changed line are tried in
order of their time, one of each function first, until one fails. Tests in processes of their own are not in the map.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from coverage import CoverageData

ROOT = Path(__file__).resolve().parents[1]
QUICK = 30  # tests that are tried first
PLACES = ("space", "search", "evaluate/training")
NOT_COPIED = shutil.ignore_patterns(".*", "runs", "*.egg-info", "__pycache__", "shared")
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.In: "not in",
    ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
OPERATIONS: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change, by what is changed: `before` becomes `after`, the `nth` such change in the function."""

    function: str  # such as Recipe.proxy
    kind: str
    before: str
    after: str
    nth: int


@dataclass(frozen=True)
class Site:
    """A mutant's place in one checkout: lines from 1, columns in bytes, as `ast` counts both."""

    mutant: Mutant
    path: str
    start: tuple[int, int]
    end: tuple[int, int]
    line: int  # the first one of the statement, which is what coverage reports


def changes(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """(kind, what is replaced, by which text) of the changes of one node."""
    match node:
        case ast.Compare(left=left, ops=[operation], comparators=[right]):
            yield "comparison", node, f"({ast.unparse(left)} {COMPARISONS[type(operation)]} {ast.unparse(right)})"
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            yield "operation", node, f"(({ast.unparse(left)}) {OPERATIONS[type(operation)]} ({ast.unparse(right)}))"
        case ast.BoolOp(op=operation, values=values):
            word = " or " if isinstance(operation, ast.And) else " and "
            yield "and, or", node, "(" + word.join(f"({ast.unparse(each)})" for each in values) + ")"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", node, f"({ast.unparse(operand)})"
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            if isinstance(test, ast.Name | ast.Attribute | ast.Call):  # the others have changes of their own
                yield "condition", test, f"(not {ast.unparse(test)})"
        case ast.Constant(value=bool(value)):
            yield "truth", node, str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "number", node, str(value + 1)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant) or value.value is not None:
            yield "return", node, "return None"
        case ast.Raise():
            yield "raise", node, "pass"


def _functions(tree: ast.AST, above: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name = f"{above}.{node.name}".lstrip(".")
            if isinstance(node, ast.FunctionDef):
                yield name, node
            yield from _functions(node, name)


def _nodes(node: ast.AST, line: int) -> Iterator[tuple[ast.AST, int]]:
    """What stands in a function's body, each with its statement's first line; no other function, no text, no type."""
    if isinstance(node, ast.JoinedStr | ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return
    line = node.lineno if isinstance(node, ast.stmt) else line
    yield node, line
    if isinstance(node, ast.Raise):  # what is said there is a text
        return
    for name, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST) and name != "annotation":
                yield from _nodes(each, line)


def sites(root: Path, path: str) -> list[Site]:
    """Every mutant of one file."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    found: list[Site] = []
    for name, function in _functions(tree):
        seen: Counter[tuple[str, str, str]] = Counter()
        for statement in function.body:
            for node, line in _nodes(statement, statement.lineno):
                for kind, old, after in changes(node):
                    before = ast.unparse(old)
                    mutant = Mutant(name, kind, before, after, seen[kind, before, after])
                    seen[kind, before, after] += 1
                    start, end = (old.lineno, old.col_offset), (old.end_lineno or 0, old.end_col_offset or 0)
                    found.append(Site(mutant, path, start, end, line))
    return found


def all_sites(root: Path) -> list[Site]:
    """Every mutant of a checkout, file by file."""
    files = sorted(path.relative_to(root).as_posix() for place in PLACES for path in (root / place).rglob("*.py"))
    return [site for path in files for site in sites(root, path)]


def changed(text: str, site: Site) -> str:
    """The file's text with the mutant in it; the lines keep their numbers."""
    lines = text.encode().splitlines(keepends=True)
    (first, left), (last, right) = site.start, site.end
    before, after = lines[first - 1][:left], lines[last - 1][right:]
    new = site.mutant.after.encode() + b" \\\n" * (last - first)
    return b"".join([*lines[: first - 1], before + new + after, *lines[last:]]).decode()


# --- which test runs which line ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Map:
    """Of one checkout: the tests that pass, with their seconds, and the lines that each of them runs."""

    root: Path
    data: CoverageData
    seconds: dict[str, float]

    def tests(self, site: Site) -> list[str]:
        """The tests that run a line, in the order in which they are tried."""
        contexts = self._lines(site.path).get(site.line, [])
        found = {context.rpartition("|")[0] for context in contexts} & self.seconds.keys()
        tests = sorted(found, key=lambda test: (self.seconds[test], test))
        first = {test.partition("[")[0]: test for test in reversed(tests)}
        return sorted(tests, key=lambda test: first[test.partition("[")[0]] != test)

    def _lines(self, path: str) -> dict[int, list[str]]:
        for file in self.data.measured_files():
            if file.endswith("/" + path):
                return self.data.contexts_by_lineno(file)
        return {}


def read_map(root: Path, directory: Path) -> Map:
    """What `map` wrote."""
    data = CoverageData(str(directory / "coverage"))
    data.read()
    return Map(root, data, json.loads((directory / "seconds.json").read_text(encoding="utf-8")))


def make_map(root: Path, out: Path, workers: str) -> int:
    """Run the whole suite once, and keep what each test runs."""
    out.mkdir(parents=True, exist_ok=True)
    report = out / "junit.xml"
    packages = [f"--cov={name}" for name in ("space", "search", "evaluate", "results")]
    command = [sys.executable, "-m", "pytest", "-n", workers, "-m", "", "-p", "no:cacheprovider", "--cov-context=test",
               f"--cov-report=json:{out / 'coverage.json'}", f"--junitxml={report}", *packages]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(root), "COVERAGE_FILE": str(out / "coverage")}
    status = subprocess.run(command, cwd=root, env=environment, check=False).returncode
    seconds = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if not {"failure", "error", "skipped"} & {child.tag for child in case}:
            name = case.get("classname", "").replace(".", "/") + ".py::" + case.get("name", "")
            seconds[name] = float(case.get("time", "0"))
    (out / "seconds.json").write_text(json.dumps(seconds, indent=0), encoding="utf-8")
    return status


# --- the mutants --------------------------------------------------------------------------------------------------


def choose(known: Map, count: int, seed: int) -> list[Mutant]:
    """Mutants drawn at random among those whose line some test runs, no two in one statement."""
    drawn = all_sites(known.root)
    random.Random(seed).shuffle(drawn)
    chosen: dict[tuple[str, int], Mutant] = {}
    for site in drawn:
        if (site.path, site.line) not in chosen and known.tests(site):
            chosen[site.path, site.line] = site.mutant
            if len(chosen) == count:
                break
    return list(chosen.values())


def outcome(copy: Path, site: Site, tests: list[str], limit: float) -> dict[str, object]:
    """What the tests say of one mutant: killed (by whom), survived, or timeout."""
    file = copy / site.path
    whole = file.read_text(encoding="utf-8")
    listed = copy / "tests.txt"
    listed.write_text("\n".join(tests), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-n", "0", "-x", "-m", "", "-p", "no:cacheprovider", "--tb=no", "-rf",
               f"@{listed}"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    try:
        file.write_text(changed(whole, site), encoding="utf-8")
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return {"state": "timeout", "seconds": round(time.monotonic() - start)}
    finally:
        file.write_text(whole, encoding="utf-8")
    said = {"seconds": round(time.monotonic() - start)}
    if done.returncode == 0:
        return {"state": "survived", **said}
    if done.returncode in (1, 2, 4):  # a test failed; the tests could not be imported, or not be found in what was
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return {"state": "killed", "by": failed[0][:200] if failed else done.stdout[-200:], **said}
    raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def run(known: Map, mutants: list[Mutant], out: Path, limit: float, effort: float) -> None:
    """Try each mutant that `out` does not have yet; a line of JSON each.

    Args:
        known: The checkout's map.
        mutants: Chosen there or elsewhere.
        out: The file of results.
        limit: Seconds after which a mutant is a timeout.
        effort: Seconds of tests, as the map has them, that are spent on one mutant; tests beyond that are left out.
    """
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    done = {json.dumps(json.loads(line)["mutant"], sort_keys=True) for line in lines}
    by_mutant = {site.mutant: site for site in all_sites(known.root)}
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "checkout"
        shutil.copytree(known.root, copy, ignore=NOT_COPIED)
        for number, mutant in enumerate(mutants, 1):
            if json.dumps(asdict(mutant), sort_keys=True) in done:
                continue
            site = by_mutant.get(mutant)
            row: dict[str, object] = {"mutant": asdict(mutant), "state": "gone"}
            if site is not None:
                tests, spent, some = known.tests(site), 0.0, []
                for test in tests:
                    spent += known.seconds[test]
                    if spent > effort and some:
                        break
                    some.append(test)
                row |= {"path": site.path, "line": site.line, "covering": len(tests), "tried": len(some)}
                row |= {"state": "uncovered"}
                for part in filter(None, (some[:QUICK], some[QUICK:])):  # few tests need few files to be imported
                    row |= outcome(copy, site, part, limit)
                    if row["state"] != "survived":
                        break
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{number}/{len(mutants)}", row["state"], row.get("path", ""), mutant.function, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, print how many mutants ended how."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("command", choices=("map", "choose", "run"))
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.add_argument("--map", type=Path, help="what `map` wrote")
    parser.add_argument("--mutants", type=Path, help="what `choose` wrote")
    parser.add_argument("--out", type=Path, required=True, help="map: a directory; choose, run: a file")
    parser.add_argument("--workers", default="auto", help="processes of `map` (%(default)s)")
    parser.add_argument("--count", type=int, default=60, help="mutants (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice (%(default)s)")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one mutant (%(default)s)")
    parser.add_argument("--effort", type=float, default=300, help="seconds of tests for one mutant (%(default)s)")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.command == "map":
        return make_map(root, options.out.resolve(), options.workers)
    if options.map is None:
        parser.error("--map: expected the directory that `python -m benchmarks.mutants map` wrote")
    known = read_map(root, options.map)
    if options.command == "choose":
        chosen = [asdict(mutant) for mutant in choose(known, options.count, options.seed)]
        options.out.write_text(json.dumps(chosen, indent=1) + "\n", encoding="utf-8")
        return 0
    if options.mutants is None:
        parser.error("--mutants: expected the file that `python -m benchmarks.mutants choose` wrote")
    mutants = [Mutant(**each) for each in json.loads(options.mutants.read_text(encoding="utf-8"))]
    run(known, mutants, options.out, options.limit, options.effort)
    rows = [json.loads(line) for line in options.out.read_text(encoding="utf-8").splitlines()]
    print(", ".join(f"{state} {n}" for state, n in sorted(Counter(row["state"] for row in rows).items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
