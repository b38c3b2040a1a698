"""Markdown to neutral blocks."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from markdown_it.token import Token

from bot.render import clean
from bot.render.blocks import Block, Code, Document, Marker, Place, Rule, Span, Spans, Table, Text
from bot.render.bounds import TooMuch
from bot.render.inline import spans
from bot.render.markdown import tokens
from bot.render.text import widths

_TASK: Final = re.compile(r"\[([ xX])\](?:\s+|$)")
_LINE_END: Final = re.compile(r"[ \t]*\n\s*")


TOO_MUCH: Final = "(This answer has too much formatting to lay out, so it is shown as it was written.)"


def parse(markdown: str) -> Document:
    """Parse an answer. Any text is Markdown: this never raises, and keeps every word.

    An answer with more formatting than `bot.render.bounds` allows is shown as it was written, below a line that says
    so.
    """
    source = clean.source(markdown)
    with _no_collection():
        try:
            # No name for the tokens: what is alive when the collector wakes is looked through.
            return Document(tuple(_Builder(tokens(source)).blocks))
        except TooMuch:
            return _as_written(source)


def _as_written(source: str) -> Document:
    """The lines of an answer as text, in which addresses are links and nothing else has a meaning."""
    blocks: list[Block] = [Text((Span(TOO_MUCH, italic=True),))]
    tight = False
    for line in source.split("\n"):
        content = spans([Token("literal", "", 0, content=line)])
        if content:
            blocks.append(Text(content, Place(tight=tight)))
        tight = bool(content)
    return Document(tuple(blocks))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Parsing makes thousands of objects in which the garbage collector finds no garbage: with it a long answer costs
    a quarter more. What is not needed any more goes by its reference count."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(slots=True)
class _List:
    number: int | None


class _Builder:
    """Walks the token stream once, keeping track of the place; deep nesting costs no stack."""

    def __init__(self, stream: Sequence[Token]) -> None:
        self.blocks: list[Block] = []
        self._lists: list[_List] = []
        self._quote = 0
        self._marker: Marker | None = None
        self._last_line = 0
        self._stream = stream
        walk = iter(stream)
        for token in walk:
            self._take(token, walk)

    def _take(self, token: Token, walk: Iterator[Token]) -> None:
        match token.type:
            case "inline":
                self._text(spans(token.children or ()), token)
            case "heading_open":
                self._text(spans(next(walk).children or ()), token, level=int(token.tag[1:]))
            case "fence" | "code_block":
                self._bare_marker()
                language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
                text = clean.code(token.content).removesuffix("\n")
                self.blocks.append(Code(text, clean.prose(language), self._place(token)))
            case "table_open":
                self._bare_marker()
                self.blocks.append(_table(token, walk, self._place(token)))
            case "formula":
                self._text(spans([Token("literal", "", 0, content=token.content)]), token)
            case "hr":
                self._bare_marker()
                self.blocks.append(Rule(self._place(token)))
            case "reference":
                self._reference(token)
            case _:
                self._nest(token)

    def _nest(self, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self._bare_marker()
                self._quote += 1
            case "blockquote_close":
                self._quote -= 1
            case "bullet_list_open" | "ordered_list_open":
                self._bare_marker()
                self._lists.append(_List(_first_number(token)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                innermost = self._lists[-1]
                self._marker = Marker(innermost.number)
                if innermost.number is not None:
                    innermost.number += 1
            case "list_item_close":
                self._bare_marker()

    def _place(self, token: Token) -> Place:
        """The place of the next block; it uses up the marker of its item."""
        first, last = token.map or (self._last_line, self._last_line)
        tight = bool(self.blocks) and first <= self._last_line
        self._last_line = last
        marker, self._marker = self._marker, None
        return Place(self._quote, len(self._lists), marker, tight)

    def _bare_marker(self) -> None:
        """An item that begins with anything but text: its marker stands on an empty line of its own."""
        if self._marker is not None:
            marker, self._marker = self._marker, None
            self.blocks.append(Text((), Place(self._quote, len(self._lists), marker, tight=bool(self.blocks))))

    def _text(self, content: Spans, token: Token, level: int = 0) -> None:
        place = self._place(token)
        if place.marker and not level and content:
            content, place = _task(content, place)
        if content or place.marker:
            self.blocks.append(Text(content, place, level))

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(_targets(self._stream))

    def _reference(self, token: Token) -> None:
        """Show the definitions that no link uses: models list their sources so."""
        target = str(token.meta.get("href", ""))
        if target not in self._used:
            shown = Token("literal", "", 0, content=token.content)
            self._text(spans([shown]), token)


def _first_number(token: Token) -> int | None:
    """The number a list begins with, None if it has bullets."""
    if token.type == "bullet_list_open":
        return None
    start = token.attrGet("start")
    return 1 if start is None else int(start)


def _targets(stream: Sequence[Token]) -> Iterator[str]:
    """Where the links and pictures lead to."""
    for token in stream:
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                yield str(child.attrs.get("href", child.attrs.get("src", "")))
            yield from _targets((child,))


def _task(content: Spans, place: Place) -> tuple[Spans, Place]:
    """Take the box of a task list off the text and put it into the marker."""
    first = content[0]
    box = None if first.code or first.href else _TASK.match(first.text)
    if box is None or place.marker is None:
        return content, place
    marker = Marker(place.marker.number, done=box.group(1) != " ")
    rest = first.text[box.end() :]
    return ((replace(first, text=rest), *content[1:]) if rest else content[1:]), replace(place, marker=marker)


def _table(table: Token, walk: Iterator[Token], place: Place) -> Table:
    rows: list[tuple[Spans, ...]] = []
    row: list[Spans] = []
    for token in walk:
        match token.type:
            case "table_close":
                break
            case "tr_open":
                row = []
            case "tr_close":
                rows.append(tuple(row))
            case "inline":
                row.append(_cell(spans(token.children or ())))
    return Table(rows[0], tuple(rows[1:]), table.meta["align"], widths(rows), place)


def _cell(content: Spans) -> Spans:
    """In a table `<br>` is the only way to begin a line; no channel has lines in cells, so it becomes a slash."""
    if not any("\n" in span.text for span in content):
        return content
    return tuple(span if span.code else replace(span, text=_LINE_END.sub(" / ", span.text)) for span in content)
