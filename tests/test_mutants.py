"""Mutants: which faults are put into the code, where, and that tests which look are told from tests which do not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.mutants import Mutant, all_sites, changed, sites
from tests.commands import Ended

CODE = '''"""A module."""

LIMIT = 3


def grow(width: int, limit: int = 7) -> int:
    """A function with ü in its text."""
    if width < 0:
        raise ValueError(f"width {width + 1}: expected 0 or more")
    return (width * 2
            + 1)


class Box:
    """A class."""

    closed = False

    def full(self, parts: list[int]) -> bool:
        """Whether it is."""
        return not parts and self.closed or True
'''
AFTER = {
    "    if (width <= 0):": "comparison",
    "    if width < 1:": "number",
    "        pass": "raise",
    "    return (((width * 2) - (1))": "operation",
    "    return (((width) / (2))": "operation",
    "    return (width * 3": "number",
    "    return None": "return",
    "            + 2)": "number",
    "        return None": "return",
    "        return ((not parts and self.closed) and (True))": "and, or",
    "        return ((not parts) or (self.closed)) or True": "and, or",
    "        return (parts) and self.closed or True": "not",
    "        return not parts and self.closed or False": "truth",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, content in {
        "space/__init__.py": "", "space/grow.py": CODE, "search/__init__.py": "", "results/__init__.py": "",
        "evaluate/__init__.py": "", "evaluate/training/__init__.py": "",
        "tests/test_grow.py": "from space.grow import Box, grow\n\n\ndef test_grow():\n    assert grow(0) == 1\n"
        "    assert grow(3) == 7\n\n\ndef test_box():\n    Box().full([])\n",
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\naddopts = '--import-mode=importlib'\n",
    }.items():  # fmt: skip
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "checkout"


def test_every_change_stands_in_its_line_and_no_other_line_moves(checkout: Path) -> None:
    found = {}
    for site in sites(checkout, "space/grow.py"):
        text = changed(CODE, site)
        compile(text, site.path, "exec")
        assert len(text.splitlines()) == len(CODE.splitlines())
        (line, *_) = [new for new, old in zip(text.splitlines(), CODE.splitlines(), strict=True) if new != old]
        found[line.rstrip(" \\")] = site.mutant.kind
    assert found == AFTER, "no text, no default, no constant of a module is changed"
    assert {site.mutant.function for site in all_sites(checkout)} == {"grow", "Box.full"}


@pytest.mark.slow
def test_tests_that_look_kill_and_others_do_not(checkout: Path, tmp_path: Path, command: Callable[..., Ended]) -> None:
    known, listed, out = (str(tmp_path / name) for name in ("map", "mutants.json", "results.jsonl"))
    common = ["benchmarks.mutants", "--root", str(checkout), "--map", known]
    assert command(*common, "map", "--workers", "0", "--out", known).status == 0
    assert set(json.loads((tmp_path / "map" / "seconds.json").read_text())) == {
        "tests/test_grow.py::test_grow", "tests/test_grow.py::test_box",
    }  # fmt: skip
    assert command(*common, "choose", "--count", "60", "--out", listed).status == 0
    chosen = [Mutant(**each) for each in json.loads(Path(listed).read_text())]
    assert len(chosen) == 3, "one of each statement that a test runs"
    extra = [Mutant("grow", "number", "2", "3", 0), Mutant("nowhere", "number", "2", "3", 0)]
    Path(listed).write_text(json.dumps([vars(each) for each in (*chosen, *extra)]))
    assert command(*common, "run", "--mutants", listed, "--out", out).status == 0
    rows = [json.loads(line) for line in Path(out).read_text().splitlines()]
    states = {(row["mutant"]["function"], row["state"]) for row in rows}
    assert {("Box.full", "survived"), ("grow", "killed"), ("nowhere", "gone")} <= states
    before = Path(out).read_text()
    ended = command(*common, "run", "--mutants", listed, "--out", out)
    assert ended.status == 0 and Path(out).read_text() == before and "gone 1" in ended.out
    assert (checkout / "space" / "grow.py").read_text(encoding="utf-8") == CODE
