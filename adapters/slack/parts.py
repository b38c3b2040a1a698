"""What events and interactions have in common: who, where, when; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from adapters.slack.identity import Identity
from bot.events import Conversation, MessageRef, Standing

Payload: TypeAlias = Mapping[str, Any]

CHANNEL: Final = "slack"


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
        place="dm" if direct else "channel",
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
