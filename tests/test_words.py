"""Numbers of things in words, and that nobody writes them another way."""

import re
from pathlib import Path

import pytest

from space.shell.words import amount

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 landmarks"), (1, "1 landmark"), (2, "2 landmarks"), (1200, "1,200 landmarks")]
)
def test_amount(count: int, text: str) -> None:
    assert amount(count, "landmark") == text


def test_there_is_one_helper() -> None:
    """The form that an ending chosen in place has: f"{n} seed{'' if n == 1 else 's'}"."""
    for package in ("space", "search", "evaluate", "results"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "words.py":
                assert not re.search(r"else '?\"?s['\"]", path.read_text(encoding="utf-8")), path
