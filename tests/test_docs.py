"""The pages under docs/ that are to be followed step by step are run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import Ended

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: Path) -> list[tuple[str, str]]:
    """(language, content) of the page's blocks of commands."""
    return [(found[1], found[2]) for found in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def script(page: Path) -> str:
    """One Python program that does what a reader does: commands in a shell, Python in one session."""
    lines = ["import subprocess"]
    for language, content in steps(page):
        command = f"subprocess.run(['bash', '-euc', {content!r}], check=True)"
        lines.append(command if language == "sh" else content)
    return "\n".join(lines)


def test_the_first_step_of_the_page_runs(command: Callable[..., Ended]) -> None:
    language, content = steps(ROOT / "docs" / "example.md")[0]
    assert language == "sh"
    python, option, *words = shlex.split(content)
    assert (python, option) == ("python", "-m")
    ended = command(*words)
    assert ended.status == 0 and "3 of 3 networks" in ended.out and not ended.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["example.md"])
def test_the_page_runs_as_it_stands(name: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / name
    assert len(steps(page)) > 5
    commands = tmp_path / "bin"
    commands.mkdir()
    # No link: a virtual environment is found by where its interpreter lies.
    (commands / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (commands / "python").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script(page)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{commands}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
