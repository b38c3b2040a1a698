"""Backpressure: what is bounded, who is told, and that one conversation's flood is not another's delay."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import Unavailable
from tests.fakes.channel import room
from tests.house import a_house


async def test_a_session_has_only_so_many_waiting_and_others_are_not_touched(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.3, BOT_LIMITS__WAITING_PER_SESSION="3") as house:
        for n in range(8):
            await house.channel.say(f"flood {n}", conversation=room("t1"), user_id=f"U{n}")
        await house.channel.say("calm", conversation=room("t2"), user_id="U0")
        await house.answers(4)
        await house.idle()
        assert sorted(house.asked()) == ["calm", "flood 0", "flood 1", "flood 2"]
        told = [notice.text for notice in house.channel.notices("refusal")]
        assert len(told) == 5, "each person once"
        assert all("waiting already" in text for text in told)
        assert house.count("turns_total", channel="fake", outcome="limited") == 5


async def test_a_limit_of_one_person_is_nobody_elses(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE="1") as house:
        for user in ("U1", "U1", "U2"):
            await house.channel.say(f"from {user}", user_id=user)
        await house.answers(2)
        await house.idle()
        assert sorted(house.asked()) == ["from U1", "from U2"]
        (notice,) = house.channel.notices("refusal")
        assert notice.conversation.conversation_id == "D-U1"


async def test_when_too_many_are_open_only_new_questions_are_put_off(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=1.0, BOT_LIMITS__OPEN_TURNS="2") as house:
        first = await house.channel.say("first", user_id="U1")
        second = await house.channel.say("second", user_id="U2")
        late = house.channel.message("third", user_id="U3")
        assert not await house.channel.deliver(house.channel.payload(late))
        # What makes no new question goes on: repetitions, edits, deletions, commands.
        await house.channel.happen(first)
        await house.channel.edit(first, "first, better")
        await house.channel.remove(second.ref)
        await house.channel.say("!help", user_id="U3")
        await house.channel.wait_for(lambda: house.channel.notices("info"))
        await house.idle()
        assert house.asked().count("first, better") == 1
        assert await house.channel.deliver(house.channel.payload(late))
        await house.answers(2)
        await house.idle()
        assert house.count("events_total", channel="fake", kind="message", outcome="duplicate") == 1
        assert "third" in house.asked()


async def test_what_is_put_off_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.5, BOT_LIMITS__OPEN_TURNS="1") as house:
        await house.channel.say("first", user_id="U1")
        before = await house.values("events")
        late = house.channel.message("second", user_id="U2")
        with pytest.raises(Unavailable) as refused:
            await house.bot.router.handle(late)
        assert refused.value.reason == "open_turns"
        assert await house.values("events") == before
        await house.idle()
        await house.channel.happen(late)
        await house.answers(2)


async def test_a_flood_in_one_conversation_delays_nobody_else(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.2) as house:
        for n in range(30):
            await house.channel.say(f"flood {n}", conversation=room("t1"), user_id="U1")
        await asyncio.gather(*(house.channel.say(f"calm {n}", user_id=f"P{n}") for n in range(5)))
        await house.channel.wait_for(lambda: len([w for w in house.asked() if w.startswith("calm")]) == 5)
        flooded = [words for words in house.asked() if words.startswith("flood")]
        assert len(flooded) < 10, "the calm ones were asked at once, beside the flood and not behind it"
        assert flooded == [f"flood {n}" for n in range(len(flooded))]


async def test_chatter_that_is_not_for_us_takes_no_place_of_a_question(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__OPEN_TURNS="1", delay=0.3) as house:
        chatter = [house.channel.say(f"among us {n}", conversation=room(), mentions_bot=False) for n in range(8)]
        await asyncio.gather(*chatter, house.channel.say("When does the shop open?"))
        await house.answers(1)
        assert house.count("events_total", channel="fake", kind="message", outcome="ignored") == 8
