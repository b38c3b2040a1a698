"""Calls of the Web API: one attempt each, our errors only, one connection pool while the adapter runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import translate
from adapters.slack.identity import Identity
from bot.errors import BotError, Unavailable
from bot.shared import Connector, way_to

CALL_SECONDS: Final = 30
CONNECT_SECONDS: Final = 10
"""Until a connection stands: its name, a proxy's tunnel and TLS included."""
TIMEOUT: Final = aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS, sock_connect=5)

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a response; a page of 200 of the longest messages is about as much."""
CHUNK: Final = 64 * 1024

_SDK_LOG: Final = logging.getLogger("slack_sdk.quiet")
# At DEBUG, and with a level that is not set, the SDK writes out arguments and answers: people's words.
_SDK_LOG.setLevel(logging.WARNING)


class Response(aiohttp.ClientResponse):
    """A response whose body has a bound: an endless one must not fill the memory."""

    async def read(self) -> bytes:
        """Read it whole, once. Raises `aiohttp.ClientPayloadError` when it is longer than `MOST_BYTES`."""
        if self._body is None:  # aiohttp's own place for what was read
            body = bytearray()
            async for chunk in self.content.iter_chunked(CHUNK):
                body += chunk
                if len(body) > MOST_BYTES:
                    self.close()
                    raise aiohttp.ClientPayloadError("The response is too large.")
            self._body = bytes(body)
        return self._body


class Client:
    """The Web API with one token.

    Inside `async with client.open()` all calls share one session; a call outside opens and closes its own,
    for the SDK would otherwise do the same without a connect time-out. `shares`: whose session this one uses.
    `tokens` is asked for the token before each call, for one that is renewed now and then.
    """

    def __init__(
        self,
        token: str,
        base_url: str,
        *,
        shares: Client | None = None,
        tokens: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.token = token
        self._shares = shares
        self._tokens = tokens
        self.base_url = base_url
        self._session: aiohttp.ClientSession | None = None
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._shut: dict[str, float] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Share one session; at the end wait for the calls under way."""
        async with _new_session() as session:
            self._session = session
            try:
                yield session
            finally:
                self._session = None
                await self._idle.wait()

    def sdk(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        """Make the SDK's client for the session. Its own retries are off: one of them posts twice."""
        client = AsyncWebClient(
            token=self.token,
            base_url=self.base_url,
            session=session,
            retry_handlers=[],
            logger=_SDK_LOG,
            timeout=CALL_SECONDS,
        )
        client.proxy = way_to(self.base_url).proxy  # by itself it takes HTTPS_PROXY, whatever NO_PROXY says
        return client

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        read: bool = False,
        token: str | None = None,
    ) -> Mapping[str, Any]:
        """Call a method once and return its answer.

        `read`: the arguments travel as a form, which the reading methods ask for; as JSON otherwise. `token`
        replaces the bot's, "" is none. While Slack limits the method, the call fails at once with what is left to wait.
        """
        answer, _ = await self._call(method, arguments or {}, read, token)
        return answer

    async def _call(
        self, method: str, arguments: Mapping[str, Any], read: bool, token: str | None
    ) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Return the answer and its headers."""
        loop = asyncio.get_running_loop()
        if (left := self._shut.get(method, 0.0) - loop.time()) > 0:
            raise Unavailable(
                f"Slack limits {method}; it is tried again.", status=429, reason="rate_limited", retry_after=left
            )
        try:
            return await self._attempt(method, arguments, read, token)
        except BotError as error:
            if isinstance(error, Unavailable) and error.reason == "rate_limited" and error.retry_after:
                # 429 blocks this method in this workspace (docs.slack.dev, "Rate limits"): no other call of it has to
                # learn that anew.
                self._shut[method] = loop.time() + error.retry_after
            raise

    async def _attempt(
        self, method: str, arguments: Mapping[str, Any], read: bool, token: str | None
    ) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        if token is None:
            await self.renew()
        try:
            async with self.session() as session:
                sdk = self.sdk(session)
                if read:
                    form = {name: _plain(value) for name, value in arguments.items()}
                    response = await sdk.api_call(method, data=form, headers=headers)
                else:
                    response = await sdk.api_call(method, json=dict(arguments), headers=headers)
        except Exception as error:
            # Whatever the SDK or aiohttp raises; its message may hold the arguments, so it is not chained on.
            raise translate(error, method=method) from None
        return dict(response.data) if isinstance(response.data, dict) else {}, response.headers

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Borrow the shared session, or a new one, for one call; `open` waits for it to be given back."""
        if self._shares is not None:
            async with self._shares.session() as session:
                yield session
            return
        self._calls += 1
        self._idle.clear()
        try:
            if self._session is not None:
                yield self._session
            else:
                async with _new_session() as session:
                    yield session
        finally:
            self._calls -= 1
            if self._calls == 0:
                self._idle.set()

    async def renew(self) -> None:
        """Have a token that holds for a while; see `Installations.token`."""
        if self._tokens is not None:
            self.token = await self._tokens()

    async def who_am_i(self) -> Identity:
        """Ask `auth.test` who the token is."""
        account, headers = await self._call("auth.test", {}, True, None)
        scopes = headers.get("x-oauth-scopes") or headers.get("X-OAuth-Scopes") or ""
        return Identity(
            team_id=str(account["team_id"]),
            user_id=str(account["user_id"]),
            bot_id=str(account.get("bot_id") or ""),
            enterprise_id=account.get("enterprise_id"),
            team=str(account.get("team") or ""),
            user=str(account.get("user") or ""),
            workspace_url=str(account.get("url") or ""),
            seconds_off=_seconds_off(headers.get("Date", "")),
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )


def _new_session() -> aiohttp.ClientSession:
    # Without a limit no call waits for a place, or that would count as time to connect.
    return aiohttp.ClientSession(timeout=TIMEOUT, connector=Connector(limit=0), response_class=Response)


def messages_of(answer: Mapping[str, Any]) -> Sequence[Any]:
    """Read the messages of a page."""
    messages = answer.get("messages")
    return messages if isinstance(messages, list) else ()


def cursor_of(answer: Mapping[str, Any]) -> str:
    """Read where the next page begins, "" after the last."""
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, Mapping) else ""


def _seconds_off(date: str) -> float:
    """How far our clock is ahead of the time an answer names; 0 where it names none."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _plain(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
