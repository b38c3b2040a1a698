"""What stands in a text as it is, whatever marks it holds: addresses, formulas, `<br>`. Taken before emphasis is.

A model writes `https://host/__init__.py` and `$a_i * b_i$`; emphasis would eat the underscores and asterisks. The
places are found once for a paragraph; the rules then only look them up.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markdown_it.rules_inline import StateInline

from bot.render import links

_HINT: Final = re.compile(r"://|www\.|@|<br|\$|\\[(\[b]", re.IGNORECASE)
_BREAK: Final = re.compile(r"<br\s*/?>[ \t]*\n?", re.IGNORECASE)
_FORMULA: Final = re.compile(
    r"\$\$[^`]{1,1000}?\$\$"
    r"|\\\([^`]{1,1000}?\\\)"
    r"|\\\[[^`]{1,1000}?\\\]"
    r"|\\begin\{(\w{1,20}\*?)\}[^`]{1,1000}?\\end\{\1\}"
    # A single dollar is mostly money: its formula begins and ends at a sign, and holds what only formulas have.
    r"|(?<![\w$\\])\$(?![\s$])(?=[^$\n`]{0,200}[\\^_={}*])[^$\n`]{1,200}(?<![\s\\])\$(?![\w$])"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters `start` to `end` of a paragraph. `href` of an address; `text` is what is shown, "\\n" for a break."""

    start: int
    end: int
    text: str
    href: str = ""


class Literals:
    """The literals of one paragraph, none inside another."""

    def __init__(self, source: str) -> None:
        self._list = sorted(_all(source), key=lambda one: (one.start, -one.end)) if _HINT.search(source) else []
        self._starts = [one.start for one in self._list]

    def at(self, pos: int) -> Literal | None:
        """Return the literal that begins there."""
        place = bisect_left(self._starts, pos)
        return self._list[place] if place < len(self._list) and self._starts[place] == pos else None

    def next_start(self, pos: int) -> int | None:
        """Return where the next literal after `pos` begins."""
        place = bisect_left(self._starts, pos + 1)
        return self._starts[place] if place < len(self._starts) else None


def _all(source: str) -> Iterator[Literal]:
    for match in _BREAK.finditer(source):
        yield Literal(match.start(), match.end(), "\n")
    for match in _FORMULA.finditer(source):
        if not any(map(str.isalnum, match.group())):
            continue  # escaped signs, as in a list of them
        yield Literal(match.start(), match.end(), match.group())
    for start, end, href in links.bare(source):
        yield Literal(start, end, links.shown(source[start:end]), href)


def text(state: StateInline, silent: bool) -> bool:
    """Take plain text up to the next mark or literal; replaces markdown-it's rule of that name."""
    mark = state.md.inline.terminator_re.search(state.src, state.pos)
    end = mark.start() if mark else state.posMax
    literal = literals_of(state).next_start(state.pos)
    if literals_of(state).at(state.pos):
        return False
    end = min(end, state.posMax, state.posMax if literal is None else literal)
    if end <= state.pos:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def literal(state: StateInline, silent: bool) -> bool:
    """Take a literal as it is; an address outside of a link becomes one."""
    found = literals_of(state).at(state.pos)
    if found is None or found.end > state.posMax:
        return False
    if not silent:
        if found.text == "\n":
            state.push("hardbreak", "br", 0)
        elif found.href and not state.linkLevel:
            state.push("link_open", "a", 1).attrs = {"href": found.href}
            state.push("text", "", 0).content = found.text
            state.push("link_close", "a", -1)
        else:
            state.push("text", "", 0).content = found.text
    state.pos = found.end
    return True


def literals_of(state: StateInline) -> Literals:
    """Return the literals of the paragraph, found at the first question."""
    known: tuple[str, Literals] | None = state.env.get("literals")
    if known is None or known[0] is not state.src:
        known = state.env["literals"] = (state.src, Literals(state.src))
    return known[1]
