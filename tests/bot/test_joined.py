"""What a person's client made several messages of is asked as one question, whole; nothing else ever waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import notices
from bot.events import ContextItem, File, JoinKind, Joins, Message
from bot.store.admin import Admin
from tests.fakes.channel import FakeChannel, dm, room
from tests.house import House, a_house

FIRST, SECOND = "The text g", "oes on."
TURNS = "SELECT * FROM turns WHERE kind='question' ORDER BY id"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose waits are long enough for a busy machine: what ends one must be what the test says."""
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="5") as made:
        yield made


def joins(number: int, kind: JoinKind | None = None, **fields: Any) -> Joins:
    return Joins(number=number, after=number - 1, kind=kind, glue="" if kind == "paste" else "\n\n", **fields)


async def begin(channel: FakeChannel, text: str = FIRST, number: int = 100, **fields: Any) -> Message:
    return await channel.say(text, joins=joins(number, "paste"), **fields)


async def test_two_parts_of_a_paste_are_one_question_and_one_answer(house: House) -> None:
    await begin(house.channel)
    assert house.asked() == []
    await house.channel.wait_for(lambda: house.channel.working)  # the sign of work begins with the first part
    await house.channel.say(SECOND, joins=joins(101), mentions_bot=False)
    await house.answers(1)
    await house.idle()
    assert house.asked() == [FIRST + SECOND]
    assert len(house.channel.answers()) == 1
    assert house.count("joined_total", channel="fake", kind="paste") == 1


async def test_many_parts_are_one_question(house: House) -> None:
    for number in range(100, 104):
        await begin(house.channel, f"<{number}>", number)
    await house.channel.say("<end>", joins=joins(104))
    await house.answers(1)
    await house.idle()
    assert house.asked() == ["<100><101><102><103><end>"]


async def test_without_a_second_part_the_first_is_asked_when_the_wait_is_over(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.2") as house:
        await begin(house.channel)
        await house.answers(1)
        assert house.asked() == [FIRST]
        assert not await house.table("SELECT * FROM turns WHERE ready_at IS NOT NULL")


async def test_what_does_not_belong_is_a_question_of_its_own_and_ends_the_wait(house: House) -> None:
    """Another person, conversation or thread, an id or a time that does not follow."""
    first = await begin(house.channel, "of U1")
    late = replace(first, joins=joins(101), sent_at=first.sent_at + timedelta(seconds=3.5), text="too late")
    others: tuple[dict[str, Any], ...] = (
        {"joins": joins(101), "user_id": "U2", "conversation": dm()},
        {"joins": joins(101), "conversation": room("t1"), "text": "elsewhere"},
    )
    for number, other in enumerate(others):
        await house.channel.happen(replace(house.channel.message(f"other {number}"), mentions_bot=True, **other))
    await house.answers(2)
    assert sorted(house.asked()) == ["elsewhere", "other 0"]
    await house.channel.happen(
        replace(house.channel.message("x"), joins=late.joins, text="too late", sent_at=late.sent_at)
    )
    await house.answers(4)
    assert sorted(house.asked()) == ["elsewhere", "of U1", "other 0", "too late"]


async def test_a_message_whose_number_does_not_follow_ends_the_wait(house: House) -> None:
    await begin(house.channel)
    await house.channel.say("another", joins=joins(105))
    await house.answers(2)
    assert house.asked() == [FIRST, "another"]


async def test_a_thread_of_the_same_conversation_is_another_place(house: House) -> None:
    await begin(house.channel, conversation=room("t1"))
    await house.channel.say(SECOND, joins=joins(101), conversation=room("t2"))
    await house.answers(2)
    assert sorted(house.asked()) == sorted([FIRST, SECOND])


async def test_numbers_may_have_gaps_where_the_adapter_says_so(house: House) -> None:
    await begin(house.channel)
    await house.channel.say(SECOND, joins=Joins(number=107, after=0))
    await house.answers(1)
    assert house.asked() == [FIRST + SECOND]


async def test_even_a_message_that_is_not_for_us_ends_the_wait(house: House) -> None:
    await begin(house.channel, conversation=room())
    await house.channel.say("to the others", joins=joins(103), conversation=room(), mentions_bot=False)
    await house.answers(1)
    assert house.asked() == [FIRST]


@pytest.mark.parametrize("command", ["new", "stop", "help"])
async def test_a_command_ends_the_wait_and_is_no_part(house: House, command: str) -> None:
    await begin(house.channel)
    await house.channel.say(f"!{command}", joins=joins(101))
    await house.channel.wait_for(lambda: house.channel.notices("info"))
    await house.idle()
    assert house.asked() == ([] if command == "stop" else [FIRST])


async def test_a_paste_that_begins_with_a_command_is_joined_too(house: House) -> None:
    await house.channel.command("ask", FIRST, joins=joins(100, "paste"), ref=house.channel.message("").ref)
    await house.channel.say(SECOND, joins=joins(101))
    await house.answers(1)
    assert house.asked() == [FIRST + SECOND]


async def test_a_plain_question_never_waits_nor_does_one_of_the_same_session(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="5", BOT_SESSIONS__FAKE_ROOM="conversation") as house:
        await begin(house.channel, conversation=room("t1"), user_id="U1")
        await house.channel.say("plain", joins=joins(101), conversation=room("t1"), user_id="U2")
        await house.answers(1)
        assert house.asked() == ["plain"]


async def test_too_long_together_is_one_notice_and_no_piece_is_asked(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__QUESTION_CHARS="20", BOT_INPUT__JOIN_SECONDS="0.3") as house:
        for number in range(100, 105):
            await begin(house.channel, "0123456789", number)
        await house.channel.say("the end", joins=joins(105))
        await house.channel.wait_for(lambda: house.channel.notices("refusal"))
        await house.idle()
        await house.channel.say("one more piece", joins=joins(106))  # nothing waits any more: a question of its own
        await house.answers(1)
        await house.idle()
        assert house.asked() == ["one more piece"]
        assert [notice.text for notice in house.channel.notices("refusal")] == [notices.too_long(20)]
        assert house.count("turns_total", channel="fake", outcome="refused") == 1
        assert [row["outcome"] for row in await house.table(TURNS)] == ["refused", "answered"]


async def test_a_piece_that_comes_after_the_refusal_is_not_asked_either(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__QUESTION_CHARS="5", BOT_INPUT__JOIN_SECONDS="0") as house:
        await begin(house.channel, "0123456789")
        await house.idle()
        await begin(house.channel, "more", 101)
        await house.channel.say("end", joins=joins(102))
        await house.idle()
        await house.channel.say("!help")
        await house.channel.wait_for(lambda: house.channel.notices("info"))
        assert house.asked() == []
        assert len(house.channel.notices("refusal")) == 1


async def test_where_the_rest_is_hidden_one_notice_says_so(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.2") as house:
        await house.channel.say(FIRST, joins=joins(100, "paste", rest_hidden=True), conversation=room())
        await house.channel.wait_for(lambda: house.channel.notices("refusal"))
        await house.idle()
        assert [notice.text for notice in house.channel.notices("refusal")] == [notices.REST_HIDDEN]
        assert house.asked() == []


async def test_where_the_rest_comes_after_all_it_is_asked(house: House) -> None:
    await house.channel.say(FIRST, joins=joins(100, "paste", rest_hidden=True), conversation=room())
    await house.channel.say(SECOND, joins=joins(101), conversation=room(), mentions_bot=False)
    await house.answers(1)
    assert house.asked() == [FIRST + SECOND]
    assert house.channel.notices("refusal") == []


async def test_the_caption_of_any_piece_asks_for_the_whole_album(house: House) -> None:
    await house.channel.say("", joins=joins(100, "album"), has_attachment=True)
    await house.channel.say("what are these?", joins=joins(101, "album"), has_attachment=True)
    await house.channel.say("", joins=joins(102, "album"), has_attachment=True)
    await house.channel.say("!help", joins=joins(103))
    await house.answers(1)
    await house.idle()
    assert [asked for asked in house.asked() if "what are these?" in asked] == house.asked()
    assert len(house.asked()) == 1
    assert house.channel.notices("refusal") == []


async def test_an_album_without_words_gets_one_notice(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.2") as house:
        for number in range(100, 104):
            await house.channel.say("", joins=joins(number, "album"), has_attachment=True)
        await house.channel.wait_for(lambda: house.channel.notices("refusal"))
        await house.idle()
        assert [notice.text for notice in house.channel.notices("refusal")] == [notices.ONLY_ATTACHMENT]


async def test_a_part_that_comes_when_the_question_is_asked_changes_it_as_an_edit_does(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.6, BOT_INPUT__JOIN_SECONDS="0") as house:
        await begin(house.channel)
        await house.channel.wait_for(lambda: house.asked() == [FIRST])
        await house.channel.say(SECOND, joins=joins(101), mentions_bot=False)
        await house.answers(1)
        await house.idle()
        assert house.asked() == [FIRST, FIRST + SECOND]
        assert len(house.channel.answers()) == 1


async def test_a_part_that_comes_after_the_answer_asks_the_whole_and_not_a_piece(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0") as house:
        first = await begin(house.channel)
        await house.answers(1)
        await house.idle()
        late = replace(house.channel.message(SECOND), joins=joins(101), sent_at=first.sent_at)
        await house.channel.happen(late)
        await house.answers(2)
        assert house.asked() == [FIRST, FIRST + SECOND]
        await house.idle()
        assert await house.channel.deliver(house.channel.payload(late)), "delivered again"
        assert len(await house.table(TURNS)) == 2


async def test_redelivered_parts_do_nothing(house: House) -> None:
    first = await begin(house.channel)
    await house.channel.happen(first)
    second = await house.channel.say(SECOND, joins=joins(101))
    await house.channel.happen(second)
    await house.channel.happen(first)
    await house.answers(1)
    await house.idle()
    assert house.asked() == [FIRST + SECOND]


async def test_edits_of_any_part_change_the_one_question(house: House) -> None:
    first = await begin(house.channel)
    await house.channel.edit(first, "The words g")
    second = await house.channel.say("go", joins=joins(101, "paste"))
    await house.channel.edit(second, "oes")
    house.assistant.set_delay(0.6)
    third = await house.channel.say(" on.", joins=joins(102))
    await house.channel.wait_for(lambda: len(house.asked()) == 1)
    await house.channel.edit(third, "away.")
    await house.answers(1)
    await house.idle()
    assert house.asked()[-1] == "The words goesaway."
    assert len(house.channel.answers()) == 1


async def test_a_deleted_part_is_not_asked_and_without_any_the_question_ends(house: House) -> None:
    first = await begin(house.channel)
    second = await begin(house.channel, "gone", 101)
    await house.channel.remove(second.ref)
    await house.channel.say(SECOND, joins=joins(102))
    await house.answers(1)
    assert house.asked() == [FIRST + SECOND]
    await house.idle()
    assert [row["outcome"] for row in await house.table(TURNS)] == ["answered"]
    await house.channel.remove(first.ref)  # too late
    only = await begin(house.channel, "only", 110)
    await house.channel.remove(only.ref)
    await house.idle()
    assert [row["outcome"] for row in await house.table(TURNS)] == ["answered", "cancelled"]


async def test_a_refused_paste_is_asked_when_an_edit_mends_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__QUESTION_CHARS="20", BOT_INPUT__JOIN_SECONDS="5") as house:
        first = await begin(house.channel, "0123456789")
        await begin(house.channel, "0123456789", 101)
        await house.channel.say("x", joins=joins(102))
        await house.channel.wait_for(lambda: house.channel.notices("refusal"))
        await house.idle()
        await house.channel.edit(first, "short ")
        await house.answers(1)
        assert house.asked() == ["short0123456789x"]


async def test_a_stop_ends_what_waits_and_its_rest_is_not_asked(house: House) -> None:
    await begin(house.channel)
    await house.channel.command("stop")
    await house.idle()
    assert house.asked() == []
    assert [row["outcome"] for row in await house.table(TURNS)] == ["cancelled"]


async def test_what_waits_survives_a_restart(house: House) -> None:
    await begin(house.channel)
    await house.restart()
    await house.channel.say(SECOND, joins=joins(101))
    await house.answers(1)
    await house.idle()
    assert house.asked() == [FIRST + SECOND]


async def test_what_waited_is_asked_after_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.5") as house:
        await begin(house.channel)
        await house.restart()
        await house.answers(1)
        assert house.asked() == [FIRST]


async def test_a_comment_and_the_forward_after_it_are_one_question(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="4", delay=0.6) as house:
        await house.channel.say("Who is named here?", joins=joins(100))
        await house.channel.say("Acme and Globex", joins=joins(101, "forward"))
        await house.channel.say("and Initech", joins=joins(102, "forward"))
        await house.answers(1)
        await house.idle()
        assert "Acme and Globex" in house.asked()[-1]
        assert "Initech" in house.asked()[-1]
        assert house.asked()[-1].startswith("Who is named here?")
        assert len(house.channel.answers()) == 1
        assert house.count("joined_total", channel="fake", kind="forward") == 2


async def test_of_a_person_at_their_limit_no_piece_is_asked(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__WAITING_PER_SESSION="1", BOT_INPUT__JOIN_SECONDS="5", delay=0.5) as house:
        await house.channel.say("in the way")
        await begin(house.channel)
        await house.idle()
        await house.channel.say(SECOND, joins=joins(101))
        await asyncio.sleep(0)
        await house.idle()
        assert house.asked() == ["in the way"]
        assert len(await house.table(TURNS)) == 1


def forwarded(text: str, author: str = "Ben", author_id: str = "U8") -> tuple[ContextItem, ...]:
    return (ContextItem(kind="forward", text=text, author=author, author_id=author_id),)


async def test_a_forward_goes_along_with_the_comment_that_came_before_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.6) as house:
        await house.channel.say("Who is named here?", joins=joins(100))
        for number, text in ((101, "Acme and Globex"), (102, "and Initech")):
            await house.channel.say("", joins=joins(number, "forward"), context=forwarded(text))
        await house.answers(1)
        await house.idle()
        asked = house.asked()[-1]
        assert asked.endswith("[Question]\nWho is named here?")
        assert "[Forwarded message from Ben]\n> Acme and Globex" in asked
        assert asked.index("> Acme") < asked.index("> and Initech")
        assert len(house.channel.answers()) == 1


async def test_words_that_follow_a_forward_are_the_question_about_it(house: House) -> None:
    await house.channel.say("", joins=joins(100, "forward"), context=forwarded("Acme and Globex"))
    await house.channel.say("Who is named here?", joins=joins(101))
    await house.answers(1)
    (asked,) = house.asked()
    assert asked.endswith("[Question]\nWho is named here?")
    assert "> Acme and Globex" in asked


async def test_a_forward_alone_is_asked_in_words_of_ours(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.2") as house:
        await house.channel.say("", joins=joins(100, "forward"), context=forwarded("Acme and Globex"))
        await house.answers(1)
        assert house.asked()[0].endswith(f"[Question]\n{notices.ABOUT_THIS}")


async def test_a_comment_that_is_deleted_leaves_the_forward_to_be_asked_about(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.6) as house:
        comment = await house.channel.say("Who is named here?", joins=joins(100))
        await house.channel.say("", joins=joins(101, "forward"), context=forwarded("Acme and Globex"))
        await house.channel.remove(comment.ref)
        await house.answers(1)
        await house.idle()
        assert house.asked()[-1].endswith(f"[Question]\n{notices.ABOUT_THIS}")
        assert "> Acme and Globex" in house.asked()[-1]


async def test_an_edit_of_a_part_changes_what_it_quotes(house: House) -> None:
    quote = replace(forwarded("The old words.")[0], kind="reply")
    first = await begin(house.channel, context=(quote,))
    await house.channel.edit(first, FIRST, context=(replace(quote, text="The new words.", selected=True),))
    await house.channel.say(SECOND, joins=joins(101))
    await house.answers(1)
    (asked,) = house.asked()
    assert asked.endswith(f"[Question]\n{FIRST}{SECOND}")
    assert "> The new words." in asked
    assert "The old words." not in asked


async def test_who_is_quoted_is_forgotten_in_every_part(house: House) -> None:
    await house.channel.say("", joins=joins(100, "forward"), context=forwarded("secret of Ben"))
    await house.channel.say("Why?", joins=joins(101))
    await house.answers(1)
    await house.idle()
    counts = await Admin(house.bot.db).forget("fake", "A1", "U8")
    assert counts
    rows = await house.table("SELECT context FROM question_parts UNION ALL SELECT context FROM turns")
    assert "secret of Ben" not in str([row["context"] for row in rows])


async def test_files_of_an_album_are_named_once_together(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.5") as house:
        for number, caption in ((100, ""), (101, "What are these?"), (102, "")):
            picture = File(channel="fake", account_id="A1", file_id=f"f{number}", media_type="image/jpeg")
            await house.channel.say(caption, joins=joins(number, "album"), has_attachment=True, files=(picture,))
        (answer,) = await house.answers(1)
        assert house.asked() == ["What are these?"]
        assert answer.text.count("I did not read a picture (3), only your words.") == 1


async def test_a_part_of_an_open_question_is_taken_however_many_are_open(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__OPEN_TURNS="1", BOT_INPUT__JOIN_SECONDS="5") as house:
        await begin(house.channel)
        await house.channel.say(SECOND, joins=joins(101))
        await house.answers(1)
        assert house.asked() == [FIRST + SECOND]
