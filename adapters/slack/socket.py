"""Socket Mode: two connections, of which one is renewed at a time, each with a ticket of its own.

The SDK's client is not used for the connection itself: it closes the old socket before it opens the new one,
tries a refused ticket again for ever, notices a cut only at its next ping, and does not wait for what it is
handling when it is closed. Here every attempt asks for a new ticket (so a refused one costs one attempt), the
new socket is open before the old one is left, and closing waits for the envelopes in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeAlias

import aiohttp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from adapters.slack.client import Client
from adapters.slack.receive import Take
from bot.errors import Misconfigured, Unavailable
from bot.shared import BackgroundTasks, Backoff, way_to

log = logging.getLogger(__name__)

CONNECTIONS: Final = 2
"""Of one process; each payload goes to any one of an app's (docs.slack.dev, "Using Socket Mode")."""
PLACES: Final = 8
"""Connections of all processes together. An app may have ten, and one that is renewed is there twice for a while."""
HELLO_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 150.0
"""Without a word or a ping of Slack's, after which a connection is held for dead. Slack pings every few seconds: its
own library for Node gives up after 30 without one (node-slack-sdk, socket-mode, `serverPingTimeout`)."""
LINGER_SECONDS: Final = 15.0
"""Slack closes a connection about ten seconds after it warned of it; until then it may still be spoken on."""

DRAIN_SECONDS: Final = 10.0
STORE_SECONDS: Final = 60.0
"""What is in hand when its socket ends has so long to be stored; by then Slack has sent it again over another one."""
MAX_ENVELOPE: Final = 16 * 1024 * 1024
"""Bytes; Slack names no limit, and a message may have 40,000 characters in its text and more in its blocks."""
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0


Place: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""One of the app's `PLACES`, which all processes share out: waited for, then held."""


class SocketMode:
    """Keeps the connections open, each in a `place`, and acknowledges each envelope after `take` said so."""

    def __init__(
        self, client: Client, session: aiohttp.ClientSession, app_token: str, take: Take, place: Place
    ) -> None:
        self._place = place
        self._client = client
        self._session = session
        self._app_token = app_token
        self._take = take
        self._renewing = asyncio.Lock()
        self.open = 0

    async def run(self) -> None:
        """Receive until cancelled; then let the envelopes in hand be stored and acknowledged.

        Raises:
            Misconfigured: the app token is refused, or Socket Mode was turned off in the app's settings.
            Unavailable: another process may have taken a place over.
        """
        keepers = [asyncio.create_task(self._keep()) for _ in range(CONNECTIONS)]
        try:
            ended, _ = await asyncio.wait(keepers, return_when=asyncio.FIRST_EXCEPTION)
            for keeper in ended:
                keeper.result()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self) -> None:
        async with self._place():
            await self._keep_open()

    async def _keep_open(self) -> None:
        """Keep one connection: open it, renew it when Slack says so, back off when it fails."""
        backoff = Backoff(first=FIRST_WAIT, longest=LONGEST_WAIT)
        links: list[_Link] = []
        try:
            while True:
                try:
                    async with self._renewing:
                        link = await self._connect()
                except Unavailable as error:
                    log.warning("Socket Mode is not connected: %s", error)
                    await asyncio.sleep(backoff.next(error.retry_after))
                    continue
                self.open += 1
                links = [*(old for old in links if not old.ended), link]
                for old in links[:-1]:
                    old.close_after(LINGER_SECONDS)
                try:
                    renew = await link.until_over()
                finally:
                    self.open -= 1
                if renew:
                    backoff.reset()
                else:
                    await link.hang_up()
                    await asyncio.sleep(backoff.next())
        finally:
            for link in links:
                await link.close()

    async def _connect(self) -> _Link:
        """Ask for a ticket, use it, and wait until Slack says hello."""
        answer = await self._client.call("apps.connections.open", read=True, token=self._app_token)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                address = str(answer["url"])
                # Slack's pings are answered here, for only so it can be seen that they stay away.
                socket = await self._session.ws_connect(
                    address,
                    heartbeat=HEARTBEAT_SECONDS,
                    autoping=False,
                    max_msg_size=MAX_ENVELOPE,
                    proxy=way_to(address).proxy,
                )
                try:
                    await _hello(socket)
                except BaseException:
                    await socket.close()
                    raise
        except (aiohttp.ClientError, OSError, TimeoutError, KeyError) as error:
            raise Unavailable(f"the ticket did not open ({type(error).__name__}).", reason="connection") from None
        return _Link(socket, self._take)


class _Link:
    """One open socket, the task that reads it, and the envelopes of it that are in hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, take: Take) -> None:
        self._socket = socket
        self._take = take
        self._tasks = BackgroundTasks()
        self._over = asyncio.Event()
        self._renew = False
        self._off: Misconfigured | None = None
        self._closer: asyncio.TimerHandle | None = None
        self._reader = asyncio.create_task(self._read())

    @property
    def ended(self) -> bool:
        """Whether nothing comes from it any more and nothing is in hand."""
        return self._reader.done() and not self._tasks

    async def until_over(self) -> bool:
        """Wait until it ends or is to be renewed; True for the latter, while it still works.

        Raises:
            Misconfigured: Socket Mode was turned off.
        """
        await self._over.wait()
        if self._off is not None:
            raise self._off
        return self._renew

    def close_after(self, seconds: float) -> None:
        """Stop reading after so long, unless Slack closed it before."""
        if self._closer is None:
            self._closer = asyncio.get_running_loop().call_later(seconds, self._reader.cancel)

    async def hang_up(self) -> None:
        """Close the socket at once; what is in hand is stored and, unacknowledged, comes again elsewhere."""
        await self._socket.close()

    async def close(self) -> None:
        """Stop reading, let what is in hand be stored and acknowledged, close."""
        if self._closer is not None:
            self._closer.cancel()
        self._reader.cancel()
        await self._tasks.drain(DRAIN_SECONDS)
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for text in _texts(self._socket):
                self._receive(text)
        except TimeoutError:
            log.warning("Slack was silent for %.0f s on a connection, without a ping: it is made anew", SILENT_SECONDS)
        finally:
            self._over.set()
            await self._tasks.drain(STORE_SECONDS)
            await self._socket.close()

    def _receive(self, text: str) -> None:
        message = _parse(text)
        if message is None:
            log.warning("Socket Mode brought something that is no JSON object; it is ignored")
        elif message.get("type") == "disconnect":
            self._off = _turned_off(message)
            # Over the number of connections, the old one has to go before a new one may come.
            self._renew = message.get("reason") != "too_many_websockets"
            self._over.set()
        elif "envelope_id" in message:
            self._tasks.spawn(self._take_envelope(message))

    async def _take_envelope(self, message: dict[str, Any]) -> None:
        request = SocketModeRequest.from_dict(message)
        if request is None or not isinstance(request.payload, dict):
            log.warning("a Socket Mode envelope without a payload is acknowledged and ignored")
        elif not await self._take(request.payload):
            return
        answer = SocketModeResponse(envelope_id=message["envelope_id"])
        try:
            await self._socket.send_str(json.dumps(answer.to_dict()))
        except (ConnectionError, aiohttp.ClientError, RuntimeError):
            log.info("the socket was cut before an envelope was acknowledged; Slack sends it again")


async def _texts(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[str]:
    """Receive until the end.

    Raises:
        TimeoutError: nothing came for `SILENT_SECONDS`. Answers to our own pings do not count: whatever stands between
            Slack and us may give them.
    """
    loop = asyncio.get_running_loop()
    heard_at = loop.time()
    while True:
        async with asyncio.timeout_at(heard_at + SILENT_SECONDS):
            message = await socket.receive()
        if message.type is aiohttp.WSMsgType.PONG:
            continue
        heard_at = loop.time()
        if message.type is aiohttp.WSMsgType.TEXT:
            yield message.data
        elif message.type is aiohttp.WSMsgType.PING:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError, RuntimeError):
                await socket.pong(message.data)
        elif message.type is not aiohttp.WSMsgType.BINARY:
            return  # closed, or cut


async def _hello(socket: aiohttp.ClientWebSocketResponse) -> None:
    first = await anext(_texts(socket), "")
    message = _parse(first) or {}
    if (off := _turned_off(message)) is not None:
        raise off
    if message.get("type") != "hello":
        raise Unavailable("Slack closed the connection at once.", reason="connection")


def _parse(text: str) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _turned_off(message: Mapping[str, Any]) -> Misconfigured | None:
    if message.get("type") == "disconnect" and message.get("reason") == "link_disabled":
        return Misconfigured(
            "Socket Mode was turned off in the Slack app's settings; turn it on, or unset SLACK_APP_TOKEN and set "
            "SLACK_SIGNING_SECRET to use HTTP.",
            reason="link_disabled",
        )
    return None
