"""Hard cases of sessions that several people share, and of forgetting a person."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.store.admin import Admin
from tests.fakes.channel import ACCOUNT, NAME, room
from tests.house import House, a_house


async def test_new_by_several_people_in_a_shared_session_closes_it_once(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_SESSIONS__FAKE_ROOM="conversation") as house:
        house.assistant.script(contains="first", answer="one", delay=0.6)
        await house.channel.say("the first", conversation=room(), user_id="U1")
        await house.assistant.requests.wait("chat_async", 1)
        await asyncio.gather(*(house.channel.say("!new", conversation=room(), user_id=f"U{n}") for n in range(2, 6)))
        await house.channel.say("the next", conversation=room(), user_id="U2")
        await house.answers(2)
        await house.assistant.requests.wait("session_close", 1)
        await house.channel.wait_for(lambda: len(house.channel.notices("info")) == 4)
        (close,) = house.assistant.requests.of("session_close")
        first, second = house.assistant.requests.of("chat_async")
        assert first.body["session_id"] == close.body["session_id"] != second.body["session_id"]


async def test_forgetting_a_person_ends_the_sign_of_work_on_their_question(house: House) -> None:
    house.assistant.script(contains="slow", answer="late", delay=1.0)
    await house.channel.say("slow one")
    await house.assistant.requests.wait("chat_async", 1)
    assert house.channel.working
    await Admin(house.bot.db).forget(NAME, ACCOUNT, "U1")
    await house.channel.wait_for(lambda: house.channel.working == set())
    assert house.channel.answers() == []
