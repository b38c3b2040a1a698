"""A hit as a short answer in Markdown that names its document."""

from __future__ import annotations

import re

from bot.assistant.retrieval.phrases import Phrases
from bot.assistant.retrieval.question import ParsedQuestion
from bot.assistant.retrieval.search import Hit
from bot.assistant.retrieval.units import Block, Unit

SHORT = 420
"""A paragraph up to this long is quoted whole."""
WINDOW = 320
"""Of a longer one, sentences around the best up to this much."""
WHOLE = 700
"""What stands under a heading that was asked for is quoted up to this length, and a known answer's whole text."""
ROWS = 4


def worded(hit: Hit, question: ParsedQuestion, phrases: Phrases) -> str:
    """The answer."""
    return f"{_quoted(hit, question)}\n\n*{_source(hit, phrases)}*"


def _quoted(hit: Hit, question: ParsedQuestion) -> str:
    if hit.kind == "qa" and len(hit.body) <= 2 * WHOLE:
        return hit.body
    block = hit.block
    if block.kind == "table":
        return _rows(block, hit.unit, question)
    if hit.by_heading and len(hit.body) <= WHOLE:
        return hit.body
    if len(block.text) <= SHORT or block.kind == "code":
        return _with_lead(hit)
    if block.kind == "list":
        return block.text if hit.by_heading and len(block.text) <= WHOLE else hit.unit.text
    return _window(block, hit.unit)


def _with_lead(hit: Hit) -> str:
    """A short block, with the line that leads up to a list or code."""
    blocks = hit.cut.blocks
    place = blocks.index(hit.block)
    lead = blocks[place - 1].text if place > 0 else ""
    if hit.block.kind in ("list", "code") and lead.rstrip().endswith(":") and len(lead) <= SHORT:
        return f"{lead}\n\n{hit.block.text}"
    return hit.block.text


def _rows(block: Block, unit: Unit, question: ParsedQuestion) -> str:
    """The row with the table's head, and rows that fit as well; the whole table if no row says what was asked."""
    forms = [form for term in question.terms if not term.weak for form in term.forms]
    wanted = sum(unit.stems.has(form) for form in forms)
    if len(block.text) <= WHOLE and not wanted:
        return block.text
    fitting = [
        other.text for other in block.units if other is unit or (wanted and sum(map(other.stems.has, forms)) >= wanted)
    ]
    if unit.text not in fitting[:ROWS]:
        fitting.insert(0, unit.text)
    return "\n".join([block.head, *fitting[:ROWS]])


def _window(block: Block, unit: Unit) -> str:
    texts = [other.text for other in block.units]
    first = last = next(i for i, other in enumerate(block.units) if other is unit)
    size = len(unit.text)
    while True:
        after = len(texts[last + 1]) if last + 1 < len(texts) else None
        before = len(texts[first - 1]) if first > 0 else None
        if after is not None and size + after <= WINDOW:
            last, size = last + 1, size + after
        elif before is not None and size + before <= WINDOW:
            first, size = first - 1, size + before
        else:
            break
    joint = "\n" if "\n" in block.text and len(texts) == block.text.count("\n") + 1 else " "
    text = joint.join(texts[first : last + 1])
    return ("… " if first > 0 else "") + text + (" …" if last + 1 < len(texts) else "")


def _source(hit: Hit, phrases: Phrases) -> str:
    title = _plain(hit.title)
    heading = "" if hit.kind == "qa" else _plain(hit.heading)
    named = title if not heading or heading == title else f"{title} › {heading}"
    source = phrases.source.format(title=named)
    return source if hit.page is None else f"{source}, {phrases.page.format(page=hit.page)}"


def _plain(text: str) -> str:
    """A title inside emphasis: nothing in it may end that."""
    return re.sub(r"([*_`\[\]<>\\])", r"\\\1", " ".join(text.split()))
