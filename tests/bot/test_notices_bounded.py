"""One person who makes the bot talk: limited as one who asks, and in nobody's way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot import notices
from bot.events import MessageRef
from bot.intake.replies import TOLD_A_MINUTE
from bot.texts import said as in_words
from tests.fakes.channel import room
from tests.house import House, a_house

TOO_MANY = notices.too_many(7).split("7")[0]


async def said(house: House) -> list[str]:
    """List the notices that were posted; one of two messages is one."""
    rows = await house.table("SELECT text FROM turns WHERE kind='notice' AND outcome='answered'")
    return [in_words(row["text"], "en") for row in rows]


async def told(house: House) -> tuple[int, int]:
    """Count what people were told: that it was too much, and everything else."""
    texts = await said(house)
    too_many = sum(text.startswith(TOO_MANY) for text in texts)
    return too_many, len(texts) - too_many


async def flood(house: House, words: str, count: int, user: str = "U1") -> None:
    for number in range(count):
        await house.channel.say(words, conversation=room(f"t{number}"), user_id=user)


async def settled(house: House) -> None:
    async with asyncio.timeout(30):
        while await house.table("SELECT 1 FROM turns WHERE state='open'"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("words", ["!help", "!new", "", "x" * 9000])
@pytest.mark.parametrize(("limit", "most"), [("0", TOLD_A_MINUTE), ("5", 5)])
async def test_notices_to_one_person_are_limited(tmp_path: Path, words: str, limit: str, most: int) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE=limit) as house:
        await flood(house, words, 60)
        await settled(house)
        too_many, other = await told(house)
        assert too_many == 1
        assert 1 <= other <= most
        await house.channel.say("!help", conversation=room("t"), user_id="U2")
        await settled(house)
        assert await told(house) == (1, other + 1), "another person is told as ever"


async def test_who_was_told_much_may_not_ask_more_than_the_limit_either(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE="3") as house:
        for words in ("!help", "", "a question", "one too many", "another"):
            await house.channel.say(words)
        await settled(house)
        assert house.asked() == ["a question"]
        assert await told(house) == (1, 2)


async def test_without_a_limit_notices_take_no_place_of_questions(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await flood(house, "!help", 30)
        await house.channel.say("a question", conversation=room("t"), user_id="U1")
        await house.answers(1)


async def test_the_time_that_is_told_is_enough(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE="2") as house:
        await flood(house, "!help", 5)
        await settled(house)
        assert (await told(house))[0] == 1
        rows = await house.table("SELECT accepted_at FROM turns ORDER BY accepted_at")
        after = rows[0]["accepted_at"] + 60.5  # the first of the two no longer counts then
        house.bot.ctx.clock = lambda: after
        await house.channel.say("a question", conversation=room("t"), user_id="U1")
        await house.answers(1)


async def test_the_same_words_that_wait_are_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_house(tmp_path) as house:
        adapter, go = house.bot.ctx.adapters["fake"], asyncio.Event()
        send = adapter.send

        async def held(*args: Any, **options: Any) -> MessageRef:
            await go.wait()
            return await send(*args, **options)

        monkeypatch.setattr(adapter, "send", held)
        await house.channel.say("!help", conversation=room("first"), user_id="U1")
        async with asyncio.timeout(30):
            while not await house.table("SELECT 1 FROM steps WHERE begun_at IS NOT NULL"):
                await asyncio.sleep(0.02)
        await flood(house, "!help", 8)
        await house.channel.say("!new", conversation=room("t"), user_id="U1")
        await house.channel.say("!help", conversation=room("t"), user_id="U2")
        go.set()
        await settled(house)
        texts = await said(house)
        assert len([text for text in texts if text != notices.NEW]) == 3, "the first, the last, and the other person's"
        assert texts.count(notices.NEW) == 1, "other words are not lost"
        superseded = await house.table("SELECT 1 FROM turns WHERE outcome='superseded'")
        assert len(superseded) == 7


async def test_what_waits_to_be_told_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many people make the bot talk faster than the platform lets it."""
    monkeypatch.setattr("bot.intake.router.MOST_NOTICES", 5)
    post, free = house.channel.post, asyncio.Event()

    async def held_up(*args: Any, **named: Any) -> Any:
        await free.wait()
        return await post(*args, **named)

    house.channel.post = held_up  # type: ignore[method-assign]  # the platform's own doing
    for number in range(20):
        await house.channel.say("!help", conversation=room(f"t{number}"), user_id=f"U{number}")
    await house.channel.say("When does the shop open?", conversation=room("t"), user_id="U")
    assert len(await house.table("SELECT 1 FROM turns WHERE kind='notice' AND state='open'")) == 5
    assert house.count("notices_left_out_total", channel="fake") == 15
    free.set()
    await settled(house)
    assert len(house.channel.answers()) == 1
    await house.channel.say("!help", conversation=room("u"), user_id="U20")
    await settled(house)
    assert await told(house) == (0, 6)


async def test_what_is_left_out_is_counted_and_uses_up_no_time_of_saying_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While others' notices wait, nobody's notice of the day is spent without a word."""
    denied = '["fake:A1:U9"]'
    async with a_house(tmp_path, BOT_ACCESS__DENY=denied, BOT_ACCESS__REFUSED="daily_notice") as house:
        with monkeypatch.context() as patch:
            patch.setattr("bot.intake.router.MOST_NOTICES", 0)
            await house.channel.say("A question?", conversation=room("t1"), user_id="U9")
            for words in ("!new", "!stop", "!help"):
                await house.channel.say(words, conversation=room("t2"), user_id="U1")
        await settled(house)
        assert await told(house) == (0, 0)
        assert house.count("notices_left_out_total", channel="fake") == 4
        await house.channel.say("Again?", conversation=room("t1"), user_id="U9")
        await settled(house)
        assert await said(house) == [in_words(notices.REFUSED, "en")]
