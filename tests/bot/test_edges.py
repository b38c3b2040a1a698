"""Hard cases of the core: moved groups, tokens that fail for a moment, odd characters, edits that spoil a question."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import events
from bot.api.models import ChatStatus, parse_status
from bot.config import Route, route_for
from bot.errors import Unavailable
from bot.store import receipts, turns
from bot.store.database import Tx
from tests.fakes.channel import ACCOUNT, NAME, dm, room
from tests.house import House, a_house
from tests.postgres import about_sqlite


def moved(house: House) -> events.Moved:
    return events.Moved(
        event_id="moved",
        channel=NAME,
        account_id=ACCOUNT,
        old_id="R-old",
        new_id="R-new",
        sent_at=house.channel.tick(),
    )


def redirect(house: House) -> None:
    """Let what is posted into the room land in the asker's DM, as where the bot is no member."""
    post: Callable[..., Awaitable[Any]] = house.channel.post

    async def elsewhere(conversation: Any, part: Any, delivery_id: str, reply_to: str | None) -> Any:
        return await post(dm() if conversation.conversation_id == "R-1" else conversation, part, delivery_id, reply_to)

    house.channel.post = elsewhere  # type: ignore[method-assign]  # the platform's own doing


async def test_a_message_number_that_comes_again_after_a_move_is_a_new_question(house: House) -> None:
    """A supergroup counts its messages anew: number 7 there is not number 7 of the old group."""
    first = await house.channel.say("When does the shop open?", conversation=room(conversation_id="R-old"))
    await house.answers(1)
    await house.idle()
    await house.channel.happen(moved(house))
    again = house.channel.message("How long do I have to return a bicycle?", conversation=room(conversation_id="R-new"))
    await house.channel.happen(replace(again, ref=replace(again.ref, message_id=first.ref.message_id)))
    await house.idle()
    await asyncio.sleep(0.3)
    assert len(house.asked()) == 2


async def test_a_place_that_moved_is_denied_by_the_id_that_people_see(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ACCESS__DENY='["fake:A1:R-new"]') as house:
        await house.channel.happen(moved(house))
        await house.channel.say("When does the shop open?", conversation=room(conversation_id="R-new"))
        await house.idle()
        await asyncio.sleep(0.3)
        assert house.asked() == []


async def test_an_edit_into_a_command_leaves_no_dead_letter(house: House) -> None:
    house.assistant.script(contains="first", answer="one", delay=0.5)
    await house.channel.say("the first")
    waiting = await house.channel.say("second")
    await house.channel.edit(waiting, "!help")
    await house.answers(1)
    await house.idle()
    assert await house.table("SELECT * FROM dead") == []
    assert house.channel.notices("failure") == []


async def test_an_edit_beyond_the_limit_gets_the_notice_that_says_what_is_possible(house: House) -> None:
    house.assistant.script(contains="first", answer="one", delay=0.5)
    await house.channel.say("the first")
    waiting = await house.channel.say("second")
    await house.channel.edit(waiting, "x" * 8001)
    await house.answers(1)
    await house.idle()
    assert any("8,000" in notice.text for notice in house.channel.notices())


async def test_a_question_that_was_too_long_is_answered_when_an_edit_shortens_it(house: House) -> None:
    message = await house.channel.say("x" * 8001, mentions_bot=False)
    await house.channel.wait_for(lambda: house.channel.notices("refusal"))
    await house.channel.edit(message, "When does the shop open?", mentions_bot=False)
    await asyncio.sleep(0.5)
    assert len(house.asked()) == 1


async def test_an_ask_shows_itself_at_once_although_another_question_is_being_answered(house: House) -> None:
    house.assistant.script(contains="slow", answer="late", delay=4.0)
    await house.channel.say("a slow one")
    await house.assistant.requests.wait("chat_async", 1)
    signs = house.channel.signs
    await house.channel.command("ask", "a quick one")
    await asyncio.sleep(2.5)
    assert house.channel.notices("question") or house.channel.signs > signs


async def test_an_ask_that_was_stopped_while_it_waited_posts_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_SESSIONS__FAKE_ROOM="conversation") as house:
        house.assistant.script(contains="slow", answer="late", delay=1.0)
        await house.channel.say("a slow one", conversation=room(), user_id="U2")
        await house.assistant.requests.wait("chat_async", 1)
        await house.channel.command("ask", "a quick one", conversation=room())
        at = house.channel.tick()
        await house.channel.happen(events.Stop(event_id="stop", conversation=room(), user_id="U1", sent_at=at))
        await house.idle()
        assert house.channel.notices("question") == []


async def test_an_ask_that_lands_in_the_dm_goes_on_in_its_session_or_the_dms(house: House) -> None:
    redirect(house)
    await house.channel.say("in the dm")
    await house.answers(1)
    await house.channel.command("ask", "When does the shop open?", conversation=room())
    await house.answers(2)
    (root,) = house.channel.notices("question")
    await house.channel.say("And closes?", conversation=replace(dm(), thread_id=root.ref.message_id))
    await house.answers(3)
    before, asked, after = [entry.body["session_id"] for entry in house.assistant.requests.of("chat_async")]
    assert after in (before, asked)


async def test_a_question_in_the_thread_of_an_ask_in_the_dm_can_be_deleted(house: House) -> None:
    redirect(house)
    await house.channel.command("ask", "When does the shop open?", conversation=room())
    await house.answers(1)
    (root,) = house.channel.notices("question")
    house.assistant.script(contains="slow", answer="late", delay=1.0)
    message = await house.channel.say("slow", conversation=replace(dm(), thread_id=root.ref.message_id))
    await house.assistant.requests.wait("chat_async", 2)
    await house.channel.remove(message.ref)
    await house.idle()
    assert len(house.channel.answers()) == 1


async def token_fails_while_it_answers(house: House) -> None:
    house.assistant.script(contains="open", answer="nine", delay=0.5)
    await house.channel.say("When does the shop open?")
    await house.assistant.requests.wait("chat_async", 1)
    house.channel.failing = "bad_token"


async def test_a_token_that_fails_for_a_moment_loses_no_answer(house: House) -> None:
    await token_fails_while_it_answers(house)
    await asyncio.sleep(1.5)
    house.channel.failing = None
    await asyncio.sleep(4)
    assert house.channel.answers() or house.channel.notices("failure")


async def test_the_sign_of_work_goes_at_the_next_start_when_the_token_failed(house: House) -> None:
    await token_fails_while_it_answers(house)
    await asyncio.sleep(1.0)
    stop = house.bot.stop

    async def stop_and_mend() -> None:
        await stop()
        house.channel.failing = None

    house.bot.stop = stop_and_mend  # type: ignore[method-assign]  # an operator's hand
    await house.restart()
    await house.answers(1)
    await house.channel.wait_for(lambda: house.channel.working == set())


async def test_an_answer_that_may_be_there_is_not_called_absent(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_GIVE_UP="7") as house:
        await _looked_up_in_vain(house)


async def test_who_waited_until_the_deadline_is_told_at_once(tmp_path: Path) -> None:
    """Each of them, one right after the other, and nothing is asked any more."""
    async with a_house(tmp_path, delay=60, BOT_GIVE_UP="2") as house:
        # At once, or on a busy machine the last one's time would end long enough after the first one's to be asked.
        await asyncio.gather(*(house.channel.say(f"Question {number}?") for number in range(5)))
        await house.channel.wait_for(lambda: len(house.channel.notices("failure")) == 5, 10)
        await house.idle()
        assert len(house.asked()) == 1
        assert house.count("api_retries_total", endpoint="chat_async", reason="unknown") == 0


async def test_a_deadline_that_comes_while_the_turn_is_being_taken_leaves_it_taken(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_GIVE_UP="1") as house:
        write = house.bot.ctx.db.write
        slow = [True]

        async def takes_long(work: Callable[[Tx], Any], *, urgent: bool = False) -> Any:
            result = await write(work, urgent=urgent)
            if getattr(work, "__name__", "") == "fenced" and slow:
                slow.clear()
                await asyncio.sleep(2)
            return result

        house.bot.ctx.db.write = takes_long  # type: ignore[method-assign]  # a disk that takes long
        await house.channel.say("When does the shop open?")
        await house.channel.wait_for(lambda: house.channel.notices("failure"), 6)
        assert not slow, "nothing was slow"


async def test_what_was_begun_in_vain_as_the_bot_stops_is_not_unknown(house: House) -> None:
    """The words change before the begin is stored, and the bot is to stop: nothing was asked, and that is known."""
    write = house.bot.ctx.db.write
    begins, go_on = asyncio.Event(), asyncio.Event()

    async def takes_long(work: Callable[[Tx], Any], *, urgent: bool = False) -> Any:
        if getattr(work, "__name__", "") == "fenced" and not begins.is_set():
            begins.set()
            await go_on.wait()
        return await write(work, urgent=urgent)

    house.bot.ctx.db.write = takes_long  # type: ignore[method-assign]  # a disk that takes long
    message = await house.channel.say("When does the shop opn?")
    await begins.wait()
    await house.channel.edit(message, "When does the shop open?")
    stopping = asyncio.create_task(house.restart())
    await asyncio.sleep(0.3)
    go_on.set()
    await stopping
    await house.answers(1)
    assert house.asked() == ["When does the shop open?"]
    assert house.count("api_retries_total", endpoint="chat_async", reason="unknown") == 0


async def test_a_turn_that_ended_before_its_acceptance_was_told_shows_nothing_more(house: House) -> None:
    """A stop in the same commit can be done with sooner than the question it stops."""
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    await house.idle()
    bot = house.bot
    number = (await house.table("SELECT id FROM turns WHERE kind='question'"))[0]["id"]
    ended = await bot.ctx.db.read(lambda tx: turns.get(tx, number))
    assert ended is not None
    bot.engine.accepted([ended], [ended.lane])
    await house.idle()
    await asyncio.sleep(0.3)
    assert house.channel.working == set()
    assert bot.engine.open_questions == 0
    assert house.count("turns_in_flight") == 0


async def test_a_notice_that_another_process_sent_is_removed_with_the_answer(tmp_path: Path) -> None:
    """Two processes beside each other, for the first has lost its lock: the second must not think that it sent all."""
    async with a_house(tmp_path, delay=1.0) as house:
        await house.channel.say("When does the shop open?")
        await house.channel.wait_for(house.asked)
        bot = house.bot
        number = (await house.table("SELECT id FROM turns WHERE kind='question'"))[0]["id"]
        (part,) = bot.ctx.adapters[NAME].render(events.Notice(text="Still at it.", kind="progress"))
        ref = await bot.ctx.adapters[NAME].send(dm(), part, "of another process", None)
        await bot.ctx.db.write(lambda tx: receipts.add(tx, receipts.Receipt(number, "progress", ref, dm()), 0, 1.0))
        await house.answers(1)
        await house.channel.wait_for(lambda: not house.channel.notices("progress"))


async def test_a_question_is_given_up_in_time_though_the_clock_was_set_back_before_the_start(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=60, BOT_GIVE_UP="2") as house:
        await house.channel.say("When does the shop open?")
        await house.channel.wait_for(house.asked)
        await house.bot.ctx.db.write(lambda tx: tx.run("UPDATE turns SET accepted_at=accepted_at+3600"))
        await house.restart()
        await house.channel.wait_for(lambda: house.channel.notices("failure"), 10)


async def test_no_notice_takes_the_place_of_an_answer_that_waits_to_be_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.progress.FIRST_NOTICE_AFTER", 0.8)
    post, free, begun = house.channel.post, asyncio.Event(), list[Any]()

    async def slow(*args: Any, **named: Any) -> Any:
        begun.append(args)
        await free.wait()
        return await post(*args, **named)

    house.channel.post = slow  # type: ignore[method-assign]  # the platform's own doing
    await house.channel.say("When does the shop open?")
    await house.channel.wait_for(lambda: begun)
    await asyncio.sleep(1.2)
    free.set()
    await house.channel.wait_for(house.channel.answers)
    assert len(begun) == 1


async def _looked_up_in_vain(house: House) -> None:
    house.channel.plan = ["cut_after_write"]
    search = house.channel.search

    async def refused(*args: Any) -> Any:
        house.channel.failing = "bad_token"
        try:
            return await search(*args)
        finally:
            house.channel.failing = None

    house.channel.search = refused  # type: ignore[method-assign,assignment]  # the platform's own doing
    await house.channel.say("When does the shop open?")
    await house.idle()
    assert len(house.channel.answers()) == 1
    (told,) = house.channel.notices("failure")
    assert "cannot tell" in told.text


async def test_an_answer_with_half_a_character_is_delivered(house: House) -> None:
    real, got = house.bot.ctx.api_for, parse_status(b'{"status":"completed","answer":"good \\ud83d answer"}')

    class Odd:
        def __init__(self, route: str) -> None:
            self.real = real(route)

        async def status(self, _request_id: str) -> ChatStatus:
            return got

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    house.bot.ctx.api_for = Odd
    await house.channel.say("odd")
    await house.channel.wait_for(lambda: house.channel.answers() or house.channel.notices("failure"), 40)
    assert house.channel.answers()


async def test_a_question_of_invisible_characters_is_empty(house: House) -> None:
    await house.channel.say("\u200b\u2060\ufeff")
    await house.idle()
    await asyncio.sleep(0.2)
    assert house.asked() == []


async def test_a_clock_that_was_set_back_stops_nobody_for_an_hour(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE="1") as house:
        real = house.bot.ctx.clock
        house.bot.ctx.clock = lambda: real() + 3600
        await house.channel.say("one")
        await house.answers(1)
        await house.idle()
        house.bot.ctx.clock = real
        await house.channel.say("two")
        await house.channel.wait_for(lambda: len(house.channel.visible()) == 2)
        assert len(house.channel.answers()) == 2


async def test_a_clock_that_is_set_while_the_bot_runs_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    async with a_house(tmp_path) as house:
        before = house.bot.ctx.clock()
        assert abs(before - real()) < 60
        ahead[0] = 3600.0
        assert before <= house.bot.ctx.clock() < before + 60


def test_a_route_put_before_another_does_not_rename_it() -> None:
    one = Route(channel="fake", account="A1", conversation="R-1")
    other = Route(channel="fake", account="A1", conversation="R-9")
    where = ("fake", "A1", "R-1")
    assert route_for((one,), *where)[0] == route_for((other, one), *where)[0]


@about_sqlite
@pytest.mark.parametrize("way", ["read", "write"])
async def test_a_malformed_database_is_unavailable(house: House, way: str) -> None:
    def broken(_tx: Tx) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    with pytest.raises(Unavailable):
        await getattr(house.bot.db, way)(broken)


async def test_a_thread_whose_root_went_elsewhere_is_answered_after_the_first_room_is_gone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root of an /ask goes by direct message where the bot is no member; its thread has the room's address."""
    post = house.channel.post

    async def directly(conversation: Any, *rest: Any) -> Any:
        return await post(dm() if conversation.conversation_id == room().conversation_id else conversation, *rest)

    monkeypatch.setattr(house.channel, "post", directly)
    await house.channel.command("ask", "When can I return a bicycle?", conversation=room())
    await house.answers(1)
    await house.idle()
    (root,) = [sent for sent in house.channel.visible() if sent.kind == "question"]
    gone = events.Gone(
        event_id="gone",
        channel=NAME,
        account_id=ACCOUNT,
        conversation_id=room().conversation_id,
        sent_at=house.channel.tick(),
    )
    await house.channel.happen(gone)
    for count in (2, 3):
        await house.channel.say("When does the shop open?", conversation=replace(dm(), thread_id=root.ref.message_id))
        await house.answers(count)
        await house.idle()
