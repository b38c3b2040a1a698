"""Open questions are counted by channel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.engine.open_questions import OpenQuestions
from bot.store.turns import open_turns
from tests.fakes.channel import ASKER
from tests.house import a_house


async def test_each_channel_has_room_of_its_own(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=30, BOT_LIMITS__OPEN_TURNS="2") as house:
        for number in range(2):
            await house.channel.say(f"question {number}", user_id=f"{ASKER}{number}")
        engine = house.bot.engine
        assert (engine.open_questions, engine.open_in("fake"), engine.open_in("other")) == (2, 2, 0)
        assert house.bot.router._is_full("fake")
        assert not house.bot.router._is_full("other")


async def test_what_is_counted_twice_or_never_counts_once_or_not_at_all(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=30) as house:
        await house.channel.say("a question")
        (turn,) = await house.bot.db.read(open_turns)
    other = replace(turn, id=turn.id + 1, address=replace(turn.address, channel="other"))
    known = OpenQuestions([turn])
    for again in (turn, other, other):
        known.add(again)
    assert (len(known), known.count("fake"), known.count("other"), other.id in known) == (2, 1, 1, True)
    for gone in (other.id, other.id, 99):
        known.discard(gone)
    assert (len(known), known.count("fake"), known.count("other"), other.id in known) == (1, 1, 0, False)
