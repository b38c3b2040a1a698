"""What stands in a text as it is, whatever marks it holds: addresses, formulas, `<br>`. Taken before emphasis is.

A model writes `https://host/__init__.py` and `$a_i * b_i$`; emphasis would eat the underscores and asterisks. The
places are found once for a paragraph; the rules then only look them up.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from bot.render import addresses

_HINT: Final = re.compile(r"<br|</br|\$|\\[(\[b\\]", re.IGNORECASE)
_BREAK: Final = re.compile(r"[ \t]*(?:<br(?:\s[^<>]{0,100})?/?>|</br\s*>)[ \t]*\n?", re.IGNORECASE)
# Without these a bracket is only escaped: `\[not a link\]`, `\(optional\)`.
_MATHS: Final = re.compile(r"[\\^_=<>+*/|{}]|\A[\d.,\s]+\Z|\A\s|\A.{0,2}\Z", re.DOTALL)
_FORMULA: Final = re.compile(
    r"\$\$(?P<display>[^`$]{1,2000})\$\$"
    r"|\\\((?P<round>(?:(?!\\\()[^`]){1,500}?)\\\)"
    r"|\\\[(?P<square>(?:(?!\\\[)[^`]){1,2000}?)\\\]"
    r"|\\begin\{(?P<name>\w{1,20}\*?)\}[^`]{1,1000}?\\end\{(?P=name)\}"
    # A single dollar is mostly money: its formula begins and ends at a sign, and holds what only formulas have.
    r"|(?<![\w$\\])\$(?![\s$])(?=[^$\n`]{0,200}[\\^_={}*<>])[^$\n`]{1,200}(?<![\s\\])\$(?![\w$])"
)
# The line end of LaTeX and the start of a Windows share; elsewhere a backslash escapes one, as in Markdown.
_DOUBLE: Final = re.compile(r"(?<!\S)\\\\(?=[\w\[\s]|\Z)")
_MATH_LINE: Final = {"$$": "$$", "\\[": "\\]"}
_MATH_LINES: Final = 60

_Kind: TypeAlias = Literal["text", "break", "address"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` of a paragraph that stand for themselves; `href` of an address that is a link."""

    start: int
    end: int
    text: str
    kind: _Kind = "text"
    href: str = ""


class Literals:
    """The literals of one paragraph, none inside another."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._list: list[Piece] = []
        end = 0
        for piece in sorted(_all(source), key=lambda one: (one.start, -one.end)):
            if piece.start >= end:
                self._list.append(piece)
                end = piece.end
        self._starts = [piece.start for piece in self._list]

    @property
    def none(self) -> bool:
        """True if there are none."""
        return not self._list

    def at(self, pos: int) -> Piece | None:
        """The literal that begins there."""
        place = bisect_left(self._starts, pos)
        return self._list[place] if place < len(self._list) and self._starts[place] == pos else None

    def next_start(self, pos: int, default: int) -> int:
        """Where the next literal at or after `pos` begins."""
        place = bisect_left(self._starts, pos)
        return self._starts[place] if place < len(self._starts) else default


def _all(source: str) -> Iterator[Piece]:
    if _HINT.search(source):
        for match in _BREAK.finditer(source):
            yield Piece(match.start(), match.end(), "\n", "break")
        for match in _FORMULA.finditer(source):
            bracketed = match["round"] or match["square"]
            if not any(map(str.isalnum, match.group())):
                continue  # escaped signs, as in a list of them
            if bracketed is None or _MATHS.search(bracketed):
                yield Piece(match.start(), match.end(), match.group())
        for match in _DOUBLE.finditer(source):
            yield Piece(match.start(), match.end(), match.group())
    for address in addresses.find(source):
        yield Piece(address.start, address.end, address.shown, "address", address.href)


def text(state: StateInline, silent: bool) -> bool:
    """Take plain text up to the next mark or literal; replaces markdown-it's rule of that name."""
    known = literals_of(state)
    end = known.next_start(state.pos, state.posMax)
    mark = state.md.inline.terminator_re.search(state.src, state.pos, min(end, state.posMax))
    end = mark.start() if mark else min(end, state.posMax)
    if end <= state.pos:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def literal(state: StateInline, silent: bool) -> bool:
    """Take a literal as it is; an address becomes a link, a name that looks like one becomes code."""
    piece = literals_of(state).at(state.pos)
    if piece is None or piece.end > state.posMax:
        return False
    if not silent:
        _push(state, piece)
    state.pos = piece.end
    return True


def _push(state: StateInline, piece: Piece) -> None:
    if piece.kind == "break":
        state.push("hardbreak", "br", 0)
    elif piece.kind == "text" or state.linkLevel:
        state.push("literal", "", 0).content = piece.text
    elif not piece.href:
        state.push("code_inline", "code", 0).content = piece.text
    else:
        state.push("link_open", "a", 1).attrs = {"href": piece.href}
        state.push("literal", "", 0).content = piece.text
        state.push("link_close", "a", -1)


def literals_of(state: StateInline) -> Literals:
    """The literals of the paragraph that is being parsed, found at the first question."""
    known: Literals | None = state.env.get("literals")
    if known is None or known.source is not state.src:
        known = state.env["literals"] = Literals(state.src)
    return known


def formula(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read a formula between `$$` or `\\[` and `\\]` on lines of their own: no list or heading begins inside."""
    at = state.bMarks[startLine] + state.tShift[startLine]
    first = state.src[at : state.eMarks[startLine]].strip()
    closing = _MATH_LINE.get(first)
    if closing is None or state.is_code_block(startLine):
        return False
    for line in range(startLine + 1, min(endLine, startLine + _MATH_LINES)):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return False
        if state.src[state.bMarks[line] : state.eMarks[line]].strip() == closing:
            if not silent:
                content = state.getLines(startLine, line + 1, state.blkIndent, False).strip()
                state.push("formula", "", 0).map = [startLine, line + 1]
                state.tokens[-1].content = content
                state.line = line + 1
            return True
    return False
