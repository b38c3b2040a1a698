"""Outbounds as Telegram's text and entities: nothing to parse there, so nothing that can fail to parse. Pure.

A part is `{"text": …, "entities": [Bot API entities], "buttons": …}`, and `"force_reply": true` for a `why`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from adapters.telegram.compose import Composer, marks, openable
from adapters.telegram.ids import RATE_BAD, RATE_GOOD
from adapters.telegram.preview import picture
from bot.adapter import Part
from bot.events import Answer, Home, Notice, Outbound, Rating
from bot.render import (
    Block,
    Code,
    Place,
    Rule,
    Span,
    Spans,
    Table,
    Text,
    Weight,
    flat,
    is_blank,
    parse,
    split,
    units,
)
from bot.render.text import RULE, is_narrow, lead, row_size, unrolled

MAX_UNITS: Final = 4096
"""UTF-16 code units of a message after parsing (the server may count code points, which are never more)."""
MAX_ENTITIES: Final = 100
"""Formatting beyond this many entities is dropped by the server without a word."""

EMPTY: Final = "(This message has no text.)"
_HELP: Final = "Ask me anything: just write. /new begins a new conversation, /help says more."


class _Scale:
    limit: Weight = (MAX_UNITS, MAX_ENTITIES, 1_000)

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        size = units(span.text)
        if not span.code:  # each of these may get a word joiner, see compose
            size += span.text.count("@") + span.text.count("/") + span.text.count(":")
        return size, marks(span, before)

    def frame(self, block: Block, before: Block | None) -> Weight:
        size, count = 2 + units(lead(block.place)), int(block.place.quote > 0 and not (before and before.place.quote))
        match block:
            case Code():
                return size, count + 1, 0
            case Table():
                return size + 2 * row_size(block), count + 1, 0
            case Rule():
                return size + len(RULE), count, 0
            case Text():
                return size, count, 0

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        # As wide as its columns; characters wider than a column have at most two units each.
        return max(row_size(table), sum(units(flat(cell)) for cell in row) + row_size(table) - sum(table.widths))


def render(outbound: Outbound) -> list[Part]:
    """Render into messages within Telegram's limits; never raises, whatever the text."""
    match outbound:
        case Answer(text=text):
            return [*_parts(parse(text).blocks, buttons=True)]
        case Notice(text=text, kind="question"):
            asked = Text((Span("Asked with /ask", italic=True),), Place(tight=True))
            return [*_parts([Text((Span(text),), Place(quote=1)), asked])]
        case Notice(text=text, kind=kind):
            parts = _parts(parse(text).blocks, own=True)
            if kind == "why":
                parts[-1]["force_reply"] = True
            return [*parts]
        case Home(recent=recent):
            lines = [Text((Span(f"{question.outcome}: {question.text}"),), Place(depth=1)) for question in recent]
            return [*_parts([Text((Span(_HELP),)), *lines])]


def keyboard(rating: Rating | None) -> dict[str, Any]:
    """The inline keyboard under an answer; the button of the recorded rating has a tick."""
    choices = (("good", "👍", RATE_GOOD), ("bad", "👎", RATE_BAD))
    row = [{"text": face + (" ✓" if rating == value else ""), "callback_data": data} for value, face, data in choices]
    return {"inline_keyboard": [row]}


def preview(markdown: str) -> str:
    """What Telegram would show of an answer, as safe HTML: one `article` per message."""
    return "".join(map(picture, _parts(parse(markdown).blocks, buttons=True)))


def _parts(blocks: Iterable[Block], *, buttons: bool = False, own: bool = False) -> list[dict[str, Any]]:
    """The messages. `own`: our words, in which a command may be tapped."""
    ready = [piece for block in blocks for piece in _adapted(block)]
    messages = [_message(part, own=own) for part in split(ready, _Scale())]
    messages = [message for message in messages if not is_blank(message["text"])]
    if not messages:
        messages = [_message((Text((Span(EMPTY),)),), own=own)]
    messages[-1]["buttons"] = buttons
    return messages


def _adapted(block: Block) -> Iterator[Block]:
    """Put a block into what Telegram has: bold for headings, lines for wide tables, only links that it opens."""
    match block:
        case Table() if not is_narrow(block):
            for text in unrolled(block):
                yield from _adapted(text)
        case Text(spans=spans, level=level):
            if level:
                spans = tuple(span if span.code else replace(span, bold=True) for span in spans)
            if any(span.href for span in spans):
                spans = tuple(_linked(spans))
            yield block if spans is block.spans else replace(block, spans=spans)
        case _:
            yield block


def _linked(spans: Spans) -> Iterator[Span]:
    """A link that Telegram would drop becomes text that shows its address; a mail address it links by itself."""
    for href, group in groupby(spans, key=attrgetter("href")):
        if href is None:
            yield from group
        elif openable(href):
            yield from (replace(span, code=False) for span in group)
        else:
            label = tuple(replace(span, href=None) for span in group)
            address = href.removeprefix("mailto:")
            yield from label
            if address not in flat(label):
                yield Span(f" ({address})")


def _message(blocks: tuple[Block, ...], *, own: bool = False) -> dict[str, Any]:
    composer = Composer()
    for block in blocks:
        composer.add(block)
    text, entities = composer.finish(defuse=not own)
    return {"text": text, "entities": entities, "buttons": False}
