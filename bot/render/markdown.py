"""The Markdown parser, set up so that nothing is dropped and no input takes long."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

# Fifty lists in one another. Each level costs some frames of Python's stack of a thousand.
_MAX_NESTING: Final = 100
# How many characters failed attempts at a link may read in one paragraph; `[` repeated would be quadratic.
_WASTE: Final = 100_000
_BRACKETS: Final = re.compile(r"\\.|[\[\]]", re.DOTALL)
_NO_SPACES: Final = re.compile(  # Han, kana, Hangul
    "[\u2e80-\u2fff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


class _Blocks(ParserBlock):
    """The block parser, which below the deepest level keeps the rest as a paragraph; the original drops it."""

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        if state.level < state.md.options.maxNesting:
            super().tokenize(state, startLine, endLine)
            return
        content = state.getLines(startLine, endLine, state.blkIndent, False).strip()
        if content:
            state.push("paragraph_open", "p", 1).map = [startLine, endLine]
            inline = state.push("inline", "", 0)
            inline.content, inline.children, inline.map = content, [], [startLine, endLine]
            state.push("paragraph_close", "p", -1)
        state.line = endLine


class _Inline(StateInline):
    """The inline state, with emphasis that works in scripts without spaces: `**重要：**请` is bold for its writer."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        scanned = super().scanDelims(start, canSplitWord)
        if self.src.isascii() or not canSplitWord:
            return scanned
        before = self.src[start - 1 : start] or " "
        after = self.src[start + scanned.length : start + scanned.length + 1] or " "
        opens = _NO_SPACES.match(before) is not None and not after.isspace()
        closes = _NO_SPACES.match(after) is not None and not before.isspace()
        return Scanned(scanned.can_open or opens, scanned.can_close or closes, scanned.length)


class _Inlines(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _Inline(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


@dataclass(slots=True)
class _Brackets:
    """Which bracket closes which in one paragraph, and how much was read in vain there."""

    source: str
    closing: dict[int, int]
    wasted: int = 0


def _brackets(state: StateInline) -> _Brackets:
    known: _Brackets | None = state.env.get("brackets")
    if known is None or known.source is not state.src:
        closing: dict[int, int] = {}
        stack: list[int] = []
        for match in _BRACKETS.finditer(state.src):
            if match.group() == "[":
                stack.append(match.start())
            elif match.group() == "]" and stack:
                closing[stack.pop()] = match.start()
        known = state.env["brackets"] = _Brackets(state.src, closing)
    return known


def _bounded(rule: Callable[[StateInline, bool], bool], opener: str) -> Callable[[StateInline, bool], bool]:
    """Give up on a rule that looks ahead, once its failures in this paragraph have read too much."""

    def bounded(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith(opener, state.pos):
            return False
        brackets, pos = _brackets(state), state.pos
        if brackets.wasted > _WASTE:
            return False
        if rule(state, silent):
            return True
        brackets.wasted += brackets.closing.get(pos + len(opener) - 1, state.posMax) - pos
        return False

    return bounded


def _reference(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read `[label]: address`, but leave a mark where it stood: an unused one is shown, not dropped.

    `[^1]: note` is a footnote, which stays a paragraph where it is.
    """
    at = state.bMarks[startLine] + state.tShift[startLine]
    if state.src[at : at + 1] != "[" or state.src[at + 1 : at + 2] == "^":
        return False
    known = len(state.env.get("references", ()))
    if not reference(state, startLine, endLine, silent):
        return False
    if not silent:
        definitions = list(state.env.get("references", {}).values())
        mark = state.push("reference", "", 0)
        mark.map = [startLine, state.line]
        mark.meta = {"href": definitions[-1]["href"] if len(definitions) > known else ""}
        mark.content = state.getLines(startLine, state.line, state.blkIndent, False).strip()
    return True


def _table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Try a table only where a line has a bar: most have none, and this rule is tried first on each."""
    if state.src.find("|", state.bMarks[startLine], state.eMarks[startLine]) < 0:
        return False
    return table(state, startLine, endLine, silent)


def _build() -> MarkdownIt:
    # html off: `<your-name>` and `List<String>` are text. Every link is parsed; which ones live is decided in `links`.
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_NESTING})
    md.block, md.inline = _Blocks(), _Inlines()
    md.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("reference", _reference, {"alt": []})
    md.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "linkify"])
    md.inline.ruler.at("link", _bounded(link, "["))
    md.inline.ruler.at("image", _bounded(image, "!["))
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # the documented way to set one's own
    return md


_PARSER: Final = _build()


def tokens(markdown: str) -> list[Token]:
    """Parse into the flat token stream of markdown-it."""
    return _PARSER.parse(markdown, {})
