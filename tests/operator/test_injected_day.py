"""An injected day: one thing after another goes wrong and is mended; what the operator sees of it, and that it ends."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.api.models import Figures
from bot.assistant.faults import Fault
from bot.operator.alerts import GAP, OVER
from bot.operator.conditions import STEADY
from bot.store import operator
from tests.fakes.channel import NotAcknowledged
from tests.house import House, a_house


class Day:
    """The day's clock runs on as told; everything else is the real bot's."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._real, self._ahead = house.bot.ctx.clock, 0.0
        house.bot.ctx.clock = lambda: self._real() + self._ahead

    def told(self) -> list[str]:
        return [sent.text for sent in self.house.channel.sent if sent.conversation.conversation_id == "ops"]

    async def look(self, seconds: float = 0.0) -> None:
        self._ahead += seconds
        await self.house.bot.watch.look()
        await self.house.bot.messenger.tell()

    async def page(self, path: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(self.house.bot.web.url + path) as reply:
            return await reply.text()

    async def until(self, wanted: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not wanted():
                await self.house.bot.watch.look()
                await asyncio.sleep(0.1)

    async def passes(
        self, what: str, part: str, words: str, command: str, mend: Callable[[], None], *, word: str = "degraded"
    ) -> None:
        """See it on /readyz, the page, in an alert and the metric of the alerting rules, mend it, see it end.

        `part` and `word`: what /readyz says of it.
        """
        house, watch = self.house, self.house.bot.watch
        before = len(self.told())
        await self.until(lambda: any(words in seen.condition.sentence for seen in watch.troubles.values()))
        await self.look()
        await self.look(STEADY + 1.0)
        ready, status = await self.page("readyz"), await self.page("")
        assert not part or f'"{part}": "{word}"' in ready, (what, ready)
        assert not part or house.count("check_ok", check=part) == 0, what
        assert words in status, what
        assert command in status, what
        (alert,) = self.told()[before:]
        assert words in alert, what
        assert command in alert, what
        mend()
        await self.until(lambda: not any(words in seen.condition.sentence for seen in watch.troubles.values()))
        assert not part or f'"{part}": "ok"' in await self.page("readyz"), what
        assert not part or house.count("check_ok", check=part) == 1, what
        await self.look(GAP)
        await self.look(OVER + GAP)
        assert "Over:" in self.told()[-1], what
        assert words in self.told()[-1], what
        assert f">{words[:5]}" not in (await self.page("")).split("Over")[0], what
        print(f"\n{what}\n  readyz: {ready}\n  alert: {alert!r}\n  over: {self.told()[-1]!r}")
        await house.idle()


async def fill_the_disk(house: House) -> Callable[[], None]:
    """Let the kernel refuse every further byte of the database's log, as a full disk does; return what ends it.

    The log is begun anew, and made longer than any other file that this process writes: it alone meets the limit.
    """
    file = house.config.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file)) as beside:
        beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await house.bot.db.write(lambda tx: operator.keep(tx, "filler", "x" * 3_000_000))
    log = Path(f"{file}-wal")
    assert log.stat().st_size > 3_000_000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    async with a_house(
        tmp_path,
        BOT_GIVE_UP="86400",
        BOT_OPERATOR__CHANNEL="fake",
        BOT_OPERATOR__ACCOUNT="A1",
        BOT_OPERATOR__CONVERSATION="ops",
    ) as house:
        yield Day(house)


async def test_what_is_seen_of_each_and_when(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    mending: list[asyncio.Future[Any]] = []  # awaited at the end
    house, faults, problems = day.house, day.house.assistant.faults, day.house.bot.ctx.problems

    faults.add(Fault("status", status=503))
    await house.channel.say("Is anybody there?")
    await day.passes("the API is down", "api", "API", "uppzy-bot doctor", faults.clear)

    faults.add(Fault("rate_limited", retry_after="2"))
    await house.channel.say("May I ask?")
    await day.passes("429 after 429", "api", "429", "uppzy-bot limits", faults.clear)

    faults.add(Fault("status", status=401), endpoint="chat_async", times=1)
    await house.channel.say("Whose key is it?")

    def right_key() -> None:
        mending.append(asyncio.ensure_future(house.channel.say("And now?")))

    await day.passes("a wrong key", "api", "UPPZY_API_KEY", "uppzy-bot doctor", right_key)
    await house.bot.db.write(lambda tx: tx.run("DELETE FROM dead"))
    await day.look(GAP)
    await day.look(OVER + GAP)

    problems.report("fake", "The token was revoked (401).")
    await day.passes(
        "a token is revoked", "fake", "The token was revoked", "uppzy-bot doctor", lambda: problems.clear("fake")
    )

    await house.bot.router.set_aside("fake", "A1", b"{poison", "It is no update.")

    def purge() -> None:
        mending.append(asyncio.ensure_future(house.bot.db.write(lambda tx: tx.run("DELETE FROM dead"))))

    await day.passes("a poison update", "", "1 dead letter", "uppzy-bot dead show", purge)

    client, used = house.bot.ctx.api_for(""), {"messages": 850_000}

    async def usage() -> Figures:
        return Figures(values=used)

    monkeypatch.setattr(client, "usage", usage)
    await house.bot.limits.read()

    def larger() -> None:
        used["messages"] = 400_000
        mending.append(asyncio.ensure_future(house.bot.limits.read()))

    await day.passes("a limit at 85 %", "", "85% of the limit of messages", "uppzy-bot limits", larger)
    await asyncio.gather(*mending)
    if house.config.database_url.startswith("sqlite"):
        await the_disk_is_full(day)
    assert not any("anybody" in text or "poison" in text for text in day.told())


async def the_disk_is_full(day: Day) -> None:
    house = day.house
    room = await fill_the_disk(house)
    try:
        with pytest.raises(NotAcknowledged):
            await house.channel.say("Is this kept?")
        sentence = "The database cannot be used"
        await day.passes("the disk is full", "database", sentence, "uppzy-bot doctor", room, word="unavailable")
    finally:
        room()
    answers = len(house.channel.answers())
    await house.channel.say("And this?")
    await house.answers(answers + 1)
