"""Imports run downwards only: search over evaluate and results, which do not know each other, over space."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

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
