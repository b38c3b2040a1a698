"""Socket Mode of the loopback Slack: tickets for one use, envelopes to any connection, redelivery of what is not
acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.testing.slack import payloads

if TYPE_CHECKING:
    from bot.testing.slack.platform import FakeSlack


class Sockets:
    """The connections of the app. `most`: the greatest number open at once; `fewest`: the smallest since the first.

    `address`: where tickets lead, "" for this server itself. `ping_seconds`: how often it pings, None for never.
    """

    def __init__(self, slack: FakeSlack, ack_seconds: float) -> None:
        self._slack = slack
        self.ack_seconds = ack_seconds
        self._open: list[web.WebSocketResponse] = []
        self._tickets: dict[str, str] = {}
        self._apps: dict[web.WebSocketResponse, str] = {}
        self._acks: dict[str, tuple[asyncio.Future[bool], web.WebSocketResponse]] = {}
        self._numbers = itertools.count(1)
        self._refusing = 0
        self.handed_out = 0
        self.address = ""
        self.ping_seconds: float | None = None
        self.most = 0
        self.fewest: int | None = None

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def ticket(self, token: str) -> str:
        """Hand out the address of one connection of the app that the token names (`xapp-1-APP-…`)."""
        self.handed_out += 1
        name = f"ticket-{next(self._numbers)}"
        if self._refusing:
            self._refusing -= 1
        else:
            self._tickets[name] = token.split("-")[2]
        return f"{self.address or self._slack.base_url.replace('http', 'ws', 1)}/link?ticket={name}"

    def refuse_tickets(self, times: int) -> None:
        """Let the next tickets be refused when they are used."""
        self._refusing = times

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take a connection in, with a ticket that was not used yet."""
        name = request.query.get("ticket", "")
        if name not in self._tickets:
            return web.Response(status=401)
        socket = web.WebSocketResponse(heartbeat=self.ping_seconds)
        self._apps[socket] = self._tickets.pop(name)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": self.count + 1, "debug_info": {"host": "loop"}})
        self._note(socket, joined=True)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(json.loads(message.data))
        finally:
            self._note(socket, joined=False)
        return socket

    def _note(self, socket: web.WebSocketResponse, *, joined: bool) -> None:
        if joined:
            self._open.append(socket)
        elif socket in self._open:
            self._open.remove(socket)
        self.most = max(self.most, self.count)
        if self.most >= 2:
            self.fewest = self.count if self.fewest is None else min(self.fewest, self.count)
        for future, where in self._acks.values():
            if where is socket and not joined and not future.done():
                future.set_result(False)
        self._slack.changed()

    def _acknowledge(self, acknowledgement: dict[str, Any]) -> None:
        pending = self._acks.get(acknowledgement.get("envelope_id", ""))
        if pending is not None and not pending[0].done():
            pending[0].set_result(True)

    async def push(
        self, payload: dict[str, Any], kind: str, attempt: int = 0, reason: str = "", seconds: float | None = None
    ) -> bool:
        """Send an envelope to one connection of its app, each in turn; True when it was acknowledged in time.

        Without a connection it waits for one, and comes again later like what was not acknowledged.
        """
        try:
            await self._slack.until(lambda: bool(self._of(payload)))
        except AssertionError:
            return False
        number = next(self._numbers)
        mine = self._of(payload)
        socket = mine[number % len(mine)]
        envelope_id = f"envelope-{number}"
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = (future, socket)
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            try:
                await socket.send_json(envelope)
            except (ConnectionError, RuntimeError):
                return False
            async with asyncio.timeout(seconds or self.ack_seconds):
                return await future
        except TimeoutError:
            return False
        finally:
            del self._acks[envelope_id]

    def _of(self, payload: dict[str, Any]) -> list[web.WebSocketResponse]:
        app = payload.get("api_app_id", payloads.APP)
        return [socket for socket in self._open if self._apps[socket] == app]

    async def renew(self, reason: str = "warning", count: int | None = None) -> None:
        """Ask connections to go, as Slack does every few hours; it closes them itself a little later."""
        for socket in self._open[:count]:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "loop"}})

    async def send_raw(self, text: str) -> None:
        """Send something that is no envelope."""
        await self._open[0].send_str(text)

    async def cut(self, count: int | None = None) -> None:
        """Cut connections without a word."""
        for socket in self._open[:count]:
            request = socket._req
            if request is not None and request.transport is not None:
                request.transport.abort()
            self._note(socket, joined=False)

    async def close(self) -> None:
        """Close all connections."""
        for socket in list(self._open):
            await socket.close()
