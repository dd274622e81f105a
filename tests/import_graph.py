"""Which module imports which, and which room (sub-package) which: `python -m tests.import_graph` prints it.

Every import counts, those inside of functions and of `TYPE_CHECKING` blocks too. A name that a package's `__init__`
gives out (`from space import cost`) is an import of that `__init__`. That Python runs the `__init__` of every package
above a module is no import: no file says so.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("search", "evaluate", "results", "space")

Graph = dict[str, set[str]]  # a name -> what it imports


def modules(root: Path = ROOT) -> dict[str, Path]:
    """The modules of the four packages by their dotted names."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str) -> Iterator[tuple[str, str | None]]:
    """Every import of a source: the module, and the name that is taken from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not read"
            yield from ((str(node.module), alias.name) for alias in node.names)


def module_graph(paths: Mapping[str, Path]) -> Graph:
    """Which module imports which of the others."""
    graph: Graph = {}
    for name, path in paths.items():
        edges = graph[name] = set()
        for module, taken in imports(path.read_text(encoding="utf-8")):
            inner = f"{module}.{taken}"
            edges |= {each for each in ((inner if inner in paths else module),) if each in paths and each != name}
    return graph


def room_of(module: str) -> str:
    """The sub-package that a module is in; what stands in the package itself is a room of its own."""
    room = ".".join(module.split(".")[:2])
    return f"{room}.__init__" if "." not in room else room


def room_graph(graph: Graph) -> Graph:
    """Which room imports which of the others."""
    rooms: Graph = {}
    for module, edges in graph.items():
        room = room_of(module)
        rooms.setdefault(room, set()).update({room_of(each) for each in edges} - {room})
    return rooms


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of names that reach each other (strongly connected components of more than one), after Tarjan."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            place = stack.index(name)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return found


def floors(graph: Graph) -> dict[str, int]:
    """How high each name stands: one above all that it imports. Only for a graph without a cycle."""
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max(map(height, graph[name]), default=-1)
        return heights[name]

    for name in graph:
        height(name)
    return heights


def report(graph: Graph, title: str) -> str:
    """The graph, from the top floor down if it has no cycle, and its cycles with the imports that make them."""
    circles = cycles(graph)
    heights = floors(graph) if not circles else dict.fromkeys(graph, 0)
    lines = [f"{title}: {len(graph)}, imports between them: {sum(map(len, graph.values()))}"]
    for name in sorted(graph, key=lambda name: (-heights[name], name)):
        place = f"{heights[name]:3d}  " if not circles else "     "
        lines.append(f"{place}{name:34s} -> {', '.join(sorted(graph[name])) or '-'}")
    lines.append(f"cycles between {title}: {len(circles)}")
    for circle in circles:
        lines.append("     " + " <-> ".join(circle))
        lines += [f"         {name} -> {', '.join(sorted(graph[name] & set(circle)))}" for name in circle]
    return "\n".join(lines)


def main() -> int:
    """Print the graphs. Exit status 1 if one has a cycle."""
    parser = argparse.ArgumentParser(prog="python -m tests.import_graph", description=__doc__.splitlines()[0])
    parser.add_argument("--modules", action="store_true", help="the graph of all modules, not only that of rooms")
    parser.add_argument("--edge", nargs=2, metavar=("FROM", "TO"), help="the imports between two rooms")
    options = parser.parse_args()
    paths = modules()
    graph = module_graph(paths)
    rooms = room_graph(graph)
    if options.edge:
        source, target = options.edge
        for name in sorted(graph):
            if room_of(name) == source:
                for other in sorted(graph[name]):
                    if room_of(other) == target:
                        print(f"{name} -> {other}")
        return 0
    if options.modules:
        print(report(graph, "modules"))
    else:
        print(f"modules: {len(graph)}; cycles between modules: {len(cycles(graph))}")
        for circle in cycles(graph):
            print("     " + " <-> ".join(circle))
    print(report(rooms, "rooms"))
    return 1 if cycles(graph) or cycles(rooms) else 0


if __name__ == "__main__":
    sys.exit(main())
