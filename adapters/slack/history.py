"""What was said in a thread before a message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from adapters.slack.client import Client, cursor_of, messages_of
from adapters.slack.context import context_of, words_of
from adapters.slack.identity import Identity
from adapters.slack.ids import message_ref, time_of
from adapters.slack.normalize import SPOKEN
from bot.errors import Misconfigured, Rejected
from bot.events import Conversation, EarlierMessage, MessageRef

MOST_CALLS: Final = 5
"""Slack names a thread's messages from the oldest on, so the newest are at the end of the pages."""
FIRST_PAGE: Final = 200
LATER_PAGE: Final = 999
""""Specify a `limit` value under 1000. We recommend no more than 200" (conversations.replies, "Pagination"): few
threads have a second page, and those that have are to end within the calls."""

FEW: Final = frozenset({15, 16})
"""Messages in a page of an app that is distributed outside the Marketplace: 15 objects a call, and one call a minute
(docs.slack.dev, "Rate limit changes for non-Marketplace apps", May 2025); 16 if the root should not count."""
FEW_SECONDS: Final = 3600.0

NOT_GRANTED: Final = frozenset({"missing_scope", "no_permission", "access_denied", "not_allowed_token_type"})
"""Reasons why the token may not read here; a wrong token has others."""


class HistoryGrant:
    """Remembers for an hour that Slack hands out few messages a call; each further call would be a look-up less."""

    def __init__(self) -> None:
        self._few_until = 0.0

    @property
    def few(self) -> bool:
        """Whether there is nothing to be gained by asking."""
        return asyncio.get_running_loop().time() < self._few_until

    def note_few(self) -> None:
        """Remember it."""
        self._few_until = asyncio.get_running_loop().time() + FEW_SECONDS


async def earlier(
    client: Client, identity: Identity, grant: HistoryGrant, conversation: Conversation, before: MessageRef, limit: int
) -> Sequence[EarlierMessage] | None:
    """Read a thread's messages before one of it; see `Adapter.earlier`.

    None too where the thread is too long to come to its newest messages: the oldest would be the wrong ones.
    """
    thread = conversation.thread_id
    if thread is None or thread == before.message_id or limit < 1:
        return ()
    try:
        until = time_of(before.message_id)
    except (ValueError, OverflowError):
        return None
    if grant.few:
        return None
    arguments: dict[str, Any] = {
        "channel": conversation.conversation_id,
        "ts": thread,
        "latest": before.message_id,
        "limit": FIRST_PAGE,
    }
    try:
        return await _newest(client, identity, grant, arguments, until, limit)
    except Rejected:
        return None
    except Misconfigured as error:
        if error.reason in NOT_GRANTED:
            return None
        raise


async def _newest(
    client: Client, identity: Identity, grant: HistoryGrant, arguments: dict[str, Any], until: datetime, limit: int
) -> Sequence[EarlierMessage] | None:
    newest: list[EarlierMessage] = []
    for _ in range(MOST_CALLS):
        answer = await client.call("conversations.replies", arguments, read=True)
        page = messages_of(answer)
        read_here = [_message(message, identity, arguments["channel"], until) for message in page]
        # By ref, for the root may stand on every page.
        known = {message.ref: message for message in (*newest, *read_here) if message is not None}
        newest = sorted(known.values(), key=lambda message: message.sent_at)[-limit:]
        if not (cursor := cursor_of(answer)):
            return newest
        if len(page) in FEW:
            grant.note_few()
            return None
        arguments |= {"cursor": cursor, "limit": LATER_PAGE}
    return None


def _message(message: Any, identity: Identity, channel: str, until: datetime) -> EarlierMessage | None:
    """Read one message; None for what nobody said (joins, deleted roots), and for what has another shape."""
    try:
        sent_at = time_of(message["ts"])
        words = words_of(message, identity)
        items = () if words.text else context_of(message, identity)
        shown = words.text or "\n".join(item.text for item in items).strip()
        spoken = message.get("subtype") in SPOKEN or message.get("subtype") == "bot_message"
        user = str(message["user"]) if identity.is_person(message) else None
        by_us = identity.is_ours(message)
        ref = message_ref(identity.team_id, channel, message["ts"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    if not (spoken and shown and sent_at < until):
        return None
    return EarlierMessage(
        ref=ref,
        user_id=user,
        by_us=by_us,
        author="" if user else _app_name(message),
        text=shown,
        mentions=(*words.mentions, *(mention for item in items for mention in item.mentions)),
        sent_at=sent_at,
    )


def _app_name(message: Mapping[str, Any]) -> str:
    """Read what an app posts as: by its own name, or under another one."""
    profile = message.get("bot_profile")
    name = profile.get("name") if isinstance(profile, dict) else None
    found = message.get("username") or name
    return found if isinstance(found, str) else ""
