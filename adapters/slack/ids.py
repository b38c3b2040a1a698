"""Ids and names that Slack hands back to us: what makes them and what reads them, each spelled once; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from bot.events import Conversation, Event, MessageRef

Payload: TypeAlias = Mapping[str, Any]
"""A JSON object as Slack sends it."""

CHANNEL_NAME: Final = "slack"

RATE_ACTION: Final = "rate"
"""action_id of the feedback buttons; their values are the ratings, "good" and "bad"."""
ASK_SHORTCUT: Final = "ask_assistant"
COMMENT_VIEW: Final = "why"
SLASH_COMMAND: Final = "/ask"
WORKING_EMOJI: Final = "eyes"
DELIVERY_EVENT: Final = "uppzy_bot_delivery"
"""The metadata event type that carries our delivery id."""

GONE_MODES: Final = frozenset({"tombstone", "hidden_by_limit"})
"""`mode` of a file that was deleted, or that is older than the workspace's plan shows (docs.slack.dev, file object)."""

LONGEST_ID: Final = 500
"""Characters; Slack's own ids stay below a hundred, and ours of an event are made of a few of them."""

_WORDS: Final = frozenset({"text", "args", "author", "name", "media_type"})


def message_ref(account_id: str, channel: str, ts: str) -> MessageRef:
    """Name a message: its channel and its time stamp, which is unique there."""
    return MessageRef(channel=CHANNEL_NAME, account_id=account_id, conversation_id=channel, message_id=ts)


def conversation(account_id: str, channel: str, thread: str | None, *, channel_type: str = "") -> Conversation:
    """Name a place. `thread` is the time stamp of its root, None outside messages; `channel_type` as events say it."""
    direct = channel_type in ("im", "app_home") or channel.startswith("D")
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=account_id,
        conversation_id=channel,
        thread_id=thread,
        kind="dm" if direct else "channel",
        is_direct=direct,
    )


def thread_of(message: Payload) -> str:
    """A message outside threads is the root of its own."""
    return str(message.get("thread_ts") or message["ts"])


def time_of(ts: str) -> datetime:
    """`1732270000.000100` → UTC, to the microsecond, without the loss of a float."""
    seconds, _, fraction = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))


def permalink(workspace_url: str, channel: str, ts: str) -> str:
    """Build the address of a message as Slack builds its permalinks.

    >>> permalink("https://acme.slack.com/", "C1", "1732270000.000100")
    'https://acme.slack.com/archives/C1/p1732270000000100'
    """
    return f"{workspace_url}archives/{channel}/p{ts.replace('.', '')}"


def delivery_metadata(delivery_id: str) -> dict[str, Any]:
    """Make the metadata of a message by which it is found again; other apps may read it."""
    return {"event_type": DELIVERY_EVENT, "event_payload": {"delivery_id": delivery_id}}


def delivery_id_of(message: Payload) -> str | None:
    """Read what `delivery_metadata` made; None for a message without it."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != DELIVERY_EVENT:
        return None
    delivery_id = (metadata.get("event_payload") or {}).get("delivery_id")
    return delivery_id if isinstance(delivery_id, str) else None


def checked(event: Event) -> Event:
    """Return the event if all its ids are ids; ValueError for a number, a list or a control character in their place.

    The store would refuse them, and what Slack sends again would then be refused for ever.
    """
    _check(event)
    return event


def _check(value: Any) -> None:
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if dataclasses.is_dataclass(inner):
            _check(inner)
        elif isinstance(inner, tuple):
            for one in inner:
                if dataclasses.is_dataclass(one):  # else the names of files
                    _check(one)
        elif (
            field.name in _WORDS
            or isinstance(inner, bool | int | datetime)
            or (inner is None and "None" in str(field.type))
        ):
            continue
        elif not (isinstance(inner, str) and 0 < len(inner) <= LONGEST_ID and inner.isprintable()):
            raise ValueError(f"{field.name} is no id")
