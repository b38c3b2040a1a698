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

import aiohttp
from telegram import Bot
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from adapters.telegram.config import TelegramSettings
from adapters.telegram.errors import GroupMoved, StatusError, out_of_reach, translate
from bot.errors import BotError, OutcomeUnknown
from bot.shared import Connector, seconds_asked, way_to

ALLOWED_UPDATES: Final = ("message", "edited_message", "message_reaction", "callback_query", "my_chat_member")
BATCH: Final = 100
"""The most updates that one getUpdates gives, https://core.telegram.org/bots/api#getupdates"""
LONG_POLL_SECONDS: Final = 30
"""Telegram's server ends a poll after 50 seconds (telegram-bot-api, Client.cpp); many proxies cut idle calls at 60."""
READ_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 20.0
"""Until a connection stands: a free place, its name, a proxy's tunnel and TLS included."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a response; a hundred updates with the longest texts are about a tenth of it."""
PTB_STATUSES: Final = frozenset({400, 401, 403, 404, 409})
"""Statuses the SDK has a class for; all others it makes one NetworkError of, and we need the number."""

# The SDK logs whole calls and answers at debug.
logging.getLogger("telegram").setLevel(logging.WARNING)


class Request(BaseRequest):
    """The SDK's request layer over aiohttp, as everything else here: one attempt, no redirects, and no more read of an
    answer than `MOST_BYTES`. Statuses stay numbers, and what cannot be read is not logged.

    `connections`: at most so many at a time. `proxy`: its address, None for none.
    """

    def __init__(self, connections: int, proxy: str | None) -> None:
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds between two pieces of an answer at most."""
        return READ_SECONDS

    async def initialize(self) -> None:
        """Open the session; its connections are made as they are needed."""
        if self._session is None:
            connector = Connector(limit=self._connections)
            headers = {"Accept-Encoding": "identity"}
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
            )

    async def shutdown(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(  # the SDK's signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Do the call.

        Raises:
            StatusError: for a status the SDK would not tell apart.
            NetworkError, TimedOut: what happened instead is the cause; `translate` knows what was written.
        """
        if self._session is None:
            raise RuntimeError("the request layer is not open")
        read = READ_SECONDS if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=read)
        data = request_data.json_parameters if request_data else None
        try:
            async with self._session.request(
                method, url, data=data, timeout=timeout, proxy=self._proxy, allow_redirects=False
            ) as response:
                status, payload = response.status, await read_bounded(response)
        except TimeoutError as error:
            raise TimedOut from error
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from error
        if 200 <= status < 300 or status in PTB_STATUSES:
            return status, payload
        raise StatusError(status, _retry_after(payload) if status == 429 else None)

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


async def read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read the body of a response: not unpacked, and no more than `MOST_BYTES`.

    Raises:
        TelegramError: it is longer, or packed though nobody asked for that.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise TelegramError("The response is packed.")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TelegramError("The response is too large.")
    return bytes(body)


class Client:
    """One bot account. Connections live while somebody is inside `open`, or a call is under way."""

    def __init__(self, settings: TelegramSettings) -> None:
        token = settings.bot_token.get_secret_value() if settings.bot_token else ""
        self.account_id: Final = token.partition(":")[0]
        self._files = f"{settings.api_url}/file/bot{token}/"
        proxy = way_to(settings.api_url).proxy
        self._request = Request(64, proxy)
        # Of its own, so that it can be made anew while answers are on their way.
        self._polling = Request(1, proxy)
        base_url = f"{settings.api_url}/bot"
        self._bot = Bot(token, base_url=base_url, request=self._request, get_updates_request=self._polling)
        self._users = 0

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
