"""Who may import whom, what may stand where, and how long a file may be: read from the syntax trees."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

LAYERS: Final[list[set[str]]] = [
    {"__init__", "events", "errors", "sessions", "notices", "texts", "render", "telemetry", "shared", "documents"},
    {"adapter"},
    {"api", "config", "assistant"},
    {"store"},
    {"context"},
    {"engine", "ratings", "app_home", "supervisor", "operator"},
    {"turns", "intake", "web"},
    {"host", "doctor", "accounts"},
    {"app"},
    {"demo"},
    {"cli"},
    {"__main__"},
]
"""From the bottom to the top: a name imports what stands below it or beside it, never what stands above it.

Every file and package of `bot/` is named; `testing`, which is made for tests of channels, may import anything.
"""

SDKS: Final = {"slack": {"slack_sdk", "slack_bolt"}, "telegram": {"telegram"}}
CHANNELS: Final = {"slack", "telegram", "playground"}
HTTP_CLIENTS: Final = {"httpx", "httpx_aiohttp", "requests", "urllib3", "urllib.request", "http.client"}
WAY_OUT: Final = "bot/shared/connections.py"
"""Decides the way of every connection, from what urllib reads of the environment, and makes none."""
DATABASES: Final = {"sqlite3", "psycopg", "psycopg_pool", "procrastinate"}
SQL: Final = re.compile(
    r"\bSELECT\s.+\sFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b"
    r"|\bCREATE\s+(UNIQUE\s+)?(TABLE|INDEX)\b|^\s*PRAGMA\s",
    re.DOTALL,
)
WITH_SQL: Final = ("bot/store/", "bot/engine/", "bot/assistant/")

IMPURE: Final = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "structlog",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "aiohttp",
    "httpx",
    "slack_bolt",
    "slack_sdk",
    "telegram.ext",
    "telegram.request",
}
CLOCKS_AND_FILES: Final = {"now", "utcnow", "today", "open", "print", "input", "getenv"}

CHANNEL_WORDS: Final = {
    "bot/cli/__init__.py": "the help says to users what the bot is for",
    "bot/cli/screening.py": "the shapes of tokens that must not be loaded as documents",
    "bot/cli/access.py": "an example of a channel's name",
    "bot/cli/sessions.py": "an example of how a person is written",
    "bot/demo.py": "the demo turns the playground on",
    "bot/web/preview.py": "the style of a page that imitates how the channels look",
    "bot/telemetry/logging.py": "names of libraries whose logs would show a token",
    "bot/telemetry/redaction.py": "the shapes of the tokens that are taken out of logs",
}
"""Where the core's code may say a channel's name, and why."""

LINES: Final = 345
TEST_LINES: Final = 500
LONGER: Final = {
    "bot/adapter.py": (420, "the whole contract of both sides in one place, and most of it are words"),
    "bot/api/client.py": (360, "every endpoint of the API, a method each"),
    "bot/app.py": (360, "the one place that puts all parts together"),
    "bot/config/model.py": (420, "every setting, each with its type and its bounds, in one place"),
    "bot/events.py": (440, "the whole vocabulary in one place, and most of it are words"),
    "adapters/playground/platform.py": (360, "one class, the whole platform: what people do and what the bot may"),
}
"""Files that may be longer: how long, and why."""


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def core() -> list[Path]:
    """List the files of the core; what it ships for tests of a channel plays the platforms and is none of it."""
    return [path for path in sources("bot") if not name_of(path).startswith("bot/testing/")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, *, types_too: bool = True) -> Iterator[str]:
    """List what a file imports, wherever in it; `from bot import events` counts as `bot.events`."""
    skipped = set() if types_too else {id(node) for block in _type_checking(path) for node in ast.walk(block)}
    for node in ast.walk(tree(path)):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: imports are absolute"
            module = node.module or ""
            yield module
            if module in ("bot", "adapters"):
                yield from (f"{module}.{alias.name}" for alias in node.names)


def _type_checking(path: Path) -> Iterator[ast.If]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield node


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """List the strings of a file that are no docstrings."""
    documentation = {
        id(statement.value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def layer(module: str) -> int:
    name = module.split(".")[1]
    return next(number for number, names in enumerate(LAYERS) if name in names)


def test_the_layers_of_the_core() -> None:
    wrong = []
    for path in core():
        own = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for module in imports(path, types_too=False):
            if module.startswith("bot.") and not module.endswith("__version__") and layer(module) > layer(own):
                wrong.append(f"{name_of(path)} imports {module}")
    assert not wrong


def test_every_module_of_the_core_has_its_layer() -> None:
    there = {path.stem if path.parent.name == "bot" else path.relative_to(ROOT).parts[1] for path in core()}
    named = [name for names in LAYERS for name in names]
    assert sorted(named) == sorted(there)


def test_the_core_imports_no_adapter() -> None:
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in core()
        for module in imports(path)
        if within(module, {"adapters"})
    ]
    assert not wrong


def test_the_core_names_no_channel() -> None:
    pattern = re.compile("|".join(CHANNELS), re.IGNORECASE)
    found = {name_of(path): (line, text) for path in core() for line, text in strings(path) if pattern.search(text)}
    assert {name: where for name, where in found.items() if name not in CHANNEL_WORDS} == {}
    assert all((ROOT / name).exists() for name in CHANNEL_WORDS), "an exception that is not needed any more"


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_what_an_adapter_imports(channel: str) -> None:
    allowed = {
        "bot.events",
        "bot.adapter",
        "bot.errors",
        "bot.render",
        "bot.shared",
        "bot.texts",
        f"adapters.{channel}",
        "aiohttp",
    }
    allowed |= SDKS.get(channel, set())
    # The manifest is a YAML file that people read, and that the platform takes.
    extra = {"config.py": {"pydantic"}, "manifest.py": {"yaml"}}
    wrong = []
    for path in sources(f"adapters/{channel}"):
        for module in imports(path):
            if module in ("bot", "adapters") or module.split(".")[0] in sys.stdlib_module_names:
                continue
            if not within(module, allowed | extra.get(path.name, set())):
                wrong.append(f"{name_of(path)} imports {module}")
    assert not wrong


def test_every_adapter_has_its_folder() -> None:
    assert {path.name for path in (ROOT / "adapters").iterdir() if (path / "adapter.py").exists()} == CHANNELS
    for channel in CHANNELS:
        for file in ("adapter.py", "normalize.py", "render.py", "config.py"):
            assert (ROOT / "adapters" / channel / file).is_file(), f"{channel} has no {file}"


def test_sdks_and_http_clients_stay_in_their_folders() -> None:
    wrong = []
    for path in [*core(), *sources("adapters")]:
        name = name_of(path)
        for module in imports(path):
            for channel, sdk in SDKS.items():
                if within(module, sdk) and not name.startswith(f"adapters/{channel}/"):
                    wrong.append(f"{name} imports {module}")
            if within(module, HTTP_CLIENTS) and not name.startswith(("bot/api/", "adapters/")) and name != WAY_OUT:
                wrong.append(f"{name} imports {module}")
        if name.startswith("bot/") and not name.startswith("bot/api/") and name != WAY_OUT:
            wrong += [
                f"{name}:{node.lineno} uses an HTTP client"
                for node in ast.walk(tree(path))
                if isinstance(node, ast.Attribute) and node.attr in ("ClientSession", "TCPConnector")
            ]
    assert not wrong


def test_sql_stays_with_the_store() -> None:
    wrong = []
    for path in sources("bot", "adapters"):
        name = name_of(path)
        # The playground is its own platform, with a journal of its own.
        if name.startswith(WITH_SQL) or name.startswith("adapters/playground/"):
            continue
        wrong += [f"{name} imports {module}" for module in imports(path) if within(module, DATABASES)]
        wrong += [f"{name}:{line} {text[:60]!r}" for line, text in strings(path) if SQL.search(text)]
    assert not wrong


def pure_files() -> list[Path]:
    """List what must be a function of its arguments: every normalize and render, and who should be asked."""
    named = [p for p in sources("adapters") if p.stem.startswith(("normalize", "render"))]
    return [*named, *sources("bot/render"), ROOT / "bot/events.py", ROOT / "bot/sessions.py"]


def test_pure_files_do_no_io_and_read_no_clock() -> None:
    wrong = []
    for path in pure_files():
        wrong += [f"{name_of(path)} imports {m}" for m in imports(path, types_too=False) if within(m, IMPURE)]
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                function = node.func
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if called in CLOCKS_AND_FILES:
                    wrong.append(f"{name_of(path)}:{node.lineno} calls {called}()")
    assert not wrong


def test_the_boundary_needs_only_the_standard_library() -> None:
    for name in ("events", "errors"):
        for module in imports(ROOT / "bot" / f"{name}.py"):
            assert module.split(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"


def test_importing_the_core_loads_no_sdk() -> None:
    """In a process of its own: every module of the core, and what the channels say of themselves."""
    modules = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in core()
        if path.name != "__main__.py" and not re.search("procrastinate|postgres|pypdfium2|docx", path.name)
    ]
    modules += [f"adapters.{channel}.config" for channel in sorted(CHANNELS)]
    sdks = sorted(set.union(*SDKS.values()))
    script = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps([name for name in {sdks!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_files_stay_short() -> None:
    house = [*core(), *sources("adapters")]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in house}
    allowed = {name: LONGER.get(name, (LINES, ""))[0] for name in lengths}
    assert {name: length for name, length in lengths.items() if length > allowed[name]} == {}
    stale = [name for name in LONGER if lengths.get(name, 0) <= LINES - 30]
    assert not stale, "an exception that is not needed any more"
    tests = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources("tests", "bot/testing")
    }
    assert {name: length for name, length in tests.items() if length > TEST_LINES} == {}
