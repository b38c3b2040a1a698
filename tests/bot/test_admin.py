"""Dead letters and what a person is forgotten by, through a second connection beside a running bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.assistant.faults import Fault
from bot.store import Admin, NotPossible, open_database
from tests.fakes.channel import room
from tests.house import House, a_house

WORDS = "How long do I have to return a bicycle?"


@asynccontextmanager
async def operator_of(house: House) -> AsyncIterator[Admin]:
    """Open the database a second time, as the command line does."""
    database = open_database(house.config.database_url)
    try:
        yield Admin(database)
    finally:
        database.close()


async def whole(pages: AsyncIterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Read a list to its end."""
    return [row async for page in pages for row in page]


async def dead(house: House, operator: Admin, count: int = 1) -> list[str]:
    """Wait for so many dead letters; return their references."""
    async with asyncio.timeout(20):
        while len(letters := await whole(operator.dead())) < count:
            await asyncio.sleep(0.01)
    return [letter["reference"] for letter in letters]


async def all_of_it(house: House) -> str:
    """Write out everything the database holds."""
    tables = await house.tables()
    rows = [(table, row) for table in tables for row in await house.values(table)]
    return "\n".join(repr(row) for row in rows)


async def fail_once(house: House, operator: Admin, words: str = WORDS) -> str:
    """Ask a question that fails; return its reference."""
    rule = house.assistant.faults.add(Fault("failed"), endpoint="chat_async", times=1)
    await house.channel.say(words)
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    (reference,) = await dead(house, operator)
    assert rule.hits == 1
    return reference


async def test_a_dead_question_is_listed_shown_and_answered_when_it_is_retried(house: House) -> None:
    async with operator_of(house) as operator:
        reference = await fail_once(house, operator)
        assert reference in house.channel.notices("failure")[0].text, "the asker has been told"
        (letter,) = await whole(operator.dead())
        assert (letter["kind"], letter["channel"]) == ("turn", "fake")
        assert letter["reason"] == "The API ended the request without an answer."
        shown = await operator.dead_letter(reference.lower())
        assert shown is not None
        assert shown["turn"]["outcome"] == "failed"
        await house.channel.wait_for(lambda: house.count("dead_letters") == 1)
        await operator.retry(reference)
        (answer,) = await house.answers(1)
        assert "30 days" in answer.text
        await house.idle()
        assert await whole(operator.dead()) == []
        await house.channel.wait_for(lambda: house.count("dead_letters") == 0)
        assert house.asked() == [WORDS, WORDS]


async def test_a_retried_question_goes_first_in_its_session_and_is_not_doubled_by_a_redelivery(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.8) as house, operator_of(house) as operator:
        house.assistant.faults.add(Fault("failed"), endpoint="chat_async", times=1)
        first = await house.channel.say("first question")
        (reference,) = await dead(house, operator)
        for words in ("second question", "third question", "fourth question"):
            await house.channel.say(words)
        await house.channel.wait_for(lambda: "second question" in house.asked())
        await operator.retry(reference)
        await house.channel.happen(first)
        await house.answers(4)
        await house.idle()
        asked = house.asked()
        assert len(asked) == 5
        assert asked.index("first question", 1) < asked.index("fourth question")
        assert [words for words in asked if words != "first question"] == [
            "second question",
            "third question",
            "fourth question",
        ]


async def test_a_retry_sends_only_the_parts_that_are_missing(house: House) -> None:
    words = [f"w{n}" for n in range(200)]
    house.assistant.script(contains="much", answer=" ".join(words))
    house.channel.plan = [None, "gone"]
    async with operator_of(house) as operator:
        await house.channel.say("very much")
        (reference,) = await dead(house, operator)
        assert len(house.channel.answers()) == 1
        assert (await whole(operator.dead()))[0]["kind"] == "delivery"
        await operator.retry(reference)
        await house.answers(3)
        await house.idle()
        assert " ".join(part.text for part in house.channel.answers()).split() == words
        assert house.asked() == ["very much"]


async def test_a_failed_rating_is_submitted_again(house: House) -> None:
    async with operator_of(house) as operator:
        await house.channel.say(WORDS)
        (answer,) = await house.answers(1)
        house.assistant.faults.add(Fault("status", status=400), endpoint="feedback", times=1)
        await house.channel.react(answer.ref, "👍")
        (reference,) = await dead(house, operator)
        assert (await anext(operator.feedback()))[0]["outcome"] == "failed"
        await operator.retry(reference)
        await house.channel.wait_for(lambda: len(house.rated()) == 2)
        async with asyncio.timeout(20):
            while (await anext(operator.feedback()))[0]["submitted"] != "good":
                await asyncio.sleep(0.01)
        assert await whole(operator.dead()) == []


async def test_what_cannot_be_retried_is_said_and_can_be_purged(house: House) -> None:
    async with operator_of(house) as operator:
        with pytest.raises(NotPossible, match="no dead letter"):
            await operator.retry("AAAAAAAA")
        await house.bot.host.set_aside("fake", "A1", b"{not json", "It is no JSON.")
        await house.bot.host.set_aside("fake", "A1", b"{not json", "It is no JSON.")
        (reference,) = await dead(house, operator)
        with pytest.raises(NotPossible, match="only purged"):
            await operator.retry(reference)
        shown = await operator.dead_letter(reference)
        assert shown is not None
        assert shown["payload"] == "{not json"
        assert await operator.purge("AAAAAAAA") == 0
        assert await operator.purge(reference) == 1
        await house.bot.host.set_aside("fake", "A1", b"{one", "It is no JSON.")
        await house.bot.host.set_aside("fake", "A1", b"{two", "It is no JSON.")
        assert await operator.purge(None) == 2
        assert await whole(operator.dead()) == []


async def test_a_forgotten_person_leaves_no_trace_and_no_memory(house: House) -> None:
    async with operator_of(house) as operator:
        for user in ("U1", "U2"):
            await house.channel.say(f"Where may {user} return a bicycle?", user_id=user, conversation=room("t1"))
            await house.channel.say(f"When does the shop open for {user}?", user_id=user)
        answers = await house.answers(4)
        await house.idle()
        for user in ("U1", "U2"):
            for answer in answers:
                await house.channel.react(answer.ref, "👎", button=True, user_id=user)
        await house.channel.wait_for(lambda: house.channel.notices("why"))
        why = house.channel.notices("why")[0]
        await house.channel.say("Wrong for U1.", in_reply_to=why.ref, user_id="U1")
        await house.bot.host.set_aside("fake", "A1", b'{"user": "U1", "odd"', "It is no JSON.")
        unseen = house.channel.message("unseen words", user_id="U1")
        await house.channel.edit(unseen, "edited words of U1", mentions_bot=False)
        before = {row["lane"] for row in await house.table("SELECT lane FROM turns WHERE asker='U1'")}
        forgotten = await operator.forget("fake", "A1", "U1")
        assert forgotten["turns"] >= 2
        left = await all_of_it(house)
        assert "'U1'" not in left
        assert "U1" not in left.replace("D-U1", "")
        assert "U2" in left, "nobody else is forgotten"
        await house.channel.say("Hello again?")
        await house.channel.wait_for(lambda: len(house.asked()) == 5)
        (lane,) = {row["lane"] for row in await house.table("SELECT lane FROM turns WHERE asker='U1'")}
        assert lane not in before, "the assistant must not remember either"


async def test_a_person_may_be_forgotten_while_a_question_is_open(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=1.0) as house, operator_of(house) as operator:
        await house.channel.say("first question")
        await house.channel.say("second question")
        await house.channel.wait_for(lambda: house.asked() and house.channel.working)
        await operator.forget("fake", "A1", "U1")
        await house.idle()
        await house.channel.wait_for(lambda: not house.channel.working)
        await house.channel.say("third question", user_id="U2")
        await house.answers(1)
        assert house.asked() == ["first question", "third question"]
        assert [sent.kind for sent in house.channel.visible()] == ["answer"]
