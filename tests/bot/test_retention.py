"""Retention: words go first, then everything that names a person; what must not come back does not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bot.config import Retention
from bot.events import Comment, Moved
from bot.sessions import Address
from bot.store import conversations
from bot.store.retention import DAY, in_slices, old
from tests.bot.test_admin import all_of_it
from tests.fakes.channel import room
from tests.house import House, a_house

KEEP = Retention(text_days=30, count_days=400)
STAYS = {"meta", "aliases", "vault", "sqlite_sequence", "pgqueuer"}
"""The queue's rows are the rights that this process holds, such as that to forget."""


async def lived_in(house: House) -> None:
    """Fill every table."""
    channel, host = house.channel, house.bot.host
    question = await channel.say("How long may secretwords return a bicycle?")
    (answer,) = await house.answers(1)
    await house.idle()
    await channel.react(answer.ref, "👍")
    await channel.react(answer.ref, "👎", button=True)
    await channel.happen(
        Comment(event_id="comment", target=answer.ref, user_id="U1", text="secretreason", sent_at=question.sent_at)
    )
    await channel.command("ask", "Where may secretwords return it?", conversation=room())
    await house.answers(2)
    await channel.edit(channel.message("never seen"), "secretwords of an edit", mentions_bot=False)
    await channel.say("!new")
    await host.set_aside("fake", "A1", b"{secretpayload", "It is no JSON.")
    await host.vault.put("token", None)
    await channel.happen(
        Moved(event_id="moved", channel="fake", account_id="A1", old_id="R-1", new_id="R-2", sent_at=question.sent_at)
    )
    await channel.wait_for(lambda: len(house.rated()) == 1)
    await at_rest(house)


async def at_rest(house: House) -> None:
    """Wait until nothing is left to do."""
    busy = (
        "SELECT 1 FROM turns WHERE state='open' OR cleanup=1"
        " UNION ALL SELECT 1 FROM feedback WHERE due_at IS NOT NULL OR mark_due=1"
    )
    async with asyncio.timeout(20):
        while await house.table(busy):
            await asyncio.sleep(0.01)


async def forget(house: House, days: float) -> None:
    """Do what the bot does every hour, as if so many days had passed."""
    await in_slices(house.bot.db.write, old(KEEP.text_days, KEEP.count_days, time.time() + days * DAY))


async def counts(house: House) -> dict[str, int]:
    """Count the rows of every table that has any."""
    tables = await house.tables()
    found = {table: (await house.table(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables}
    return {table: number for table, number in found.items() if number}


async def test_nothing_young_is_forgotten(house: House) -> None:
    await lived_in(house)
    before = await all_of_it(house)
    assert "secretwords" in before
    assert "secretreason" in before
    await forget(house, 0.0)
    assert await all_of_it(house) == before


async def test_words_go_after_text_days_and_the_numbers_stay(house: House) -> None:
    await lived_in(house)
    await forget(house, 30.1)
    left = await all_of_it(house)
    for word in ("secretwords", "secretreason", "secretpayload", "30 days", "never seen"):
        assert word not in left
    rows = await house.table("SELECT outcome FROM turns WHERE kind='question'")
    assert [row["outcome"] for row in rows] == ["answered", "answered"]
    (rated,) = await house.table("SELECT submitted FROM feedback")
    assert rated["submitted"] == "bad"


async def test_everything_goes_after_count_days_and_old_memories_do_not_come_back(house: House) -> None:
    await lived_in(house)
    before = {row["lane"] for row in await house.table("SELECT lane FROM turns")}
    await forget(house, 400.1)
    assert set(await counts(house)) <= STAYS
    await house.channel.say("How long is it?")
    await house.answers(3)
    await house.idle()
    after = {row["lane"] for row in await house.table("SELECT lane FROM turns WHERE kind='question'")}
    assert not after & before


async def test_events_are_recognised_as_long_as_they_may_come_again(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        question = await house.channel.say("How long is it?")
        await house.answers(1)
        await house.idle()
        await in_slices(house.bot.db.write, old(0, 0, time.time() + 1.0))
        await house.channel.happen(question)
        assert house.count("events_total", channel="fake", kind="message", outcome="duplicate") == 1
        assert len(house.asked()) == 1


async def test_where_the_bot_has_greeted_is_known_for_ever(house: House) -> None:
    """Other cooldowns go after two days."""
    address, now = Address("fake", "A1", "R-1"), 1_000_000.0
    assert await house.bot.db.write(lambda tx: conversations.claim_greeting(tx, address, now))
    assert await house.bot.db.write(lambda tx: conversations.start_cooldown(tx, "limited:x", 60.0, now))
    await in_slices(house.bot.db.write, old(30, 400, now + 1000 * 86400))
    assert [row["key"] for row in await house.table("SELECT key FROM cooldowns")] == ["greeted:fake:A1:R-1"]
    assert not await house.bot.db.write(lambda tx: conversations.claim_greeting(tx, address, now + 1000 * 86400))
