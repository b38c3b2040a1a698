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
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bot.render.bounds import NESTING, TooMuch
from bot.render.emphasis import EmphasisState, pair
from bot.render.fences import fence
from bot.render.literals import formula, literal, text
from bot.render.tables import table

# How many characters failed attempts at a link may read in one paragraph; `[` repeated would be quadratic.
_WASTE: Final = 100_000
_BRACKETS: Final = re.compile(r"\\.|[\[\]]", re.DOTALL)


class _Blocks(ParserBlock):
    """The block parser, which gives up below the deepest level; the original drops what is there."""

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        if state.level >= NESTING:
            raise TooMuch("nesting")
        super().tokenize(state, startLine, endLine)


class _Inlines(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = EmphasisState(src, md, env, tokens)
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
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING + 1})
    md.block, md.inline = _Blocks(), _Inlines()
    md.block.ruler.at("table", table, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("fence", fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.block.ruler.before("fence", "formula", formula, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.block.ruler.at("reference", _reference, {"alt": []})
    md.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "linkify"])
    md.inline.ruler.at("text", text)
    md.inline.ruler.before("text", "literal", literal)
    md.inline.ruler.at("link", _bounded(link, "["))
    md.inline.ruler.at("image", _bounded(image, "!["))
    md.inline.ruler2.at("balance_pairs", pair)
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # the documented way to set one's own
    return md


_PARSER: Final = _build()


def tokens(markdown: str) -> list[Token]:
    """Parse into the flat token stream of markdown-it.

    Raises:
        TooMuch: the formatting has more of something than `bot.render.bounds` allows.
    """
    return _PARSER.parse(markdown, {})
