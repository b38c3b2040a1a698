"""Outbounds as Telegram's text and entities: nothing to parse there, so nothing that can fail to parse. Pure.

The plain form is text alone, for when Telegram refused the other: what entities kept from being linked is parted by
word joiners instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from adapters.telegram.compose import TAG, WORD_JOINER, Composer, inert, marks, openable
from adapters.telegram.ids import RATE_BAD, RATE_GOOD
from adapters.telegram.parts import TelegramPart
from bot.adapter import NOTE_UNITS
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
    noted,
    parse,
    split,
    units,
)
from bot.render.addresses import WrittenAddress, find, is_shown
from bot.render.inline import inert as without_lookalikes
from bot.render.inline import recast
from bot.render.text import RULE, aligned, is_narrow, lead, row_size, struck, unrolled, with_room
from bot.shared import NOTICE_RANK, PROGRESS_RANK, rank_of
from bot.texts import say

_PLAIN_ADDRESS: Final = re.compile(r"(?i)(?:https?://)?(?:\w[\w-]*\.)+\w{2,}\.?(?::\d+)?(?=[/?#]|$)")
"""An address that Telegram links for certain; in others (`https://a@b.example`, `https://[::1]`) it finds mentions."""
MAX_UNITS: Final = 4096
"""Of a message after parsing. The Bot API says characters (https://core.telegram.org/bots/api#sendmessage), the server
may count code points; UTF-16 units, in which offsets are counted, are never fewer."""
MAX_PLAIN_UNITS: Final = 4000
"""Of a message in the plain form: below what any way of counting could refuse."""
MAX_ENTITIES: Final = 100
"""Formatting beyond this many entities is dropped by the server without a word. Undocumented; python-telegram-bot knows
it as `telegram.constants.MessageLimit.MESSAGE_ENTITIES`."""
NO_LIMIT: Final = 1_000_000

# What may stand before and after a mail address for Telegram to see where it begins and ends (TDLib, `match_urls`).
_BEFORE_MAIL: Final = re.compile(r"[\s/\[\]{}()'`<>\"\u00ab\u00bb\u2000-\u200b\u2016-\u206f]")
_AFTER_MAIL: Final = re.compile(r"[\x00-\x2c./:-?\[-^`{-}\x80-\xbf\u2000-\u200b\u2016-\u206f\u3000]")


@dataclass(frozen=True, slots=True)
class _Scale:
    """What one message takes: UTF-16 units, entities, tables (as many as there are)."""

    limit: Weight

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


_LAST_LINE: Final = NOTE_UNITS + 2
"""UTF-16 units kept for a note."""
_FORMATTED: Final = _Scale((MAX_UNITS - _LAST_LINE, MAX_ENTITIES, NO_LIMIT))
_PLAIN: Final = _Scale((MAX_PLAIN_UNITS - _LAST_LINE, NO_LIMIT, NO_LIMIT))


def render(outbound: Outbound, *, plain: bool = False, after: int = 0) -> list[TelegramPart]:
    """Render into messages within Telegram's limits; never raises, whatever the text.

    `plain`: without any entity, and without the words of the first `after` messages of the other form.
    """
    empty = TelegramPart(text=say("no-text", outbound.language))
    make = partial(_plain_parts, after=after, empty=empty) if plain else partial(_parts, empty=empty)
    match outbound:
        case Answer(text=text, notes=notes):
            parts = make(noted(parse(text), notes).blocks)
            parts[-1] = replace(parts[-1], buttons=True)
            return parts
        case Notice(text=text, kind="question"):
            asked = Text((Span(say("asked", outbound.language, command="/ask"), italic=True),), Place(tight=True))
            return make([Text((Span(text),), Place(quote=1)), asked])
        case Notice(text=text, kind=kind):
            parts = make(parse(text).blocks, own=True)
            if kind == "why":
                parts[-1] = replace(parts[-1], force_reply=True)
            rank = rank_of(kind)
            return [
                replace(
                    part,
                    progress=rank == PROGRESS_RANK,
                    notice=rank == NOTICE_RANK,
                    anywhere=kind == "failure",
                )
                for part in parts
            ]
        case Home(recent=recent, language=language):
            outcomes = [say(f"outcome-{question.outcome}", language) for question in recent]
            words = [f"{said}: {question.text}" for said, question in zip(outcomes, recent, strict=True)]
            lines = [Text((Span(line),), Place(depth=1)) for line in words]
            return make([Text((Span(say("home-short", language)),)), *lines])


def with_note(part: TelegramPart, note: str) -> TelegramPart:
    """Add a line of the core's below everything; no offset of an entity moves."""
    return replace(part, text=f"{part.text}\n\n{note}")


def keyboard(rating: Rating | None) -> dict[str, Any]:
    """The inline keyboard under an answer; the button of the recorded rating has a tick."""
    choices = (("good", "👍", RATE_GOOD), ("bad", "👎", RATE_BAD))
    row = [{"text": face + (" ✓" if rating == value else ""), "callback_data": data} for value, face, data in choices]
    return {"inline_keyboard": [row]}


def _parts(blocks: Iterable[Block], *, empty: TelegramPart, own: bool = False) -> list[TelegramPart]:
    """Make the messages, at least one. `own`: our words, in which a command may be tapped."""
    return [message for message, _ in _messages(blocks, own=own)] or [empty]


def _messages(blocks: Iterable[Block], *, own: bool) -> list[tuple[TelegramPart, tuple[Block, ...]]]:
    """Make the messages, each with the blocks that it shows."""
    ready = [piece for block in blocks for piece in _adapted(block)]
    messages = [(_message(part, plain=False, own=own), part) for part in split(ready, _FORMATTED)]
    return [(message, part) for message, part in messages if not is_blank(message.text)]


def _plain_parts(blocks: Iterable[Block], *, after: int, empty: TelegramPart, own: bool = False) -> list[TelegramPart]:
    if after:
        blocks = [block for _, part in _messages(blocks, own=own)[after:] for block in part]
    ready = [piece for block in blocks for piece in _unformatted(block)]
    messages = [_message(part, plain=True, own=own) for part in split(ready, _PLAIN)]
    return [message for message in messages if not is_blank(message.text)] or [empty]


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
            spans = _literal(spans)
            yield block if spans is block.spans else replace(block, spans=spans)
        case _:
            yield block


def _names(label: str, address: str) -> bool:
    """Whether a label has the whole address in it, and not one that begins or ends like it."""
    ends = r"(?![\w/?#&=%@~+-]|[.:]\w)"
    return re.search(rf"(?<![A-Za-z0-9_/@.%+-]){re.escape(address)}{ends}", label) is not None


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
            # Of an address that it does not open, Telegram links what it can.
            in_part = address == href and "." in address
            if _names(flat(label), address) or is_shown(flat(label), href):
                yield from (replace(span, bold=False, italic=False, strike=False, code=in_part) for span in label)
            else:
                yield from label
                yield from (Span(" ("), Span(address, code=in_part), Span(")"))


def _apart(spans: Spans) -> Iterator[Span]:
    """Part a mail address from what Telegram would take for a piece of it: a full-width full stop, a bar."""
    for index, span in enumerate(spans):
        if "@" not in span.text or span.code or span.href:
            yield span
            continue
        earlier = spans[index - 1].text[-1:] if index else ""
        later = spans[index + 1].text[:1] if index + 1 < len(spans) else ""
        around = f"{earlier or ' '}{span.text}{later or ' '}"
        pieces, at = [], 0
        for mail in find(span.text):
            if mail.href.startswith("mailto:"):
                joints = _BEFORE_MAIL.match(around[mail.start]), _AFTER_MAIL.match(around[mail.end + 1])
                before, after = ("" if joint else WORD_JOINER for joint in joints)
                pieces += [span.text[at : mail.start], before, span.text[mail.start : mail.end], after]
                at = mail.end
        yield replace(span, text="".join((*pieces, span.text[at:]))) if at else span


def _tags(text: str) -> Iterator[WrittenAddress]:
    """What Telegram would make a link to a search: `#general`, `$PATH`."""
    for match in TAG.finditer(text):
        yield WrittenAddress(match.start(), match.end(), match.group(), "")


def _literal(spans: Spans) -> Spans:
    """Show as code what Telegram would link by itself and nobody meant; leave mail addresses for it to link."""
    spans = without_lookalikes(spans, link=False)
    text = flat(spans)
    if "#" in text or "$" in text:
        spans = recast(spans, _tags)
    return tuple(_apart(spans)) if "@" in text else spans


def _unformatted(block: Block) -> Iterator[Block]:
    """Put a block into words alone; what the entities of code and links kept from being linked is made inert."""
    match block := struck(block):
        case Table() if is_narrow(block):
            yield Code(inert(aligned(block)), place=block.place)
        case Table():
            for text in unrolled(block):
                yield from _unformatted(text)
        case Code(text=text):
            yield Code(inert(text), place=block.place)
        case Text(spans=spans):
            spans = recast(spans, _tags) if any("#" in span.text or "$" in span.text for span in spans) else spans
            quote = (Span("> "),) if block.place.quote and spans else ()
            yield replace(block, spans=(*quote, *_joined(_worded(with_room(spans)))))
        case Rule():
            yield block


def _worded(spans: Spans) -> Iterator[tuple[Span, bool]]:
    """Spans as words, each with whether it was made inert: a link is its label and, unless it shows it, its address.

    An address that Telegram links is marked as code, which is neither changed nor cut; in the plain form that shows no
    other way. In another address (`https://[::1]/x`) it would find a command.
    """
    for href, group in groupby(spans, key=attrgetter("href")):
        if href is None:
            yield from ((Span(inert(span.text)), True) if span.code else (Span(span.text), False) for span in group)
            continue
        label, linked = flat(tuple(group)), href.startswith("mailto:") or openable(href)
        if is_shown(label, href):
            is_plain = href.startswith("mailto:") or _PLAIN_ADDRESS.match(label) is not None
            yield (Span(label, code=linked), False) if is_plain else (Span(inert(label)), True)
        else:
            yield Span(inert(label)), True
            yield Span(" ("), False
            yield Span(href.removeprefix("mailto:"), code=linked), False
            yield Span(")"), False


def _joined(texts: Iterable[tuple[Span, bool]]) -> Iterator[Span]:
    """Spans; where inert ones or addresses touch others a word joiner, so that no address comes to be over the border,
    and each is found: after a letter (`请看https://…`) Telegram looks for none, and after a bracket the address in it
    may go on.
    """
    before = Span("")
    was_inert = False
    for span, is_inert in texts:
        text = span.text
        touches = before.text and text and not before.text[-1].isspace() and not text[0].isspace()
        hides = span.code and touches and (before.text[-1].isalnum() or before.text[-1] == ")")
        goes_on = before.code and touches and text[0].isalnum()
        if touches and (is_inert != was_inert or hides or goes_on):
            yield Span(WORD_JOINER)
        yield span
        before, was_inert = span, is_inert


def _message(blocks: tuple[Block, ...], *, plain: bool, own: bool) -> TelegramPart:
    composer = Composer()
    for block in blocks:
        composer.add(block)
    text, entities = composer.finish(defuse=not own)
    # Telegram keeps white space at the ends inside of an entity alone.
    return TelegramPart(text=text.strip()) if plain else TelegramPart(text=text, entities=tuple(entities))
