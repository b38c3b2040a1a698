"""The Bot API client: python-telegram-bot's `Bot` and request layer, one HTTP attempt per call, our errors.

No Updater and no Application: they confirm updates they have only queued in memory, stall on one update they
cannot read, and compare the webhook secret in a way that leaks it through time.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from adapters.telegram.config import TelegramSettings
from adapters.telegram.errors import WRITTEN, GroupMoved, StatusError, out_of_reach, translate
from bot.errors import BotError, OutcomeUnknown
from bot.shared import seconds_asked, way_to

ALLOWED_UPDATES: Final = ("message", "edited_message", "message_reaction", "callback_query", "my_chat_member")
BATCH: Final = 100
"""The most updates that one getUpdates gives, https://core.telegram.org/bots/api#getupdates"""
LONG_POLL_SECONDS: Final = 30
"""Telegram's server ends a poll after 50 seconds (telegram-bot-api, Client.cpp); many proxies cut idle calls at 60."""
READ_SECONDS: Final = 20.0
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a response; a hundred updates with the longest texts are about a tenth of it."""
PTB_STATUSES: Final = frozenset({400, 401, 403, 404, 409})
"""Statuses the SDK has a class for; all others it makes one NetworkError of, and we need the number."""

# The SDK logs whole calls and answers at debug, and httpx logs addresses, which hold the token, at info.
for _name in ("telegram", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Request(HTTPXRequest):
    """The SDK's request layer, without the losses: statuses stay numbers, and what cannot be read is not logged."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Do the call; raise `StatusError` for a status the SDK would not tell apart."""
        status, payload = await super().do_request(*args, **kwargs)
        if 200 <= status < 300 or status in PTB_STATUSES:
            return status, payload
        raise StatusError(status, _retry_after(payload) if status == 429 else None)

    @staticmethod
    async def read_bounded(response: Any) -> None:
        """Read the body of a response, a hook of the HTTP library: not unpacked, and no more than `MOST_BYTES`.

        Raises:
            TelegramError: it is longer, or packed though nobody asked for that.
        """
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise TelegramError("The response is packed.")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise TelegramError("The response is too large.")
        response._content = bytes(body)  # where the library itself puts what it read; it has no public name

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse without the SDK's log line, which would hold the payload."""
        try:
            data = json.loads(payload)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise TelegramError("Invalid server response") from None
        return data


async def _note_writing(request: Any) -> None:
    """Note on a request of the HTTP library when it begins to be written; what comes before, a proxy's tunnel for
    example, is its connection. `is_written` in errors.py reads it."""

    async def trace(event: str, about: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and about["request"].method != b"CONNECT":
            request.extensions[WRITTEN] = True

    request.extensions[WRITTEN] = False
    request.extensions["trace"] = trace


class Client:
    """One bot account. Connections live while somebody is inside `open`, or a call is under way."""

    def __init__(self, settings: TelegramSettings) -> None:
        token = settings.bot_token.get_secret_value() if settings.bot_token else ""
        self.account_id: Final = token.partition(":")[0]
        self._files = f"{settings.api_url}/file/bot{token}/"
        self._api_url = settings.api_url
        self._request = self._new_request(64)
        # Of its own, so that it can be made anew while answers are on their way.
        self._polling = self._new_request(1)
        base_url = f"{settings.api_url}/bot"
        self._bot = Bot(token, base_url=base_url, request=self._request, get_updates_request=self._polling)
        self._users = 0

    def _new_request(self, connections: int) -> Request:
        proxy = way_to(self._api_url).proxy
        more: dict[str, Any] = {
            "event_hooks": {"request": [_note_writing], "response": [Request.read_bounded]},
            "headers": {"Accept-Encoding": "identity"},
        }
        if proxy is None:  # else it would look for one by itself
            more["mounts"] = {"http://": None, "https://": None}
        if self._api_url.startswith("http://"):
            # Plain HTTP (loopback alone) has no certificate; loading all authorities for it costs a tenth of a second.
            more["verify"] = False
        return Request(
            connection_pool_size=connections,
            read_timeout=READ_SECONDS,
            write_timeout=10,
            connect_timeout=10,
            pool_timeout=10,
            proxy=proxy,
            httpx_kwargs=more,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the connections open; the last one to leave closes them."""
        if self._users == 0:
            await self._request.initialize()
            await self._polling.initialize()
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0:
                await self._request.shutdown()
                await self._polling.shutdown()

    async def renew_polling(self) -> None:
        """Make the connection of long polling anew; nothing else is touched."""
        await self._polling.shutdown()
        await self._polling.initialize()

    @asynccontextmanager
    async def call(self, name: str, *, in_chat: bool = False) -> AsyncIterator[Bot]:
        """Lend the SDK's bot for one call of this Bot API method, and turn whatever it raises into our errors.

        Raises:
            GroupMoved: with `in_chat` alone, for calls that may be made again in the new group; for any other call
                what it is about stayed behind in the old group, and is `Rejected`.
        """
        async with self.open():
            try:
                yield self._bot
            except BotError:
                raise
            except Exception as error:  # whatever an answer's odd shape makes the SDK raise, the call was made
                ours = translate(error, name)
                if isinstance(ours, GroupMoved) and not in_chat:
                    ours = out_of_reach(ours, name)
                raise ours from error

    async def raw(self, name: str, arguments: dict[str, Any], *, read_timeout: float = READ_SECONDS) -> Any:
        """Call a method without the SDK's objects, whose parsing refuses what Telegram adds tomorrow.

        Returns:
            The result as JSON values.
        """
        # Spelled with underscores, since do_api_request warns at each call of a method that Bot has too; the SDK
        # takes them out again on the wire.
        endpoint = re.sub("(?=[A-Z])", "_", name)
        async with self.call(name) as bot:
            return await bot.do_api_request(endpoint, api_kwargs=arguments, read_timeout=read_timeout)

    def file_address(self, path: str) -> str:
        """Return where a file is, whose quoted path getFile has told. It holds the token: not to be shown anywhere."""
        return self._files + path

    async def get_updates(self, offset: int | None) -> Sequence[Mapping[str, Any]]:
        """Fetch updates by one long poll, raw: Bot.get_updates loses the batch if one of them cannot be read.

        An offset confirms everything below it.
        """
        arguments = {"limit": BATCH, "timeout": LONG_POLL_SECONDS, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            arguments["offset"] = offset
        batch = await self.raw("getUpdates", arguments, read_timeout=LONG_POLL_SECONDS + 10)
        if not isinstance(batch, list) or not all(isinstance(update, dict) for update in batch):
            raise OutcomeUnknown("Telegram's answer to getUpdates is no list of updates.", reason="garbage")
        return batch


def _retry_after(payload: bytes) -> float | None:
    try:
        return seconds_asked(json.loads(payload)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
