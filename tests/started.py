"""A bot that a test starts and stops by hand, so that it can be started again on the same database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from bot.adapter import Adapter, ChannelSpec
from bot.app import Page, RunningBot, running
from bot.config import Config
from bot.context import Context
from bot.engine import Engine
from bot.host import CoreHost
from bot.intake.router import Router
from bot.operator.limits import LimitsReader
from bot.operator.messenger import Messenger
from bot.operator.watch import Watch
from bot.store.database import OpenDatabase
from bot.supervisor import Supervisor
from bot.telemetry.metrics import Metrics
from bot.web.server import Server


class Bot:
    """`start`, then `stop`; between them the parts of the running bot."""

    def __init__(
        self,
        config: Config,
        *,
        channels: Sequence[ChannelSpec] | None = None,
        adapters: Mapping[str, Adapter] | None = None,
        metrics: Metrics | None = None,
        pages: Sequence[Page] = (),
    ) -> None:
        self.config = config
        self._channels = channels
        self._adapters = adapters
        self._metrics = metrics
        self._pages = pages
        self._stack = AsyncExitStack()
        self._running: RunningBot | None = None

    async def start(self) -> None:
        """Start it, as `run` does."""
        opened = running(
            self.config,
            channels=self._channels,
            adapters=self._adapters,
            metrics=self._metrics,
            pages=self._pages,
        )
        self._running = await self._stack.enter_async_context(opened)

    async def stop(self) -> None:
        """Stop it, as SIGTERM does; nothing when it does not run."""
        await self._stack.aclose()

    @property
    def running_bot(self) -> RunningBot:
        """All of it."""
        assert self._running is not None, "not started"
        return self._running

    @property
    def ctx(self) -> Context:
        return self.running_bot.ctx

    @property
    def db(self) -> OpenDatabase:
        return self.running_bot.db

    @property
    def engine(self) -> Engine:
        return self.running_bot.engine

    @property
    def router(self) -> Router:
        return self.running_bot.router

    @property
    def host(self) -> CoreHost:
        return self.running_bot.host

    @property
    def web(self) -> Server:
        return self.running_bot.web

    @property
    def watch(self) -> Watch:
        return self.running_bot.watch

    @property
    def messenger(self) -> Messenger:
        return self.running_bot.messenger

    @property
    def limits(self) -> LimitsReader:
        return self.running_bot.limits

    @property
    def supervisor(self) -> Supervisor:
        return self.running_bot.supervisor
