"""Fences of Markdown that hold fences as long as their own."""

from __future__ import annotations

import re
from typing import Final

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import fence as commonmark_fence

_MARKDOWN: Final = re.compile(r"(`{3,}|~{3,})[ \t]*(?:markdown|md|mdx)\b[^`]*", re.IGNORECASE)
_LOOKAHEAD: Final = 20_000
"""Lines of an answer that may be read in search of such an end."""


def fence(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read a fence; replaces markdown-it's rule.

    Asked for a README, a model opens ```` ```markdown ````, and inside it ```` ```python ````. CommonMark ends the
    outer one where the inner ends, and shows the rest as a mess. Here it ends at its own end, if every fence that is
    opened inside, with a language, is closed, without one.
    """
    outer = _MARKDOWN.fullmatch(_line(state, startLine))
    end = None
    if outer is not None and not silent and not state.is_code_block(startLine):
        end = _end(state, startLine, endLine, outer.group(1))
    if outer is None or end is None:
        return commonmark_fence(state, startLine, endLine, silent)
    token = state.push("fence", "code", 0)
    token.info = outer.group()[len(outer.group(1)) :]
    token.content = state.getLines(startLine + 1, end, state.sCount[startLine], True)
    token.markup, token.map = outer.group(1), [startLine, end + 1]
    state.line = end + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _end(state: StateBlock, start: int, end: int, marks: str) -> int | None:
    """The line that closes a fence with others inside; None if there are none inside, or it is not closed."""
    inside = re.compile(rf"{re.escape(marks[0])}{{{len(marks)},}}[ \t]*([^\s`]*)[^`]*")
    depth, nested = 1, False
    for line in range(start + 1, end):
        state.env["fence_lines"] = read = state.env.get("fence_lines", 0) + 1
        if read > _LOOKAHEAD or (state.sCount[line] < state.blkIndent and not state.isEmpty(line)):
            return None
        match = inside.fullmatch(_line(state, line))
        if match is None:
            continue
        nested = nested or bool(match.group(1))
        depth += 1 if match.group(1) else -1
        if depth == 0:
            return line if nested else None
    return None
