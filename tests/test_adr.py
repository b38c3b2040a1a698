"""The decisions in docs/adr: the index lists exactly the pages, each has the format, and what they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "adr"
INDEX: Final = (FOLDER / "README.md").read_text(encoding="utf-8")
PAGES: Final = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS: Final = ["Context", "Decision", "Measured", "Gives up", "What would change our mind"]
LINES: Final = 60

QUOTED: Final = re.compile(r"`((?:bot|adapters|tests|docs|manifests)/[\w./-]*)(?:::(\w+))?`")
ANY_PATH: Final = re.compile(r"(?<![\w/.-])(?:(?:bot|adapters|tests|docs|manifests)/[\w./-]+|[A-Z]+\.md)")
TEST: Final = re.compile(r"\btest_\w+(?!\w*\.py)")


def functions_of(path: Path) -> set[str]:
    """List the functions of a file, those in classes too."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_index_lists_exactly_the_pages() -> None:
    rows = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| \S.* \|$", INDEX, re.MULTILINE)
    assert [name for _, name in rows] == [page.name for page in PAGES]
    assert [number for number, _ in rows] == [f"{number:04}" for number in range(1, len(PAGES) + 1)]
    assert all(name.startswith(f"{number}-") for number, name in rows)
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(page.name for page in PAGES)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_format(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {int(page.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert not re.search(r"^## .+\n+(?:## |\Z)", text, re.MULTILINE), "an empty section"
    assert len(text.splitlines()) <= LINES


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "README.md"], ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("`tests/file.py::test_name`", "")
    assert [path for path in ANY_PATH.findall(text) if not (ROOT / path.rstrip(".")).exists()] == []
    named = QUOTED.findall(text)
    missing = [f"{path}::{test}" for path, test in named if test and test not in functions_of(ROOT / path)]
    assert missing == []
    # A test that is named without its file could go away unnoticed.
    with_file = {test for _, test in named} | {Path(path).stem for path, _ in named}
    assert {test for test in TEST.findall(text) if test not in with_file} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_shows_it(page: Path) -> None:
    assert any(test for _, test in QUOTED.findall(page.read_text(encoding="utf-8")))
