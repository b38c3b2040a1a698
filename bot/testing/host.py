"""The core as an adapter sees it: a Host that records, and fails or blocks when told to.

async with FakeHost() as host:
    task = asyncio.create_task(adapter.run(host))
    await asyncio.sleep(0)                    # run serves its routes before its first await
    base_url = await host.start_http()        # serves them on a free loopback port
    await host.wait_for(lambda: host.events)  # fails with what did arrive
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from bot.adapter import Handled, HttpHandler, JsonValue, Listed
from bot.errors import Misconfigured, Unavailable
from bot.events import Event, MessageRef

BODY_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SetAside:
    """One payload that an adapter could not normalise."""

    channel: str
    account_id: str
    raw: bytes
    reason: str


class FakeVault:
    """A vault in memory; `has_key = False` makes `put` fail as it does without BOT_ENCRYPTION_KEY."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.has_key = True

    async def get(self, name: str) -> str | None:
        """Return the value, None without one."""
        return self.values.get(name)

    async def put(self, name: str, value: str | None) -> None:
        """Store or delete the value."""
        if not self.has_key:
            raise Misconfigured("A secret must be stored, but BOT_ENCRYPTION_KEY is not set; set it.")
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value

    async def take(self, name: str) -> str | None:
        """Delete the value and return it."""
        return self.values.pop(name, None)

    async def names(self, beginning: str) -> list[str]:
        """List the names that begin so."""
        return sorted(name for name in self.values if name.startswith(beginning))


class FakeHost:
    """Implements `bot.adapter.Host`.

    `events`: what was accepted, each event id once, in order. `deliveries`: every call of `handle`, the
    duplicates, the refused and the failed ones too. `set_aside_payloads`: likewise, the same bytes once.
    `failure`: an error that `handle` and `set_aside` raise, storing nothing, until it is None again.
    `hold`: an asyncio.Event `handle` waits for before it does anything; None does not wait.
    `ask_why`: what `Handled.ask_why` will say. `stories`: what `trace` tells of a message.
    `refused`: the calls of `note_refused`. `paces`: the calls of `pace`, which waits `pace_limit` at most.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.deliveries: list[Event] = []
        self.set_aside_payloads: list[SetAside] = []
        self.failure: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.ask_why = False
        self.stories: dict[MessageRef, Mapping[str, JsonValue]] = {}
        self.vault = FakeVault()
        self.listed_ids = Listed()
        self.routes: dict[tuple[str, str], HttpHandler] = {}
        self.refused: list[tuple[str, str, str]] = []
        self.paces: list[tuple[str, float]] = []
        self.pace_limit = 0.02
        self.returned = 0
        self.base_url = ""
        self._seen: set[tuple[str, str]] = set()
        self._leases: dict[str, asyncio.Semaphore] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._paced: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def fail(self, message: str = "The database is locked; the platform should deliver again.") -> None:
        """Make `handle` and `set_aside` raise Unavailable until `recover`."""
        self.failure = Unavailable(message, reason="database")

    def recover(self) -> None:
        """Take events in again, and let go what is held."""
        self.failure = None
        if self.hold is not None:
            self.hold.set()
        self.hold = None

    def listed(self, channel: str, account_id: str) -> Listed:
        """Return `listed_ids`."""
        return self.listed_ids

    async def handle(self, event: Event) -> Handled:
        """Record the event as the core would store it: once per event id."""
        self.deliveries.append(event)
        self._notify()
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        key = (_channel(event), event.event_id)
        duplicate = key in self._seen
        if not duplicate:
            self._seen.add(key)
            self.events.append(event)
        self.returned += 1
        self._notify()
        return Handled(outcome="duplicate" if duplicate else "accepted", ask_why=self.ask_why and not duplicate)

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        """Record a payload that cannot be normalised, the same bytes once."""
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        if all(seen.raw != raw for seen in self.set_aside_payloads):
            self.set_aside_payloads.append(SetAside(channel, account_id, raw, reason))
        self._notify()

    def note_refused(self, channel: str, reason: str, hint: str = "") -> None:
        """Record it."""
        self.refused.append((channel, reason, hint))

    def serve(self, method: str, path: str, handler: HttpHandler) -> None:
        """Serve a route as the core does: a later handler for the same takes the place of the former, also while the
        server runs; a new route comes too late then."""
        key = (method.upper(), path)
        if self._runner is not None and key not in self.routes:
            raise RuntimeError("serve() was called after the server had started; call it before the first await of run")
        self.routes[key] = handler

    @asynccontextmanager
    async def lease(self, name: str, places: int = 1) -> AsyncIterator[None]:
        """Hold one of so many places of that name."""
        async with self._leases.setdefault(name, asyncio.Semaphore(places)):
            yield

    async def pace(self, key: str, seconds: float) -> None:
        """Keep the distance, but never longer than `pace_limit`."""
        self.paces.append((key, seconds))
        loop = asyncio.get_running_loop()
        async with self._locks[f"pace:{key}"]:
            due = self._paced.get(key, 0.0) + min(seconds, self.pace_limit)
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._paced[key] = loop.time()

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Tell the story put into `stories`."""
        return self.stories.get(ref)

    async def start_http(self, port: int = 0) -> str:
        """Serve the routes on a loopback port, a free one for 0; return the base URL without a slash at its end."""
        app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_as_the_core])
        for method, path in self.routes:
            if method == "GET":
                app.router.add_get(path, self._dispatch(method, path))
            else:
                app.router.add_route(method, path, self._dispatch(method, path))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.base_url

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait until the predicate is true; fail with what has arrived otherwise.

        It is asked after each event and every 20 ms, so it may look at anything.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not predicate():
            if loop.time() >= deadline:
                raise AssertionError(
                    f"not so after {timeout} s; events: {self.events!r}, deliveries: {len(self.deliveries)}, "
                    f"set aside: {self.set_aside_payloads!r}"
                )
            self._changed.clear()
            try:
                async with asyncio.timeout(0.02):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the HTTP server, if there is one."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _dispatch(self, method: str, path: str) -> HttpHandler:
        async def dispatch(request: web.Request) -> web.StreamResponse:
            return await self.routes[method, path](request)

        return dispatch

    def _notify(self) -> None:
        self._changed.set()


@web.middleware
async def _as_the_core(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what says it is too large before it is read, what lies while it is read; make 503 of `Unavailable`."""
    if request.content_length is not None and request.content_length > BODY_LIMIT:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT, actual_size=request.content_length)
    if request.body_exists:
        await request.read()
    try:
        return await handler(request)
    except Unavailable as error:
        retry = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after else None
        return web.Response(status=503, text="Not now; please try again.\n", headers=retry)


def _channel(event: Event) -> str:
    """Name the (channel, account) an event id is unique in."""
    for name in ("ref", "target", "conversation"):
        where = getattr(event, name, None)
        if where is not None:
            return f"{where.channel}:{where.account_id}"
    return f"{getattr(event, 'channel', '')}:{getattr(event, 'account_id', '')}"
