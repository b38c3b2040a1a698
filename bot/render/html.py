"""Neutral blocks to HTML that is safe wherever it is put: no attribute but those written here, no style, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from bot.render.blocks import Block, Code, Place, Rule, Span, Spans, Table, Text

_REL: Final = 'target="_blank" rel="noopener noreferrer nofollow ugc"'


def to_html(blocks: Iterable[Block]) -> str:
    """Render the blocks. Lists nest, an item keeps its number; what is quoted stands in one `blockquote`."""
    writer = _Writer()
    for block in blocks:
        writer.write(block)
    return writer.finish()


def inline(spans: Spans) -> str:
    """Render the spans of one text."""
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    shown = escape(span.text).replace("\n", "<br>")
    if span.code:
        shown = f"<code>{escape(span.text)}</code>"
    for tag, on in (("s", span.strike), ("em", span.italic), ("strong", span.bold)):
        shown = f"<{tag}>{shown}</{tag}>" if on else shown
    return f'<a href="{escape(span.href)}" {_REL}>{shown}</a>' if span.href else shown


class _Writer:
    def __init__(self) -> None:
        self._out: list[str] = []
        self._lists: list[str] = []
        self._quoted = False

    def write(self, block: Block) -> None:
        place = block.place
        if bool(place.quote) != self._quoted:
            self._close_lists(0)
            self._out.append("</blockquote>" if self._quoted else "<blockquote>")
            self._quoted = not self._quoted
        self._enter(place)
        self._out.append(_block(block, item=place.marker is not None))

    def _enter(self, place: Place) -> None:
        """Open and close lists until the place is reached, and begin an item if it has a marker."""
        marker = place.marker
        self._close_lists(place.depth)
        kind = "ol" if marker is not None and marker.number is not None else "ul"
        if marker is not None and len(self._lists) == place.depth and self._lists[-1] != kind:
            self._close_lists(place.depth - 1)
        while len(self._lists) < place.depth:
            self._lists.append(kind)
            self._out.append(f"<{kind}>")
            if len(self._lists) < place.depth or marker is None:
                self._out.append('<li class="bare">')
            else:
                self._out.append(_item(place))
                return
        if marker is not None:
            self._out.append("</li>" + _item(place))

    def _close_lists(self, depth: int) -> None:
        while len(self._lists) > depth:
            self._out.append(f"</li></{self._lists.pop()}>")

    def finish(self) -> str:
        self._close_lists(0)
        if self._quoted:
            self._out.append("</blockquote>")
            self._quoted = False
        return "".join(self._out)


def _item(place: Place) -> str:
    marker = place.marker
    if marker is None:
        return "<li>"
    box = "" if marker.done is None else "☑ " if marker.done else "☐ "
    if marker.number is not None:
        return f'<li value="{marker.number}">{box}'
    return f'<li class="task">{box}' if box else "<li>"


def _block(block: Block, *, item: bool) -> str:
    match block:
        case Text(spans=spans, level=0):
            return inline(spans) if item else f'<p dir="auto">{inline(spans)}</p>'
        case Text(spans=spans, level=level):
            return f'<h{level} dir="auto">{inline(spans)}</h{level}>'
        case Code(text=text, language=language):
            name = f' data-language="{escape(language)}"' if language else ""
            return f'<pre{name} tabindex="0"><code>{escape(text)}</code></pre>'
        case Rule():
            return "<hr>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    def row(cells: tuple[Spans, ...], tag: str) -> str:
        classes = [f' class="{align}"' if align else "" for align in table.align]
        pairs = zip(cells, classes, strict=True)
        return "<tr>" + "".join(f'<{tag}{name} dir="auto">{inline(cell)}</{tag}>' for cell, name in pairs) + "</tr>"

    body = "".join(row(cells, "td") for cells in table.rows)
    table_html = f"<table><thead>{row(table.header, 'th')}</thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table_html}</div>'
