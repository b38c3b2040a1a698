"""The one way in, behind HTTP and Socket Mode alike: normalise, store, only then acknowledge.

Bolt's own order is the opposite (it acknowledges before a listener runs, answers 404 to what no listener wants,
and in Socket Mode then not at all). So the inbox is a single global middleware that comes before everything
else and never calls the next one: Bolt parses the request and carries the response, and nothing more of it runs.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack.client import CALL_SECONDS
from adapters.slack.identity import Identity
from adapters.slack.ids import CHANNEL_NAME, Payload
from adapters.slack.normalize import normalize
from adapters.slack.workspace import Workspace
from bot.adapter import Host
from bot.errors import Misconfigured, Unavailable
from bot.events import Added, Command, Edit, Event, Gone, HomeOpened, Message, Reaction
from bot.shared import BackgroundTasks

log = logging.getLogger(__name__)

LOG_SECONDS: Final = 5.0
"""Payloads that are not stored are counted, and logged at most so often."""

UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)
"""What reading a payload of an unexpected shape raises."""

WITH_STANDING: Final = (Message, Edit, Command, Reaction, Added, HomeOpened)

FindWorkspace = Callable[[Mapping[str, Any]], Awaitable[Workspace | None]]
"""Finds the account that a payload is for."""

Leave = Callable[[str], Awaitable[None]]
"""Forgets an account."""

Take = Callable[[Mapping[str, Any]], Awaitable[bool]]
"""Takes one payload in; True when it may be acknowledged."""

AskWhy = Callable[[Reaction, str, str], Coroutine[Any, Any, None]]
"""Opens the form for a click; takes the click, Slack's trigger id, which is good for three seconds, and a language."""


class Inbox(AsyncMiddleware):
    """Takes payloads in for the accounts of one app.

    `find` finds the account that a payload is for, None for none of ours. `gone` is told when an account has thrown the
    app out.
    """

    def __init__(
        self, host: Host, find: FindWorkspace, *, ask_why: AskWhy, gone: Leave, clock: Callable[[], datetime]
    ) -> None:
        self._host = host
        self._find = find
        self._ask_why = ask_why
        self._gone = gone
        self._clock = clock
        self._forms = BackgroundTasks()
        self._refused = 0
        self._logged_at = -math.inf

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Take the request in and say 200, or 503 when it could not be stored."""
        try:
            await self.take(req.body)
        except (Unavailable, Misconfigured) as error:
            self._refused += 1
            if (now := time.monotonic()) - self._logged_at > LOG_SECONDS:  # in a flood a line each would feed it
                log.warning("%s Slack payloads were not stored, so not acknowledged: %s", self._refused, error)
                self._refused, self._logged_at = 0, now
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body="")

    async def take(self, payload: Payload) -> None:
        """Hand what happened to the core; returns once all of it is safe.

        Raises:
            Unavailable: it is not; the payload is not to be acknowledged.
        """
        account = ""
        try:
            workspace = await self._find(payload)
            if workspace is None:
                return  # of a workspace that has no installation of ours
            identity = await workspace.who()
            account = identity.team_id
            events = normalize(payload, identity, self._clock())
        except UNREADABLE as error:
            await self.set_aside(payload, f"a Slack payload has an unexpected shape ({type(error).__name__})", account)
            return
        for event in events:
            refined = await self._refined(event, payload, workspace, identity)
            workspace.working.remember(refined)  # before the core has it, for its work begins at once
            handled = await self._host.handle(refined)
            if isinstance(refined, Gone) and refined.conversation_id is None:
                await self._gone(account)
            if handled.ask_why and isinstance(refined, Reaction) and (trigger := payload.get("trigger_id")):
                # Beside the acknowledgement: the trigger lives three seconds, and Slack waits no longer either.
                self._forms.spawn(self._ask_why(refined, str(trigger), handled.language))

    async def _refined(self, event: Event, payload: Payload, workspace: Workspace, identity: Identity) -> Event:
        listed = self._host.listed(CHANNEL_NAME, identity.team_id)
        refined = await workspace.users.refine(event, payload, identity, listed)
        is_ours = isinstance(refined, WITH_STANDING) and refined.standing in ("member", "guest")
        if workspace.installed and not listed.named and is_ours:
            return replace(refined, standing="pending")  # type: ignore[arg-type]  # those that have one
        return refined

    async def set_aside(self, payload: object, reason: str, account: str = "") -> None:
        """Keep a payload nobody can read as a dead letter."""
        raw = json.dumps(payload, sort_keys=True, default=str).encode()
        await self._host.set_aside(CHANNEL_NAME, account, raw, reason)

    async def drain(self) -> None:
        """Wait for the forms that are being opened."""
        await self._forms.drain(CALL_SECONDS)
