"""Files that are written whole or not at all; every package that writes results uses these."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Indented JSON with a final newline."""
    return (json.dumps(data, indent=2) + "\n").encode()


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files beside their places first, then move them there; directories are made as needed.

    A process that is killed meanwhile leaves temporary files; the next one that writes there removes them.

    Raises:
        OSError: if one cannot be written: then no temporary file is left, and every place holds a whole file.
    """
    temporary: dict[Path, Path] = {}
    made: list[Path] = []
    host, process = platform.node(), os.getpid()
    for directory in {path.parent for path in files}:
        _remove_leftovers(directory, host)
    try:
        for path, content in files.items():
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True)
                made.append(path.parent)
            beside = path.with_name(f".{path.name}.{host}-{process}.tmp")
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


def _remove_leftovers(directory: Path, host: str) -> None:
    """Remove temporary files of this machine's processes that are no more."""
    if not directory.is_dir():
        return
    for path in directory.glob(".*.tmp"):
        match = re.fullmatch(rf"\..+\.{re.escape(host)}-(\d{{1,9}})\.tmp", path.name)
        if match and not _runs(int(match[1])):
            with suppress(PermissionError):  # somebody else's, in a directory like /tmp
                path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True
