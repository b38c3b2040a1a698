"""What channels and user groups are called, where a message names them by an id alone."""

from __future__ import annotations

from adapters.slack.blocks import objects, word
from adapters.slack.client import Client
from adapters.slack.errors import NOT_TOLD
from adapters.slack.users import one_line
from bot.errors import Misconfigured, Rejected


async def conversation_name(client: Client, channel: str) -> str | None:
    """Return the name of a channel the bot may see; a direct message has none."""
    try:
        answer = await client.call("conversations.info", {"channel": channel}, read=True)
    except Rejected:
        return None
    except Misconfigured as error:
        if error.reason in NOT_TOLD:
            return None
        raise
    found = answer.get("channel")
    return (one_line(found.get("name")) or None) if isinstance(found, dict) else None


async def group_name(client: Client, group: str) -> str | None:
    """Return the handle of a user group; needs the scope usergroups:read."""
    try:
        answer = await client.call("usergroups.list", {"include_disabled": True}, read=True)
    except Rejected:
        return None
    except Misconfigured as error:
        if error.reason in NOT_TOLD:
            return None
        raise
    found = next((one for one in objects(answer.get("usergroups")) if one.get("id") == group), {})
    return one_line(word(found, "handle")) or one_line(word(found, "name")) or None
