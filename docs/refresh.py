"""Pages that show what a command prints: `python -m docs.refresh docs/*.md` writes the output anew.

A page says where, and `tests/test_papers.py` holds that what stands there is what the command prints now::

    <!-- python -m space table resnet --markdown -->
    ...
    <!-- end -->

Markdown stands as it is, text in a fence. Behind ``| grep WORD`` only the lines with this word are kept.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

from space.__main__ import main
from space.shell.files import write_files

PLACE = re.compile(
    r"(?P<head><!-- python -m space (?P<words>[^\n]*?)(?: \| grep (?P<kept>[^\n]+?))? -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def refresh(text: str) -> str:
    """A page with what its commands print now.

    Raises:
        ValueError: if one of them fails.
    """
    return PLACE.sub(_filled, text)


def _filled(found: re.Match[str]) -> str:
    words = shlex.split(found["words"])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if main(words):
            raise ValueError(f"python -m space {found['words']} fails")
    output = printed.getvalue().rstrip("\n")
    if found["kept"]:
        output = "\n".join(line for line in output.splitlines() if found["kept"] in line)
    fenced = output if "--markdown" in words else f"```text\n{output}\n```"
    return f"{found['head']}\n{fenced}\n\n{found['end']}"


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        write_files({page: refresh(page.read_text(encoding="utf-8")).encode()})
