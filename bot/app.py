"""The composition root: the one place that sees both sides. `running` makes a whole bot, and takes it apart again."""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from pydantic import BaseModel

from bot.accounts.receiving import Receiving
from bot.accounts.rotation import use_secrets
from bot.accounts.several import SeveralAccounts
from bot.adapter import Adapter, ChannelSpec, HttpHandler
from bot.api.clients import ApiClients
from bot.app_home import AppHomePages, Suggestions
from bot.config import Config, installed, load_object
from bot.context import Context
from bot.engine import Engine
from bot.engine.assembly import assemble
from bot.engine.cluster import once
from bot.errors import ConfigError, Unavailable
from bot.host import CoreHost
from bot.intake.router import Router
from bot.operator.limits import LimitsReader
from bot.operator.messenger import Messenger
from bot.operator.watch import Surroundings, Watch
from bot.ratings.submission import RatingSubmitter
from bot.shared import BackgroundTasks, steady_clock
from bot.store import open_database
from bot.store.database import OpenDatabase
from bot.store.meta import moved_to, secret, touch
from bot.supervisor import Supervisor
from bot.telemetry.logging import add_secrets
from bot.telemetry.metrics import Metrics
from bot.telemetry.redaction import secrets_of
from bot.telemetry.tracing import sending
from bot.texts import use_folder
from bot.turns.worker import TurnWorker
from bot.web.descriptors import Descriptors, raise_limit, share
from bot.web.health import Health, Word
from bot.web.processes import processes_of
from bot.web.server import Server
from bot.web.status import Snapshot, Trouble

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
    db: OpenDatabase
    engine: Engine
    router: Router
    host: CoreHost
    web: Server
    supervisor: Supervisor
    watch: Watch
    messenger: Messenger
    limits: LimitsReader
    rotate: Callable[[Config], Awaitable[frozenset[str]]]
    receiving: Receiving


def make_adapters(config: Config, channels: Sequence[ChannelSpec]) -> dict[str, Adapter]:
    """Make the adapters of all channels that are turned on, importing their SDKs."""
    made: dict[str, Adapter] = {}
    for spec in channels:
        adapters = [make_adapter(config, spec, settings) for settings in config.accounts.get(spec.name, ())]
        if adapters:
            made[spec.name] = adapters[0] if len(adapters) == 1 else SeveralAccounts(adapters)
    return made


def make_adapter(config: Config, spec: ChannelSpec, settings: BaseModel) -> Any:
    """Make the adapter of an account."""
    # People are looked up only where the access policy treats guests otherwise than members.
    guests_differ = not config.access.admitted.get((spec.name, "guest"), True)
    # … or where a route sends e-mail addresses, but not those of guests.
    guests_differ = guests_differ or any(route.send_email for route in config.routes)
    return load_object(spec.adapter)(settings, guests_differ=guests_differ)


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
    adapters = make_adapters(config, channels) if adapters is None else dict(adapters)
    metrics = metrics or Metrics(process=True)
    metrics.prepare(adapters)
    sys.setswitchinterval(SWITCH_SECONDS)
    use_folder(config.languages.folder)
    descriptors = share(raise_limit())
    async with AsyncExitStack() as stack:  # what was opened last is closed first
        db = _open(config, stack)
        wall = await db.now()
        await _refuse_moved(db)
        clients = ApiClients(config, metrics, descriptors.outgoing)
        stack.push_async_callback(clients.close)
        clock = steady_clock(lambda: wall)
        traces = await stack.enter_async_context(sending(clock))
        ctx = Context(
            config=config,
            db=db,
            adapters=adapters,
            channels={spec.name: spec for spec in channels},
            api_for=clients.of_route,
            api_of_site=clients.of_site,
            metrics=metrics,
            clock=clock,
            random=random.SystemRandom(),
            secret=await _secret(config, db),
            traces=traces,
        )
        await clients.remember(ctx.vault)
        web = _server(ctx, db, clients, descriptors)
        for method, path, handler in pages:
            web.add(method, path, handler)
        yield await _start(ctx, adapters, db, web, clients, stack)
    log.info("bot.stopped")


def _open(config: Config, stack: AsyncExitStack) -> OpenDatabase:
    """Open the database, an embedded one for this process alone: what is queued is written before the next may have it.

    That several processes share one says the connection of their queue.
    """
    db = open_database(config.database_url, direct_url=config.database_direct_url or "")
    try:
        if not db.is_shared:
            stack.enter_context(db.alone())
    finally:
        stack.callback(db.close)
    return db


async def _refuse_moved(db: OpenDatabase) -> None:
    """Raise `ConfigError` where everything was moved: what was open there goes on, and must not be answered twice."""
    if (where := await db.read(moved_to)) is not None:
        forget = "or delete the row moved_to of its table meta, if nothing was ever started there"
        raise ConfigError([("BOT_DATABASE_URL", f"{where}, where this database was moved; {forget}")])


async def _start(
    ctx: Context,
    adapters: MutableMapping[str, Adapter],
    db: OpenDatabase,
    web: Server,
    clients: ApiClients,
    stack: AsyncExitStack,
) -> RunningBot:
    """Put the parts together and set them to work; what stops them is pushed on the stack."""
    submitter = RatingSubmitter(ctx)
    parts = assemble(ctx, db, TurnWorker(ctx, submitter.wake), submitter.wake)
    engine, cluster = parts.engine, parts.cluster
    stack.push_async_callback(parts.stop)
    await cluster.share(clients.gates)
    home = AppHomePages(ctx, Suggestions(clients.suggestions))
    router = Router(ctx, engine, home.show, submitter.wake)
    host = CoreHost(ctx, router, web, cluster)
    supervisor = Supervisor(ctx)
    receiving = Receiving(ctx, adapters, supervisor, host)
    tasks = BackgroundTasks()
    watch = Watch(ctx, Surroundings(web.health.words, clients.waits_for, db.is_shared))
    web.snapshot = partial(_snapshot, ctx, watch)
    limits = LimitsReader(ctx, clients.tenants())
    messenger = Messenger(ctx, watch)
    for stop in (web.stop, home.drain, tasks.drain, receiving.stop):
        stack.push_async_callback(stop)
    stack.push_async_callback(_drain, web.health, engine, ctx.config.drain_seconds)
    await engine.start()
    for forever in (engine.run(), supervisor.watch(), watch.run()):
        tasks.spawn(forever)
    alone = {"ratings": submitter.run, "retention": supervisor.forget_old, "limits": limits.run, **parts.once}
    if ctx.config.operator.channel:
        alone["operator"] = messenger.run
    for name, work in alone.items():
        tasks.spawn(once(cluster, name, work))
    receiving.start()
    await asyncio.sleep(0)  # every adapter adds its handlers before its first await
    await web.start()
    web.health.state = "running"
    log.info("bot.started", channels=sorted(ctx.adapters), url=web.url)
    return RunningBot(
        config=ctx.config,
        ctx=ctx,
        db=db,
        engine=engine,
        router=router,
        host=host,
        web=web,
        supervisor=supervisor,
        watch=watch,
        messenger=messenger,
        limits=limits,
        rotate=clients.rotate,
        receiving=receiving,
    )


async def _drain(health: Health, engine: Engine, drain_seconds: float) -> None:
    """Let outside calls under way end and be stored; a second is left for all the rest."""
    health.state = "draining"
    await engine.drain(max(0.1, drain_seconds - 1.0))


async def _secret(config: Config, db: OpenDatabase) -> str:
    if config.secret is not None:
        return config.secret.get_secret_value()
    fresh = secrets.token_hex(32)
    return await db.write(lambda tx: secret(tx, fresh))


def _snapshot(ctx: Context, watch: Watch) -> Snapshot:
    """Gather what the status page shows beside the metrics."""
    now, latest = ctx.clock(), watch.latest
    said = {name: f"{ctx.problems.of(name)} {ctx.refused.sentence(name)}".strip() for name in sorted(ctx.adapters)}
    said |= {name: latest.problems[name] for name in ("api", "database") if name in latest.problems}
    if latest.waits_for is not None:
        said.setdefault("api", latest.waits_for[1])
    return Snapshot(
        channels=list(said.items()),
        troubles=[Trouble(one.sentence, one.command, now - since, 0.0) for one, since, _ in watch.troubles.values()],
        over=[Trouble(one.sentence, one.command, now - end, end - since) for one, since, end in reversed(watch.over)],
        warnings=[(check.detail, check.fix) for name in sorted(ctx.warned) for check in ctx.warned[name]],
        oldest=latest.oldest,
        processes=processes_of(watch.processes, now),
    )


def _server(ctx: Context, db: OpenDatabase, clients: ApiClients, descriptors: Descriptors) -> Server:
    """Make the one HTTP server, with what /readyz and the status page look at."""

    async def database() -> Word:
        if not db.written_within(1.0):  # under load the check's own write would only have to queue
            now = ctx.clock()
            try:
                await db.write(lambda tx: touch(tx, now))
            except Unavailable as error:
                ctx.problems.report("database", str(error))
                return "unavailable"
        ctx.problems.clear("database")
        return "ok"

    def api() -> Word:
        return "degraded" if clients.waits_for() or ctx.problems.of("api") else "ok"

    def channel(name: str) -> Word:
        return "degraded" if ctx.problems.of(name) else "ok"

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
    )


async def run(config: Config, read: Callable[[], Config] | None = None) -> None:
    """Run until SIGTERM or Ctrl-C. On SIGHUP `read` reads the settings again, for their keys."""
    stop = stop_signal()
    async with running(config) as bot:
        settle(bot)
        tasks = BackgroundTasks()
        if read is not None:
            changed = partial(_read_again, bot, read)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: tasks.spawn(changed()))
        await stop.wait()
        await tasks.drain(1.0)


async def _read_again(bot: RunningBot, read: Callable[[], Config]) -> None:
    """Take over the keys of the settings as they are now; nothing is changed by settings that are wrong."""
    try:
        config = await asyncio.to_thread(read)
    except ConfigError as error:
        for name, expected in error.problems:
            log.error("config", name=name, expected=expected)  # noqa: TRY400  # the operator's, no bug
        return
    await rotate_keys(bot, config)


async def rotate_keys(bot: RunningBot, config: Config) -> None:
    """Use the keys, tokens and secrets of new settings, without a restart; see `bot.accounts.rotation`."""
    ctx = bot.ctx
    add_secrets(*secrets_of((config.encryption_keys, config.accounts)))

    def make(channel: str, settings: BaseModel) -> Any:
        return make_adapter(config, ctx.channels[channel], settings)

    await use_secrets(ctx, config, bot.rotate, bot.receiving, make)


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
    gc.enable()
    for warning in bot.config.warnings:
        log.warning("config", name=warning.name, expected=warning.expected)
