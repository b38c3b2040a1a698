"""Outbounds as the HTML that gull takes, or as text alone, the plain form. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot import render as md
from bot.adapter import NOTE_UNITS
from bot.events import Answer, Home, Notice, Outbound
from uppzy_gull.parts import GullPart

PART_SIZE: Final = 4_000 - NOTE_UNITS - 2
"""UTF-16 units of text in a message, of the 4,000 that gull takes; tags do not count. The rest is for a note."""


class _Scale:
    limit: md.Weight = (PART_SIZE, PART_SIZE, PART_SIZE)

    def span(self, span: md.Span, before: md.Span | None) -> tuple[int, int]:
        return md.units(span.text), 0

    def frame(self, block: md.Block, before: md.Block | None) -> md.Weight:
        return (self.row(block, block.header) if isinstance(block, md.Table) else 8), 0, 0

    def row(self, table: md.Table, row: tuple[md.Spans, ...]) -> int:
        return sum(md.units(md.flat(cell)) + 2 for cell in row)


def render(outbound: Outbound, *, plain: bool = False, after: int = 0) -> list[GullPart]:
    """Render into parts of at most `PART_SIZE`; buttons are on the last part of an answer.

    `plain`: as text alone, without the words of the first `after` parts of the other form.
    """
    asked_by, document = "", md.Document(())
    match outbound:
        case Notice(text=text, kind="question"):
            asked_by, document = outbound.user_id or "", _verbatim(text)
        case Answer(text=text, notes=notes):
            document = md.noted(md.parse(text), notes)
        case Notice(text=text):
            document = md.parse(text)
        case Home(recent=recent):
            document = _verbatim("\n".join(["Ask a question.", *(question.text for question in recent)]))
    if after:
        document = md.Document(tuple(block for part in _messages(document)[after:] for block in part.blocks))
    text = md.plain(document)
    if plain or md.is_blank(text):
        document = _verbatim("(This message has no text.)" if md.is_blank(text) else text)
    bodies = [md.plain(part) if plain else md.to_html(part.blocks) for part in _messages(document)]
    last = len(bodies) - 1 if isinstance(outbound, Answer) else -1
    return [
        GullPart(body=body, html=not plain, buttons=index == last, asked_by=asked_by)
        for index, body in enumerate(bodies)
    ]


def with_note(part: GullPart, note: str) -> GullPart:
    """Add a line of the core's below everything."""
    return replace(part, body=part.body + (md.to_html(_verbatim(note).blocks) if part.html else f"\n\n{note}"))


def _messages(document: md.Document) -> list[md.Document]:
    parts = [md.Document(blocks) for blocks in md.split(document.blocks, _Scale())]
    return [part for part in parts if not md.is_blank(md.plain(part))]


def _verbatim(text: str) -> md.Document:
    return md.Document((md.Text((md.Span(text),)),))
