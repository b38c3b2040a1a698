"""Outbounds as safe HTML, for the page that the demo serves; or as text alone, the plain form. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.playground.parts import PlaygroundPart
from bot.adapter import NOTE_UNITS
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
    noted,
    parse,
    split,
    to_html,
    units,
)
from bot.render import plain as plain_text
from bot.texts import say

PART_SIZE: Final = 4_000
"""Characters of text in one part; there is no platform here to set it, but a page that shows answers as chats do."""

_LAST_LINE: Final = NOTE_UNITS + 2
"""UTF-16 units kept for a note."""


class _Scale:
    limit: Weight = (PART_SIZE - _LAST_LINE, PART_SIZE, PART_SIZE)

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        return units(span.text), 0

    def frame(self, block: Block, before: Block | None) -> Weight:
        size = 8 if isinstance(block, Text | Code | Rule) else self.row(block, block.header)
        return size, 0, 0

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        return sum(units(span.text) for cell in row for span in cell) + 2 * len(row)


def render(outbound: Outbound, *, plain: bool = False, after: int = 0) -> list[PlaygroundPart]:
    """Render into parts of at most `PART_SIZE` characters; buttons are on the last part of an answer that asks for a
    rating.

    `plain`: as text alone, without the words of the first `after` parts of the other form.
    """
    kind, document = _document(outbound)
    if plain and after:
        document = Document(tuple(block for _, blocks in _messages(document)[after:] for block in blocks))
    make = _texts if plain else _pages
    shown = make(document) or make(_verbatim(say("no-text", outbound.language)))
    last = len(shown) - 1 if isinstance(outbound, Answer) and outbound.asks_rating else -1
    return [
        PlaygroundPart(html=html, text=text, buttons=index == last, kind=kind)
        for index, (html, text) in enumerate(shown)
    ]


def with_note(part: PlaygroundPart, note: str) -> PlaygroundPart:
    """Add a line of the core's below everything."""
    html = part.html and part.html + to_html(_verbatim(note).blocks)
    return replace(part, html=html, text=f"{part.text}\n\n{note}")


def _document(outbound: Outbound) -> tuple[str, Document]:
    """Return the kind of message and what it says."""
    match outbound:
        case Answer(text=text, notes=notes):
            return "answer", noted(parse(text), notes)
        case Notice(text=text, kind="question"):
            return "question", _verbatim(text)
        case Notice(text=text, kind=kind):
            return kind, parse(text)
        case Home(recent=recent, language=language):
            outcomes = [say(f"outcome-{question.outcome}", language) for question in recent]
            lines = [f"- {said}: {_literal(one.text)}" for said, one in zip(outcomes, recent, strict=True)]
            return "info", parse("\n".join([say("home-below", language), "", *lines]))


def _verbatim(text: str) -> Document:
    return Document((Text((Span(text),)),))


def _literal(text: str) -> str:
    """Markdown that shows the text as it is."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-.!|~&:" else char for char in " ".join(text.split()))


def _messages(document: Document) -> list[tuple[str, tuple[Block, ...]]]:
    """Cut into what becomes a message each, with its plain text."""
    parts = split(document.blocks, _Scale())
    return [(text, blocks) for blocks in parts if not is_blank(text := plain_text(Document(blocks)))]


def _pages(document: Document) -> list[tuple[str, str]]:
    """Return each part as HTML and as text."""
    return [(to_html(blocks), text) for text, blocks in _messages(document)]


def _texts(document: Document) -> list[tuple[str, str]]:
    """Return each part as text, without HTML. The whole is one text, so no frame of a block is counted or missed."""
    return [("", text) for text, _ in _messages(_verbatim(plain_text(document)))]
