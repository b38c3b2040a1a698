"""What events and interactions have in common: who, where, when; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from adapters.slack.identity import Identity
from bot.events import Conversation, Event, MessageRef, Standing

Payload: TypeAlias = Mapping[str, Any]

CHANNEL: Final = "slack"
LONGEST_ID: Final = 500
"""Characters; Slack's own ids stay below a hundred, and ours of an event are made of a few of them."""

_WORDS: Final = frozenset({"text", "args"})


def is_person(said: Payload, identity: Identity) -> bool:
    """A bot's own post has no subtype today, only `bot_id`; Slackbot and the bot itself are none either."""
    user = said.get("user")
    return bool(user) and user not in (identity.user_id, "USLACKBOT", "UREVOKEDU") and not said.get("bot_id")


def thread_of(message: Payload) -> str:
    """A message outside threads is the root of its own."""
    return str(message.get("thread_ts") or message["ts"])


def conversation_of(channel: str, event: Payload, identity: Identity, thread: str | None) -> Conversation:
    """Say where it happened; `thread` is None outside messages."""
    direct = event.get("channel_type") in ("im", "app_home") or channel.startswith("D")
    return Conversation(
        channel=CHANNEL,
        account_id=identity.team_id,
        conversation_id=channel,
        thread_id=thread,
        kind="dm" if direct else "channel",
        is_direct=direct,
    )


def ref_of(channel: str, ts: str, identity: Identity) -> MessageRef:
    """Name a message."""
    return MessageRef(channel=CHANNEL, account_id=identity.team_id, conversation_id=channel, message_id=ts)


def standing_of(event: Payload, identity: Identity) -> Standing:
    """Say what an event tells of its person, who may be of another workspace in a shared channel."""
    return standing_of_team(event.get("user_team") or event.get("source_team"), identity)


def standing_of_team(team_id: str | None, identity: Identity) -> Standing:
    """A guest looks like a member here; the adapter looks people up where the difference counts."""
    return "external" if team_id is not None and not identity.is_home(team_id) else "member"


def time_of(ts: str) -> datetime:
    """`1732270000.000100` → UTC, to the microsecond, without the loss of a float."""
    seconds, _, fraction = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))


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
        elif (
            field.name in _WORDS or isinstance(inner, bool | datetime) or (inner is None and "None" in str(field.type))
        ):
            continue
        elif not (isinstance(inner, str) and 0 < len(inner) <= LONGEST_ID and inner.isprintable()):
            raise ValueError(f"{field.name} is no id")
