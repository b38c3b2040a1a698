"""Blocks of one message to text and entities, with whatever would ping or run defused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bot.render import Block, Code, Rule, Span, Table, Text, units
from bot.render.text import RULE, aligned, lead

WORD_JOINER: Final = "\u2060"
"""Invisible; between two characters it keeps Telegram from seeing a name, a command or an address in them."""

# Telegram links these by itself in plain text: @name notifies a member, /command can be tapped, tg: opens the app.
# An address of e-mail has a letter before its @, a path one before its /, and neither is linked so. Found in TDLib's
# find_entities (td/telegram/MessageEntity.cpp), which the tests ask what it links.
_LIVE: Final = re.compile(
    r"(?<![A-Za-z0-9_])@(?=\w)|(?<![\w/<>])/(?=[A-Za-z0-9_]+(?![A-Za-z0-9_/<>]))|(?:(?<=tg)|(?<=ton)|(?<=site)):(?=//)",
    re.IGNORECASE,
)
TAG: Final = re.compile(r"(?<![\w\u200c\u00b7])#(?=[\d_]{0,64}[^\W\d_])\w+(?![\w#])|(?<![\w$])\$[A-Z]{1,8}(?![\w$])")
"""What Telegram makes a hashtag or a cashtag (TDLib, `match_hashtags` and `match_cashtags`)."""
# Inside of code and links Telegram links nothing by itself. Where text stands without these, all that it would link
# has to be parted: names, commands, tags, addresses with and without a scheme. No look-behind, so that text may be
# cut anywhere afterwards.
_LINKABLE: Final = re.compile(r"[@/#$](?=\w)|:(?=//)|\.(?=[^\s.])")
_HOST: Final = re.compile(r"[^\s.]+(\.[^\s.]+)+\.?")
_ORDER: Final = {"blockquote": 0, "text_link": 1, "bold": 2, "italic": 3, "strikethrough": 4, "code": 5, "pre": 5}


def inert(text: str) -> str:
    """Return text of code or of a link's label so that Telegram links nothing in it, without any entity.

    >>> inert("see main.py, @durov").replace(WORD_JOINER, "|")
    'see main.|py, @|durov'
    """
    return _LINKABLE.sub(lambda match: match.group() + WORD_JOINER, text)


def openable(href: str) -> bool:
    """True if Telegram keeps a link to there: http or https, and a host with a dot (it drops `localhost`)."""
    if not href.lower().startswith(("http://", "https://")):
        return False
    try:
        parts = urlsplit(href)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return port != 0 and _HOST.fullmatch(host) is not None


def _marks(span: Span) -> list[tuple[str, str]]:
    """The entities that a span needs, outermost first: a link is never cut in two by what is inside."""
    if span.code and span.href is None:
        return [("code", "")]
    needed = [("text_link", span.href)] if span.href is not None else []
    if span.bold:
        needed.append(("bold", ""))
    if span.italic:
        needed.append(("italic", ""))
    if span.strike:
        needed.append(("strikethrough", ""))
    return needed


def marks(span: Span, before: Span | None) -> int:
    """At most how many entities a span begins after another one in the same text."""
    if not (span.code or span.href or span.bold or span.italic or span.strike):
        return 0
    needed = _marks(span)
    if before is None:
        return len(needed)
    standing = _marks(before)
    return len(needed) - _shared(standing, needed)


def _shared(standing: list[tuple[str, str]], needed: list[tuple[str, str]]) -> int:
    """How many of the open entities, from the outermost in, go on."""
    count = 0
    for open_mark, mark in zip(standing, needed, strict=False):
        if open_mark != mark:
            break
        count += 1
    return count


@dataclass(slots=True)
class _Open:
    type: str
    value: str
    start: int


class Composer:
    """Collects the characters of a message and where its entities begin and end, in pieces, then in UTF-16 units."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._literal: list[bool] = []  # code, or the text of an address: never changed
        self._ranges: list[tuple[str, str, int, int]] = []  # type, value, first piece, piece after the last
        self._quote_from: int | None = None

    def add(self, block: Block) -> None:
        """Add a block, on a line of its own."""
        quoted = block.place.quote > 0
        if not quoted:
            self._end_quote()
        if self._pieces:
            self._put("\n" if block.place.tight else "\n\n")
        if quoted and self._quote_from is None:
            self._quote_from = len(self._pieces)
        match block:
            case Text():
                self._text(block)
            case Code(text=text, language=language):
                self._pre(text, language)
            case Table():
                self._pre(aligned(block), "")
            case Rule():
                self._put(lead(block.place) + RULE)

    def _put(self, text: str, *, literal: bool = False) -> None:
        self._pieces.append(text)
        self._literal.append(literal)

    def _pre(self, text: str, language: str) -> None:
        at = len(self._pieces)
        self._put(text, literal=True)
        if text.strip():
            self._ranges.append(("pre", language, at, at + 1))

    def _text(self, block: Text) -> None:
        self._put(lead(block.place) if block.spans else lead(block.place).rstrip())
        standing: list[_Open] = []
        for span in block.spans:
            needed = _marks(span)
            keep = _shared([(mark.type, mark.value) for mark in standing], needed)
            self._close(standing, keep)
            standing += [_Open(name, value, len(self._pieces)) for name, value in needed[keep:]]
            self._put(span.text, literal=span.code or (span.href is not None and "://" in span.text))
        self._close(standing, 0)

    def _close(self, standing: list[_Open], keep: int) -> None:
        for mark in standing[keep:]:
            self._ranges.append((mark.type, mark.value, mark.start, len(self._pieces)))
        del standing[keep:]

    def _end_quote(self) -> None:
        if self._quote_from is not None:
            self._ranges.append(("blockquote", "", self._quote_from, len(self._pieces)))
            self._quote_from = None

    def finish(self, *, defuse: bool = True) -> tuple[str, list[dict[str, Any]]]:
        """The text, and the entities in order: outer before inner, offsets in UTF-16 units."""
        self._end_quote()
        if defuse:
            self._defuse()
        self._trim()
        offsets = [0]
        for piece in self._pieces:
            offsets.append(offsets[-1] + units(piece))
        entities = []
        for name, value, first, after in self._ranges:
            length = offsets[after] - offsets[first]
            if length <= 0 or not "".join(self._pieces[first:after]).strip():
                continue
            entity: dict[str, Any] = {"type": name, "offset": offsets[first], "length": length}
            if name == "text_link":
                entity["url"] = value
            elif name == "pre" and value:
                entity["language"] = value
            entities.append(entity)
        entities.sort(key=lambda entity: (entity["offset"], -entity["length"], _ORDER[entity["type"]]))
        return "".join(self._pieces), entities

    def _defuse(self) -> None:
        text = "".join(self._pieces)
        live = [match.end() for match in _LIVE.finditer(text)]
        if not live:
            return
        end = len(text)
        for index in range(len(self._pieces) - 1, -1, -1):
            piece = self._pieces[index]
            start = end - len(piece)
            while live and live[-1] > start:
                at = live.pop() - start
                if not self._literal[index]:
                    piece = piece[:at] + WORD_JOINER + piece[at:]
            self._pieces[index], end = piece, start

    def _trim(self) -> None:
        """The server trims a message; doing it here keeps the offsets true. Indentation of code is no such space."""
        for index, piece in enumerate(self._pieces):
            if self._literal[index] and piece.strip():
                break
            self._pieces[index] = piece.lstrip()
            if self._pieces[index]:
                break
        for index in range(len(self._pieces) - 1, -1, -1):
            self._pieces[index] = self._pieces[index].rstrip()
            if self._pieces[index]:
                break
