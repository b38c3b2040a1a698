"""Small things that the core and every channel need alike; the one module of the core that adapters may use freely.

It knows nothing of the house: the standard library and aiohttp alone, no state of its own.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import itertools
import math
import os
import random
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # it has it

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

K = TypeVar("K")
V = TypeVar("V")

ANSWER_RANK: Final = 0
NOTICE_RANK: Final = 1
PROGRESS_RANK: Final = 2
"""Of messages that wait for the same place the lowest rank goes first: what ends a question, what a person was told
for something they did, what only says that work goes on."""

BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SKIN_AND_VARIATION: Final = dict.fromkeys([0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)])
"""Code points that change how an emoji looks and never what it means (Unicode TR51: modifiers, presentation)."""


class Backoff:
    """Waits after failures: doubling from `first` to `longest` seconds, half of each wait left to chance.

    One instance for one thing that fails. `chance` returns numbers from 0 to 1; a seeded one makes waits repeatable.

    >>> backoff = Backoff(chance=lambda: 1.0); [backoff.next() for _ in range(7)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    """

    def __init__(
        self, *, first: float = 0.5, longest: float = 30.0, chance: Callable[[], float] = random.random
    ) -> None:
        self.first = first
        self.longest = longest
        self.tries = 0
        self._chance = chance

    def next(self, asked: float | None = None) -> float:
        """Count a failure and return the seconds to wait now; `asked` is what the other side asked for, as it is."""
        seconds = back_off(self.tries, self._chance(), first=self.first, longest=self.longest)
        self.tries += 1
        return seconds if asked is None else asked

    def reset(self) -> None:
        """Begin anew after a success."""
        self.tries = 0


def since_boot() -> float:
    """Say how many seconds the machine has run, those asleep too where the system counts them (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def steady_clock(
    wall: Callable[[], float] = time.time, steady: Callable[[], float] = since_boot
) -> Callable[[], float]:
    """Make a clock that shows the wall's time as it is now and from here on only runs.

    A wall clock may be set: forward, and a question that waits would be given up before it was asked; back, and a
    rating would be due in an hour.

    >>> seconds = [5.0]; clock = steady_clock(lambda: 1000.0, lambda: seconds[0]); seconds[0] = 7.0; clock()
    1002.0
    """
    ahead = wall() - steady()
    return lambda: ahead + steady()


def back_off(tries: int, chance: float, *, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the seconds to wait before try number `tries` + 1: doubling, with half of it left to chance (0 to 1).

    >>> back_off(0, 1.0), back_off(3, 0.0), back_off(20, 1.0)
    (0.5, 2.0, 30.0)
    """
    span = min(longest, first * 2.0 ** min(tries, 16))
    return span * (0.5 + chance / 2)


class BoundedDict(OrderedDict[K, V], Generic[K, V]):
    """A dict of at most `most` entries; what was set longest ago is dropped first.

    >>> recent = BoundedDict(2); recent["a"] = recent["b"] = recent["a"] = recent["c"] = 1; list(recent)
    ['a', 'c']
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


@dataclass(slots=True)
class _Row:
    waiting: list[tuple[int, int]] = field(default_factory=list)
    admitted: set[tuple[int, int]] = field(default_factory=set)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    pacing: bool = False


class RankedPace:
    """Lets callers through one by one per key: when the time has come, the lowest rank, then the one that came first.

    One of those who wait keeps the time for all, so an answer that comes meanwhile goes before the notice that
    began to wait.
    """

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._numbers = itertools.count()

    async def enter(self, key: str, rank: int, pace: Callable[[], Awaitable[None]]) -> None:
        """Return when it is the caller's turn; `pace` waits until the time of the next one has come."""
        row = self._rows.setdefault(key, _Row())
        me = (rank, next(self._numbers))
        heapq.heappush(row.waiting, me)
        try:
            while me not in row.admitted:
                async with row.moved:
                    await row.moved.wait_for(lambda: me in row.admitted or not row.pacing)
                    if me in row.admitted:
                        break
                    row.pacing = True
                await self._admit_next(row, pace)
        finally:
            row.admitted.discard(me)
            if me in row.waiting:
                row.waiting.remove(me)
                heapq.heapify(row.waiting)
            if not (row.waiting or row.admitted or row.pacing):
                self._rows.pop(key, None)

    async def _admit_next(self, row: _Row, pace: Callable[[], Awaitable[None]]) -> None:
        try:
            await pace()
            row.admitted.add(heapq.heappop(row.waiting))
        finally:
            row.pacing = False
            async with row.moved:
                row.moved.notify_all()


class BackgroundTasks:
    """Tasks that nobody awaits, kept alive until they end. An error in one is the task's own to handle or log."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start it now."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Cancel all, without waiting for their ends."""
        for task in list(self._tasks):
            task.cancel()

    async def drain(self, seconds: float = 0.0) -> None:
        """Give those under way `seconds` to end, then cancel and wait for the rest."""
        tasks = list(self._tasks)
        if tasks and seconds > 0:
            await asyncio.wait(tasks, timeout=seconds)
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def long_span(minutes: int) -> str:
    """Write an hour or more in two units.

    >>> long_span(61), long_span(3333)
    ('1 h 1 min', '2 d 7 h')
    """
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def is_loopback(host: str) -> bool:
    """Say whether a host (a name or an address, without port) can only be this machine; asks no DNS.

    >>> [is_loopback(h) for h in ("localhost", "127.8.0.1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "localhost.io", "")]
    [True, True, True, True, False, False, False]
    """
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


@dataclass(frozen=True, slots=True)
class Way:
    """How connections to one address leave this machine.

    `proxy` is the proxy's address, with user and password where it needs them: not to be shown; None: directly.
    `words` says it to people.
    """

    proxy: str | None
    words: str


def way_to(address: str) -> Way:
    """Decide the way to an address (http, https, ws, wss): the one place for all connections out.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not, as curl reads them: NO_PROXY lists hosts, suffixes of
    hosts, either with a port, or `*`. Loopback goes through no proxy, whatever they say.
    """
    parts = urlsplit(address)
    secure = parts.scheme in ("https", "wss")
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    name, proxies = "HTTPS_PROXY" if secure else "HTTP_PROXY", getproxies_environment()
    proxy = proxies.get("https" if secure else "http", "")
    if is_loopback(host):
        return Way(None, f"{host} is reached directly, for it is this machine.")
    if not proxy:
        return Way(None, f"{host} is reached directly, for {name} is not set.")
    if proxy_bypass_environment(f"{host}:{port}", proxies):
        return Way(None, f"{host} is reached directly, for NO_PROXY names it.")
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    at = urlsplit(proxy)
    return Way(proxy, f"{host} is reached through the proxy {at.hostname}:{at.port or 80} of {name}.")


def proxy_secrets() -> Iterator[str]:
    """List the user names and passwords of proxies in the environment, for no log to show them."""
    for proxy in getproxies_environment().values():
        user, at, _ = proxy.rpartition("@")
        if at:
            yield from filter(None, map(unquote, user.rpartition("://")[2].split(":", 1)))


class Connector(aiohttp.TCPConnector):
    """Connections whose failures before a request could be written are told apart from all later ones.

    aiohttp does so for a refused connection, a name, a certificate; here also for what a proxy does instead of opening
    its tunnel: another status than 200 (407, 504), a cut.
    """

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:  # noqa: ASYNC109  # the library's signature
        """Return a connection on which nothing was written yet.

        Raises:
            ClientConnectorError, TimeoutError: there is none, so nothing was written.
        """
        try:
            return await super().connect(req, traces, timeout)
        except (aiohttp.ClientConnectorError, TimeoutError):
            raise
        except (aiohttp.ClientError, OSError) as error:
            said = f"the proxy answered {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else "cut"
            raise aiohttp.ClientProxyConnectionError(req.connection_key, OSError(said)) from None


def not_connected(error: BaseException) -> str:
    """Say in a few words why there was no connection: "connection refused". No address, no user of a proxy."""
    match error:
        case aiohttp.ClientProxyConnectionError():
            return str(error.os_error)  # what `Connector` says of it
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorDNSError():
            return "no such name"
        case aiohttp.InvalidURL():
            return "its address cannot be used"
        case TimeoutError():
            return "no connection in time"
        case OSError(errno=int(number)) if number > 0 and not isinstance(error, ssl.SSLError):
            return os.strerror(number).lower()
    return "no secure connection" if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError) else "no connection"


def plain_emoji(emoji: str) -> str:
    """Return the emoji as events carry it: without skin tone and variation selector.

    >>> plain_emoji("👍🏽") == plain_emoji("👍"), plain_emoji("❤️") == "❤"
    (True, True)
    """
    return emoji.translate(SKIN_AND_VARIATION)


def seconds_asked(value: object) -> float | None:
    """Read how many seconds another side asks to wait, as a header or a field names them; None unless it is a number.

    >>> [seconds_asked(v) for v in ("2", " 1.5 ", 3, "9" * 400, "inf", "nan", "-1", "1e3", "soon", True, None, 10**400)]
    [2.0, 1.5, 3.0, inf, None, None, None, None, None, None, None, inf]
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return math.inf
        return number if number >= 0 else None
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.strip()):
        return float(value)
    return None


def rank_of(kind: str) -> int:
    """Rank a notice by its kind (`bot.events.NoticeKind`); one that ends a question ranks as an answer."""
    if kind == "progress":
        return PROGRESS_RANK
    return NOTICE_RANK if kind in ("info", "refusal", "why", "greeting") else ANSWER_RANK


def reference(chance: random.Random) -> str:
    """Make a reference: 8 base32 characters that name a turn to people, in notices, logs, `dead` and `trace`."""
    return "".join(chance.choice(BASE32) for _ in range(8))
