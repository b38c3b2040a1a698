"""What goes along with a question, as its event brings it, and what of it the session knows already."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot import notices
from bot.events import Command, ContextItem, Edit, Event, File, Message, MessageRef
from bot.sessions import Address
from bot.store import questions, receipts, turns
from bot.store.contexts import NOTHING, QuestionContext
from bot.store.database import Tx
from bot.texts import languages, said

MOST_ITEMS: Final = 20
"""Things that go along with one question at most: an asker's client lets nobody point at more of them."""

MOST_MENTIONS: Final = 1_000
"""Mentions of one text that are kept; those beyond stay as they are written."""


def clean(text: str) -> str:
    """Make words safe to store and send: no lone surrogates, no NUL, no white space around."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()


def brought_by(event: Event, most_chars: int) -> QuestionContext:
    """Take what goes along with the words out of an event; of each thing no more than could ever be asked."""
    if not isinstance(event, Message | Edit | Command):
        return NOTHING
    if not (event.context or event.mentions or event.has_attachment or event.files):
        return NOTHING
    items = tuple(_clean_item(item, most_chars) for item in event.context[:MOST_ITEMS])
    files = tuple(
        replace(file, name=clean(file.name), media_type=clean(file.media_type)) for file in event.files[:MOST_ITEMS]
    )
    if event.has_attachment and not files:  # what cannot be opened is named as not read all the same
        files = (File(channel=event.conversation.channel, account_id=event.conversation.account_id, file_id=""),)
    return QuestionContext(items=items, mentions=event.mentions[:MOST_MENTIONS], files=files)


def _clean_item(item: ContextItem, most_chars: int) -> ContextItem:
    names = tuple(clean(name) for name in item.files[:MOST_ITEMS])
    mentions = item.mentions[:MOST_MENTIONS]
    text = clean(item.text)[: most_chars + 1]
    return replace(item, text=text, mentions=mentions, author=clean(item.author), files=names)


def words_for(text: str, context: QuestionContext, language: str) -> str:
    """Return the words that are asked: where somebody only points at something, ours stand for them."""
    return text or (
        said(notices.ABOUT_THIS, language) if any(item.text or item.files for item in context.items) else ""
    )


def own_words(text: str) -> str:
    """Return what the person said of the words that were asked: nothing where ours stand for them."""
    return "" if any(text == said(notices.ABOUT_THIS, language) for language in languages()) else text


def without_known(tx: Tx, context: QuestionContext, lane: str) -> QuestionContext:
    """Leave out messages of ours that the session knows: its own answers, and whatever is no answer."""
    if not any(item.by_us for item in context.items):
        return context
    items = tuple(item for item in context.items if not (item.by_us and _is_known(tx, item.ref, lane)))
    return replace(context, items=items)


def _is_known(tx: Tx, ref: MessageRef | None, lane: str) -> bool:
    receipt = None if ref is None else receipts.find(tx, ref)
    if receipt is None:
        return False
    turn = turns.get(tx, receipt.turn)
    return receipt.kind != "answer" or (turn is not None and turn.lane == lane)


def is_new_thread(tx: Tx, address: Address, scope: str, last_at: float | None) -> bool:
    """Whether the session has never been asked in this thread; `last_at`: when it was last used, None for never.

    A session of its own in each thread has begun anew, or was asked to, where it has been used. Others are looked up.
    """
    if scope == f"thread:{address.thread}":
        return last_at is None
    return not questions.any_in_thread(tx, address, scope)
