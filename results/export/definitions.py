"""The definitions that a class of the program needs, as source text that stands by itself; see `results.export.python`.

Kept are the classes, functions and constants that are reached by name, in the order in which Python would run them.
Left out are annotations, which would need the rest of the program, and methods that nothing in the text calls. What
comes from torch or the standard library is imported.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from torch import nn

from space.own_families import is_own, text_of

Name = tuple[str, str]  # a module and what is called so in it


@dataclass(frozen=True)
class Definitions:
    """Source text."""

    imports: str
    text: str
    attributes: frozenset[str]  # all that stands behind a dot in it


@dataclass(frozen=True)
class _Module:
    name: str
    lines: list[bytes]  # columns of `ast` count bytes
    statements: dict[str, ast.stmt]  # by what they define
    imports: dict[str, tuple[str, str]]  # what a name is: of which module, called how there ("" is the module itself)


@lru_cache
def definitions(roots: tuple[Name, ...]) -> Definitions:
    """The source text of all that these need.

    Raises:
        ValueError: if they need a module that is neither of the project, of torch nor of Python, or two definitions
            with one name.
    """
    attributes: frozenset[str] = frozenset()
    while True:  # a method that is kept may call others
        kept, imports = _reached(roots, attributes)
        found = {node.attr for text in kept.values() for node in _nodes(text) if isinstance(node, ast.Attribute)}
        if found <= attributes:
            break
        attributes |= found
    modules: list[str] = []
    for module in sorted({home for home, _ in kept}, key=lambda each: (is_own(each), each)):
        _order(module, modules, set())
    ordered = sorted(kept, key=lambda place: (modules.index(place[0]), place[1]))
    return Definitions(_import_lines(imports), "\n\n\n".join(kept[place] for place in ordered), attributes)


def _reached(roots: tuple[Name, ...], attributes: frozenset[str]) -> tuple[dict[tuple[str, int], str], set[Name]]:
    """(texts by module and line, what is imported: module and clause)."""
    kept: dict[tuple[str, int], str] = {}
    imports: set[Name] = set()
    homes: dict[str, str] = {}
    todo = list(roots)
    while todo:
        home, name = todo.pop()
        module = _read(home)
        if name in module.statements:
            if homes.setdefault(name, home) != home:
                raise ValueError(f"two definitions are called {name}: expected another name for that of the own family")
            node = module.statements[name]
            if (home, node.lineno) not in kept:
                kept[home, node.lineno] = text = _text(module, node, attributes)
                todo += [(home, each.id) for each in _nodes(text) if isinstance(each, ast.Name)]
        elif name in module.imports:
            where, what = module.imports[name]
            if not _is_project(where):
                imports.add((where, what + (f" as {name}" if what and what != name else "")))
            elif what != name:
                raise ValueError(f"{name} stands for {where} {what}".rstrip() + ": expected from ... import NAME")
            else:
                defined = getattr(getattr(import_module(where), what), "__module__", where)  # a package gives it out
                todo.append((defined if _is_project(defined) else where, what))
    return kept, imports


def _is_project(module: str) -> bool:
    """Whether a module's source text is taken; else it is imported.

    Raises:
        ValueError: if the file would need more than torch.
    """
    top = module.partition(".")[0]
    if top == "space" or is_own(module):
        return True
    if top != "torch" and top not in sys.stdlib_module_names:
        raise ValueError(f"its modules need {top}: expected nothing but torch and Python's own library")
    return False


@lru_cache
def _read(name: str) -> _Module:
    text = text_of(name) if is_own(name) else inspect.getsource(import_module(name))
    tree = ast.parse(text)
    statements: dict[str, ast.stmt] = {}
    imports: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                statements[node.name] = node
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
                statements |= {each.id: node for each in names}
            case ast.Import():
                for alias in node.names:
                    if alias.asname:
                        raise ValueError(f"import {alias.name} as {alias.asname}: expected import {alias.name}")
                    imports[alias.name.partition(".")[0]] = alias.name, ""
            case ast.ImportFrom() if node.module and node.module != "__future__":
                imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return _Module(name, text.encode().splitlines(keepends=True), statements, imports)


def _order(name: str, modules: list[str], begun: set[str]) -> None:
    """Add a module of the project in the order in which Python runs them: behind those that it imports."""
    if name in modules or name in begun:
        return
    begun.add(name)
    for where, _ in _read(name).imports.values():
        if where.partition(".")[0] == "space":
            _order(where, modules, begun)
    modules.append(name)


def _import_lines(imports: set[Name]) -> str:
    """Import statements in the usual order."""
    groups: list[list[str]] = [[], []]
    for module in sorted({module for module, _ in imports}):
        group = groups[module.partition(".")[0] == "torch"]
        clauses = {clause for where, clause in imports if where == module}
        if "" in clauses:
            group.append(f"import {module}")
        if named := sorted(clauses - {""}, key=lambda each: (not each.isupper(), not each[0].isupper(), each)):
            group.append(f"from {module} import {', '.join(named)}")
    return "\n\n".join("\n".join(sorted(each, key=lambda line: line.startswith("from"))) for each in groups if each)


def _nodes(text: str) -> Iterable[ast.AST]:
    return ast.walk(ast.parse(text))


# ----------------------------------------------------------------------------------------- one definition


Edit = tuple[tuple[int, int], tuple[int, int], bytes]  # from (line, column), to, what stands there instead


def _text(module: _Module, node: ast.stmt, attributes: frozenset[str]) -> str:
    """A definition without annotations, and without methods that nothing calls."""
    lines = list(module.lines)
    for (first, start), (last, end), new in sorted(set(_edits(module, node, attributes)), reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:start] + new + lines[last - 1][end:]] + [b""] * (last - first)
    decorators = node.decorator_list if isinstance(node, ast.ClassDef | ast.FunctionDef) else []
    first = min([node.lineno, *(each.lineno for each in decorators)])
    text = b"".join(lines[first - 1 : node.end_lineno]).decode()
    return re.sub(r"  # (type: ignore|noqa).*", "", text).rstrip()


def _edits(module: _Module, top: ast.stmt, attributes: frozenset[str]) -> Iterator[Edit]:
    fields = {id(each) for node in ast.walk(top) if _is_record(node) for each in node.body}  # type: ignore[attr-defined]
    for node in ast.walk(top):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            for before, each in zip([None, *node.body], node.body, strict=False):
                bare = isinstance(each, ast.AnnAssign) and each.value is None and id(each) not in fields
                unused = isinstance(node, ast.ClassDef) and not _is_used(each, attributes)
                if bare or unused:  # with the blank lines and comments before it
                    start = node.lineno if before is None else before.end_lineno
                    assert start is not None and each.end_lineno is not None
                    yield (start + 1, 0), (each.end_lineno, len(module.lines[each.end_lineno - 1])), b""
        if isinstance(node, ast.FunctionDef):
            yield from _signature(module, node)
        if isinstance(node, ast.AnnAssign) and node.value is not None and id(node) not in fields:
            yield _end(node.target), _start(node.value), b" = "


def _signature(module: _Module, node: ast.FunctionDef) -> Iterator[Edit]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults, *arguments.kw_defaults]
    pairs = [
        *zip([*plain, *arguments.kwonlyargs], defaults, strict=True),
        (arguments.vararg, None),
        (arguments.kwarg, None),
    ]
    for argument, default in pairs:
        if argument is not None and argument.annotation is not None:
            start = argument.lineno, argument.col_offset + len(argument.arg.encode())
            yield start, _end(argument) if default is None else _start(default), b"" if default is None else b"="
    if node.returns is not None:
        line, column = _start(node.returns)
        arrow = module.lines[line - 1].rfind(b"->", 0, column)
        yield (line, len(module.lines[line - 1][:arrow].rstrip())), _end(node.returns), b""


def _is_record(node: ast.AST) -> bool:
    """Whether it is a class whose annotations are its fields."""
    if not isinstance(node, ast.ClassDef):
        return False
    marks = [each.func if isinstance(each, ast.Call) else each for each in (*node.bases, *node.decorator_list)]
    return any(isinstance(each, ast.Name) and each.id in ("NamedTuple", "dataclass") for each in marks)


def _is_used(node: ast.stmt, attributes: frozenset[str]) -> bool:
    """Whether part of a class may be called; what `nn.Module` has may be called by torch."""
    if not isinstance(node, ast.FunctionDef):
        return True
    return node.name in attributes or node.name.startswith("__") or hasattr(nn.Module, node.name)


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.arg) -> tuple[int, int]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset
