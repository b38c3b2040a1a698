"""Slack Bolt: the library that parses a payload and carries the response, with everything else of it switched off."""

from __future__ import annotations

import logging
from typing import Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.ids import Payload
from adapters.slack.receive import UNREADABLE, Inbox
from bot.errors import Unavailable

_BOLT_LOG: Final = logging.getLogger("slack_bolt.quiet")
# Bolt writes whole requests at DEBUG, and at WARNING that it ignores the variables it has read by itself.
_BOLT_LOG.setLevel(logging.ERROR)


class BoltDispatcher:
    """Slack Bolt around the inbox, with its defaults out of the way."""

    def __init__(self, inbox: Inbox, client: AsyncWebClient) -> None:
        self._inbox = inbox
        self._app = AsyncApp(
            name="uppzy-bot",
            client=client,
            before_authorize=inbox,
            request_verification_enabled=False,  # http.py did it on the raw bytes, before any parsing
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            process_before_response=True,
            logger=_BOLT_LOG,
        )

    async def dispatch(self, payload: Payload) -> bool:
        """Take one payload in; True when it may be acknowledged."""
        try:
            request = AsyncBoltRequest(body=dict(payload), mode="socket_mode")
        except UNREADABLE:
            # Bolt looks into the payload while it builds the request.
            try:
                await self._inbox.set_aside(payload, "a Slack payload has an unexpected shape")
            except Unavailable:
                return False
            return True
        response = await self._app.async_dispatch(request)
        return bool(response.status == 200)
