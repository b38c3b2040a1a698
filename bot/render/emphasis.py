"""Which asterisks, underscores and tildes are emphasis, as their writer meant it.

CommonMark decides by the characters beside a run of marks: blanks, punctuation, or anything else. That fails in scripts
that put no blanks between words (`**重要：**请`), and takes the operators of arithmetic (`2*pi*5`) for emphasis.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter, Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bot.render import scripts
from bot.render.bounds import spend

_AFTER_OPERAND: Final = ")]}%°′″!`"
_BEFORE_OPERAND: Final = "([{√∑∏∫-+$\\`"
_FIRST_LETTER: Final = re.compile(r"[^\W_]")
_LOOK: Final = 16
"""How many characters of punctuation are looked through for the script that it belongs to."""


@lru_cache(maxsize=4096)
def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"


@lru_cache(maxsize=4096)
def _opens_or_ends(char: str) -> str:
    """ "(" for a bracket or quote that opens, ")" for punctuation that ends something, else ""."""
    category = unicodedata.category(char)
    if category in ("Ps", "Pi"):
        return "("
    return ")" if category in ("Pe", "Pf") or char in "，。、：；！？,.;:!?…" else ""


class EmphasisState(StateInline):
    """The state of one paragraph. `operators`: the tokens of runs that may be operators, which never pair."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, outTokens: list[Token]) -> None:
        super().__init__(src, md, env, outTokens)
        self.operators: set[int] = set()

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Tell whether the run of marks at `start` may open and close emphasis, and how long it is."""
        source, end = self.src, start + 1
        marker = source[start]
        while end < self.posMax and source[end] == marker:
            end += 1
        length = end - start
        spend(self.env, "delimiters", length)
        before = source[start - 1] if start else " "
        after = source[end] if end < self.posMax else " "
        if marker == "*" and length < 3 and (kind := _operator(source, start, end, before, after)):
            if kind == "always":
                return Scanned(False, False, length)
            self.operators.update(range(self._next_token(), self._next_token() + length))
        left, right = _flanking(source, start, end, before, after)
        if canSplitWord:
            return Scanned(left, right, length)
        return Scanned(
            left and (not right or _is_punctuation(before)), right and (not left or _is_punctuation(after)), length
        )

    def _next_token(self) -> int:
        return len(self.tokens) + bool(self.pending)


def _flanking(source: str, start: int, end: int, before: str, after: str) -> tuple[bool, bool]:
    """Left- and right-flanking in CommonMark's sense, with an ear for scripts without blanks."""
    blank_before, blank_after = before.isspace(), after.isspace()
    mark_before = not blank_before and _is_punctuation(before)
    mark_after = not blank_after and _is_punctuation(after)
    left = not (blank_after or (mark_after and not (blank_before or mark_before)))
    right = not (blank_before or (mark_before and not (blank_after or mark_after)))
    if source.isascii():
        return left, right
    if not left and not blank_after and _opens_or_ends(after) != ")":
        left = _is_wide(before) or _is_wide(after) or _script(source, end, 1)
    if not right and not blank_before and _opens_or_ends(before) != "(":
        right = _is_wide(after) or _is_wide(before) or _script(source, start - 1, -1)
    return left, right


def _is_wide(char: str) -> bool:
    return char > "\u0e00" and (scripts.LETTER.match(char) or scripts.MARK.match(char)) is not None


def _script(source: str, at: int, step: int) -> bool:
    """True if the first letter from there on, behind punctuation, is of a script without blanks."""
    for place in range(at, at + step * _LOOK, step):
        if not 0 <= place < len(source) or source[place].isspace():
            return False
        if _FIRST_LETTER.match(source[place]) or scripts.LETTER.match(source[place]):
            return scripts.LETTER.match(source[place]) is not None
    return False


def _operator(source: str, start: int, end: int, before: str, after: str) -> str:
    """Whether one or two asterisks stand between operands: "always" an operator, "perhaps" one, or "" for neither.

    One beside a digit, two between numbers and brackets, two beside a name of one letter: `2*pi`, `2**10`, `x**n`. One
    between other operands is an operator if its partner is one too: `a*b*c`, but not `*un*believable`.
    """
    if before == "/" and after in "/.":  # a pattern of files: `src/**/*.py`
        return "always"
    left, right = before.isalnum(), after.isalnum()
    if not (left or before in _AFTER_OPERAND) or not (right or after in _BEFORE_OPERAND):
        return ""
    if scripts.LETTER.match(before) or scripts.LETTER.match(after):
        return ""
    digits = before.isdigit() + after.isdigit()
    if end - start == 1:
        return "always" if digits or not (left or right) else "perhaps"
    if digits == 2 or (digits and not (left and right)):
        return "always"
    if left and source[start - 2 : start - 1] in ("*", "_"):  # the letter between marks in `**F**ear`
        return ""
    name_before = left and not (start > 1 and source[start - 2].isalnum())
    name_after = right and not (source[end + 1 : end + 2].isalnum() or source[end + 1 : end + 2] == "*")
    return "always" if (name_before and right) or (name_after and left) else ""


def pair(state: StateInline) -> None:
    """Find the closing run of each opening one; replaces markdown-it's `balance_pairs`."""
    operators = state.operators if isinstance(state, EmphasisState) else set()
    _pair(state.delimiters, operators)
    for meta in state.tokens_meta:
        if meta and "delimiters" in meta:
            _pair(meta["delimiters"], operators)


def _pair(delimiters: list[Delimiter], operators: set[int]) -> None:
    """CommonMark's algorithm, linear by `jumps` over what is paired and `bottoms` below which nothing was found."""
    bottoms: dict[tuple[int, bool, int, bool], int] = {}
    jumps: list[int] = []
    head, last_token = 0, -2
    for index, closer in enumerate(delimiters):
        jumps.append(0)
        if delimiters[head].marker != closer.marker or last_token != closer.token - 1:
            head = index
        last_token = closer.token
        if not closer.close:
            continue
        soft = closer.token in operators
        key = (closer.marker, closer.open, closer.length % 3, soft)
        bottom = bottoms.get(key, -1)
        at = first = head - jumps[head] - 1
        while at > bottom:
            opener = delimiters[at]
            if (
                opener.marker == closer.marker
                and opener.open
                and opener.end < 0
                and not _odd(opener, closer)
                and not (soft and opener.token in operators)
            ):
                last_jump = jumps[at - 1] + 1 if at > 0 and not delimiters[at - 1].open else 0
                jumps[index], jumps[at] = index - at + last_jump, last_jump
                closer.open, opener.close, opener.end = False, False, index
                last_token = -2
                break
            at -= jumps[at] + 1
        else:
            bottoms[key] = first


def _odd(opener: Delimiter, closer: Delimiter) -> bool:
    """The rule of three, from CommonMark."""
    return (
        (opener.close or closer.open)
        and (opener.length + closer.length) % 3 == 0
        and (opener.length % 3 != 0 or closer.length % 3 != 0)
    )
