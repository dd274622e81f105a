"""Files that are written whole or not at all; every package that writes results uses these."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Indented JSON with a final newline."""
    return (json.dumps(data, indent=2) + "\n").encode()


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files beside their places first, then move them there; directories are made as needed.

    Raises:
        OSError: if one cannot be written: then no temporary file is left, and every place holds a whole file.
    """
    temporary: dict[Path, Path] = {}
    made: list[Path] = []
    try:
        for path, content in files.items():
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True)
                made.append(path.parent)
            beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            temporary[path] = beside
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a full disk may show only here
        for path, beside in temporary.items():
            os.replace(beside, path)
    except BaseException:
        for beside in temporary.values():
            beside.unlink(missing_ok=True)
        for directory in reversed(made):
            if not any(directory.iterdir()):
                directory.rmdir()
        raise
