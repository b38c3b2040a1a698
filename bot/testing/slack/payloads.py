"""Payloads as Slack sends them, of the loopback workspace."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final

TEAM: Final = "T0LOOP"
APP: Final = "A0LOOP"
BOT_USER: Final = "U0BOT"
BOT_ID: Final = "B0BOT"

_numbers = itertools.count(1)
_last_ts = 0


def next_ts() -> str:
    """A time stamp of its own for each message, rising, and never behind the clock however long this process runs."""
    global _last_ts  # of the process, as Slack's is of the workspace
    _last_ts = max(_last_ts + 1000, time.time_ns() // 1000)
    return f"{_last_ts // 1_000_000}.{_last_ts % 1_000_000:06d}"


def event_callback(event: dict[str, Any], *, event_id: str | None = None, **envelope: Any) -> dict[str, Any]:
    """Wrap an event as the Events API does."""
    return {
        "token": "unused",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or f"Ev{next(_numbers):08d}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-loop",
        **envelope,
    }


def share(text: str, *, shared: bool = True, **fields: Any) -> dict[str, Any]:
    """Another message as an attachment: one that was forwarded, or (not `shared`) one that the words link to."""
    channel, ts = fields.get("channel_id", "C2"), fields.get("ts", f"{int(time.time()) - 60}.000100")
    return {
        "id": 1,
        "is_msg_unfurl": True,
        **({"is_share": True} if shared else {}),
        "from_url": f"https://loop.slack.invalid/archives/{channel}/p{ts.replace('.', '')}",
        "author_name": "Eve",
        "author_id": "U3",
        "channel_id": channel,
        "ts": ts,
        "text": text,
        "fallback": f"[today] eve: {text}",
        "footer": "Posted in #it",
        "mrkdwn_in": ["text"],
        **fields,
    }


def message(channel: str, user: str, text: str, ts: str, **fields: Any) -> dict[str, Any]:
    """A message event; the kind of channel is told by its id's first letter."""
    kinds = {"D": "im", "G": "mpim", "P": "group"}
    return {
        "type": "message",
        "user": user,
        "ts": ts,
        "client_msg_id": f"00000000-0000-4000-8000-{next(_numbers):012d}",
        "text": text,
        "team": TEAM,
        "channel": channel,
        "event_ts": ts,
        "channel_type": kinds.get(channel[0], "channel"),
        **fields,
    }


def changed(channel: str, now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """A `message_changed`: for new words, unfurls and new replies alike."""
    stamp = next_ts()
    kinds = {"D": "im", "G": "mpim", "P": "group"}
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": channel,
        "message": now,
        "previous_message": before,
        "ts": stamp,
        "event_ts": stamp,
        "channel_type": kinds.get(channel[0], "channel"),
    }


def tombstone(ts: str) -> dict[str, Any]:
    """What stands for the deleted root of a thread that has replies."""
    return {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": True,
        "ts": ts,
        "thread_ts": ts,
        "is_locked": False,
    }


def deleted(channel: str, before: dict[str, Any]) -> dict[str, Any]:
    """A `message_deleted`."""
    event = changed(channel, {}, before)
    del event["message"]
    return {**event, "subtype": "message_deleted", "deleted_ts": before["ts"]}


def mention(channel: str, user: str, text: str, ts: str, **fields: Any) -> dict[str, Any]:
    """The second event for the same words."""
    event = message(channel, user, text, ts, **fields)
    del event["channel_type"]
    return {**event, "type": "app_mention"}


def reaction(user: str, channel: str, ts: str, name: str, *, added: bool, by: str = BOT_USER) -> dict[str, Any]:
    """A reaction event."""
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel, "ts": ts},
        "item_user": by,
        "event_ts": next_ts(),
    }


def slash(user: str, channel: str, text: str, trigger_id: str) -> dict[str, Any]:
    """The fields of a slash command."""
    return {
        "token": "unused",
        "team_id": TEAM,
        "team_domain": "loop",
        "channel_id": channel,
        "channel_name": "directmessage" if channel.startswith("D") else "general",
        "user_id": user,
        "user_name": user.lower(),
        "command": "/ask",
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.invalid/commands/1",
        "trigger_id": trigger_id,
    }


def interaction(kind: str, user: str, trigger_id: str, **fields: Any) -> dict[str, Any]:
    """What all interactions share."""
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": "loop"},
        "user": {"id": user, "username": user.lower(), "team_id": TEAM},
        "api_app_id": APP,
        "token": "unused",
        "trigger_id": trigger_id,
        "enterprise": None,
        "is_enterprise_install": False,
        **fields,
    }


def click(user: str, channel: str, posted: dict[str, Any], value: str, trigger_id: str) -> dict[str, Any]:
    """A press of a feedback button; Slack hands back the names that the message's own block has."""
    buttons = next(block["elements"][0] for block in posted["blocks"] if block["type"] == "context_actions")
    return interaction(
        "block_actions",
        user,
        trigger_id,
        container={"type": "message", "message_ts": posted["ts"], "channel_id": channel, "is_ephemeral": False},
        channel={"id": channel, "name": "general"},
        message=posted,
        state={"values": {}},
        response_url="https://hooks.slack.invalid/actions/1",
        actions=[
            {
                "type": "feedback_buttons",
                "action_id": buttons["action_id"],
                "block_id": "rate",
                "value": value,
                "text": {"type": "plain_text", "text": value},
                "action_ts": next_ts(),
            }
        ],
    )


def shortcut(user: str, channel: str, message: dict[str, Any], trigger_id: str) -> dict[str, Any]:
    """The message shortcut."""
    return interaction(
        "message_action",
        user,
        trigger_id,
        callback_id="ask_assistant",
        action_ts=next_ts(),
        message_ts=message["ts"],
        channel={"id": channel, "name": "directmessage" if channel.startswith("D") else "general"},
        message={**message, "type": "message"},
        response_url="https://hooks.slack.invalid/app/1",
    )


def submission(user: str, view: dict[str, Any], words: str) -> dict[str, Any]:
    """A form sent off, with the words in its only field."""
    block = next(block for block in view["blocks"] if block["type"] == "input")
    element = block["element"]
    values = {block["block_id"]: {element["action_id"]: {"type": element["type"], "value": words}}}
    return interaction("view_submission", user, "", view={**view, "state": {"values": values}}, response_urls=[])
