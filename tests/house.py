"""A whole bot for tests: the real core and database, the embedded assistant, a fake channel; all on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.adapter import Capability, ChannelSpec
from bot.assistant.accounts import TenantAccount
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.config import Config, load
from bot.telemetry.metrics import Metrics
from tests.fakes.adapter import FAKE, FakeAdapter
from tests.fakes.channel import FakeChannel, Sent
from tests.postgres import url_for
from tests.started import Bot

DOCS = {"faq.md": "# Returns\n\nYou can return a bicycle within 30 days.\n\n# Opening\n\nThe shop opens at nine.\n"}


def fake_config(base_url: str, folder: Path, **settings: str) -> Config:
    """Make the settings of a bot that speaks to the assistant at `base_url`; further ones by variable."""
    environ = {
        "UPPZY_BASE_URL": base_url,
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_DATABASE_URL": url_for(folder),
        "BOT_HTTP_PORT": "0",
        "BOT_FEEDBACK__SETTLE_SECONDS": "0.2",
        **settings,
    }
    return load([FAKE], environ=environ, cwd=folder)


def fake_spec(channel: FakeChannel) -> ChannelSpec:
    """Say of the fake channel what it says of itself, and what it lacks."""
    return replace(FAKE, lacks=channel.lacks)


@dataclass
class House:
    """What a test holds in its hands. `restart` stops the bot and starts it again on the same database."""

    channel: FakeChannel
    assistant: RunningAssistant
    config: Config
    bot: Bot
    metrics: Metrics = field(default_factory=Metrics)

    async def restart(self) -> None:
        """Stop the bot, and start another one where it stopped."""
        await self.bot.stop()
        self.bot = Bot(
            self.config,
            channels=[fake_spec(self.channel)],
            adapters={"fake": FakeAdapter(self.channel)},
            metrics=self.metrics,
        )
        await self.bot.start()
        await self.channel.wait_for(lambda: self.channel.receiver is not None)

    async def answers(self, count: int) -> list[Sent]:
        """Wait for so many answer messages, and return them."""
        await self.channel.wait_for(lambda: len(self.channel.answers()) >= count)
        return self.channel.answers()

    def asked(self) -> list[str]:
        """Return the words of every submit that reached the API, in order."""
        return [entry.body["message"] for entry in self.assistant.requests.of("chat_async")]

    def rated(self) -> list[str]:
        """Return every feedback that reached the API, in order."""
        return [entry.body["feedback"] for entry in self.assistant.requests.of("feedback")]

    def count(self, name: str, **labels: str) -> float:
        """Read a metric by the design's name without the prefix."""
        return self.metrics.registry.get_sample_value(f"uppzy_bot_{name}", labels) or 0.0

    async def idle(self) -> None:
        """Wait until no question is open."""
        await self.channel.wait_for(lambda: self.bot.engine.open_questions == 0)

    async def table(self, sql: str) -> list[Any]:
        """Read the database."""
        return await self.bot.db.read(lambda tx: tx.all(sql))

    async def values(self, table: str) -> list[tuple[object, ...]]:
        """Read all values of a table of the database."""
        return [tuple(row[name] for name in row.keys()) for row in await self.table(f"SELECT * FROM {table}")]  # noqa: SIM118

    async def tables(self) -> list[str]:
        """Name the tables of the database."""
        if self.config.database_url.startswith("sqlite"):
            rows = await self.table("SELECT name FROM sqlite_master WHERE type='table'")
        else:
            rows = await self.table(
                "SELECT tablename AS name FROM pg_tables WHERE schemaname='public' AND tablename<>'migrations'"
            )
        return [row["name"] for row in rows]


@asynccontextmanager
async def a_house(
    folder: Path,
    *,
    lacks: Collection[Capability] = (),
    delay: float = 0.05,
    more: Sequence[TenantAccount] = (),
    **settings: str,
) -> AsyncIterator[House]:
    """Start everything, and stop it. `lacks`: what the channel cannot do. `more`: further tenants of the API."""
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    for name, text in DOCS.items():
        (docs / name).write_text(text)
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=delay, more=tuple(more)))
    channel = FakeChannel(lacks=lacks)
    config = fake_config(assistant.base_url, folder, **settings)
    metrics = Metrics()
    bot = Bot(config, channels=[fake_spec(channel)], adapters={"fake": FakeAdapter(channel)}, metrics=metrics)
    await bot.start()
    house = House(channel, assistant, config, bot, metrics)
    try:
        await channel.wait_for(lambda: channel.receiver is not None)
        yield house
    finally:
        await house.bot.stop()
        await assistant.close()
