"""Outbounds as the HTML that gull takes, or as text alone, the plain form. Pure."""

from __future__ import annotations

from typing import Final

from bot import render as md
from bot.events import Answer, Home, Notice, Outbound
from uppzy_gull.parts import GullPart

PART_SIZE: Final = 4_000
"""UTF-16 units of text that gull takes in a message; tags do not count."""


class _Scale:
    limit: md.Weight = (PART_SIZE, PART_SIZE, PART_SIZE)

    def span(self, span: md.Span, before: md.Span | None) -> tuple[int, int]:
        return md.units(span.text), 0

    def frame(self, block: md.Block, before: md.Block | None) -> md.Weight:
        return (self.row(block, block.header) if isinstance(block, md.Table) else 8), 0, 0

    def row(self, table: md.Table, row: tuple[md.Spans, ...]) -> int:
        return sum(md.units(md.flat(cell)) + 2 for cell in row)


def render(outbound: Outbound, *, plain: bool = False) -> list[GullPart]:
    """Render into parts of at most `PART_SIZE`; buttons are on the last part of an answer."""
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
    text = md.plain(document)
    if plain or md.is_blank(text):
        document = _verbatim("(This message has no text.)" if md.is_blank(text) else text)
    parts = [md.Document(blocks) for blocks in md.split(document.blocks, _Scale())]
    bodies = [md.plain(part) if plain else md.to_html(part.blocks) for part in parts if not md.is_blank(md.plain(part))]
    last = len(bodies) - 1 if isinstance(outbound, Answer) else -1
    return [
        GullPart(body=body, html=not plain, buttons=index == last, asked_by=asked_by)
        for index, body in enumerate(bodies)
    ]


def _verbatim(text: str) -> md.Document:
    return md.Document((md.Text((md.Span(text),)),))
