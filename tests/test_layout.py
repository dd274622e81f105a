"""Imports run downwards only: search over evaluate and results, which do not know each other, over space."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_graph import cycles, module_graph, modules, room_graph

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "space": {"space"},
    "evaluate": {"evaluate", "space"},
    "results": {"results", "space"},
    "search": {"search", "evaluate", "results", "space"},
}
COMMANDS_MAY_IMPORT = {"evaluate": {"results"}}  # python -m evaluate fidelity draws what it has measured


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_downwards_only(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        allowed = MAY_IMPORT[package]
        if path == ROOT / package / "__main__.py":
            allowed = allowed | COMMANDS_MAY_IMPORT.get(package, set())
        upwards = (imported(path) & MAY_IMPORT.keys()) - allowed
        assert not upwards, f"{path.name} imports {upwards}"
        assert path.name != "utils.py"


def test_no_modules_and_no_rooms_import_each_other_in_a_circle() -> None:
    paths = modules()
    graph = module_graph(paths)
    assert len(graph) > 150
    assert cycles(graph) == []
    assert cycles(room_graph(graph)) == [], "python -m tests.import_graph --edge ONE OTHER says which files"


def test_the_analysis_draws_nothing() -> None:
    paths = modules()
    rooms = room_graph(module_graph(paths))
    assert "results.run" in rooms["results.analysis"]
    assert "results.plots" not in rooms["results.analysis"]


def test_an_import_inside_a_function_makes_a_circle_too(tmp_path: Path) -> None:
    for name, text in {
        "space/low/one.py": "def f():\n    import space.high.two\n",
        "space/high/two.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from space.low import one\n",
        "space/alone.py": "from space.low.one import f\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = module_graph(modules(tmp_path))
    assert cycles(graph) == [["space.high.two", "space.low.one"]]
    assert cycles(room_graph(graph)) == [["space.high", "space.low"]]
    assert room_graph(graph)["space.alone"] == {"space.low"}


def test_nothing_asks_whether_the_objective_is_latency() -> None:
    """What an objective is stands in its record, `results.run.objective.COSTS`."""
    asked = [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Constant) and part.value == "latency" for part in (node.left, *node.comparators))
    ]
    assert asked == []


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_help_loads_nothing_heavy(package: str) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{package}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{package}', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code\n"
        "heavy = {'torch', 'optuna', 'pandas', 'matplotlib', 'datasets', 'sklearn', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout
