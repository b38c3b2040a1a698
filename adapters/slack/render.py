"""Outbounds as Slack blocks in which a ping cannot be expressed. Pure.

A part is the keyword arguments of chat.postMessage without channel and thread: `{"text": …, "blocks": […]}`. Generated
text only ever stands in `text` and `link` elements, which are literal; nothing here writes a `user`, `usergroup`,
`channel` or `broadcast` element, or mrkdwn, save the escaped fallback `text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from adapters.slack.compose import Composer, text_element
from adapters.slack.ids import RATE_ACTION
from adapters.slack.preview import picture
from bot.adapter import Part
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
    is_blank,
    parse,
    plain,
    split,
    units,
)
from bot.render.text import row_size, shorten, unrolled

MAX_SIZE: Final = 11_800
"""Characters in the blocks of a message; Slack refuses 12,001, and the buttons have some."""
MAX_FALLBACK: Final = 1_000
"""Characters of the top-level text; with the blocks a message stays under 13,000, above which Slack refuses it."""
MAX_BLOCKS: Final = 48
"""Of the 50 that a message may have; one is for the buttons."""
MAX_ROWS: Final = 99
"""Rows of a table below its header."""
MAX_COLUMNS: Final = 20
MAX_HREF: Final = 3_000
_HOME_QUESTION: Final = 300

EMPTY: Final = "(This message has no text.)"


class _Scale:
    limit: Weight = (MAX_SIZE, MAX_BLOCKS, 1)

    def __init__(self, composer: Composer) -> None:
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


def render(outbound: Outbound) -> list[Part]:
    """Render into messages within Slack's limits; the last part of an answer ends with the feedback buttons."""
    match outbound:
        case Answer(text=text):
            parts = _parts(parse(text).blocks)
            parts[-1]["blocks"].append(_buttons())
            return [*parts]
        case Notice(text=text, kind="question", user_id=user_id):
            parts = _parts([Text((Span(text),), Place(quote=1))])
            parts[-1]["blocks"].append(_asked_by(user_id))
            return [*parts]
        case Notice(text=text):
            return [*_parts(parse(text).blocks)]
        case Home():
            return [{"home": _home(outbound)}]


def preview(markdown: str) -> str:
    """What Slack would show of an answer, as safe HTML: one `article` per message."""
    parts = _parts(parse(markdown).blocks)
    parts[-1]["blocks"].append(_buttons())
    return "".join(picture(part["blocks"]) for part in parts)


def _parts(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    blocks = list(blocks)
    ready = [piece for block in blocks for piece in _adapted(block)]
    if is_blank(plain(Document(tuple(ready)))):
        ready = [Text((Span(EMPTY),))]
    composer = Composer(narrow_tables_as_text=sum(isinstance(block, Table) for block in blocks) > 1)
    parts = [(_fallback(part), part) for part in split(ready, _Scale(composer))]
    return [{"text": text, "blocks": composer.compose(part)} for text, part in parts if not is_blank(text)]


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
    text = plain(Document(blocks), MAX_FALLBACK)
    while (size := units(escaped := escape(text))) > MAX_FALLBACK:
        text = shorten(text, units(text) * MAX_FALLBACK // size - 1)
    return escaped


def escape(text: str) -> str:
    """Escape the three characters that are special in Slack's texts; that alone disarms every token.

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _buttons() -> dict[str, Any]:
    def button(text: str, value: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": text}, "accessibility_label": text, "value": value}

    element = {
        "type": "feedback_buttons",
        "action_id": RATE_ACTION,
        "positive_button": button("Good answer", "good"),
        "negative_button": button("Bad answer", "bad"),
    }
    return {"type": "context_actions", "elements": [element]}


def _asked_by(user_id: str | None) -> dict[str, Any]:
    """A line under an /ask's root. A mention would ping, so an id goes into the block's id, for the adapter to name."""
    block: dict[str, Any] = {"type": "context", "elements": [{"type": "plain_text", "text": "Asked with /ask"}]}
    return block | {"block_id": f"asker:{user_id}"} if user_id else block


def _home(home: Home) -> dict[str, Any]:
    introduction = (
        "Ask me in a direct message, mention me in a channel, or use `/ask`. "
        "In a thread I remember what was said before.\n\n"
        "React with 👍 or 👎, or use the buttons, to say whether an answer helped.\n\n"
        "`!new` begins a new conversation, `!help` says more."
    )
    compose = Composer().compose
    blocks = [_header("How to ask"), *compose(parse(introduction).blocks)]
    if home.suggestions:
        items = [Text((Span(text),), Place(depth=1)) for text in home.suggestions[:10]]
        blocks += [_header("You could ask"), *compose(items)]
    blocks.append(_header("Your recent questions"))
    if not home.recent:
        blocks += compose([Text((Span("None yet."),))])
    blocks += [_recent(number, question) for number, question in enumerate(home.recent[:20])]
    return {"type": "home", "blocks": blocks}


def _recent(number: int, question: RecentQuestion) -> dict[str, Any]:
    """One question; its block's id tells the adapter which, so that it can add a link."""
    text = question.text.strip() or "(no text)"
    shown = shorten(text, _HOME_QUESTION)
    when = f"{question.asked_at:%d %b %Y, %H:%M} UTC"
    elements = [text_element(Span(shown)), text_element(Span(f"\n{question.outcome} · {when}", italic=True))]
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": f"recent:{number}", "elements": [section]}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}
