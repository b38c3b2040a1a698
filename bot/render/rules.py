"""Block rules of ours: a table that loses no word, a fence that may hold fences."""

from __future__ import annotations

import re
from typing import Final

from markdown_it.rules_block import StateBlock, fence, table

_MASK: Final = "\ufdd0"
"""Stands for a bar that parts no cells, while markdown-it reads the table: a noncharacter, one long like the bar."""
CELLS: Final = 5_000
TOO_LARGE: Final = "This table is too large to be laid out; here it is as it was written:"
_CODE: Final = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_BAR: Final = re.compile(r"\\.|\|", re.DOTALL)
_DELIMITER: Final = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MARKDOWN: Final = ("markdown", "md", "mdx")


def whole_table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read a table in which a bar inside code belongs to the code, and surplus cells to the last column.

    GitHub's rule splits the code and drops the surplus. Only a line with a bar is tried: most have none, and this
    rule is tried first on each.
    """
    if state.src.find("|", state.bMarks[startLine], state.eMarks[startLine]) < 0 or startLine + 1 >= endLine:
        return False
    delimiter = state.src[state.bMarks[startLine + 1] : state.eMarks[startLine + 1]]
    if not _DELIMITER.match(delimiter):
        return False
    columns = len(delimiter.strip(" \t>").strip("|").split("|"))
    if columns > 1 and columns * _rows(state, startLine, endLine) > CELLS:
        return _as_written(state, startLine, startLine + 1 + _rows(state, startLine, endLine), silent)
    source, first = state.src, len(state.tokens)
    masked = _masked(state, startLine, endLine, columns)
    if masked == source:
        return table(state, startLine, endLine, silent)
    state.src = masked
    try:
        done = table(state, startLine, endLine, silent)
    finally:
        state.src = source
    for token in state.tokens[first:]:
        token.content = token.content.replace(_MASK, "|")
    return done


def _rows(state: StateBlock, start: int, end: int) -> int:
    """Count the rows of a table with its header, up to the first empty line."""
    lines = range(start + 2, end)
    return (
        next((line for line in lines if state.bMarks[line] + state.tShift[line] >= state.eMarks[line]), end) - start - 1
    )


def _as_written(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Show a huge table as it was written, and say so: to lay it out would take seconds."""
    if not silent:
        state.push("paragraph_open", "p", 1).map = [start, start]
        inline = state.push("inline", "", 0)
        inline.content, inline.children, inline.map = TOO_LARGE, [], [start, start]
        state.push("paragraph_close", "p", -1)
        code = state.push("fence", "code", 0)
        code.content, code.map = state.getLines(start, end, state.blkIndent, True), [start, end]
        state.line = end
    return True


def _masked(state: StateBlock, start: int, end: int, columns: int) -> str:
    pieces, at = [], 0
    for line in range(start, end):
        if line == start + 1:
            continue
        left, right = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        row = state.src[left:right]
        if not row.strip():
            break
        if "|" in row:
            pieces += [state.src[at:left], _row(row, None if line == start else columns)]
            at = right
    return "".join((*pieces, state.src[at:]))


def _row(row: str, columns: int | None) -> str:
    """Mask the bars inside code and, with a number of columns, those that would begin one too many."""
    row = _CODE.sub(lambda match: re.sub(r"(?<!\\)\|", _MASK, match.group()), row)
    bars = [match.start() for match in _BAR.finditer(row) if match.group() == "|"]
    if columns is None or not bars:
        return row
    if not row[: bars[0]].strip():
        bars = bars[1:]
    if bars and not row[bars[-1] + 1 :].strip():
        bars = bars[:-1]
    for bar in bars[columns - 1 :]:
        row = row[:bar] + _MASK + row[bar + 1 :]
    return row


def nested_fence(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read a fence; one of Markdown may hold fences as long as its own, each opened with a language and closed without.

    CommonMark would end it at the first closing line, in the middle of what its writer shows.
    """
    line = _line(state, startLine)
    marks = re.match(r"(`{3,}|~{3,})[ \t]*(\w+)", line)
    inner = endLine
    if marks and marks.group(2).lower() in _MARKDOWN and not silent:
        inner = _end_of_fence(state, startLine, endLine, marks.group(1))
    if inner >= endLine:
        return fence(state, startLine, endLine, silent)
    token = state.push("fence", "code", 0)
    token.info = line[len(marks.group(1)) :] if marks else ""
    token.content = state.getLines(startLine + 1, inner, state.sCount[startLine], True)
    token.markup, token.map = marks.group(1) if marks else "", [startLine, inner + 1]
    state.line = inner + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _end_of_fence(state: StateBlock, start: int, end: int, marks: str) -> int:
    """Return the line that closes a fence with others inside; `end` if none are inside, or it is not closed."""
    depth, nested = 1, False
    inside = re.compile(rf"{re.escape(marks[0])}{{{len(marks)},}}[ \t]*(\S*)")
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and _line(state, line):
            break
        match = inside.match(_line(state, line))
        if match is None:
            continue
        depth += 1 if match.group(1) else -1
        nested = nested or bool(match.group(1))
        if depth == 0:
            return line if nested else end
    return end
