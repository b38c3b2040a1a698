"""The Markdown parser, set up so that nothing is dropped and no input takes long."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import Ruler
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bot.render.bounds import NESTING, TooMuch
from bot.render.emphasis import EmphasisState, pair
from bot.render.fences import fence
from bot.render.links import normalized
from bot.render.literals import formula, literal, literals_of, text
from bot.render.tables import table

# How many characters failed attempts at a link may read in one paragraph; `[` repeated would be quadratic.
_WASTE: Final = 100_000
_BRACKETS: Final = re.compile(r"\\.|[\[\]]", re.DOTALL)


# With which characters a block or a piece of inline markup begins; without an entry, with any. Most lines and most
# characters begin nothing, so asking every rule about each of them is most of what parsing would cost.
_BLOCKS_BEGIN: Final = {
    "fence": "`~",
    "formula": "$\\",
    "blockquote": ">",
    "hr": "-*_",
    "list": "-*+0123456789",
    "heading": "#",
    "reference": "[",
}
_INLINES_BEGIN: Final = {
    "\n": ("newline",),
    "\\": ("escape",),
    "`": ("backticks",),
    "~": ("strikethrough",),
    "*": ("emphasis",),
    "_": ("emphasis",),
    "[": ("link",),
    "!": ("image",),
    "<": ("autolink",),
    "&": ("entity",),
}
_MARKUP: Final = re.compile("[" + re.escape("".join(_INLINES_BEGIN)) + "]")

_BlockRule: TypeAlias = Callable[[StateBlock, int, int, bool], bool]
_InlineRule: TypeAlias = Callable[[StateInline, bool], bool]


class _BlockRules(Ruler[_BlockRule]):
    """The block rules, each asked only about lines that begin as its blocks do."""

    def __init__(self) -> None:
        super().__init__()
        self._chains: dict[str, list[_BlockRule]] = {}
        self._first: tuple[dict[str, tuple[_BlockRule, ...]], tuple[_BlockRule, ...]] | None = None

    def getRules(self, chainName: str = "") -> list[_BlockRule]:
        """The rules that may end a block of another kind, as one rule."""
        if not chainName:
            return super().getRules(chainName)
        if chainName not in self._chains:
            by_char, others = self._sorted(super().getRules(chainName))

            def ends(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
                at = state.bMarks[startLine] + state.tShift[startLine]
                begins = state.src[at : at + 1]
                return any(rule(state, startLine, endLine, silent) for rule in by_char.get(begins, others))

            self._chains[chainName] = [ends]
        return self._chains[chainName]

    def beginning(self, char: str) -> tuple[_BlockRule, ...]:
        """The rules whose blocks may begin with a character."""
        if self._first is None:
            self._first = self._sorted(self.getRules())
        by_char, others = self._first
        return by_char.get(char, others)

    def _sorted(self, rules: list[_BlockRule]) -> tuple[dict[str, tuple[_BlockRule, ...]], tuple[_BlockRule, ...]]:
        begins = {rule.fn: _BLOCKS_BEGIN.get(rule.name) for rule in self.__rules__}
        chars = {char for one in _BLOCKS_BEGIN.values() for char in one}
        by_char = {char: tuple(rule for rule in rules if char in (begins[rule] or char)) for char in chars}
        return by_char, tuple(rule for rule in rules if begins[rule] is None)


class _Blocks(ParserBlock):
    """The block parser, which gives up below the deepest level; the original drops what is there."""

    def __init__(self) -> None:
        super().__init__()
        original, self.ruler = self.ruler, _BlockRules()
        for rule in original.__rules__:
            self.ruler.push(rule.name, rule.fn, {"alt": rule.alt})

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        """Read blocks; the loop of the original, with fewer rules asked."""
        line, had_empty_lines = startLine, False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= NESTING:
                raise TooMuch("nesting")
            at = state.bMarks[line] + state.tShift[line]
            rules = self.ruler.beginning(state.src[at : at + 1])  # type: ignore[attr-defined]
            for rule in rules:  # the last, a paragraph, takes every line
                if rule(state, line, endLine, False):
                    break
            state.tight = not had_empty_lines
            line = state.line
            if (line - 1) < endLine and state.isEmpty(line - 1):
                had_empty_lines = True
            if line < endLine and state.isEmpty(line):
                had_empty_lines = True
                state.line = line = line + 1


class _Inlines(ParserInline):
    """The inline parser: literals first, then the rules that begin with a character; all else is text."""

    def __init__(self) -> None:
        super().__init__()
        self._beginning: dict[str, tuple[_InlineRule, ...]] = {}

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = EmphasisState(src, md, env, tokens)
        if literals_of(state).none and not _MARKUP.search(src):
            if src:
                tokens.append(Token("text", "", 0, content=src))
            return tokens
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens

    def tokenize(self, state: StateInline) -> None:
        """Read inline markup from the state's position to its end."""
        known, end, source = literals_of(state), state.posMax, state.src
        beginning = self._rules()
        next_literal = known.next_start(state.pos, end)
        while (pos := state.pos) < end:
            if pos > next_literal:
                next_literal = known.next_start(pos, end)
            if pos == next_literal and literal(state, False):
                continue
            rules = beginning.get(source[pos])
            if rules is None:
                stop = next_literal if pos < next_literal < end else end
                mark = _MARKUP.search(source, pos, stop)
                state.pos = mark.start() if mark else stop
                state.append_pending(source[pos : state.pos])
                continue
            for rule in rules if state.level < NESTING else ():
                if rule(state, False):
                    break
            else:
                state.append_pending(source[pos])
                state.pos += 1
        if state.pending:
            state.pushPending()

    def _rules(self) -> dict[str, tuple[_InlineRule, ...]]:
        if not self._beginning:
            named = {rule.name: rule.fn for rule in self.ruler.__rules__ if rule.enabled}
            self._beginning = {
                char: tuple(named[name] for name in names if name in named) for char, names in _INLINES_BEGIN.items()
            }
        return self._beginning


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


def _bounded(rule: _InlineRule, opener: str) -> _InlineRule:
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
    md.normalizeLink = normalized  # type: ignore[method-assign]
    return md


_PARSER: Final = _build()


def tokens(markdown: str) -> list[Token]:
    """Parse into the flat token stream of markdown-it.

    Raises:
        TooMuch: the formatting has more of something than `bot.render.bounds` allows.
    """
    env: EnvType = {}
    stream: list[Token] = []
    _PARSER.block.parse(markdown, _PARSER, env, stream)
    for token in stream:
        if token.type == "inline":
            _PARSER.inline.parse(token.content, _PARSER, env, token.children if token.children is not None else [])
    return stream
