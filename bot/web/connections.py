"""Who is connected: bounds on connections, in all and a peer, and on the time that a request may take to arrive.

A newcomer always finds a place: at the bound the connection is cut that has waited longest for its request to arrive
whole, then one that is idle. Half a header, or a body that trickles, therefore holds nobody else up. A request that is
being worked on is never cut; when all are, the newcomer is.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict
from typing import Any, Final, cast

from aiohttp import StreamReader, web

from bot.telemetry.logging import get_logger

HEADER_SECONDS: Final = 10.0
"""A request's header must have arrived whole so soon after its first byte, the first one after the connection."""
SWEEP_EVERY: Final = 1.0
"""Seconds between two looks for headers that are late."""
PEER_SHARE: Final = 0.5
"""How much of all connections one peer may have: a proxy before us is one peer."""
TOGETHER: Final = 32
"""Connections accepted in one round of the loop: they have descriptors before others are cut for them."""
QUEUE: Final = 1024
"""Connections that the system keeps for us until they are accepted."""
SAY_EVERY: Final = 60.0
"""Seconds between two log lines that connections were cut."""

log = get_logger(__name__)


class Connection(web.RequestHandler):
    """One connection: aiohttp's own protocol, which tells `Connections` when it begins, is heard and ends."""

    __slots__ = ("body", "connections", "peer")

    def __init__(self, connections: Connections, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self.connections = connections
        self.peer = ""
        self.body: StreamReader | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or be cut at once."""
        transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self.peer = peer_of(transport.get_extra_info("peername"))
        if not self.connections.enter(self, transport):
            transport.abort()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        self.connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something has arrived: of an idle connection the time for a header begins."""
        self.connections.heard(self)
        super().data_received(data)
        if self.body is not None and self._messages and not self.body.is_eof():
            # What is queued behind a body that has not ended can only be a mistake in it (a chunk without a size):
            # aiohttp's parser stops there, and tells nobody who waits for the rest. It has no public name for this.
            self.body.set_exception(web.RequestPayloadError("The body is malformed."))


class Connections:
    """All connections of the server, each arriving (a request is not here whole), working or idle; oldest first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._most_of_peer = max(1, int(most * PEER_SHARE))
        self._transports: dict[Connection, asyncio.Transport] = {}
        self._arriving: OrderedDict[Connection, float] = OrderedDict()
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._peers: dict[str, int] = {}
        self._said_at = float("-inf")
        self._sweeper: asyncio.Task[None] | None = None
        self.cut = 0

    def __len__(self) -> int:
        return len(self._transports)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered of any connection."""
        return not (self._transports or self._arriving or self._idle or self._peers)

    async def listen(self, server: web.Server, host: str, port: int, **options: Any) -> asyncio.Server:
        """Accept connections for the server; raises OSError when the address cannot be bound."""
        loop = asyncio.get_running_loop()
        calm_accepting(loop)
        listener = await loop.create_server(
            lambda: Connection(self, server, loop=loop, **options), host, port, backlog=TOGETHER
        )
        for accepting in listener.sockets:
            with accepting.dup() as same:  # asyncio knows one number for both
                same.listen(QUEUE)
        self._sweeper = loop.create_task(self._sweep(), name="late headers")
        return listener

    async def close(self) -> None:
        """Look for late headers no more."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    # what a connection tells of itself

    def enter(self, connection: Connection, transport: asyncio.Transport) -> bool:
        """Give a newcomer a place; False when there is none, for all are at work."""
        peer, cut = connection.peer, False
        if self._peers.get(peer, 0) >= self._most_of_peer:
            cut = self._cut_oldest(peer)
        elif len(self._transports) >= self.most:
            cut = self._cut_oldest(None)
        else:
            cut = True
        if not cut:
            self._say("connections.refused")
            return False
        self._transports[connection] = transport
        self._peers[peer] = self._peers.get(peer, 0) + 1
        self._arriving[connection] = self._now()
        return True

    def heard(self, connection: Connection) -> None:
        """Bytes came: those of an idle connection begin a request."""
        if connection in self._idle:
            del self._idle[connection]
            self._arriving[connection] = self._now()

    def header_arrived(self, connection: Connection, body: StreamReader) -> None:
        """The header is whole; the body has a time of its own, but still may make room for a newcomer."""
        connection.body = body
        if connection in self._arriving:
            self._arriving[connection] = float("inf")

    def working(self, connection: Connection) -> None:
        """The request has arrived whole, and is worked on."""
        connection.body = None
        self._arriving.pop(connection, None)

    def done(self, connection: Connection) -> None:
        """It was answered; the connection may be used again."""
        connection.body = None
        self._arriving.pop(connection, None)
        if connection in self._transports:
            self._idle[connection] = None

    def leave(self, connection: Connection) -> None:
        """The connection has ended."""
        if self._transports.pop(connection, None) is None:
            return
        self._arriving.pop(connection, None)
        self._idle.pop(connection, None)
        left = self._peers[connection.peer] - 1
        if left:
            self._peers[connection.peer] = left
        else:
            del self._peers[connection.peer]

    def _cut_oldest(self, peer: str | None) -> bool:
        """Cut what has waited longest, of one peer or of all; False when nothing waits."""
        for waiting in (self._arriving, self._idle):
            oldest = next((known for known in waiting if peer is None or known.peer == peer), None)
            if oldest is not None:
                self._cut(oldest)
                self._say("connections.full")
                return True
        return False

    def _cut(self, connection: Connection) -> None:
        transport = self._transports[connection]
        self.leave(connection)
        transport.abort()
        self.cut += 1

    async def _sweep(self) -> None:
        """Cut those whose header is late: no answer, for nothing was asked."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            late = self._now() - HEADER_SECONDS
            for connection in [known for known, since in self._arriving.items() if since < late]:
                self._cut(connection)

    def _say(self, what: str) -> None:
        if self._now() - self._said_at >= SAY_EVERY:
            self._said_at = self._now()
            log.warning(what, connections=len(self._transports), peers=len(self._peers), most=self.most)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def peer_of(name: object) -> str:
    """Name a peer: an address, or the network of 64 bits that an IPv6 address is one of.

    >>> peer_of(("192.0.2.7", 4)), peer_of(("2001:db8:1:2:3:4:5:6", 4, 0, 0)), peer_of(None)
    ('192.0.2.7', '2001:db8:1:2::/64', '')
    """
    host = name[0] if isinstance(name, tuple) and name else ""
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def calm_accepting(loop: asyncio.AbstractEventLoop) -> None:
    """Say in one line, once a minute, that nothing can be accepted; asyncio's own is a traceback an attempt."""
    said_at = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal said_at
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
        elif loop.time() - said_at >= SAY_EVERY:
            said_at = loop.time()
            log.error("connections.none_accepted", error=str(context.get("exception")))

    loop.set_exception_handler(handle)
