"""The composition root: the one place that sees both sides. `running` makes a whole bot, and takes it apart again."""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial

import structlog
from pydantic import SecretStr

from bot.adapter import Adapter, ChannelSpec, HttpHandler
from bot.api.client import ApiClient
from bot.api.gate import Gates
from bot.api.http import Slots, shared_http
from bot.app_home import AppHomePages, Suggestions
from bot.config import Config, Route, installed, load_object, route_name
from bot.context import Context
from bot.engine import Engine
from bot.engine.inprocess import InProcessEngine
from bot.errors import ConfigError, Unavailable
from bot.host import CoreHost
from bot.intake.router import Router
from bot.ratings.submission import RatingSubmitter
from bot.shared import BackgroundTasks, steady_clock
from bot.store import open_database
from bot.store.database import SqliteDatabase
from bot.store.lock import sole_engine
from bot.store.meta import secret, touch
from bot.supervisor import Supervisor
from bot.telemetry.metrics import Metrics
from bot.turns.worker import TurnWorker
from bot.web.descriptors import Descriptors, raise_limit, share
from bot.web.health import Health, Word
from bot.web.server import Server
from bot.web.status import Snapshot

SWITCH_SECONDS = 0.0005
"""How long a busy event loop may keep the interpreter from the writer, which gives it away with every statement. With
Python's own 5 ms the slowest percent of commits beside a busy loop takes five times as long."""

log = structlog.get_logger(__name__)

Page = tuple[str, str, HttpHandler]
"""Method, path and handler of a page beside those of the bot itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBot:
    """A whole bot at work. One per database."""

    config: Config
    ctx: Context
    db: SqliteDatabase
    engine: Engine
    router: Router
    host: CoreHost
    web: Server
    supervisor: Supervisor


def make_adapters(config: Config, channels: Sequence[ChannelSpec]) -> dict[str, Adapter]:
    """Make the adapters of all channels that are turned on, importing their SDKs."""
    made: dict[str, Adapter] = {}
    for spec in channels:
        accounts = config.accounts.get(spec.name, ())
        if len(accounts) > 1:
            raise ConfigError([(spec.name, "one account; this version serves no further ones")])
        for settings in accounts:
            # People are looked up only where the access policy treats guests otherwise than members.
            guests_differ = not config.access.admitted.get((spec.name, "guest"), True)
            # … or where a route sends e-mail addresses, but not those of guests.
            guests_differ = guests_differ or any(route.send_email for route in config.routes)
            made[spec.name] = load_object(spec.adapter)(settings, guests_differ=guests_differ)
    return made


@asynccontextmanager
async def running(
    config: Config,
    *,
    channels: Sequence[ChannelSpec] | None = None,
    adapters: Mapping[str, Adapter] | None = None,
    metrics: Metrics | None = None,
    pages: Sequence[Page] = (),
) -> AsyncIterator[RunningBot]:
    """Open the database, go on with what was open, receive; at the end let calls under way end, and release all.

    `channels` are those that may be turned on, by default all that are installed; `adapters` those to use, by default
    made from the settings.

    Raises:
        ConfigError, Misconfigured: it cannot be started like this.
    """
    channels = installed() if channels is None else channels
    adapters = make_adapters(config, channels) if adapters is None else adapters
    metrics = metrics or Metrics(process=True)
    sys.setswitchinterval(SWITCH_SECONDS)
    descriptors = share(raise_limit())
    async with AsyncExitStack() as stack:  # what was opened last is closed first
        db = _open_alone(config.database_url, stack)
        clients = _ApiClients(config, metrics, descriptors.outgoing)
        stack.push_async_callback(clients.close)
        ctx = Context(
            config=config,
            db=db,
            adapters=adapters,
            channels={spec.name: spec for spec in channels},
            api_for=clients.of_route,
            metrics=metrics,
            clock=steady_clock(),
            random=random.SystemRandom(),
            secret=await _secret(config, db),
        )
        web = _server(ctx, db, clients, descriptors)
        for method, path, handler in pages:
            web.add(method, path, handler)
        yield await _start(ctx, db, web, clients, stack)
    log.info("bot.stopped")


def _open_alone(url: str, stack: AsyncExitStack) -> SqliteDatabase:
    """Open the database for this process alone; what is queued is written before the next one may have it."""
    db = open_database(url)
    try:
        stack.enter_context(closing(sole_engine(db.path)))
    finally:
        stack.callback(db.close)
    return db


async def _start(
    ctx: Context, db: SqliteDatabase, web: Server, clients: _ApiClients, stack: AsyncExitStack
) -> RunningBot:
    """Put the parts together and set them to work; what stops them is pushed on the stack."""
    submitter = RatingSubmitter(ctx)
    engine = InProcessEngine(ctx, TurnWorker(ctx, submitter.wake), submitter.wake)
    home = AppHomePages(ctx, Suggestions(clients.suggestions))
    router = Router(ctx, engine, home.show, submitter.wake)
    host = CoreHost(ctx, router, web)
    supervisor = Supervisor(ctx)
    tasks = BackgroundTasks()
    stack.push_async_callback(web.stop)
    stack.push_async_callback(home.drain)
    stack.push_async_callback(tasks.drain)
    stack.push_async_callback(_drain, web.health, engine, ctx.config.drain_seconds)
    await engine.start()
    for work in (engine.run(), submitter.run(), supervisor.watch(), supervisor.forget_old()):
        tasks.spawn(work)
    for adapter in ctx.adapters.values():
        tasks.spawn(supervisor.receive(adapter, host))
    await asyncio.sleep(0)  # every adapter adds its handlers before its first await
    await web.start()
    web.health.state = "running"
    log.info("bot.started", channels=sorted(ctx.adapters), url=web.url)
    return RunningBot(
        config=ctx.config, ctx=ctx, db=db, engine=engine, router=router, host=host, web=web, supervisor=supervisor
    )


async def _drain(health: Health, engine: Engine, drain_seconds: float) -> None:
    """Let outside calls under way end and be stored; a second is left for all the rest."""
    health.state = "draining"
    await engine.drain(max(0.1, drain_seconds - 1.0))


async def _secret(config: Config, db: SqliteDatabase) -> str:
    if config.secret is not None:
        return config.secret.get_secret_value()
    fresh = secrets.token_hex(32)
    return await db.write(lambda tx: secret(tx, fresh))


class _ApiClients:
    """The client of each route; clients with the same key share its gate, and all share connections and their bound.

    They are made at the start: TLS reads its authorities for 50 ms, which the first question would wait for.
    """

    def __init__(self, config: Config, metrics: Metrics, calls: int) -> None:
        self._gates = Gates()
        self._http, self._slots = shared_http(config.base_url), Slots(calls)
        self._clients = {"": self._client(config, None, metrics)}
        for route in reversed(config.routes):  # of two with the same patterns the first one is taken
            self._clients[route_name(route)] = self._client(config, route, metrics)

    def _client(self, config: Config, route: Route | None, metrics: Metrics) -> ApiClient:
        key = (route and route.api_key) or config.api_key or SecretStr("")
        return ApiClient(
            base_url=config.base_url,
            api_key=key,
            tenant_id=(route and route.tenant_id) or config.tenant_id,
            site_id=(route and route.site_id) or config.site_id,
            gate=self._gates.of(key),
            metrics=metrics,
            http=self._http,
            slots=self._slots,
        )

    def of_route(self, name: str) -> ApiClient:
        """Return the client of a route, "" for the site of the settings and for a route that is gone from them."""
        return self._clients.get(name) or self._clients[""]

    async def suggestions(self) -> tuple[str, ...]:
        """Ask for the suggested questions of the site of the settings."""
        return (await self.of_route("").widget_config()).suggestions

    def any_gate_shut(self) -> bool:
        """Whether calls with one of the keys have to wait."""
        return any(not gate.is_open for gate in self._gates.all())

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()


def _server(ctx: Context, db: SqliteDatabase, clients: _ApiClients, descriptors: Descriptors) -> Server:
    """Make the one HTTP server, with what /readyz and the status page look at."""

    async def database() -> Word:
        if db.written_within(1.0):
            return "ok"  # under load the check's own write would only have to queue
        now = ctx.clock()
        try:
            await db.write(lambda tx: touch(tx, now))
        except Unavailable:
            return "unavailable"
        return "ok"

    def api() -> Word:
        return "degraded" if clients.any_gate_shut() or ctx.problems.of("api") else "ok"

    def channel(name: str) -> Word:
        return "degraded" if ctx.problems.of(name) else "ok"

    def snapshot() -> Snapshot:
        said = {name: f"{ctx.problems.of(name)} {ctx.refused.sentence(name)}".strip() for name in sorted(ctx.adapters)}
        return Snapshot(channels=list(said.items()))

    config = ctx.config
    return Server(
        host=config.http_host,
        port=config.http_port,
        metrics=ctx.metrics,
        health=Health({"database": database, "api": api, **{name: partial(channel, name) for name in ctx.adapters}}),
        body_bytes=config.limits.body_bytes,
        connections=descriptors.incoming,
        drain_seconds=config.drain_seconds,
        status_token=config.status_token,
        snapshot=snapshot,
    )


async def run(config: Config) -> None:
    """Run until SIGTERM or Ctrl-C."""
    stop = stop_signal()
    async with running(config) as bot:
        settle(bot)
        await stop.wait()


def stop_signal() -> asyncio.Event:
    """Return what is set when the process is told to stop, from now on: by SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def settle(bot: RunningBot) -> None:
    """Make the process ready for the long run, and warn of what the settings leave open."""
    # A full collection would walk all that was imported and hold up acknowledgements for tens of milliseconds.
    gc.collect()
    gc.freeze()
    for warning in bot.config.warnings:
        log.warning("config", name=warning.name, expected=warning.expected)
