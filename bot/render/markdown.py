"""The Markdown parser, set up so that nothing is dropped and no input takes long."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bot.render.literals import literal, text
from bot.render.rules import nested_fence, whole_table

# Fifty lists in one another. Each level costs some frames of Python's stack of a thousand.
_MAX_NESTING: Final = 100
# How many characters failed attempts at a link may read in one paragraph; `[` repeated would be quadratic.
_WASTE: Final = 100_000
# So many marks of emphasis in one paragraph are none; finding their partners would be quadratic.
_DELIMITERS: Final = 2_000
_BRACKETS: Final = re.compile(r"\\.|[\[\]]", re.DOTALL)
# Scripts that put no blanks between words, with their punctuation: Han, kana, Hangul, Thai, Lao, Myanmar, Khmer.
_NO_SPACES: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u303f\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_OPENING: Final = "（【「『《〈〔［｛"
_CLOSING: Final = "）】」』》〉〕］｝，。、：；！？"
_WORD: Final = re.compile(r"[^\W_]+")


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
    """The inline state, with emphasis as its writer means it.

    Scripts without spaces: `**重要：**请` is bold. Arithmetic: the asterisks of `2*pi*5` and `2**10` are operators.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        scanned = super().scanDelims(start, canSplitWord)
        if len(self.delimiters) >= _DELIMITERS:
            return Scanned(False, False, scanned.length)
        before = self.src[start - 1 : start] or " "
        after = self.src[start + scanned.length : start + scanned.length + 1] or " "
        if self.src[start] == "*" and _is_operator(self.src, start, scanned.length):
            return Scanned(False, False, scanned.length)
        if (before.isascii() and after.isascii()) or not canSplitWord:
            return scanned
        near = _NO_SPACES.match(before) or _NO_SPACES.match(after)
        opens = near is not None and not after.isspace() and after not in _CLOSING
        closes = near is not None and not before.isspace() and before not in _OPENING
        return Scanned(scanned.can_open or opens, scanned.can_close or closes, scanned.length)


def _is_operator(source: str, start: int, length: int) -> bool:
    """Whether asterisks stand between operands: one between letters or digits, two beside a number or one letter."""
    end = start + length
    before, after = source[max(0, start - 1) : start], source[end : end + 1]
    if before == "/" and after and after in "/.":  # a pattern of files: `src/**/*.py`
        return True
    if length > 2 or not (before.isalnum() and after.isalnum() and before.isascii() and after.isascii()):
        return False
    if length == 1:
        return True
    right = _WORD.match(source, end)
    return (
        before.isdigit()
        or after.isdigit()
        or not source[max(0, start - 2) : start - 1].isalnum()
        or (right is not None and len(right.group()) == 1)
    )


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


def _build() -> MarkdownIt:
    # html off: `<your-name>` and `List<String>` are text. Every link is parsed; which ones live is decided in `links`.
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_NESTING})
    md.block, md.inline = _Blocks(), _Inlines()
    md.block.ruler.at("table", whole_table, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("fence", nested_fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.block.ruler.at("reference", _reference, {"alt": []})
    md.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "linkify"])
    md.inline.ruler.at("text", text)
    md.inline.ruler.before("text", "literal", literal)
    md.inline.ruler.at("link", _bounded(link, "["))
    md.inline.ruler.at("image", _bounded(image, "!["))
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # the documented way to set one's own
    return md


_PARSER: Final = _build()


def tokens(markdown: str) -> list[Token]:
    """Parse into the flat token stream of markdown-it."""
    return _PARSER.parse(markdown, {})
