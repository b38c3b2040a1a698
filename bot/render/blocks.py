"""The neutral form of an answer: a flat sequence of blocks, each of which knows where it stands.

    Document = (Text | Code | Table | Rule, ...)      Text = (Span, ...)

Nesting of quotes and lists is a `Place`, not a tree: no channel nests freely, the splitter cuts between any two
blocks, and no depth of nesting can exhaust the stack. Inline marks are flags of a `Span` for the same reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters that look the same. `code` excludes the other marks; an `href` is safe to open."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    href: str | None = None


Spans: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """What stands before a list item: a number or (None) a bullet; `done` is the state of a task box, None without."""

    number: int | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands: in how many quotes, in how many lists; `marker` only on the first block of an item.

    `tight`: no blank line between this block and the one before.
    """

    quote: int = 0
    depth: int = 0
    marker: Marker | None = None
    tight: bool = False


TOP = Place()


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, or (`level` 1 to 6) a heading."""

    spans: Spans
    place: Place = TOP
    level: int = 0


@dataclass(frozen=True, slots=True)
class Code:
    """A code block, verbatim, without its last line end."""

    text: str
    language: str = ""
    place: Place = TOP


Align: TypeAlias = Literal["", "left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table. Every row has as many cells as the header; `widths` are the columns' widths in terminal cells."""

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    align: tuple[Align, ...]
    widths: tuple[int, ...]
    place: Place = TOP


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""

    place: Place = TOP


Block: TypeAlias = Text | Code | Table | Rule


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed answer."""

    blocks: tuple[Block, ...]


def units(text: str) -> int:
    """Length in UTF-16 code units, the longest of the counts that channels use.

    >>> units("a😀")
    3
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def prefix(text: str, room: int) -> str:
    """The longest beginning of the text with at most `room` UTF-16 units; it may end inside a grapheme.

    >>> prefix("a😀b", 2)
    'a'
    """
    head = text[: max(room, 0)]
    while (over := units(head) - room) > 0 and head:
        head = head[: len(head) - (over + 1) // 2]
    return head


def flat(spans: Spans) -> str:
    """The characters of the spans."""
    return "".join(span.text for span in spans)
