"""Who is a guest or from elsewhere, where the payload does not say and the access policy asks."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from adapters.slack.client import Client
from adapters.slack.identity import Identity
from adapters.slack.ids import Payload
from bot.adapter import Part
from bot.errors import BotError, Misconfigured, Rejected
from bot.events import Command, Edit, Event, HomeOpened, Message, Reaction, Standing

KEEP_SECONDS: Final = 3600.0
KEEP_PEOPLE: Final = 10_000


class Users:
    """Looks people up by `users.info`, remembering each for an hour."""

    def __init__(self, client: Client, *, tell_guests: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._tell_guests = tell_guests
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Standing]] = OrderedDict()

    async def refine(self, event: Event, payload: Payload, identity: Identity) -> Event:
        """Give the event the true standing of its person, looked up only where it can matter.

        Raises:
            Unavailable: Slack could not be asked; the payload is not to be acknowledged.
        """
        if not isinstance(event, Message | Edit | Reaction | Command | HomeOpened) or event.standing != "member":
            return event
        shared = bool(payload.get("is_ext_shared_channel")) and not _says_team(payload)
        if not (shared or self._tell_guests):
            return event
        standing = await self._look_up(event.user_id, identity, "external" if shared else "guest")
        return replace(event, standing=standing)

    async def name_asker(self, part: Part) -> Part:
        """Put a name into the line that says who asked; where it cannot be looked up, the line names nobody.

        The renderer leaves the id in the block's id, for a mention would ping.
        """
        user_id = _asker(part)
        if user_id is None:
            return part
        try:
            user = (await self._client.call("users.info", {"user": user_id}, read=True))["user"]
            profile = user.get("profile") or {}
            name = str(profile.get("display_name") or user.get("real_name") or user["name"])
        except (BotError, KeyError, TypeError):
            return part
        line = {"type": "context", "elements": [{"type": "plain_text", "text": f"{name[:80]} asked with /ask"}]}
        blocks: Any = part["blocks"]
        return {**part, "blocks": [*blocks[:-1], line]}

    async def _look_up(self, user_id: str, identity: Identity, doubtful: Standing) -> Standing:
        now = self._clock()
        known = self._known.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        try:
            user: dict[str, Any] = (await self._client.call("users.info", {"user": user_id}, read=True))["user"]
        except (Rejected, Misconfigured):
            # Without the scope, or for somebody Slack will not show, the narrower standing is the safe one.
            standing = doubtful
        else:
            standing = _standing(user, identity)
        self._known[user_id] = (now + KEEP_SECONDS, standing)
        self._known.move_to_end(user_id)
        while len(self._known) > KEEP_PEOPLE:
            self._known.popitem(last=False)
        return standing


def _asker(part: Part) -> str | None:
    blocks = part.get("blocks")
    last = blocks[-1] if isinstance(blocks, Sequence) and blocks else None
    block_id = str(last.get("block_id", "")) if isinstance(last, Mapping) else ""
    return block_id.removeprefix("asker:") if block_id.startswith("asker:") else None


def _says_team(payload: Payload) -> bool:
    event = payload.get("event") or {}
    return bool(event.get("user_team") or event.get("source_team"))


def _standing(user: dict[str, Any], identity: Identity) -> Standing:
    team = user.get("team_id")
    if user.get("is_stranger") or (team and not identity.is_home(team)):
        return "external"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"
