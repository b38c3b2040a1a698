"""A package's docstring names no module that does not exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = sorted(
    path
    for folder in ("bot", "adapters")
    for path in (ROOT / folder).rglob("__init__.py")
    if path != ROOT / "bot/testing/__init__.py"  # it tells authors which files to write in a package of their own
)

FILE: Final = re.compile(r"\b([\w/]+\.py)\b")
ROW: Final = re.compile(r"^ *((?:[a-z_]\w*/?|\w+\.py)(?:, (?:[a-z_]\w*/?|\w+\.py))*) {2,}\S", re.MULTILINE)
"""A row of a listing in two columns: names, at least two spaces, what they are."""


def named(docstring: str) -> Iterator[str]:
    """List the modules and packages that a docstring names: `name.py` anywhere, the left column of a listing."""
    yield from FILE.findall(docstring)
    for names in ROW.findall(docstring):
        yield from names.split(", ")


def exists(package: Path, name: str) -> bool:
    """Say whether a name is a module beside the docstring, or a file by its path from the root."""
    name = name.removesuffix("/").removesuffix(".py")
    return any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in (package, ROOT))


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.relative_to(ROOT).as_posix())
def test_every_module_that_a_package_names_exists(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert [name for name in named(docstring) if not exists(path.parent, name)] == []


def test_the_names_are_read_from_listings_and_sentences() -> None:
    listing = "Says.\n\n    server      starts\n    routes/     each\n    faults, script    tests\n\nSee bot/app.py."
    assert list(named(listing)) == ["bot/app.py", "server", "routes/", "faults", "script"]
    assert list(named("server.py    starts\nclient.py    ends")) == ["server.py", "client.py", "server.py", "client.py"]
    assert not exists(ROOT / "bot/assistant", "records")
    assert sum(bool(list(named(ast.get_docstring(ast.parse(p.read_text("utf-8"))) or ""))) for p in PACKAGES) >= 5
