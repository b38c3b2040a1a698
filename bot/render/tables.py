"""Tables that lose no word.

GitHub's rule splits a row at every bar, in code too, and drops what is more than the header has columns. Here a bar
inside code belongs to the code, surplus cells are joined to the last one, and missing ones are empty.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from markdown_it.rules_block import StateBlock

from bot.render.blocks import Align
from bot.render.bounds import spend

_DELIMITERS: Final = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_ALIGN: Final[dict[tuple[bool, bool], Align]] = {
    (True, True): "center",
    (True, False): "left",
    (False, True): "right",
    (False, False): "",
}
_SIGN: Final = re.compile(r"\\.|`+|\|")
_TICKS: Final = re.compile("`+")


def table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Read a table; replaces markdown-it's rule. The token `table_open` tells the alignments in its meta."""
    # Most lines have no bar, and this rule is tried first on each.
    if startLine + 1 >= endLine or state.src.find("|", state.bMarks[startLine], state.eMarks[startLine]) < 0:
        return False
    align = _alignments(state, startLine + 1)
    if align is None or state.is_code_block(startLine):
        return False
    header = cells(_line(state, startLine))
    if len(header) != len(align):
        return False
    if silent:
        return True
    outer, state.parentType = state.parentType, "table"
    token = state.push("table_open", "table", 1)
    token.meta, token.map = {"align": align}, [startLine, startLine + 2]
    _row(state, startLine, header)
    line = startLine + 2
    while line < endLine and not _ends(state, line, endLine):
        _row(state, line, cells(_line(state, line), len(align)))
        line += 1
    state.push("table_close", "table", -1)
    token.map[1] = line
    state.parentType, state.line = outer, line
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()


def _alignments(state: StateBlock, line: int) -> tuple[Align, ...] | None:
    """How the columns are aligned by the line below the header; None if it is no such line."""
    if state.sCount[line] < state.blkIndent or state.is_code_block(line):
        return None
    text = _line(state, line)
    # `- |` would begin a list.
    if not text or text[0] not in "|-:" or (text[0] == "-" and text[1:2] in (" ", "\t", "")) or len(text) < 2:
        return None
    if not _DELIMITERS.fullmatch(text):
        return None
    columns = [column.strip() for column in text.strip("|").split("|")]
    return tuple(_ALIGN[column.startswith(":"), column.endswith(":")] for column in columns)


def _ends(state: StateBlock, line: int, end: int) -> bool:
    """True if the table does not go on with this line: it is empty, or another block begins."""
    if state.sCount[line] < state.blkIndent or state.isEmpty(line) or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _row(state: StateBlock, line: int, row: list[str]) -> None:
    spend(state.env, "cells", len(row))
    state.push("tr_open", "tr", 1)
    for content in row:
        token = state.push("inline", "", 0)
        token.content, token.children, token.map = content, [], [line, line + 1]
    state.push("tr_close", "tr", -1)


def cells(row: str, columns: int | None = None) -> list[str]:
    r"""The cells of a row, exactly as many as there are columns.

    >>> cells("| Find it | `ps aux | grep x` | a\\|b | c |", 3)
    ['Find it', '`ps aux | grep x`', 'a|b | c']
    >>> cells("| x |", 2)
    ['x', '']
    """
    edges = _bars(row)
    starts = [0, *(edge + 1 for edge in edges)]
    ends = [*edges, len(row)]
    if edges and edges[0] == 0:
        starts, ends = starts[1:], ends[1:]
    if len(starts) > 1 and starts[-1] == len(row):
        starts, ends = starts[:-1], ends[:-1]
    if columns is not None and len(starts) > columns:
        starts, ends = starts[:columns], [*ends[: columns - 1], ends[-1]]
    found = [row[start:end].strip().replace("\\|", "|") for start, end in zip(starts, ends, strict=True)]
    return found if columns is None else found + [""] * (columns - len(found))


def _bars(row: str) -> list[int]:
    """Where the bars are that part cells: neither escaped nor inside code."""
    if "`" not in row and "\\" not in row:
        return [match.start() for match in re.finditer(r"\|", row)]
    runs: dict[int, list[int]] = {}
    for match in _TICKS.finditer(row):
        runs.setdefault(len(match.group()), []).append(match.start())
    bars, at = [], 0
    while sign := _SIGN.search(row, at):
        at = sign.end()
        if sign.group() == "|":
            bars.append(sign.start())
        elif sign.group()[0] == "`":
            closing = runs.get(len(sign.group()), [])
            after = bisect_right(closing, sign.start())
            if after < len(closing):
                at = closing[after] + len(sign.group())
    return bars
