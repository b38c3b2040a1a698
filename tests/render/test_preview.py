"""The preview page: one answer in every channel's form, harmless whatever the answer, without a script."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import adapters.playground.preview
import adapters.slack.preview
import adapters.telegram.preview
from bot.render import parse, plain
from bot.web.preview import PREVIEW_POLICY, SAMPLE, plain_column, preview_page
from tests.render.answers import each_answer, read


def page(markdown: str) -> str:
    columns = {
        "Slack": adapters.slack.preview.preview(markdown),
        "Telegram": adapters.telegram.preview.preview(markdown),
        "Playground": adapters.playground.preview.preview(markdown),
        "Plain text": plain_column(plain(parse(markdown))),
    }
    return preview_page(columns, markdown)


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "hr", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@each_answer
def test_no_answer_becomes_markup_of_the_page(path: Path) -> None:
    found = _Tags(page(read(path)))
    assert found.wrong == []
    assert found.open == []
    harmless = {"name", "content", "charset", "lang", "method", "for", "id", "maxlength", "spellcheck", "type"}
    harmless |= {"class", "dir", "href", "target", "rel", "start", "value", "data-language", "tabindex"}
    for tag, attributes in found.tags:
        assert tag not in ("script", "img", "iframe", "object", "link", "base", "svg")
        assert set(attributes) <= harmless, tag
        assert attributes.get("tabindex", "0") == "0", tag
        href = attributes.get("href") or "https:"
        assert href.lower().startswith(("https:", "http:", "mailto:")), href


def test_the_policy_allows_the_page_its_style_and_nothing_else() -> None:
    html = page(SAMPLE)
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PREVIEW_POLICY
    assert "default-src 'none'" in PREVIEW_POLICY
    assert " style=" not in html
    assert "prefers-color-scheme:dark" in html


def test_the_four_columns_stand_in_order_and_the_form_has_the_markdown() -> None:
    html = page("a </textarea><b>")
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["Slack", "Telegram", "Playground", "Plain text"]
    assert 'name="markdown"' in html
    assert "\na &lt;/textarea&gt;&lt;b&gt;</textarea>" in html
