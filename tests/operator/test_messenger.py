"""What reaches the operator's conversation, from a whole bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from bot.api.models import Figures
from bot.assistant.faults import Fault
from bot.errors import Unavailable
from bot.store import operator
from tests.house import House, a_house

SECRET_WORDS = "What is the salary of Mrs Miller?"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(
        tmp_path, BOT_OPERATOR__CHANNEL="fake", BOT_OPERATOR__ACCOUNT="A1", BOT_OPERATOR__CONVERSATION="ops"
    ) as made:
        yield made


def told(house: House) -> list[str]:
    """What was said in the operator's conversation."""
    return [sent.text for sent in house.channel.sent if sent.conversation.conversation_id == "ops"]


async def look_and_tell(house: House) -> None:
    await house.bot.watch.look()
    await house.bot.messenger.tell()


async def test_a_dead_letter_is_told_once_with_its_reference_and_without_words(house: House) -> None:
    house.assistant.faults.add(Fault("failed"), endpoint="chat_async", times=1)
    await house.channel.say(SECRET_WORDS)
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    await look_and_tell(house)
    await look_and_tell(house)
    (reference,) = (await house.table("SELECT reference FROM dead"))[0]
    (message,) = told(house)
    assert f"uppzy-bot dead show {reference}" in message
    assert "salary" not in message


async def test_a_restart_does_not_tell_it_again(house: House) -> None:
    house.bot.ctx.problems.report("telegraph", "The token was revoked.")
    await look_and_tell(house)
    await house.restart()
    house.bot.ctx.problems.report("telegraph", "The token was revoked.")
    await house.bot.messenger._recall()
    await look_and_tell(house)
    assert len(told(house)) == 1


async def test_a_conversation_that_cannot_be_reached_hurts_nobody_and_is_tried_again(house: House) -> None:
    house.channel.failing = "rate_limited"
    house.bot.ctx.problems.report("telegraph", "It fails.")
    await look_and_tell(house)
    assert told(house) == []
    house.channel.failing = None
    await look_and_tell(house)
    assert len(told(house)) == 1


async def test_the_letter_comes_once_a_week_and_not_at_the_first_start(house: House) -> None:
    messenger, ctx = house.bot.messenger, house.bot.ctx
    await messenger.write_letter()
    assert told(house) == []
    await ctx.db.write(lambda tx: operator.keep(tx, "digest", {"week": "2020-W01", "version": "0.0.1"}))
    await house.channel.say(SECRET_WORDS)
    await house.answers(1)
    await house.idle()
    await messenger.write_letter()
    await messenger.write_letter()
    (letter,) = told(house)
    assert "1 question;" in letter
    assert "it was 0.0.1" in letter
    assert "salary" not in letter


async def test_limits_are_read_at_the_start_shown_and_warned_of(house: House) -> None:
    async with asyncio.timeout(20):
        while not house.count("api_requests_total", endpoint="usage", status="200"):
            await asyncio.sleep(0.05)
    await house.bot.watch.look()
    assert house.metrics.registry.get_sample_value("uppzy_bot_api_limit_used_ratio", {"limit": "messages"}) is not None


async def test_a_limit_nearly_used_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = house.bot.ctx.api_for("")

    async def usage() -> Figures:
        return Figures(values={"messages": 850_000})

    monkeypatch.setattr(client, "usage", usage)
    await house.bot.limits.read()
    await look_and_tell(house)
    assert "85% of the limit of messages" in told(house)[0]
    assert house.count("api_limit_used_ratio", limit="messages") == 0.85


async def test_limits_that_cannot_be_kept_are_a_line_and_no_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk is full: the watch tells of that."""
    reader = house.bot.limits

    async def read() -> None:
        raise Unavailable("The disk is full.", reason="database")

    monkeypatch.setattr(reader, "read", read)
    with structlog.testing.capture_logs() as logged:
        reading = asyncio.create_task(reader.run())
        await house.channel.wait_for(lambda: logged)
        reading.cancel()
    assert ("limits.not_kept", "The disk is full.") in {(one["event"], one.get("reason")) for one in logged}
    assert "limits.failed" not in {one["event"] for one in logged}


async def test_the_oldest_open_question_is_seen(house: House) -> None:
    house.assistant.faults.add(Fault("delay", seconds=3), endpoint="chat_async", times=1)
    await house.channel.say("When?")
    await house.channel.wait_for(lambda: house.bot.engine.open_questions)
    reading = await house.bot.watch.look()
    assert reading.open_turns == 1
    assert reading.oldest is not None
    await house.idle()
    assert (await house.bot.watch.look()).oldest is None
    assert house.count("oldest_open_turn_seconds") == 0
