"""The documentation site: what its pages include, link and show exists and can be used. `make docs` builds it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from bot.config import examine, installed

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
INCLUDED = re.compile(r'^--8<-- "([^":]+):(\w+)"$', re.MULTILINE)


def whole(page: Path) -> str:
    """A page with what it includes."""

    def section(match: re.Match[str]) -> str:
        text = (ROOT / match[1]).read_text(encoding="utf-8")
        begin, end = (f"<!-- --8<-- [{word}:{match[2]}] -->\n" for word in ("start", "end"))
        assert text.count(begin) == text.count(end) == 1, match[0]
        return text.partition(begin)[2].partition(end)[0]

    return INCLUDED.sub(section, page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the generator makes them."""
    headings = re.findall(r"^#+ (.+)$", whole(page), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_what_a_page_links_exists(page: Path) -> None:
    for token in MarkdownIt("commonmark").enable("table").parse(whole(page)):
        for child in token.children or ():
            assert child.type != "text" or "][" not in child.content, f"no such reference: {child.content}"
            link = str(child.attrGet("href") or "")
            if link and "://" not in link:
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                assert target.is_file(), link
                assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_menu() -> None:
    def pages(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        inner = node.values() if isinstance(node, dict) else node
        return [page for part in inner for page in pages(part)]  # type: ignore[attr-defined]  # lists and dicts of YAML

    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(pages(menu)) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in ("settings.md", "README.md")], ids=str)
def test_settings_that_a_page_shows_can_be_used(page: Path, tmp_path: Path) -> None:
    """That of settings.md is the README's, which has a test of its own."""
    for block in re.findall(r"^```toml\n(.*?)^```", whole(page), re.MULTILINE | re.DOTALL):
        tomllib.loads(block)
        (tmp_path / "uppzy-bot.toml").write_text(block, encoding="utf-8")
        assert examine(installed(), environ={}, cwd=tmp_path).errors == ()


def test_what_is_said_once_is_included() -> None:
    """No paragraph of the README stands in a page a second time."""
    readme = {line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if len(line) > 60}
    for page in PAGES:
        assert not readme & set(page.read_text(encoding="utf-8").splitlines()), page.name
