"""Plain text: what is left of an answer where a channel shows nothing but characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Final

import regex
from wcwidth import wcswidth

from bot.render.addresses import is_shown
from bot.render.blocks import Block, Code, Document, Place, Rule, Span, Spans, Table, Text, flat, prefix, units

RULE: Final = "────────"
# Columns of a phone's screen that a table may take; wider ones are shown as lines, "header: cell".
TABLE_COLUMNS: Final = 64
_GAP: Final = "  "
_BULLETS: Final = "•◦▪"
_INDENT: Final = "   "
_DEEPEST: Final = 8
# What ends an address for a client that links by itself: Telegram's does so at quotation marks, not at a dash or `。`.
_PARTS: Final = regex.compile(r"[\p{ASCII}\s\u2026\p{Pi}\p{Pf}\u201e]|$")
_LABEL: Final = 40
_GRAPHEME: Final = regex.compile(r"\X")
_LAST_SPACE: Final = regex.compile(r"(?r)\s(?!\p{M})")


def plain(document: Document, limit: int | None = None) -> str:
    """The document as plain text; with a limit, what fits into that many UTF-16 units, ending in "…" if not all."""
    pieces: list[str] = []
    size = 0
    for block in document.blocks:
        if pieces:
            pieces.append("\n" if block.place.tight else "\n\n")
        pieces.append(_plain(struck(block)))
        size += units(pieces[-1])
        if limit is not None and size > limit:
            break
    text = "".join(pieces)
    first, last = (isinstance(document.blocks[at], Code) if document.blocks else False for at in (0, -1))
    text = text if first else text.lstrip()  # the white space of code is kept
    text = text if last else text.rstrip()
    return text if limit is None else shorten(text, limit)


def shorten(text: str, limit: int) -> str:
    """What fits of the text into `limit` UTF-16 units, in whole words or at least graphemes; ends in "…" if not all.

    >>> shorten("one two three", 9)
    'one two …'
    """
    if units(text) <= limit:
        return text
    end = len(prefix(text, limit - 2))
    words = _LAST_SPACE.search(text, end // 2, end + 1)
    head = text[: words.start() if words else grapheme_end(text, end)].rstrip()
    return f"{head} …"


def grapheme_end(text: str, end: int) -> int:
    """The last boundary between graphemes that is not after `end`; `end` itself inside a grapheme without any."""
    last = 0
    for match in _GRAPHEME.finditer(text):
        if match.end() > end:
            break
        last = match.end()
    return last or end


def _plain(block: Block) -> str:
    head = "> " * min(block.place.quote, _DEEPEST) + lead(block.place)
    match block:
        case Text(spans=spans):
            return head + worded(spans) if spans else head.rstrip()
        case Code(text=text):
            return text
        case Rule():
            return head + RULE
        case Table() if is_narrow(block):
            return aligned(block)
        case Table():
            return "\n\n".join(_plain(text) for text in unrolled(block))


def worded(spans: Spans) -> str:
    """The characters of spans; a link whose label does not show its address is followed by it."""
    words = ""
    for href, group in groupby(with_room(spans), key=attrgetter("href")):
        text = flat(tuple(group))
        words += text if href is None or is_shown(text, href) else f"{text} ({href.removeprefix('mailto:')})"
    return words


def struck(block: Block) -> Block:
    """Mark what is struck out, as people do where there are only characters: `~8~ 12` must not read as "8 12".

    An address stays as it is, for it must be found; so does code.
    """
    match block:
        case Text(spans=spans) if _has_struck(spans):
            return replace(block, spans=_struck(spans))
        case Table(header=header, rows=rows) if any(_has_struck(cell) for row in (header, *rows) for cell in row):
            marked = [tuple(map(_struck, row)) for row in (header, *rows)]
            return replace(block, header=marked[0], rows=tuple(marked[1:]), widths=widths(marked))
        case _:
            return block


def _has_struck(spans: Spans) -> bool:
    return any(map(_is_struck, spans))


def _is_struck(span: Span) -> bool:
    is_address = span.href is not None and is_shown(span.text, span.href)
    return span.strike and not span.code and not is_address


def _struck(spans: Spans) -> Spans:
    marked: list[Span] = []
    for is_struck, run in groupby(spans, key=_is_struck):
        mark = [Span("~")] if is_struck else []
        marked += [*mark, *run, *mark]
    return tuple(marked)


def with_room(spans: Spans, *, mail_only: bool = False) -> Spans:
    """Put a space between an address and the letter of another script that touches it.

    Clients that link what is written out take such letters for a part of the address, or see no address: all after one,
    and those before one of e-mail. `mail_only`: web addresses are links of their own, which need none.
    """
    if not any(span.href for span in spans):
        return spans
    roomy: list[Span] = []
    for span in spans:
        before = roomy[-1] if roomy else Span("")
        ends = _is_written_out(before, mail_only) and _PARTS.match(span.text) is None
        begins = _is_written_out(span, True) and _PARTS.match(before.text[-1:]) is None
        if before.href != span.href and (ends or begins):
            roomy.append(Span(" "))
        roomy.append(span)
    return tuple(roomy)


def _is_written_out(span: Span, mail_only: bool) -> bool:
    if span.href is None or (mail_only and not span.href.startswith("mailto:")):
        return False
    return is_shown(span.text, span.href)


def lead(place: Place) -> str:
    """The characters before a block in a list: its indentation and its bullet or number.

    >>> lead(Place(depth=2))
    '      '
    """
    if not place.depth:
        return ""
    indent = _INDENT * (min(place.depth, _DEEPEST) - 1)
    marker = place.marker
    if marker is None:
        return indent + _INDENT
    box = "" if marker.done is None else "☑ " if marker.done else "☐ "
    if marker.number is not None:
        return f"{indent}{marker.number}. {box}"
    return indent + (box or _BULLETS[(place.depth - 1) % len(_BULLETS)] + " ")


def width(text: str) -> int:
    """The columns a text takes in a terminal: two for an East Asian character, none for a combining one."""
    return len(text) if text.isascii() else max(wcswidth(text), 0)


def widths(rows: Sequence[tuple[Spans, ...]]) -> tuple[int, ...]:
    """The width of each column of a table's rows, header included."""
    return tuple(max(width(flat(cell)) for cell in column) for column in zip(*rows, strict=True))


def is_narrow(table: Table) -> bool:
    """True if the table can be set in columns on a phone: not too wide, no lines in cells, no links to keep."""
    if sum(table.widths) + len(_GAP) * (len(table.widths) - 1) > TABLE_COLUMNS:
        return False
    return not any(
        span.href or "\n" in span.text for row in (table.header, *table.rows) for cell in row for span in cell
    )


def row_size(table: Table) -> int:
    """At most how many characters a row of a narrow table takes in `aligned`, with its line end."""
    return sum(table.widths) + len(_GAP) * len(table.widths) + 1


def aligned(table: Table) -> str:
    """A narrow table as lines of equal columns."""
    rule = _GAP.join("─" * max(columns, 1) for columns in table.widths)
    lines = [_row(table, table.header), rule, *(_row(table, row) for row in table.rows)]
    return "\n".join(line.rstrip() for line in lines)


def _row(table: Table, row: tuple[Spans, ...]) -> str:
    cells = []
    for spans, columns, align in zip(row, table.widths, table.align, strict=True):
        text = flat(spans)
        room = columns - width(text)
        left = room if align == "right" else room // 2 if align == "center" else 0
        cells.append(" " * left + text + " " * (room - left))
    return _GAP.join(cells)


def unrolled(table: Table) -> list[Text]:
    """A table as text: a line with the headers, then for each row a paragraph of lines "header: cell"."""
    headers = [label.strip() for label in map(flat, table.header)]
    result = []
    if any(headers):
        bold = [
            tuple(span if span.code else replace(span, bold=True) for span in cell) for cell in table.header if cell
        ]
        caption = [piece for cell in bold for piece in (*cell, Span(" · "))][:-1]
        result.append(Text(tuple(caption), table.place))
    labels = [shorten(label, _LABEL) for label in headers]
    place = replace(table.place, marker=None, tight=False)
    for row in table.rows:
        lines: list[Span] = []
        for label, cell in zip(labels, row, strict=True):
            if cell:
                lines += [Span("\n")] if lines else []
                lines += [Span(f"{label}:", bold=True), Span(" ")] if label else []
                lines += cell
        if lines:
            result.append(Text(tuple(lines), place))
    return result


_INVISIBLE: Final = regex.compile(r"[\s\p{C}\p{M}\u115f\u1160\u3164\uffa0\u2800]*")


def noted(document: Document, notes: Sequence[str]) -> Document:
    """Add sentences of ours after a text: blocks of their own, so that nothing the text leaves open takes them in."""
    return replace(document, blocks=(*document.blocks, *(Text((Span(note, italic=True),)) for note in notes)))


def is_blank(text: str) -> bool:
    """True if a reader would see nothing: white space, controls, format characters, lone marks, fillers.

    Platforms refuse such a message.
    """
    return _INVISIBLE.fullmatch(text) is not None
