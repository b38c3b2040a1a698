"""Stopping what is open, and commands that nobody has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot import notices
from tests.fakes.channel import room
from tests.house import House, a_house

QUESTIONS = "SELECT * FROM turns WHERE kind='question'"


async def test_stop_ends_what_the_person_has_open_here_and_tells_them(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=1.0) as house:
        await house.channel.say("first, theirs")
        await house.channel.say("second, theirs")
        await house.channel.say("of somebody else", user_id="U2")
        await house.channel.say("theirs, elsewhere", conversation=room("t1"))
        await house.channel.command("stop")
        await house.channel.wait_for(lambda: house.channel.notices("info"))
        assert [notice.text for notice in house.channel.notices("info")] == [notices.stopped(2)]
        await house.idle()
        outcomes = {row["text"]: row["outcome"] for row in await house.table(QUESTIONS)}
        assert outcomes["first, theirs"] == outcomes["second, theirs"] == "cancelled"
        assert outcomes["of somebody else"] == outcomes["theirs, elsewhere"] == "answered"
        assert len(house.channel.answers()) == 2


async def test_stop_is_typed_where_the_channel_has_no_commands(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=1.0) as house:
        await house.channel.say("in the thread", conversation=room("t1"))
        await house.channel.say("in another thread", conversation=room("t2"))
        await house.channel.say("!stop", conversation=room("t1"), mentions_bot=False)
        await house.answers(1)
        await house.idle()
        outcomes = {
            row["text"]: row["outcome"] for row in await house.table("SELECT * FROM turns WHERE kind='question'")
        }
        assert outcomes == {"in the thread": "cancelled", "in another thread": "answered"}
        assert [notice.text for notice in house.channel.notices("info")] == [notices.stopped(1)]


async def test_said_where_a_thread_would_only_begin_it_means_the_whole_conversation(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=1.0) as house:
        await house.channel.say("in a thread", conversation=room("t1"))
        root = house.channel.message("!stop", conversation=room())
        await house.channel.happen(replace(root, mentions_bot=True, conversation=room(root.ref.message_id)))
        await house.idle()
        assert [row["outcome"] for row in await house.table(QUESTIONS)] == ["cancelled"]


async def test_nothing_to_stop_is_said_too(house: House) -> None:
    await house.channel.command("stop")
    await house.channel.wait_for(lambda: house.channel.notices("info"))
    assert [notice.text for notice in house.channel.notices("info")] == [notices.NOTHING_TO_STOP]


async def test_an_unknown_command_is_answered_with_those_there_are_and_mended_it_asks(house: House) -> None:
    await house.channel.command("aks", "When does the shop open?")
    await house.channel.wait_for(lambda: house.channel.notices("refusal"))
    (notice,) = house.channel.notices("refusal")
    assert {"`/ask`", "`/new`", "`/stop`", "`/help`."} <= set(notice.text.replace(",", "").split())
    assert "\n" not in notice.text
    assert house.asked() == []


async def test_an_unknown_typed_word_is_a_question(house: House) -> None:
    await house.channel.say("!important when does the shop open?")
    await house.answers(1)
    assert house.asked() == ["!important when does the shop open?"]
