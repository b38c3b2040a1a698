"""A hit as a short answer in Markdown that names its document."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from bot.assistant.retrieval.phrases import Phrases
from bot.assistant.retrieval.question import ParsedQuestion
from bot.assistant.retrieval.search import Hit
from bot.assistant.retrieval.units import Block, Unit, blocks_of, is_prose

ROOM = 1200
"""Characters of an answer, about. A section that is no longer is quoted whole."""
SECTION = 1400
"""Of one that quotes what stands under the heading that was asked for."""
WINDOW = 700
"""Of one that quotes a part of a single paragraph, list or piece of code."""
KNOWN = 1400
"""A known question's whole answer is quoted up to this length."""
ROWS = 4
AROUND = 9
"""Passages before and after a hit in which the rest of its section is looked for."""

_SECTION = """
SELECT id, heading, body, kind FROM passages
WHERE document_id = ? AND id BETWEEN ? AND ? AND kind <> 'contents' ORDER BY id
"""


def worded(c: sqlite3.Connection, hit: Hit, question: ParsedQuestion, phrases: Phrases) -> str:
    """The answer, with its source."""
    return f"{_quoted(c, hit, question)}\n\n*{_source(hit, phrases)}*"


def _quoted(c: sqlite3.Connection, hit: Hit, question: ParsedQuestion) -> str:
    if hit.block.kind == "table":
        return _rows(hit.block, hit.unit, question)
    before, after = _section(c, hit)
    texts = [*before, *(block.text for block in hit.cut.blocks), *after]
    place = len(before) + hit.cut.blocks.index(hit.block)
    room = KNOWN if hit.kind == "qa" and not before else SECTION if hit.by_heading else ROOM
    if hit.heading_asks:
        place = 0
    first = _first(texts, place, room)
    if first == place and len(texts[place]) > room:
        own = texts[place] == hit.block.text
        return _window(hit.block, hit.unit, WINDOW) if own else _beginning(texts[place], room)
    return "\n\n".join(_flowing(text) for text in _filled(texts, first, place, room))


def _section(c: sqlite3.Connection, hit: Hit) -> tuple[list[str], list[str]]:
    """The blocks of the hit's section before and after its passage; then what is said of the section's own parts."""
    rows = c.execute(_SECTION, (hit.document_id, hit.id - AROUND, hit.id + AROUND)).fetchall()
    before: list[str] = []
    for row in reversed([row for row in rows if row["id"] < hit.id]):
        if row["heading"] != hit.heading:
            break
        before[:0] = blocks_of(row["body"])
    after: list[str] = []
    for row in (row for row in rows if row["id"] > hit.id):
        if row["heading"] == hit.heading:
            after += blocks_of(row["body"])
        elif hit.heading and row["heading"].startswith(hit.heading + " › ") and row["kind"] == "term":
            after += [f"**{row['heading'].rpartition(' › ')[2]}**", *blocks_of(row["body"])]
        else:
            break
    return before, after


def _first(texts: Sequence[str], place: int, room: int) -> int:
    """Where the quotation begins: where its section does if that is near, else with the line that leads to it."""
    if sum(map(len, texts[: place + 1])) <= room:
        return 0
    first = place
    while first and texts[first - 1].rstrip().endswith((":", "：")) and len(texts[first - 1]) <= room:
        first -= 1
    return first


def _filled(texts: Sequence[str], first: int, place: int, room: int) -> list[str]:
    """Blocks from the first to that of the piece, and on as far as there is room, then back; none leads to nothing."""
    last, size = place, sum(map(len, texts[first : place + 1]))
    while last + 1 < len(texts) and size + len(texts[last + 1]) <= room:
        last += 1
        size += len(texts[last])
    while first and size + len(texts[first - 1]) <= room:
        first -= 1
        size += len(texts[first])
    chosen = list(texts[first : last + 1])
    leads = chosen[-1].rstrip().endswith((":", "：")) or re.fullmatch(r"\*\*[^\n]+\*\*", chosen[-1]) is not None
    if leads and last + 1 < len(texts):
        if last > place:
            chosen.pop()
        else:
            chosen.append(_beginning(texts[last + 1], room))
    return chosen


def _beginning(text: str, room: int) -> str:
    """The first lines of a block that is too long."""
    kept: list[str] = []
    lines = text.split("\n")
    for line in lines:
        if kept and sum(map(len, kept)) + len(line) > room:
            break
        kept.append(line)
    fence = "\n```" if lines[0].startswith("```") and kept[-1].strip() != "```" else ""
    return "\n".join(kept) + fence


def _flowing(text: str) -> str:
    """Prose without the line breaks of its file."""
    return " ".join(text.split()) if is_prose(text) else text


def _rows(block: Block, unit: Unit, question: ParsedQuestion) -> str:
    """The row with the table's head, and rows that fit as well; the whole table if no row says what was asked."""
    forms = [form for term in question.terms if not term.weak for form in term.forms]
    wanted = sum(unit.stems.has(form) for form in forms)
    if len(block.text) <= SECTION and not wanted:
        return block.text
    fitting = [
        other.text for other in block.units if other is unit or (wanted and sum(map(other.stems.has, forms)) >= wanted)
    ]
    if unit.text not in fitting[:ROWS]:
        fitting.insert(0, unit.text)
    return "\n".join([block.head, *fitting[:ROWS]])


def _window(block: Block, unit: Unit, room: int) -> str:
    texts = [other.text for other in block.units]
    first = last = next(i for i, other in enumerate(block.units) if other is unit)
    size = len(unit.text)
    while True:
        after = len(texts[last + 1]) if last + 1 < len(texts) else None
        before = len(texts[first - 1]) if first > 0 else None
        if after is not None and size + after <= room:
            last, size = last + 1, size + after
        elif before is not None and size + before <= room:
            first, size = first - 1, size + before
        else:
            break
    joint = (
        "\n" if block.kind in ("code", "list") or (len(texts) > 1 and len(texts) == block.text.count("\n") + 1) else " "
    )
    text = joint.join(texts[first : last + 1])
    if block.kind == "code":
        return f"```\n{text}\n```"
    return ("… " if first > 0 else "") + text + (" …" if last + 1 < len(texts) else "")


def _source(hit: Hit, phrases: Phrases) -> str:
    title = _plain(hit.title)
    heading = "" if hit.origin == "qa" else _plain(hit.heading)
    named = title if not heading or heading == title else f"{title} › {heading}"
    source = phrases.source.format(title=named)
    return source if hit.page is None else f"{source}, {phrases.page.format(page=hit.page)}"


def _plain(text: str) -> str:
    """A title inside emphasis: nothing in it may end that. An underscore inside a word ends none."""
    return re.sub(r"([*`\[\]<>\\]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))
