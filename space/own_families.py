"""Families of the user's own, each from a Python file that this command line names: ``--families ./mine.py:FAMILY``.

Loading such a file runs it. So it is loaded for nothing but these words on a command line: a run's directory holds the
families' names and a digest of their files, and whoever reads it without naming the file is told to. Worker processes
of a search get the file's text from the search itself, with the configurations.
"""

from __future__ import annotations

import argparse
import copyreg
import dataclasses
import hashlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from space.networks.config import Config
from space.networks.families import FAMILIES
from space.networks.family import Family
from space.shell.reading import read_text

MODULE = "archfrontier_family_"  # and a digest: what such a file is called as a module
EXPECTED = "expected FILE.py:NAME, such as ./mine.py:FAMILY (see docs/own_family.md)"


@dataclass(frozen=True)
class OwnFile:
    """Where a family of the user's own is from."""

    path: str
    name: str  # of the record in the file
    text: str

    @property
    def digest(self) -> str:
        """Sixteen hex digits of the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


_FILES: dict[str, OwnFile] = {}  # family -> its file


def load_family(word: str) -> Family[Any]:
    """Run the file of ``FILE.py:NAME`` and make that family known, like the project's own, to this process.

    Raises:
        ValueError: with one sentence, for what is no such word, no such file or no family.
    """
    path, colon, name = word.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise ValueError(f"{word!r}: {EXPECTED}")
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{word}: {getattr(error, 'strerror', None) or error}; {EXPECTED}") from error
    return _load(OwnFile(str(Path(path)), name, text))


def own_family(word: str) -> str:
    """The name of the family that `load_family` gives: the type of an option."""
    try:
        return load_family(word).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def families_named(words: str) -> str:
    """The same for words that may also be names of families, several of them with commas between."""
    return ",".join(own_family(word) if ".py" in word else word for word in words.split(","))


def add_families(parser: argparse.ArgumentParser) -> None:
    """The option of a command that reads networks."""
    parser.add_argument(
        "--families",
        nargs="+",
        type=own_family,
        action="extend",
        default=[],
        metavar="FILE.py:NAME",
        help="families of your own that the networks are of; the file is run (see docs/own_family.md)",
    )


def digests(families: tuple[str, ...]) -> dict[str, str]:
    """Family -> digest of its file, for those of the user's own."""
    return {name: _FILES[name].digest for name in families if name in _FILES}


def check_known(families: object, where: str) -> None:
    """Raise ValueError unless all of these families of the user's own have been loaded.

    Args:
        families: their names, as the settings of a run have them.
        where: what has networks of them.
    """
    if missing := [name for name in families if name not in FAMILIES] if isinstance(families, dict) else []:
        raise ValueError(
            f"{where} has networks of the family {missing[0]!r}, which is in a file of its user and is not looked for: "
            "name the file with --families FILE.py:NAME, or space.load_family"
        )


def is_own(module: str) -> bool:
    """Whether a module of this name is a file of the user's own."""
    return module.startswith(MODULE)


def text_of(module: str) -> str:
    """The text of such a module, as it was when it was run."""
    return next(file.text for file in _FILES.values() if MODULE + file.digest == module)


def _load(file: OwnFile) -> Family[Any]:
    """Run the file's text, unless this has been done, and make its family known.

    Raises:
        ValueError: if it raises, has no such family, or the family's name is taken.
    """
    family = _record(_module(file), file)
    taken = FAMILIES.get(family.name)
    if taken is not None and taken is not family:
        raise ValueError(f"{file.path}: a family called {family.name!r} is there already: give yours another name")
    FAMILIES[family.name] = family
    _FILES[family.name] = file
    copyreg.pickle(family.config, _reduced)
    return family


def _module(file: OwnFile) -> ModuleType:
    name = MODULE + file.digest
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = file.path
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        exec(compile(file.text, file.path, "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file.path]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else "?")
        raise ValueError(f"{file.path}, line {line}: {type(error).__name__}: {error}") from error
    return module


def _record(module: ModuleType, file: OwnFile) -> Family[Any]:
    family = getattr(module, file.name, None)
    if not isinstance(family, Family):
        there = [name for name, value in vars(module).items() if isinstance(value, Family)]
        hint = f"it has {', '.join(there)}" if there else "it has none"
        raise ValueError(f"{file.path}: {file.name} is no space.Family, {hint}")
    return family


def _reduced(config: Config) -> tuple[Any, ...]:
    """How a configuration of such a family is pickled: with its family's file, so that any process can read it."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return _revived, (_FILES[config.family], values)


def _revived(file: OwnFile, values: dict[str, Any]) -> Config:
    config: Config = _load(file).config(**values)
    return config
