"""The import graph of `bot/` and `adapters/`, read from the syntax trees: `make graph`, `python -m tests.graph --help`.

How it is counted:

- Two graphs: of modules (a package's `__init__` is the package), and of first-level names: what stands directly in
  `bot/`, a package as one, and `adapters` as one. `bot/__init__.py` is no name of the second, for it holds the version
  alone; `bot/__main__.py` is one.
- An arrow goes from a name to another one that it imports, once, however often it does. Imports count wherever they
  stand in a file, in functions too. `from bot import events` imports the module `bot.events`.
- What is imported under `if TYPE_CHECKING:` is no arrow of the graph, for it does not run; such arrows are counted
  apart where no other import makes the same one.
- A name stands one layer above the highest name that it imports, in the lowest layer if it imports none (the longest
  path from the bottom). The names of a circle stand in one layer, so an arrow can run back only inside a circle.
- Modules named by a string only (`"bot.cli.run:demo"`, entry points) are no imports.
- `bot/testing` is made for tests of channels and may import anything: it is shown apart and is in no other figure.

The limits in `test_house_rules.py` were set when 37 first-level names, 14 layers and 164 arrows had been counted.
Counted as above that version has 37 names, 14 layers and 163 arrows, and one more for type checkers alone (`commands`
→ `accept`): 164. So the limits are held against the sum of both. Without imports in functions it would have had 12
layers and 152 arrows. 28 files stood directly in `bot/`, `__init__.py` and `__main__.py` included.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("bot", "adapters")
APART: Final = "bot.testing"

Arrow: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's name: who imports which module, where, and whether only type checkers see it."""

    importer: str
    imported: str
    line: int
    types_only: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """A file: its dotted name, its path from the root of the checkout, its lines and what it imports of the project."""

    name: str
    file: str
    lines: int
    imports: tuple[Import, ...]


@dataclass(frozen=True)
class Graph:
    """Names with their lines; arrows with the imports that make them."""

    lines: Mapping[str, int]
    arrows: Mapping[Arrow, tuple[Import, ...]]
    type_arrows: Mapping[Arrow, tuple[Import, ...]]
    """Those that no import makes which runs."""

    @cached_property
    def circles(self) -> list[list[str]]:
        """Names that import each other, directly or by way of others; each circle sorted."""
        return [sorted(group) for group in _groups(self.lines, self.arrows) if len(group) > 1]

    @cached_property
    def layers(self) -> list[list[str]]:
        """The names of each layer, from the bottom to the top, each layer sorted."""
        groups = _groups(self.lines, self.arrows)  # each after all that it imports
        group_of = {name: number for number, group in enumerate(groups) for name in group}
        below: dict[int, set[int]] = {number: set() for number in range(len(groups))}
        for importer, imported in self.arrows:
            below[group_of[importer]].add(group_of[imported])
        heights: dict[int, int] = {}
        for number in range(len(groups)):
            heights[number] = max((heights[other] + 1 for other in below[number] - {number}), default=0)
        layers: list[list[str]] = [[] for _ in range(max(heights.values(), default=-1) + 1)]
        for name in sorted(self.lines):
            layers[heights[group_of[name]]].append(name)
        return layers

    @cached_property
    def back(self) -> list[Arrow]:
        """Arrows that do not go down: those between two names of a circle."""
        height = {name: number for number, layer in enumerate(self.layers) for name in layer}
        return sorted(arrow for arrow in self.arrows if height[arrow[0]] <= height[arrow[1]])


def read(root: Path = ROOT) -> list[Module]:
    """Read every file of the packages. Raises SyntaxError where one is no Python."""
    files = {
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }
    modules = []
    for name, path in files.items():
        text = path.read_text(encoding="utf-8")
        imports = tuple(_imports(name, ast.parse(text, str(path)), files.keys()))
        modules.append(Module(name, path.relative_to(root).as_posix(), len(text.splitlines()), imports))
    return modules


def is_apart(module: str) -> bool:
    """Whether a module is made for tests of channels, and in no figure of the graph."""
    return module == APART or module.startswith(APART + ".")


def module_graph(modules: Iterable[Module]) -> Graph:
    """Make the graph of modules, without `bot/testing`."""
    kept = [module for module in modules if not is_apart(module.name)]
    return _graph({module.name: module.lines for module in kept}, ((i.importer, i.imported, i) for i in _all(kept)))


def name_graph(modules: Iterable[Module]) -> Graph:
    """Make the graph of the first-level names of `bot/`, with `adapters` as one and without `bot/testing`."""
    kept = [module for module in modules if not is_apart(module.name) and first_level(module.name)]
    lines: dict[str, int] = {}
    for module in kept:
        name = first_level(module.name)
        lines[name] = lines.get(name, 0) + module.lines
    return _graph(lines, ((first_level(i.importer), first_level(i.imported), i) for i in _all(kept)))


def first_level(module: str) -> str:
    """Name what a module belongs to.

    >>> first_level("bot.store.turns"), first_level("adapters.slack.http"), first_level("bot.app"), first_level("bot")
    ('store', 'adapters', 'app', '')
    """
    package, _, rest = module.partition(".")
    return package if package != "bot" else rest.partition(".")[0]


def landing(modules: Iterable[Module]) -> list[str]:
    """List the files directly in `bot/`, `__init__.py` and `__main__.py` included."""
    return sorted(Path(module.file).name for module in modules if Path(module.file).parent == Path("bot"))


def _all(modules: Iterable[Module]) -> Iterator[Import]:
    return (i for module in modules for i in module.imports if not is_apart(i.imported))


def _imports(importer: str, tree: ast.Module, known: Iterable[str]) -> Iterator[Import]:
    """List what a file imports of the project, in the order of the file."""
    known = set(known)
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, types_only = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _names(node, importer, known):
                if name.split(".")[0] in PACKAGES and name != importer:
                    yield Import(importer, name, node.lineno, types_only)
            continue
        only = list(node.body) if isinstance(node, ast.If) and _is_type_checking(node.test) else []
        waiting += [(child, types_only or child in only) for child in reversed(list(ast.iter_child_nodes(node)))]


def _names(node: ast.Import | ast.ImportFrom, importer: str, known: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    if node.level:
        raise SyntaxError(f"{importer}:{node.lineno}: imports of the project are absolute")
    for alias in node.names:
        module = f"{node.module}.{alias.name}"
        yield module if module in known else str(node.module)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _graph(lines: Mapping[str, int], imports: Iterable[tuple[str, str, Import]]) -> Graph:
    runs: dict[Arrow, list[Import]] = {}
    types: dict[Arrow, list[Import]] = {}
    for importer, imported, statement in imports:
        if importer != imported and importer in lines and imported in lines:
            (types if statement.types_only else runs).setdefault((importer, imported), []).append(statement)
    return Graph(
        lines=lines,
        arrows={arrow: tuple(statements) for arrow, statements in sorted(runs.items())},
        type_arrows={arrow: tuple(statements) for arrow, statements in sorted(types.items()) if arrow not in runs},
    )


def _groups(names: Iterable[str], arrows: Iterable[Arrow]) -> list[list[str]]:
    """Find the strongly connected components (Tarjan), each after all that it imports."""
    imported: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for importer, other in sorted(arrows):
        imported[importer].append(other)
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in imported[name]:
            if other not in number:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == number[name]:
            start = stack.index(name)
            groups.append(stack[start:])
            del stack[start:]

    for name in imported:
        if name not in number:
            visit(name)
    return groups


def figures(graph: Graph) -> dict[str, Any]:
    """Gather the figures of a graph as JSON values."""
    return {
        "names": len(graph.lines),
        "layers": len(graph.layers),
        "arrows": len(graph.arrows),
        "type_arrows": len(graph.type_arrows),
        "back": [f"{importer} → {imported}" for importer, imported in graph.back],
        "circles": [{"names": circle, "ties": ties(graph, circle)} for circle in graph.circles],
        "table": [{name: graph.lines[name] for name in layer} for layer in graph.layers],
    }


def ties(graph: Graph, circle: Iterable[str]) -> list[str]:
    """Tell each import that holds a circle together: where it stands, and what it imports."""
    members = set(circle)
    return [
        f"{statement.importer}:{statement.line} imports {statement.imported}"
        for (importer, imported), statements in graph.arrows.items()
        if importer in members and imported in members
        for statement in statements
    ]


def report(modules: list[Module]) -> dict[str, Any]:
    """Gather all figures as JSON values."""
    testing = [module for module in modules if is_apart(module.name)]
    return {
        "names": figures(name_graph(modules)),
        "modules": figures(module_graph(modules)),
        "landing": landing(modules),
        "testing": {
            "modules": len(testing),
            "lines": sum(module.lines for module in testing),
            "imports": sorted(
                {first_level(i.imported) for m in testing for i in m.imports if not is_apart(i.imported)}
            ),
            "imported_by": sorted(
                {m.name for m in modules if not is_apart(m.name) for i in m.imports if is_apart(i.imported)}
            ),
        },
    }


def text(data: Mapping[str, Any], *, arrows: Graph | None = None) -> str:
    """Write the figures for people; `arrows` of the graph are listed if it is given."""
    rows = []
    for title in ("names", "modules"):
        part = data[title]
        rows += [
            f"{title}: {part['names']} in {part['layers']} layers, {part['arrows']} arrows, "
            f"{part['type_arrows']} more for type checkers alone, {len(part['circles'])} circles, "
            f"{len(part['back'])} arrows back"
        ]
        for circle in part["circles"]:
            rows += [f"  circle of {', '.join(circle['names'])}:", *(f"    {tie}" for tie in circle["ties"])]
    rows += [f"directly in bot/: {len(data['landing'])} modules", ""]
    table = data["names"]["table"]
    for number, layer in reversed(list(enumerate(table, 1))):
        rows.append(f"{number:3}  " + "  ".join(f"{name} {lines:,}" for name, lines in layer.items()))
    testing = data["testing"]
    rows += [
        "",
        f"apart: bot/testing, {testing['modules']} modules, {testing['lines']:,} lines; imports "
        f"{', '.join(testing['imports']) or 'nothing'}; imported by {', '.join(testing['imported_by']) or 'nobody'}",
    ]
    if arrows is not None:
        names = sorted(arrows.lines)
        rows += ["", *(f"{name} → {', '.join(b for a, b in arrows.arrows if a == name) or '—'}" for name in names)]
        rows += [f"{a} → {b} (type checkers alone)" for a, b in arrows.type_arrows]
    return "\n".join(rows)


def main(arguments: list[str]) -> None:
    """Print the graph of a checkout."""
    parser = argparse.ArgumentParser(prog="python -m tests.graph", description="Print the import graph.")
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="another checkout")
    parser.add_argument("--json", action="store_true", help="all figures as JSON, the modules' layers included")
    parser.add_argument("--arrows", action="store_true", help="list every arrow of the first-level names")
    options = parser.parse_args(arguments)
    modules = read(options.root)
    data = report(modules)
    if options.json:
        print(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        print(text(data, arrows=name_graph(modules) if options.arrows else None))


if __name__ == "__main__":
    main(sys.argv[1:])
