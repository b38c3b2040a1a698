"""Blocks of one message to Slack's blocks: rich_text, header, table and divider."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from bot.render import Block, Code, Place, Rule, Span, Spans, Table, Text, flat, is_blank, units
from bot.render.text import aligned, is_narrow

MAX_HEADER: Final = 150
"""Characters of a header block (Block Kit reference, Header block)."""
MAX_INDENT: Final = 8
"""Deepest level of a list; items below it are shown at this one."""
_HEADER_LEVELS: Final = (1, 2)


def is_header(block: Text) -> bool:
    """True for headings that a header block can show: short, at the top level, without code and links."""
    if block.level not in _HEADER_LEVELS or block.place.quote or block.place.depth:
        return False
    text = flat(block.spans)
    return not is_blank(text) and units(text) <= MAX_HEADER and not any(span.code or span.href for span in block.spans)


def text_element(span: Span) -> dict[str, Any]:
    """One span as a literal text or a link."""
    element: dict[str, Any] = {"type": "text", "text": span.text}
    if span.href:
        element = {"type": "link", "url": span.href, "text": span.text}
    style = {name: True for name in ("bold", "italic", "strike", "code") if getattr(span, name)}
    return element | {"style": style} if style else element


def _elements(spans: Spans) -> list[dict[str, Any]]:
    return [text_element(span) for span in spans if span.text] or [text_element(Span(" "))]


def cell(spans: Spans) -> dict[str, Any]:
    """A table's cell; Slack refuses an empty one."""
    if all(span == Span(span.text) for span in spans):
        return {"type": "raw_text", "text": flat(spans) or " "}
    section = {"type": "rich_text_section", "elements": _elements(spans)}
    return {"type": "rich_text", "elements": [section]}


class BlockComposer:
    """Turns neutral blocks into Slack's. A message may have one table: in an answer with more of them the narrow ones
    are set in columns as preformatted text, or every table would need a message of its own."""

    def __init__(self, *, narrow_tables_as_text: bool = False) -> None:
        self._narrow_as_text = narrow_tables_as_text

    def stands_alone(self, block: Block) -> bool:
        """True for what is a block of its own; all else shares a rich_text with its neighbours."""
        match block:
            case Text():
                return is_header(block)
            case Table():
                return not (self._narrow_as_text and is_narrow(block))
            case Rule():
                return True
            case Code():
                return False

    def compose(self, blocks: Iterable[Block]) -> list[dict[str, Any]]:
        """The blocks of one message."""
        message = _Message()
        for block in blocks:
            if isinstance(block, Table) and not self.stands_alone(block):
                message.add(Code(aligned(block), place=block.place))
            else:
                message.add(block)
        return message.finish()


class _Message:
    def __init__(self) -> None:
        self._blocks: list[dict[str, Any]] = []
        self._rich: list[dict[str, Any]] = []
        self._number: int | None = None  # of the last item of an ordered list
        self._before: Block | None = None

    def add(self, block: Block) -> None:
        match block:
            case Text() if is_header(block):
                text = " ".join(flat(block.spans).split())
                self._alone({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}})
            case Text():
                self._text(block)
            case Code(text=text, place=place):
                element: dict[str, Any] = {
                    "type": "rich_text_preformatted",
                    "elements": [text_element(Span(text or " "))],
                }
                self._rich.append(element | _border(place))
            case Table():
                self._alone(_table(block))
            case Rule():
                self._alone({"type": "divider"})
        self._before = block

    def finish(self) -> list[dict[str, Any]]:
        self._flush()
        return self._blocks

    def _alone(self, block: dict[str, Any]) -> None:
        self._flush()
        self._blocks.append(block)

    def _flush(self) -> None:
        if self._rich:
            self._blocks.append({"type": "rich_text", "elements": self._rich})
            self._rich = []

    def _text(self, block: Text) -> None:
        spans, place = block.spans, block.place
        if block.level:
            spans = tuple(span if span.code else replace(span, bold=True) for span in spans)
        marker = place.marker
        if marker is not None:
            if marker.done is not None:
                spans = (Span("☑ " if marker.done else "☐ "), *spans)
            if marker.number == 0:  # Slack counts from one
                self._paragraph((Span("0. "), *spans), place)
            else:
                self._item(spans, place, marker.number)
        elif place.depth and self._continues(place):
            section = self._rich[-1]["elements"][-1]
            section["elements"] += [_line_end(place), *_elements(spans)]
        else:
            self._paragraph(spans, place)

    def _item(self, spans: Spans, place: Place, number: int | None) -> None:
        """Add a list item: to the list above if it goes on there, else to a list that begins with its number."""
        head: dict[str, Any] = {
            "type": "rich_text_list",
            "style": "bullet" if number is None else "ordered",
            "indent": min(place.depth - 1, MAX_INDENT),
            **_border(place),
        }
        section = {"type": "rich_text_section", "elements": _elements(spans)}
        last = self._rich[-1] if self._rich else {}
        follows = number is None or (self._number is not None and number == self._number + 1)
        if follows and all(last.get(key) == head.get(key) for key in ("type", "style", "indent", "border")):
            last["elements"].append(section)
        else:
            offset = {"offset": number - 1} if number is not None and number > 1 else {}
            self._rich.append(head | offset | {"elements": [section]})
        self._number = number

    def _continues(self, place: Place) -> bool:
        """True if a paragraph belongs to the item that was added last."""
        before = self._before
        return (
            bool(self._rich)
            and self._rich[-1]["type"] == "rich_text_list"
            and isinstance(before, Text)
            and (before.place.depth, before.place.quote) == (place.depth, place.quote)
        )

    def _paragraph(self, spans: Spans, place: Place) -> None:
        """Add a paragraph; as in Slack's own editor, paragraphs that follow one another share a section."""
        kind = "rich_text_quote" if place.quote else "rich_text_section"
        last = self._rich[-1] if self._rich else {}
        if last.get("type") == kind:
            last["elements"] += [_line_end(place), *_elements(spans)]
            return
        elements = _elements(spans)
        if last.get("type") == "rich_text_list" and kind == "rich_text_section" and not place.tight:
            elements.insert(0, text_element(Span("\n")))
        self._rich.append({"type": kind, "elements": elements})


def _line_end(place: Place) -> dict[str, Any]:
    return text_element(Span("\n" if place.tight else "\n\n"))


def _border(place: Place) -> dict[str, int]:
    return {"border": 1} if place.quote else {}


def _table(table: Table) -> dict[str, Any]:
    def bold(spans: Spans) -> Spans:
        return tuple(span if span.code else replace(span, bold=True) for span in spans)

    rows = [[cell(bold(spans)) for spans in table.header], *([cell(spans) for spans in row] for row in table.rows)]
    settings = [{"align": align or "left", "is_wrapped": True} for align in table.align]
    return {"type": "table", "rows": rows, "column_settings": settings}
