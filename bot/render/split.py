"""The one splitter: blocks into parts that a channel can take.

A channel tells its limits as a `Scale`. Between parts nothing is lost but white space. Blocks stay whole while they
fit into a part of their own; a heading and a bare list marker stay with what follows. A larger text is cut at a line
end, a sentence or a space, never in a link or inline code that would fit elsewhere, never in a grapheme; larger code
between its lines, and both halves are code of the same language; a larger table between its rows, with the header
repeated. Only what alone exceeds a part (a word, an address, a line of code, a row) is cut inside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

import regex

from bot.render.blocks import Block, Code, Place, Rule, Span, Spans, Table, Text, prefix, units
from bot.render.text import grapheme_end, unrolled, widths

Weight: TypeAlias = tuple[int, int, int]
"""Size in UTF-16 units, a count of marks or blocks, and of tables: what they mean exactly is the channel's matter."""


class Scale(Protocol):
    """How much a channel takes in one part, and how much things weigh there; weights may be upper bounds."""

    @property
    def limit(self) -> Weight:
        """The most one part may weigh."""
        ...

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        """Size and marks of a span after another one in the same text."""
        ...

    def frame(self, block: Block, before: Block | None) -> Weight:
        """What a block weighs without its spans, code or rows, but with a table's header; `before` in the part."""
        ...

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        """The size of a row."""
        ...


# A gap smaller than this share of a part is not worth cutting a large block for.
_WORTH_FILLING: Final = 4
_BREAKS: Final = (
    regex.compile(r"\n(?!\p{M})"),
    regex.compile(r"(?<=[.!?…:;][\"'”’)\]]*)\s(?!\p{M})|(?<=[。！？；])(?!\p{M})"),
    regex.compile(r"\s(?![\p{M}\u200d])"),
    regex.compile(r"(?<=[^\p{L}\p{N}\p{M}_\u200d])(?=[\p{L}\p{N}])"),
)
_LOOKAHEAD: Final = 64
_ATOM: Final = "\ufffc"


def split(blocks: Iterable[Block], scale: Scale) -> list[tuple[Block, ...]]:
    """Distribute the blocks over parts. Every part has at least one block; without blocks there is no part."""
    parts: list[tuple[Block, ...]] = []
    part: list[Block] = []
    used: Weight = (0, 0, 0)
    queue = deque(blocks)
    while queue:
        block = queue.popleft()
        before = part[-1] if part else None
        room = _less(scale.limit, used)
        weight = _weigh(block, before, scale, room)
        if weight is not None:
            part.append(block)
            used = (used[0] + weight[0], used[1] + weight[1], used[2] + weight[2])
            continue
        fits_alone = _weigh(block, None, scale, scale.limit) is not None
        head: Block | None = None
        rest: list[Block] = [block]
        if not part or (not fits_alone and room[0] * _WORTH_FILLING > scale.limit[0] and room[1] > 0):
            head, rest = _cut(block, before, scale, room, forced=not part)
        if head is not None:
            part.append(head)
        else:
            rest = _glued(part) + rest
        queue.extendleft(reversed(rest))
        if part:
            parts.append(tuple(part))
            part, used = [], (0, 0, 0)
    if part:
        parts.append(tuple(part))
    return parts


def _less(limit: Weight, used: Weight) -> Weight:
    return limit[0] - used[0], limit[1] - used[1], limit[2] - used[2]


def _glued(part: list[Block]) -> list[Block]:
    """Take from the end of a part what must not stand last: headings and bare list markers."""
    glued: list[Block] = []
    while len(part) > 1 and isinstance(last := part[-1], Text) and (last.level or not last.spans):
        glued.insert(0, part.pop())
    return glued


def _weigh(block: Block, before: Block | None, scale: Scale, room: Weight) -> Weight | None:
    """The block's weight, None as soon as it exceeds the room."""
    size, marks, tables = scale.frame(block, before)
    match block:
        case Text(spans=spans):
            last = None
            for span in spans:
                more, marked = scale.span(span, last)
                size, marks, last = size + more, marks + marked, span
                if size > room[0] or marks > room[1]:
                    return None
        case Code(text=text):
            size += len(text) if len(text) > room[0] else units(text)
        case Table(rows=rows):
            for row in rows:
                size += scale.row(block, row)
                if size > room[0]:
                    return None
        case Rule():
            pass
    return None if size > room[0] or marks > room[1] or tables > room[2] else (size, marks, tables)


def _cut(
    block: Block, before: Block | None, scale: Scale, room: Weight, *, forced: bool
) -> tuple[Block | None, list[Block]]:
    """Cut a block in two: what fits into the room, None if nothing does, and the rest. `forced`: something must."""
    size, marks, tables = scale.frame(block, before)
    left = (room[0] - size, room[1] - marks, room[2] - tables)
    match block:
        case Text():
            return _cut_text(block, scale, left, forced)
        case Code():
            return _cut_code(block, left[0], forced)
        case Table():
            return _cut_table(block, scale, left, forced)
        case Rule():
            return (block, []) if forced else (None, [block])


def _rest(place: Place) -> Place:
    """The place of a second half: the marker stays with the first."""
    return replace(place, marker=None, tight=True)


def _cut_code(block: Code, room: int, forced: bool) -> tuple[Block | None, list[Block]]:
    lines = block.text.split("\n")
    fitting = 0
    for line in lines:
        size = units(line) + 1
        if size > room + 1:
            break
        room -= size
        fitting += 1
    if fitting:
        head, rest = "\n".join(lines[:fitting]), "\n".join(lines[fitting:])
    elif not forced:
        return None, [block]
    else:
        at = max(1, len(prefix(lines[0], room)))
        at = _between_words(lines[0][: at + _LOOKAHEAD], at) or grapheme_end(lines[0][: at + _LOOKAHEAD], at)
        head, rest = block.text[:at], block.text[at:]
    tail = [Code(rest, block.language, _rest(block.place))] if rest else []
    return Code(head, block.language, block.place), list(tail)


def _cut_table(block: Table, scale: Scale, room: Weight, forced: bool) -> tuple[Block | None, list[Block]]:
    if scale.limit[0] - scale.frame(block, None)[0] < scale.limit[0] // 2:
        return None, list(unrolled(block))  # a header that large would be repeated on every part
    size, fitting = room[0], 0
    for row in block.rows:
        size -= scale.row(block, row)
        if size < 0:
            break
        fitting += 1
    if room[2] < 0 or (not fitting and not forced):
        return None, [block]
    if fitting:
        rest = replace(block, rows=block.rows[fitting:], place=_rest(block.place))
        return replace(block, rows=block.rows[:fitting]), [rest]
    first: list[Block] = list(unrolled(replace(block, rows=block.rows[:1])))
    if len(block.rows) > 1:
        rows = block.rows[1:]
        columns = widths((block.header, *rows))  # the row left out may have been the widest
        first.append(replace(block, rows=rows, widths=columns, place=_rest(block.place)))
    return None, first


def _cut_text(block: Text, scale: Scale, room: Weight, forced: bool) -> tuple[Block | None, list[Block]]:
    index, inside = _overflow(block.spans, scale, room)
    at = _break(block.spans, index, inside, scale)
    if at == 0:
        if not forced:
            return None, [block]
        at = max(1, sum(len(span.text) for span in block.spans[:index]) + inside)
    head, rest = _divide(block.spans, at)
    tail: list[Block] = [replace(block, spans=rest, place=_rest(block.place))] if rest else []
    return (replace(block, spans=head) if head or block.place.marker else None), tail


def _overflow(spans: Spans, scale: Scale, room: Weight) -> tuple[int, int]:
    """The span in which the room ends, and how many characters of it still fit."""
    size, marks = room[0], room[1]
    last = None
    for index, span in enumerate(spans):  # noqa: B007 (used after the loop)
        more, marked = scale.span(span, last)
        if marked > marks or more > size:
            break
        size, marks, last = size - more, marks - marked, span
    else:
        return len(spans), 0
    if marked > marks:
        return index, 0
    low, high = 0, min(len(span.text), max(size, 0))
    while low < high:
        middle = (low + high + 1) // 2
        if scale.span(replace(span, text=span.text[:middle]), last)[0] <= size:
            low = middle
        else:
            high = middle - 1
    return index, low


def _break(spans: Spans, index: int, inside: int, scale: Scale) -> int:
    """The best place to cut at or before the overflow, counted in characters from the start of the text; 0 for none."""
    upto = spans[: index + 1]
    end = sum(len(span.text) for span in spans[:index]) + inside
    ahead = "".join(span.text[:_LOOKAHEAD] for span in spans[index + 1 : index + 1 + _LOOKAHEAD])
    text = "".join(span.text for span in upto)[: end + _LOOKAHEAD]
    if len(text) < end + _LOOKAHEAD:
        text += ahead[: end + _LOOKAHEAD - len(text)]
    masked = "".join(_ATOM * len(span.text) if _is_atom(span, scale) else span.text for span in upto)
    masked = masked[:end] + text[end:]
    return _between_words(masked, end) or _inner_break(spans, index, inside, end, text, scale)


def _between_words(text: str, end: int) -> int:
    """The best place at or before `end` to cut a text: a line end, a sentence, a space, where a word begins; or 0."""
    floor = end // 2
    for pattern in _BREAKS:
        found = 0
        for match in pattern.finditer(text, floor, end + 2):
            if match.start() <= end:
                found = max(found, match.start())
        if found:
            return found
        floor = end // 4
    return 0


def _inner_break(spans: Spans, index: int, inside: int, end: int, text: str, scale: Scale) -> int:
    """There is no space: cut between graphemes, but before a link or inline code that fits into a part of its own."""
    if index < len(spans) and end > inside > 0 and _is_atom(spans[index], scale):
        return end - inside
    return grapheme_end(text, end)


def _is_atom(span: Span, scale: Scale) -> bool:
    """True for a link and inline code, which are not cut, unless they would hardly fit into a part of their own."""
    return (span.code or span.href is not None) and scale.span(span, None)[0] <= scale.limit[0] * 3 // 4


def _divide(spans: Spans, at: int) -> tuple[Spans, Spans]:
    """Cut the spans after so many characters, without the white space around the cut."""
    head: list[Span] = []
    for index, span in enumerate(spans):
        if at < len(span.text):
            if at:
                head.append(replace(span, text=span.text[:at]))
            rest = [replace(span, text=span.text[at:]), *spans[index + 1 :]]
            break
        head.append(span)
        at -= len(span.text)
    else:
        rest = []
    return _strip_end(head), _strip_start(rest)


def _strip_end(spans: list[Span]) -> Spans:
    while spans and not spans[-1].code:
        text = spans[-1].text.rstrip()
        if text:
            spans[-1] = replace(spans[-1], text=text)
            break
        spans.pop()
    return tuple(spans)


def _strip_start(spans: list[Span]) -> Spans:
    start = 0
    while start < len(spans) and not spans[start].code:
        text = spans[start].text.lstrip()
        if text:
            spans[start] = replace(spans[start], text=text)
            break
        start += 1
    return tuple(spans[start:])
