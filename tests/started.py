"""A bot that a test starts and stops by hand, so that it can be started again on the same database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from bot.adapter import Adapter, ChannelSpec
from bot.app import RunningBot, running
from bot.config import Config
from bot.context import Context
from bot.engine.inprocess import InProcessEngine
from bot.host import CoreHost
from bot.intake.router import Router
from bot.store.database import SqliteDatabase
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
    ) -> None:
        self.config = config
        self._channels = channels
        self._adapters = adapters
        self._metrics = metrics
        self._stack = AsyncExitStack()
        self._running: RunningBot | None = None

    async def start(self) -> None:
        """Start it, as `run` does."""
        opened = running(self.config, channels=self._channels, adapters=self._adapters, metrics=self._metrics)
        self._running = await self._stack.enter_async_context(opened)

    async def stop(self) -> None:
        """Stop it, as SIGTERM does; nothing when it does not run."""
        await self._stack.aclose()

    @property
    def _bot(self) -> RunningBot:
        assert self._running is not None, "not started"
        return self._running

    @property
    def ctx(self) -> Context:
        return self._bot.ctx

    @property
    def db(self) -> SqliteDatabase:
        return self._bot.db

    @property
    def engine(self) -> InProcessEngine:
        assert isinstance(self._bot.engine, InProcessEngine)
        return self._bot.engine

    @property
    def router(self) -> Router:
        return self._bot.router

    @property
    def host(self) -> CoreHost:
        return self._bot.host

    @property
    def web(self) -> Server:
        return self._bot.web

    @property
    def supervisor(self) -> Supervisor:
        return self._bot.supervisor
