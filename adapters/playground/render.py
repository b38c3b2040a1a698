"""Outbounds as safe HTML, for the page that the demo serves. Pure.

A part is `{"html": …, "text": the same as plain text, "buttons": …, "kind": "answer" or the notice's kind}`.
"""

from __future__ import annotations

from typing import Final

from bot.adapter import Part
from bot.events import Answer, Home, Notice, Outbound
from bot.render import (
    Block,
    Code,
    Document,
    Rule,
    Span,
    Spans,
    Table,
    Text,
    Weight,
    is_blank,
    parse,
    plain,
    split,
    to_html,
    units,
)

PART_SIZE: Final = 4_000
"""Characters of text in one part; there is no platform here to set it, but a page that shows answers as chats do."""

EMPTY: Final = "(This message has no text.)"


class _Scale:
    limit: Weight = (PART_SIZE, PART_SIZE, PART_SIZE)

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        return units(span.text), 0

    def frame(self, block: Block, before: Block | None) -> Weight:
        size = 8 if isinstance(block, Text | Code | Rule) else self.row(block, block.header)
        return size, 0, 0

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        return sum(units(span.text) for cell in row for span in cell) + 2 * len(row)


def render(outbound: Outbound) -> list[Part]:
    """Render into parts of at most `PART_SIZE` characters; buttons are on the last part of an answer."""
    match outbound:
        case Answer(text=text):
            return _parts(parse(text), "answer")
        case Notice(text=text, kind="question"):
            return _parts(Document((Text((Span(text),)),)), "question")
        case Notice(text=text, kind=kind):
            return _parts(parse(text), kind)
        case Home(recent=recent):
            lines = [f"- {question.outcome}: {_literal(question.text)}" for question in recent]
            return _parts(parse("\n".join(["Ask a question below.", "", *lines])), "info")


def _literal(text: str) -> str:
    """Markdown that shows the text as it is."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-.!|~&:" else char for char in " ".join(text.split()))


def _parts(document: Document, kind: str) -> list[Part]:
    if is_blank(plain(document)):
        document = Document((Text((Span(EMPTY),)),))
    shown = [(to_html(blocks), plain(Document(blocks))) for blocks in split(document.blocks, _Scale())]
    shown = [(html, text) for html, text in shown if not is_blank(text)]
    last = len(shown) - 1
    return [
        {"html": html, "text": text, "buttons": kind == "answer" and index == last, "kind": kind}
        for index, (html, text) in enumerate(shown)
    ]


def preview(markdown: str) -> str:
    """What the page would show of an answer, as safe HTML: one `article` per part."""
    parts = _parts(parse(markdown), "answer")
    buttons = '<footer><span class="button">👍</span> <span class="button">👎</span></footer>'
    return "".join(
        f'<article class="message">{part["html"]}{buttons if part["buttons"] else ""}</article>' for part in parts
    )
