"""The limits of the house and its rules of names: read from the syntax trees, so that nobody must remember them."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from tests import graph
from tests.channel_files import JOBS, OWN, class_name
from tests.test_boundaries import CHANNELS, ROOT, core, name_of, sources, strings, tree, within

LAYERS: Final = 12
ARROWS: Final = 150
LANDING: Final = 16
LINES: Final = 45
PARAMETERS: Final = 6
BOUNDED: Final = ("intake", "turns", "ratings", "engine", "store")
"""The packages of `bot/` whose functions are held to LINES and PARAMETERS."""

QUESTION_PREFIXES: Final = ("is_", "has_", "may_", "can_", "was_", "any_", "count_")
QUESTION_NAMES: Final = {"seen"}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


# The import graph


@pytest.fixture(scope="module")
def modules() -> list[graph.Module]:
    return graph.read()


def test_no_circle_and_no_arrow_back(modules: list[graph.Module]) -> None:
    for part in (graph.name_graph(modules), graph.module_graph(modules)):
        assert [graph.ties(part, circle) for circle in part.circles] == []
        assert part.back == []


def test_layers_of_first_level_names(modules: list[graph.Module]) -> None:
    assert len(graph.name_graph(modules).layers) <= LAYERS


def test_arrows_between_first_level_names(modules: list[graph.Module]) -> None:
    """Those for type checkers alone included, as they were when the limit was set."""
    names = graph.name_graph(modules)
    assert len(names.arrows) + len(names.type_arrows) <= ARROWS


def test_modules_directly_in_bot(modules: list[graph.Module]) -> None:
    """`__init__.py` and `__main__.py` included."""
    assert len(graph.landing(modules)) <= LANDING


def test_nobody_imports_what_is_made_for_tests(modules: list[graph.Module]) -> None:
    assert graph.report(modules)["testing"]["imported_by"] == []


# Functions


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """List all functions of a file, those in classes and in functions too, each with a name for people."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}:{node.lineno} {node.name}", node


def length(function: Function) -> int:
    """Count the lines from `def` to the last one, docstring and blank lines included, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> int:
    """Count the parameters, `*args` and `**kwargs` as one each; `self` and `cls` are none."""
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    if named and named[0] in ("self", "cls"):
        del named[0]
    return len(named) + len(given.kwonlyargs) + (given.vararg is not None) + (given.kwarg is not None)


@pytest.mark.parametrize("package", sorted(BOUNDED))
def test_functions_stay_short(package: str) -> None:
    files = sources(f"bot/{package}")
    assert files, f"bot/{package} is no folder"
    lengths = {name: length(function) for path in files for name, function in functions(path)}
    assert {name: lines for name, lines in lengths.items() if lines > LINES} == {}


@pytest.mark.parametrize("package", sorted(BOUNDED))
def test_functions_take_few_parameters(package: str) -> None:
    files = sources(f"bot/{package}")
    assert files, f"bot/{package} is no folder"
    counts = {name: parameters(function) for path in files for name, function in functions(path)}
    assert {name: count for name, count in counts.items() if count > PARAMETERS} == {}


# Names of classes


def same_job(files: list[str]) -> bool:
    """Whether they are the file of one job in as many channels."""
    paths = [Path(file) for file in files]
    return (
        len({path.name for path in paths}) == 1
        and paths[0].name in JOBS
        and all(path.parts[0] == "adapters" for path in paths)
        and len(set(paths)) == len(paths)
    )


def test_no_two_classes_share_a_name() -> None:
    """Except where two channels do the same job. Names with an underscore are their module's own, and nobody else's."""
    places = defaultdict(list)
    for path in [*core(), *sources("adapters")]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    assert {name: files for name, files in places.items() if len(files) > 1 and not same_job(files)} == {}


# Files of adapters


def defined(path: Path) -> set[str]:
    """List what a file defines itself at its top level; imports are not that."""
    names = set()
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_the_same_job_has_the_same_file_and_name(channel: str) -> None:
    wrong = []
    for path in sources(f"adapters/{channel}"):
        file = path.relative_to(ROOT / "adapters" / channel).as_posix()
        wanted = {class_name(name, channel) for name in JOBS.get(file, ())}
        wrong += [f"{name_of(path)} defines no {name}" for name in sorted(wanted - defined(path))]
        if file not in JOBS and file not in OWN[channel] and file != "__init__.py":
            wrong.append(f"{name_of(path)} is no file of the table, nor one of the channel's own")
    folder = ROOT / "adapters" / channel
    wrong += [
        f"adapters/{channel}/{file} is listed and not there" for file in OWN[channel] if not (folder / file).is_file()
    ]
    assert wrong == []


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_a_constant_of_an_adapter_is_spelled_once(channel: str) -> None:
    places = defaultdict(list)
    for path in sources(f"adapters/{channel}"):
        for name in defined(path):
            if name.isupper() and len(name) > 1:  # one letter is a type variable
                places[name].append(name_of(path))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


# Names that mislead


def store_functions() -> Iterator[tuple[str, Function, set[str]]]:
    """List the functions of the store as `file.function`, each with those of the store that it calls."""
    for path in sources("bot/store"):
        imported = {
            alias.asname or alias.name: f"{str(node.module).removeprefix('bot.store').strip('.')}.{alias.name}".strip(
                "."
            )
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ImportFrom) and within(str(node.module), {"bot.store"})
            for alias in node.names
        }
        for _, function in functions(path):
            calls = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
            yield f"{path.stem}.{function.name}", function, {_full(call, path.stem, imported) for call in calls}


def _full(call: str, file: str, imported: Mapping[str, str]) -> str:
    """Name a called function as `file.function`; what is not of the store names nothing there."""
    owner, _, name = call.removeprefix("self.").rpartition(".")
    if owner:
        return f"{imported.get(owner, owner)}.{name}"
    return imported.get(name, f"{file}.{name}")


def writers() -> set[str]:
    """List the functions of the store that run a write, themselves or by another one."""
    calls: defaultdict[str, set[str]] = defaultdict(set)
    for name, _, called in store_functions():
        calls[name] |= called
    writing = {"tx.run"}
    while more := {name for name, called in calls.items() if called & writing} - writing:
        writing |= more
    return writing


def test_a_question_of_the_store_writes_nothing() -> None:
    names = {name: name.rpartition(".")[2] for name in writers()}
    asking = {n for n, last in names.items() if last.startswith(QUESTION_PREFIXES) or last in QUESTION_NAMES}
    assert asking == set()


STEP_IN_SQL: Final = re.compile(r"'(submit|poll|intent|send|verdict)(:[^']*)?'")


def test_sql_spells_the_names_of_steps_in_one_file() -> None:
    """Steps of the schema, which are never changed again, name one too where an index or a repair is of one kind."""
    house = [path for path in core() if not name_of(path).startswith("bot/assistant/")]
    assert {name_of(path) for path in house for _, text in strings(path) if STEP_IN_SQL.search(text)} == {
        "bot/store/steps.py",
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="Only a clone knows what is committed.")
def test_no_link_is_committed() -> None:
    """It would name a place on somebody's machine."""
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert not [line for line in listed.splitlines() if line.startswith("120000")]
