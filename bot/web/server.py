"""One aiohttp server for everything on the one port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client.exposition import choose_encoder
from pydantic import SecretStr

from bot.engine.overload import LoadShedder
from bot.errors import Misconfigured, Unavailable
from bot.telemetry.logging import get_logger
from bot.telemetry.metrics import Metrics
from bot.web.bodies import Bodies
from bot.web.connections import Connection, Connections
from bot.web.descriptors import MOST_INCOMING
from bot.web.guard import Guard, harden, not_found
from bot.web.health import Health
from bot.web.history import History
from bot.web.rates import EVERY, Rates
from bot.web.status import PAGE_POLICY, Snapshot, page
from bot.web.status import counted as counted_totals

GUARDED = frozenset({"/", "/metrics", "/preview"})
LINGER_SECONDS = 1.0
"""How long a body that was refused is still read and thrown away, so that the refusal can be seen."""

log = get_logger(__name__)


def next_free(host: str, port: int) -> int | None:
    """Find a port above one that is taken, None when none of the next twenty is free."""
    for candidate in range(port + 1, min(port + 21, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one, contextlib.suppress(OSError):
            one.bind((host, candidate))
            return candidate
    return None


class Server:
    """Collects handlers with `add`, serves from `start` to `stop`.

    The bodies that reach a handler are read already and within `body_bytes`. An `Unavailable` that leaves a
    handler becomes 503, any other error 500; neither says more to the caller. `health.state` is the app's to set.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        metrics: Metrics,
        health: Health,
        body_bytes: int = 1_048_576,
        connections: int = MOST_INCOMING,
        drain_seconds: float = 10,
        status_token: SecretStr | None = None,
        snapshot: Callable[[], Snapshot | Awaitable[Snapshot]] | None = None,
    ) -> None:
        self.host = host
        self.health = health
        self._port = port
        self._metrics = metrics
        self._bodies = Bodies(body_bytes)
        self.connected = Connections(connections)
        self._drain_seconds = drain_seconds
        self._guard = Guard(host=host, token=status_token)
        self.snapshot = snapshot
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._history = History(metrics.registry)
        self._rates = Rates(lambda: counted_totals(metrics))
        self._started = time.time()
        self._load = LoadShedder()
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._sampler: asyncio.Task[None] | None = None
        self.add("GET", "/healthz", self._healthz)
        self.add("GET", "/readyz", self._readyz)
        self.add("GET", "/metrics", self._metrics_page)
        self.add("GET", "/", self._status_page)

    @property
    def port(self) -> int:
        """The port that is bound, which for port 0 is known only after `start`."""
        return self._port

    @property
    def url(self) -> str:
        """The address a browser on this machine can open, with a slash at its end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Serve a path (`{name}` stands for one segment); a later handler for the same takes the place of the former.

        Raises:
            RuntimeError: the path is new and the server runs already.
        """
        key = (method.upper(), path)
        if self._runner is not None and key not in self._handlers:
            raise RuntimeError(f"{method} {path} comes too late, the server has started")
        self._handlers[key] = handler

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            Misconfigured: the address cannot be bound.
        """
        app = web.Application(client_max_size=self._bodies.most, middlewares=[self._around])
        app.on_response_prepare.append(harden)
        for method, path in self._handlers:
            handler = self._dispatch(method, path)
            if method == "GET":
                app.router.add_get(path, handler, expect_handler=self._expect)
            else:
                app.router.add_route(method, path, handler, expect_handler=self._expect)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=self._drain_seconds)
        await runner.setup()
        assert runner.server is not None
        try:
            # Not by a TCPSite: aiohttp's has no bound on connections. Bodies stay as they come, see `Bodies`.
            self._listener = await self.connected.listen(
                runner.server,
                self.host,
                self._port,
                access_log=None,
                auto_decompress=False,
                lingering_time=LINGER_SECONDS,
            )
        except OSError as error:
            await runner.cleanup()
            raise Misconfigured(self._why_not_bound(error)) from error
        self._runner = runner
        self._port = int(self._listener.sockets[0].getsockname()[1])
        self._sampler = asyncio.create_task(self._sample(), name="status-rates")

    def _why_not_bound(self, error: OSError) -> str:
        """Say what to set, with a port that is free where one is taken."""
        if error.errno == errno.EADDRINUSE and (free := next_free(self.host, self._port)) is not None:
            return (
                f"Port {self._port} of {self.host} is taken by another program; set BOT_HTTP_PORT={free}, it is free."
            )
        return (
            f"Nothing can be served at {self.host}:{self._port} ({error.strerror or 'not an address'}); "
            "set BOT_HTTP_HOST and BOT_HTTP_PORT to an address of this machine and a free port."
        )

    async def stop(self) -> None:
        """Accept nothing new, let the requests under way end within the drain seconds, cut the rest."""
        self.health.state = "draining"
        runner, self._runner = self._runner, None
        if self._sampler is not None:
            self._sampler.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sampler
        if self._listener is not None:
            self._listener.close()
        if runner is not None:
            await runner.cleanup()
        await self.connected.close()

    async def _sample(self) -> None:
        while True:
            self._rates.sample()
            self._history.sample()
            await asyncio.sleep(EVERY)

    # what every request passes through

    def _dispatch(self, method: str, path: str) -> Handler:
        async def dispatch(request: web.Request) -> web.StreamResponse:
            return await self._handlers[method, path](request)

        return dispatch

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else "other"
        connection = request.protocol
        assert isinstance(connection, Connection)
        self.connected.header_arrived(connection, request.content)
        try:
            response = await self._answer(request, handler, path, connection)
        except web.HTTPException as error:
            self._count(path, error.status)
            raise
        finally:
            self.connected.done(connection)
        self._count(path, response.status)
        return response

    async def _expect(self, request: web.Request) -> web.StreamResponse | None:
        """Somebody asks before they send their body: let them, or refuse it now."""
        refusal = self._bodies.refusal(request)
        if refusal is not None:
            resource = request.match_info.route.resource
            self._count("other" if resource is None else resource.canonical, refusal.status)
        elif request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # or aiohttp takes the response for begun
        return refusal

    async def _answer(
        self, request: web.Request, handler: Handler, path: str, connection: Connection
    ) -> web.StreamResponse:
        if path in GUARDED and (refusal := self._guard.refusal(request)) is not None:
            return refusal
        if path == "other" and request.match_info.http_exception is not None:
            # Before the body is read: what is not served costs nothing. 404, or 405 with its Allow header.
            return not_found() if request.match_info.http_exception.status == 404 else await handler(request)
        hook = request.method == "POST"
        if hook and self._load.overloaded:
            # Before the body is read and checked: in a flood even a refusal must cost next to nothing.
            return web.Response(status=503, text="Not now; please try again.\n")
        if (refusal := self._bodies.refusal(request)) is not None:
            return refusal
        async with self._bodies.read(request) as refusal:
            if refusal is not None:
                return refusal
            self.connected.working(connection)
            return await self._work(request, handler, path) if hook else await self._handle(request, handler, path)

    async def _work(self, request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
        me = object()
        self._load.enter(me)  # only now: whoever sends a body slowly must not count as a crowd
        try:
            return await self._handle(request, handler, path)
        finally:
            self._load.leave(me)

    async def _handle(self, request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, asyncio.CancelledError, ConnectionResetError):
            raise
        except Unavailable as error:
            retry = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after else None
            return web.Response(status=503, text="Not now; please try again.\n", headers=retry)
        except Exception:
            log.exception("a request failed", path=path, method=request.method)
            return web.Response(status=500, text="Something went wrong here.\n")

    def _count(self, path: str, status: int) -> None:
        self._metrics.http_requests_total.labels(path=path, status=str(status)).inc()

    # our own pages

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        words = await self.health.words()
        verdict = self.health.verdict(words)
        return web.json_response({"status": verdict, "checks": words}, status=503 if verdict == "unavailable" else 200)

    async def _metrics_page(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = await asyncio.to_thread(encode, self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _status_page(self, _: web.Request) -> web.Response:
        snapshot = Snapshot()
        if self.snapshot is not None:
            given = self.snapshot()
            snapshot = given if isinstance(given, Snapshot) else await given
        words = await self.health.words()
        text = page(
            snapshot,
            words=words,
            verdict=self.health.verdict(words),
            state=self.health.state,
            seconds_up=time.time() - self._started,
            totals=counted_totals(self._metrics),
            rates=self._rates.per_minute(),
            metrics=self._metrics,
            minutes=self._history.minutes,
        )
        return web.Response(
            text=text, content_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY, "Refresh": "15"}
        )
