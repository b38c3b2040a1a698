"""Outbounds as Slack blocks in which a ping cannot be expressed, or as escaped text alone. Pure.

Generated text only ever stands in `text` and `link` elements, which are literal; nothing here writes a `user`,
`usergroup`, `channel` or `broadcast` element, or mrkdwn. The top-level `text` of a message, which Slack reads as mrkdwn
where nobody forbids it, is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from adapters.slack.compose import BlockComposer, text_element
from adapters.slack.ids import RATE_ACTION, SLASH_COMMAND
from adapters.slack.parts import HomePage, HomeQuestion, SlackPart
from bot.adapter import NOTE_UNITS
from bot.events import Answer, Home, Notice, Outbound, RecentQuestion
from bot.render import (
    Block,
    Code,
    Document,
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
from bot.render import plain as plain_text
from bot.render.text import row_size, shorten, unrolled
from bot.shared import rank_of
from bot.texts import say

MAX_SIZE: Final = 11_800
"""UTF-16 units in the blocks of a message, those of addresses included; the buttons have some more. Slack documents
12,000 for what is alike, the text of all `markdown` blocks together (Block Kit reference, Markdown block); 12,001 were
refused as `msg_too_long` on the live API (measured in metabase's pull requests 79908 and 80652)."""
MAX_FALLBACK: Final = 1_000
"""UTF-16 units of the top-level text beside blocks; with them a message stays under 13,000, for at about 13,200 Slack
refuses it as `msg_blocks_too_long` (measured, as above)."""
MAX_TEXT: Final = 4_000
"""UTF-16 units, after escaping, of a message without blocks: what chat.postMessage recommends. From about 4,040 on
Slack makes several messages of one, and names only one of them (measured)."""
MAX_BLOCKS: Final = 48
"""Of the 50 that a message may have (Block Kit reference); one is for the buttons or for who asked, one for a note."""
MAX_ROWS: Final = 99
"""Rows of a table below its header; with it there may be 100 (Block Kit reference, Table block)."""
MAX_COLUMNS: Final = 20
"""Cells of a table's row (Block Kit reference, Table block)."""
MAX_HREF: Final = 3_000
"""Characters of a link's address; the limit that Block Kit names for a button's `url`."""
_LAST_LINE: Final = NOTE_UNITS + 2
"""UTF-16 units kept for who asked, or for a note."""
_HOME_QUESTION: Final = 300


class _Scale:
    limit: Weight = (MAX_SIZE, MAX_BLOCKS, 1)

    def __init__(self, composer: BlockComposer) -> None:
        self._composer = composer

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        return units(span.text) + (units(span.href) if span.href else 0), 0

    def frame(self, block: Block, before: Block | None) -> Weight:
        alone = self._composer.stands_alone
        count = 0 if before is not None and not alone(before) and not alone(block) else 1
        if not isinstance(block, Table):
            return 16, count, 0
        header = self.row(block, block.header)
        return (header, count, 1) if alone(block) else (2 * header, count, 0)

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        if not self._composer.stands_alone(table):
            return row_size(table)
        # All cells of a message may have 10,000 characters, so each weighs a little more than elsewhere.
        size = sum(self.span(span, None)[0] for content in row for span in content) + len(row)
        return size * 5 // 4 + 1


class _TextScale:
    """Only one Text is measured by it, so blocks weigh nothing."""

    limit: Weight = (MAX_TEXT - _LAST_LINE, 1, 1)

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        return units(escape(span.text)), 0

    def frame(self, block: Block, before: Block | None) -> Weight:
        return 0, 0, 0

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        raise AssertionError("there are no tables in plain text")


def render(outbound: Outbound, *, plain: bool = False, after: int = 0) -> list[SlackPart]:
    """Render into messages within Slack's limits; the last part of an answer ends with the feedback buttons.

    `plain`: the same words as text alone, in parts that Slack neither refuses nor splits, without those of the first
    `after` parts of the other form. A Home tab, which has nothing but blocks, and all of them our own, has no other
    form.
    """
    empty = say("no-text", outbound.language)
    make = partial(_text_parts, after=after, empty=empty) if plain else partial(_parts, empty=empty)
    match outbound:
        case Answer(text=text, asker_id=asker_id, notes=notes):
            parts = [replace(part, user_id=asker_id) for part in make(noted(parse(text), notes).blocks)]
            if not plain:
                parts[-1] = replace(parts[-1], blocks=(*parts[-1].blocks, _buttons(outbound.language)))
            return parts
        case Notice(text=text, kind="question", user_id=user_id):
            parts = [replace(part, user_id=user_id) for part in make([Text((Span(text),), Place(quote=1))])]
            parts[-1] = replace(parts[-1], asked_by_command=True, language=outbound.language)
            return parts
        case Notice(text=text, kind=kind, user_id=user_id):
            parts = make(parse(text).blocks)
            return [replace(part, user_id=user_id, rank=rank_of(kind), anywhere=kind == "failure") for part in parts]
        case Home():
            return [SlackPart(user_id=outbound.user_id, home=_home(outbound), language=outbound.language)]


def with_asker(part: SlackPart, name: str) -> SlackPart:
    """Add the line that says who asked, by name, for a mention would ping; "" where the name is not known."""
    by = say("asked-by", part.language, name=name, command=SLASH_COMMAND)
    line = by if name else say("asked", part.language, command=SLASH_COMMAND)
    if part.blocks:
        block = {"type": "context", "elements": [{"type": "plain_text", "text": line, "emoji": False}]}
        return replace(part, blocks=(*part.blocks, block))
    text = f"{part.text}\n\n{escape(line)}"
    return replace(part, text=text) if not name or units(text) <= MAX_TEXT else with_asker(part, "")


def with_note(part: SlackPart, note: str) -> SlackPart:
    """Add a line of the core's below everything; of the 50 blocks of a message it is the last."""
    if part.blocks:
        block = {"type": "context", "elements": [{"type": "plain_text", "text": note}]}
        return replace(part, blocks=(*part.blocks, block))
    return replace(part, text=f"{part.text}\n\n{escape(note)}")


def _parts(blocks: Iterable[Block], *, empty: str) -> list[SlackPart]:
    composer, messages = _messages(blocks, empty)
    return [SlackPart(text=text, blocks=tuple(composer.compose(part))) for text, part in messages]


def _messages(blocks: Iterable[Block], empty: str) -> tuple[BlockComposer, list[tuple[str, tuple[Block, ...]]]]:
    """Cut into what becomes a message each, with its text for notifications; and what composes them."""
    blocks = list(blocks)
    ready = [piece for block in blocks for piece in _adapted(block)]
    composer = BlockComposer(narrow_tables_as_text=sum(isinstance(block, Table) for block in blocks) > 1)
    messages = [(_fallback(part), part) for part in split(ready, _Scale(composer))]
    seen = [(text, part) for text, part in messages if not is_blank(text)]
    return composer, seen or [(escape(empty), (Text((Span(empty),)),))]


def _text_parts(blocks: Iterable[Block], *, after: int, empty: str) -> list[SlackPart]:
    if after:
        blocks = [block for _, part in _messages(blocks, empty)[1][after:] for block in part]
    text = plain_text(Document(tuple(blocks)))
    words = Text((Span(empty if is_blank(text) else text),))
    texts = [flat(piece.spans) for part in split([words], _TextScale()) for piece in part if isinstance(piece, Text)]
    return [SlackPart(text=escape(piece)) for piece in texts if not is_blank(piece)]


def _adapted(block: Block) -> Iterator[Block]:
    """Put a block into what Slack has: tables of at most 20 columns and 100 rows, links of a sane length."""
    match block:
        case Table() if len(block.header) > MAX_COLUMNS:
            for text in unrolled(block):
                yield from _adapted(text)
        case Table():
            for start in range(0, max(len(block.rows), 1), MAX_ROWS):
                yield _short_table(replace(block, rows=block.rows[start : start + MAX_ROWS]))
        case Text(spans=spans):
            yield replace(block, spans=_short(spans)) if _has_long(spans) else block
        case Code() | Rule():
            yield block


def _has_long(spans: Spans) -> bool:
    return any(span.href is not None and len(span.href) > MAX_HREF for span in spans)


def _short(spans: Spans) -> Spans:
    """A link longer than Slack takes becomes text that shows the address."""
    short = []
    for span in spans:
        if span.href is not None and len(span.href) > MAX_HREF:
            shown = span.text if "://" in span.text else f"{span.text} ({span.href})"
            span = replace(span, text=shown, href=None)
        short.append(span)
    return tuple(short)


def _short_table(table: Table) -> Table:
    if not any(_has_long(content) for row in (table.header, *table.rows) for content in row):
        return table
    rows = tuple(tuple(map(_short, row)) for row in table.rows)
    return replace(table, header=tuple(map(_short, table.header)), rows=rows)


def _fallback(blocks: tuple[Block, ...]) -> str:
    """What notifications and screen readers use: escaped, for `<!channel>` would be live here."""
    text = plain_text(Document(blocks), MAX_FALLBACK)
    while (size := units(escaped := escape(text))) > MAX_FALLBACK:
        text = shorten(text, units(text) * MAX_FALLBACK // size - 1)
    return escaped


def escape(text: str) -> str:
    """Escape the three characters that are special in Slack's texts; that alone disarms every token.

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _buttons(language: str) -> dict[str, Any]:
    def button(text: str, value: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": text}, "accessibility_label": text, "value": value}

    element = {
        "type": "feedback_buttons",
        "action_id": RATE_ACTION,
        "positive_button": button(say("good-answer", language), "good"),
        "negative_button": button(say("bad-answer", language), "bad"),
    }
    return {"type": "context_actions", "elements": [element]}


def _home(home: Home) -> HomePage:
    def own(name: str) -> str:
        return say(name, home.language)

    compose = BlockComposer().compose
    blocks = [_header(own("home-ask")), *compose(parse(own("home-help")).blocks)]
    if home.suggestions:
        items = [Text((Span(text),), Place(depth=1)) for text in home.suggestions[:10]]
        blocks += [_header(own("home-suggestions")), *compose(items)]
    blocks.append(_header(own("home-recent")))
    if not home.recent:
        blocks += compose([Text((Span(own("home-none")),))])
    recent = tuple(_recent(question, home.language) for question in home.recent[:20])
    return HomePage(blocks=tuple(blocks), recent=recent, prompts=home.suggestions)


def _recent(question: RecentQuestion, language: str) -> HomeQuestion:
    text = question.text.strip() or say("home-no-words", language)
    shown = shorten(text, _HOME_QUESTION)
    outcome = say(f"outcome-{question.outcome}", language)
    when = say("home-when", language, outcome=outcome, at=question.asked_at)
    elements = [text_element(Span(shown)), text_element(Span(f"\n{when}", italic=True))]
    section = {"type": "rich_text_section", "elements": elements}
    return HomeQuestion(
        block={"type": "rich_text", "elements": [section]},
        channel=question.ref.conversation_id if question.ref else None,
        ts=question.ref.message_id if question.ref else None,
    )


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}
