"""The composition root: the one place that sees both sides. Starts the bot, drains it, stops it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import random
import secrets
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import structlog
from pydantic import BaseModel, SecretStr

from adapters.playground.config import CHANNEL as PLAYGROUND
from bot.access import route_name
from bot.adapter import Adapter, ChannelSpec, HttpHandler
from bot.api.client import ApiClient
from bot.api.gate import Gates
from bot.config import Config, installed
from bot.context import Context
from bot.engine.inprocess import Engine
from bot.errors import BotError, ConfigError, Unavailable
from bot.events import MessageRef
from bot.feedback import Submitter
from bot.home import HomePages
from bot.host import CoreHost
from bot.progress import Board
from bot.router import Router
from bot.store import open_database
from bot.store import retention as old
from bot.store.conversations import key_of
from bot.store.database import SqliteDatabase
from bot.store.history import story_of_message
from bot.store.lock import sole_engine
from bot.store.meta import note_checks, secret, touch
from bot.suggestions import Suggestions
from bot.telemetry.metrics import Metrics
from bot.turns import Turns, bury
from bot.web.health import Health, Word
from bot.web.server import Server
from bot.web.status import Snapshot

CHECK_EVERY = 60.0
HOUR = 3600.0
RESTART_AFTER = (1.0, 30.0)
"""Seconds before an adapter that ended is started again: at first, at most."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`docs` is the folder answers come from, None for the samples; `rough` lets the assistant misbehave."""

    docs: Path | None = None
    channels: bool = False
    rough: bool = False


def make_adapter(spec: ChannelSpec, settings: BaseModel) -> Adapter:
    """Import a channel's SDK and make its adapter."""
    module, _, name = spec.adapter.partition(":")
    return cast("Adapter", getattr(importlib.import_module(module), name)(settings))


def make_adapters(config: Config) -> dict[str, Adapter]:
    """Make the adapters of all channels that are turned on."""
    made = {}
    for spec in installed():
        accounts = config.accounts.get(spec.name, ())
        if len(accounts) > 1:
            raise ConfigError([(spec.name, "one account; this version serves no further ones")])
        for settings in accounts:
            made[spec.name] = make_adapter(spec, _knowing_guests(config, spec, settings))
    return made


def _knowing_guests(config: Config, spec: ChannelSpec, settings: BaseModel) -> BaseModel:
    """Tell a channel to look people up only when the access policy treats them differently."""
    differ = not config.access.admitted.get((spec.name, "guest"), True)
    return (
        settings.model_copy(update={"tell_guests": True})
        if differ and "tell_guests" in type(settings).model_fields
        else settings
    )


class Bot:
    """A running bot: `start`, then `stop`. One per database."""

    def __init__(
        self, config: Config, *, adapters: Mapping[str, Adapter] | None = None, metrics: Metrics | None = None
    ) -> None:
        self.config = config
        self.metrics = metrics or Metrics(process=True)
        self.adapters = dict(make_adapters(config) if adapters is None else adapters)
        self._gates = Gates()
        self._clients: dict[str, ApiClient] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._receivers: list[asyncio.Task[None]] = []
        self._lock: IO[str] | None = None
        self.health = Health()
        self.pages: list[tuple[str, str, HttpHandler]] = []
        self.db: SqliteDatabase
        self.ctx: Context
        self.engine: Engine
        self.web: Server

    async def start(self) -> None:
        """Open the database, go on with what was open, receive. Raises `ConfigError` and `Misconfigured`."""
        self.db = open_database(self.config.database_url)
        self._lock = sole_engine(self.db.path)
        config, fresh = self.config, secrets.token_hex(32)
        key = config.secret.get_secret_value() if config.secret else await self.db.write(lambda tx: secret(tx, fresh))
        self.ctx = Context(
            config=config,
            db=self.db,
            adapters=self.adapters,
            api_for=self._api_for,
            metrics=self.metrics,
            clock=time.time,
            random=random.SystemRandom(),
            secret=key,
        )
        board = Board(self.ctx)
        self._board, self._submitter = board, Submitter(self.ctx)
        self.ctx.wake_feedback = self._submitter.wake
        turns = Turns(self.ctx, board)
        self.engine = Engine(self.ctx, board, turns.work, lambda steps, why: bury(self.ctx, board, steps, why))
        self._home = HomePages(self.ctx, Suggestions(self._api_for("")))
        self.router = Router(self.ctx, self.engine, self._home)
        self.web = Server(
            host=config.http_host,
            port=config.http_port,
            metrics=self.metrics,
            health=self.health,
            body_bytes=config.limits.body_bytes,
            drain_seconds=config.drain_seconds,
            status_token=config.status_token,
            snapshot=self._snapshot,
        )
        for method, path, handler in self.pages:
            self.web.add(method, path, handler)
        self._checks()
        self.host = CoreHost(self.ctx, self.router, self.web)
        await self.engine.start()
        self._spawn(self.engine.run(), self._submitter.run(), self._watch(), self._forget_old())
        self._receivers = [asyncio.create_task(self._receive(a), name=f"receive {n}") for n, a in self.adapters.items()]
        await asyncio.sleep(0)  # every adapter adds its handlers before its first await
        await self.web.start()
        self.health.state = "running"
        log.info("bot.started", channels=sorted(self.adapters), url=self.web.url)

    async def stop(self) -> None:
        """Stop receiving, let outside calls under way end and be stored, release everything."""
        self.health.state = "draining"
        loop = asyncio.get_running_loop()
        until = loop.time() + self.config.drain_seconds
        await self.engine.drain(max(0.1, until - loop.time() - 1.0))
        for task in self._receivers + self._tasks:
            task.cancel()
        await asyncio.gather(*self._receivers, *self._tasks, return_exceptions=True)
        await self._home.drain()
        await self.web.stop()
        for client in self._clients.values():
            await client.aclose()
        self.db.close()
        if self._lock is not None:
            self._lock.close()
        log.info("bot.stopped")

    async def inspect(self, ref: MessageRef) -> Mapping[str, Any] | None:
        """Tell the story of the turn a message belongs to."""
        return await self.db.read(lambda tx: story_of_message(tx, key_of(ref)))

    def _spawn(self, *work: Any) -> None:
        self._tasks += [asyncio.create_task(one) for one in work]

    def _api_for(self, route: str) -> ApiClient:
        """Return the client of a route, made on first use."""
        client = self._clients.get(route)
        if client is None:
            config = self.config
            named = next((one for one in config.routes if route_name(one) == route), None)
            key = (named and named.api_key) or config.api_key or SecretStr("")
            client = self._clients[route] = ApiClient(
                base_url=config.base_url,
                api_key=key,
                tenant_id=(named and named.tenant_id) or config.tenant_id,
                site_id=(named and named.site_id) or config.site_id,
                gate=self._gates.of(key),
                metrics=self.metrics,
            )
        return client

    # -- health -----------------------------------------------------------------------------------------------------

    def _checks(self) -> None:
        self.health.checks["database"] = self._database_word
        self.health.checks["api"] = self._api_word
        for name in self.adapters:
            self.health.checks[name] = lambda name=name: "degraded" if name in self.ctx.ailing else "ok"  # type: ignore[misc]

    async def _database_word(self) -> Word:
        if self.db.written_within(1.0):
            return "ok"  # under load the check's own write would only have to queue
        now = self.ctx.clock()
        try:
            await self.db.write(lambda tx: touch(tx, now))
        except Unavailable:
            return "unavailable"
        return "ok"

    def _api_word(self) -> Word:
        shut = any(not gate.is_open for gate in self._gates.all())
        return "degraded" if shut or "api" in self.ctx.ailing else "ok"

    def _snapshot(self) -> Snapshot:
        return Snapshot(channels=[(name, self.ctx.ailing.get(name, "")) for name in sorted(self.adapters)])

    async def look_at_channels(self) -> None:
        """Let every channel check itself: one that fails shows as degraded; `doctor` sees what was found."""
        for name, adapter in self.adapters.items():
            checks, now = await adapter.check(), self.ctx.clock()
            with contextlib.suppress(Unavailable):
                await self.db.write(partial(note_checks, channel=name, checks=checks, now=now))
            failed = [check for check in checks if check.status == "fail"]
            if failed:
                self.ctx.ailing[name] = failed[0].detail
                log.error("channel.failing", channel=name, check=failed[0].check, detail=failed[0].detail)
            else:
                self.ctx.ailing.pop(name, None)

    async def _watch(self) -> None:
        while True:
            await self.look_at_channels()
            await asyncio.sleep(CHECK_EVERY)

    async def _forget_old(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                forgotten = 1
                while forgotten:
                    forgotten = await self.db.write(lambda tx: old.forget_old(tx, self.config.retention, time.time()))
            await asyncio.sleep(HOUR)

    async def _receive(self, adapter: Adapter) -> None:
        """Run an adapter; when it ends by an error, start it again after a while."""
        wait, longest = RESTART_AFTER
        while True:
            began = time.monotonic()
            try:
                return await adapter.run(self.host)
            except BotError as error:
                log.warning("channel.ended", channel=adapter.channel, reason=str(error))
                self.ctx.ailing[adapter.channel] = str(error)
            except Exception:
                log.exception("channel.crashed", channel=adapter.channel)
                self.ctx.ailing[adapter.channel] = "It ended unexpectedly; see the log."
            wait = RESTART_AFTER[0] if time.monotonic() - began > longest else min(wait * 2, longest)
            await asyncio.sleep(wait)


async def run(config: Config, *, demo: DemoOptions | None = None) -> None:
    """Run until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        if demo is not None:
            config = await _demo(config, demo, stack)
        bot = Bot(config)
        if demo is not None:
            _dress_up(bot)
        await bot.start()
        stack.push_async_callback(bot.stop)
        # A full collection would walk all that was imported and hold up acknowledgements for tens of milliseconds.
        gc.collect()
        gc.freeze()
        if demo is not None:
            print(bot.web.url, flush=True)  # noqa: T201  # the first line a person or a script waits for
        for warning in config.warnings:
            log.warning("config", name=warning.name, expected=warning.expected)
        await stop.wait()


def _dress_up(bot: Bot) -> None:
    """Give the demo's pages what they show: the story of each turn, and one answer as every channel shows it."""
    from bot.demo import previewer

    for adapter in bot.adapters.values():
        if hasattr(adapter, "inspect"):
            adapter.inspect = bot.inspect
    shows = {
        spec.name.capitalize(): importlib.import_module(f"adapters.{spec.name}.render").preview for spec in installed()
    }
    preview = previewer(shows)
    bot.pages += [("GET", "/preview", preview), ("POST", "/preview", preview)]


async def _demo(config: Config, demo: DemoOptions, stack: contextlib.AsyncExitStack) -> Config:
    """Start the demo's assistant and turn the playground on, beside the channels if asked for."""
    from bot.demo import DATA, prepare

    around = await prepare(config, demo.docs, demo.rough, stack)
    playground = PLAYGROUND.settings(
        enabled=True, data=DATA / "playground.db", suggestions=around.suggestions, docs=str(around.docs)
    )
    accounts = dict(config.accounts) if demo.channels else {}
    return around.config.model_copy(update={"accounts": {**accounts, PLAYGROUND.name: (playground,)}})
