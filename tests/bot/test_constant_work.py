"""What an event costs does not grow with what was before it: counted in steps of SQLite's machine, not in time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.config import Feedback
from bot.ratings.votes import fingerprint, rating, tally, votes
from bot.store.database import Tx
from bot.store.votes import clicks_on, emoji_on
from tests.fakes.channel import Sent, room
from tests.house import House, a_house
from tests.postgres import about_sqlite

pytestmark = about_sqlite

SLACK = 150
"""Steps by which one statement may differ between a small history and a large one; a row read is ten or so."""
THREAD = room("t1")


@contextmanager
def counted(steps: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note the most steps that each statement takes."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(tx: Tx, sql: str, *args: Any) -> Any:
            taken = 0

            def step() -> None:
                nonlocal taken
                taken += 1

            tx.connection.set_progress_handler(step, 1)
            try:
                return method(tx, sql, *args)
            finally:
                tx.connection.set_progress_handler(None, 0)
                steps[sql] = max(steps[sql], taken)

        return run

    with monkeypatch.context() as patch:
        for name in ("one", "all", "run"):
            patch.setattr(Tx, name, wrap(getattr(Tx, name)))
        yield


@asynccontextmanager
async def with_history(folder: Path, earlier: int, voters: int) -> AsyncIterator[tuple[House, Sent]]:
    """Make a house in whose thread, by the same person, so much was asked, and whose answer so many voted on."""
    folder.mkdir()
    async with a_house(folder, delay=0.01) as house:
        await house.channel.say("first", conversation=THREAD)
        (answer,) = await house.answers(1)
        await house.idle()

        def fill(tx: Tx) -> None:
            names = [row["name"] for row in tx.all("PRAGMA table_info(turns)")]
            rest = ",".join(name for name in names if name not in ("id", "reference", "question"))
            series = "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<?)"
            tx.run(
                f"{series} INSERT INTO turns (reference, question, {rest}) SELECT 'R'||i, 'q'||i, {rest}"
                " FROM turns, k WHERE turns.id=1",
                earlier,
            )
            tx.run("UPDATE turns SET accepted_at=accepted_at-100000")
            tx.run("UPDATE turns SET cleanup=0 WHERE id>1")  # the first may have a sign of work left to take away
            tx.run(
                f"{series} INSERT INTO votes (turn, message, user_id, emoji, present, at, added_at)"
                " SELECT 1, ?, 'V'||i, '👍', 1, 1.0, 1.0 FROM k",
                *(voters, answer.ref.message_id),
            )
            tx.run(
                f"{series} INSERT INTO clicks (turn, user_id, rating, at) SELECT 1, 'C'||i, 'bad', 1.0 FROM k", voters
            )

        await house.bot.db.write(fill)
        await house.channel.react(answer.ref, "👍", user_id="V0")  # votes of an older version are counted once
        yield house, answer


async def everything(house: House, answer: Sent) -> None:
    """Let one of each kind of event happen, there and in a direct chat."""
    channel = house.channel
    asked = await channel.say("second", conversation=THREAD, mentions_bot=False)
    second = (await house.answers(2))[-1]
    await channel.edit(asked, "again")
    for emoji, button in (("👍", False), ("👎", True), ("🎉", False)):
        await channel.react(answer.ref, emoji, user_id="W1", button=button)
        await channel.react(answer.ref, emoji, button=button)
    await channel.react(answer.ref, "🎉", added=False, user_id="W1")
    await channel.react(second.ref, "👍")
    await channel.react(asked.ref, "👍")
    direct = await channel.say("")
    await channel.edit(direct, "a question after all")
    await channel.remove((await channel.say("soon gone", conversation=THREAD)).ref)
    for words in ("!help", "!new"):
        await channel.say(words, conversation=THREAD)
    await channel.command("ask", "as a command", conversation=THREAD)
    async with asyncio.timeout(30):
        while await house.table("SELECT 1 FROM turns WHERE state='open' UNION SELECT 1 FROM turns WHERE cleanup=1"):
            await asyncio.sleep(0.02)
        while await house.table("SELECT 1 FROM feedback WHERE due_at IS NOT NULL"):
            await asyncio.sleep(0.02)


async def test_no_event_costs_more_after_a_long_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number, (earlier, voters) in enumerate(((10, 10), (2000, 2000))):
        steps: Counter[str] = Counter()
        async with with_history(tmp_path / str(number), earlier, voters) as (house, answer):
            with counted(steps, monkeypatch):
                await everything(house, answer)
        found.append(steps)
    few, many = found
    assert {sql: (few[sql], many[sql]) for sql in many if many[sql] > few[sql] + SLACK} == {}
    assert sum("turns" in sql for sql in many) > 10, "the statements were not seen"
    assert max(many.values()) < 2000


async def test_a_tally_is_what_counting_everybody_gives(house: House) -> None:
    """Whatever happens in whatever order, after an upgrade, after other rules, and after somebody is forgotten."""
    await house.channel.say("a question")
    (answer,) = await house.answers(1)
    rules = house.config.feedback

    async def check() -> None:
        row = (await house.table("SELECT good, bad FROM tallies"))[0]
        by_user = await house.bot.db.read(lambda tx: votes(emoji_on(tx, 1), clicks_on(tx, 1), rules))
        assert (row["good"], row["bad"]) == (
            sum(vote == "good" for vote in by_user.values()),
            sum(vote == "bad" for vote in by_user.values()),
        )
        stored = (await house.table("SELECT rating FROM feedback"))[0]["rating"]
        assert stored == rating(by_user.get("U1"), tally(by_user.values()), rules)

    users = [f"U{number}" for number in range(2, 8)]
    for number, user in enumerate(users * 3):
        for emoji, added, button in (
            ("👍", True, False),
            ("👎", number % 2 == 0, False),
            ("👍", True, number % 3 == 0),
        ):
            await house.channel.react(answer.ref, emoji, added=added, user_id=user, button=button)
            await check()
    await house.bot.db.write(lambda tx: tx.run("UPDATE tallies SET good=99, rules='of before'"))
    await house.channel.react(answer.ref, "❌", user_id="U2")
    await check()
    await house.bot.db.write(lambda tx: tx.run("DELETE FROM tallies"))
    await house.channel.react(answer.ref, "🎉")
    await check()


def test_other_rules_count_anew() -> None:
    assert fingerprint(Feedback()) != fingerprint(Feedback(good=("🚀",)))
    assert fingerprint(Feedback(voters="asker")) == fingerprint(Feedback())
