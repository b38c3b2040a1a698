"""What was said in a thread before a message."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from adapters.playground.ids import BOT, message_ref, time_of
from adapters.playground.platform import Platform
from adapters.playground.text import without_mention
from bot.events import Conversation, EarlierMessage, MessageRef


def earlier(platform: Platform, conversation: Conversation, before: MessageRef, limit: int) -> Sequence[EarlierMessage]:
    """Read the newest messages before it, oldest first; none outside of threads."""
    if conversation.thread_id is None:
        return []
    rows = platform.said_before(conversation.conversation_id, conversation.thread_id, before.message_id, limit)
    return [_earlier(row) for row in rows]


def _earlier(row: sqlite3.Row) -> EarlierMessage:
    by_us = row["author"] == BOT
    text = str(json.loads(row["body"])["text"])
    return EarlierMessage(
        ref=message_ref(row["conversation"], row["id"]),
        user_id=None if by_us else row["author"],
        by_us=by_us,
        text=text if by_us else without_mention(text),
        sent_at=time_of(row["id"]),
    )
