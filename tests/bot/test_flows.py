"""Questions through the whole house: what people see, and what the API receives."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from bot.assistant.faults import Fault
from tests.fakes.channel import NotAcknowledged, room
from tests.house import House, a_house


async def test_a_fact_of_the_documents_is_answered_and_something_absent_is_not_invented(house: House) -> None:
    await house.channel.say("How long do I have to return a bicycle?")
    (answer,) = await house.answers(1)
    assert "30 days" in answer.text
    assert answer.buttons
    await house.channel.say("What is the capital of Mongolia?")
    absent = (await house.answers(2))[1]
    assert "Ulaan" not in absent.text
    assert "know" in absent.text.lower() or "find" in absent.text.lower()
    await house.idle()
    await house.channel.wait_for(lambda: not house.channel.working)
    assert house.channel.notices() == []


async def test_the_same_event_three_times_is_one_question_and_one_answer(house: House) -> None:
    message = house.channel.message("When does the shop open?")
    payload = house.channel.payload(message)
    assert await asyncio.gather(*(house.channel.deliver(payload) for _ in range(3))) == [True] * 3
    await house.answers(1)
    await house.idle()
    assert await house.channel.deliver(payload)
    await asyncio.sleep(0.3)
    assert house.asked() == ["When does the shop open?"]
    assert len(house.channel.answers()) == 1


async def test_a_long_answer_comes_whole_in_order_and_only_its_last_part_has_buttons(house: House) -> None:
    words = [f"word{n}" for n in range(400)]
    house.assistant.script(contains="long", answer=" ".join(words))
    await house.channel.say("A long one please")
    await house.idle()
    parts = house.channel.answers()
    assert len(parts) > 3
    assert " ".join(part.text for part in parts).split() == words
    assert [part.buttons for part in parts] == [False] * (len(parts) - 1) + [True]


async def test_twenty_questions_at_once_in_one_session_are_asked_one_by_one_in_order(house: House) -> None:
    house.assistant.set_delay(0.02)
    texts = [f"question {n}" for n in range(20)]
    messages = [house.channel.message(text) for text in texts]
    await asyncio.gather(
        *(house.channel.happen(message) for message in reversed(messages[1:])), house.channel.happen(messages[0])
    )
    await house.answers(20)
    await house.idle()
    asked = house.asked()
    assert sorted(asked) == sorted(texts)
    # Whichever arrived first may have been submitted at once; all that waited go by the platform's time.
    assert asked[1:] == sorted(asked[1:], key=texts.index)
    submits = house.assistant.requests.of("chat_async")
    assert len({entry.body["session_id"] for entry in submits}) == 1
    # One request in flight: each submit comes after the poll that saw the end of the one before.
    kinds = [entry.endpoint for entry in house.assistant.requests if entry.endpoint in ("chat_async", "chat_status")]
    assert all(kinds[n + 1] == "chat_status" for n, kind in enumerate(kinds[:-1]) if kind == "chat_async")


async def test_two_hundred_sessions_run_in_parallel_and_a_slow_one_delays_nobody(house: House) -> None:
    house.assistant.script(contains="slow", answer="at last", delay=10.0)
    house.assistant.set_delay(0.2)
    await house.channel.say("slow one", user_id="U-slow")

    async def ask(n: int) -> None:
        """Ask until it is acknowledged: a busy machine sends some away for a moment, and platforms come again."""
        try:
            await house.channel.say(f"quick {n}", user_id=f"U-{n}")
        except NotAcknowledged:
            await asyncio.sleep(0.2)
            await ask(n)

    await asyncio.gather(*(ask(n) for n in range(200)))
    await house.answers(200)
    assert "at last" not in [answer.text for answer in house.channel.answers()]
    sessions = Counter(entry.body["session_id"] for entry in house.assistant.requests.of("chat_async"))
    assert len(sessions) == 201
    assert set(sessions.values()) == {1}
    await house.answers(201)


async def test_new_in_flight_answers_in_the_old_session_and_then_closes_it(house: House) -> None:
    house.assistant.script(contains="first", answer="old", delay=0.8)
    await house.channel.say("the first question")
    await house.assistant.requests.wait("chat_async", 1)
    await house.channel.say("!new")
    await house.channel.wait_for(lambda: house.channel.notices("info"))
    assert house.channel.answers() == [], "the person is told at once, before the answer"
    await house.channel.say("the second question")
    await house.answers(2)
    await house.assistant.requests.wait("session_close", 1)
    first, second = house.assistant.requests.of("chat_async")
    (close,) = house.assistant.requests.of("session_close")
    assert first.body["session_id"] == close.body["session_id"] != second.body["session_id"]
    assert close.at > first.at


async def test_an_edit_after_the_submit_drops_the_old_answer_and_asks_the_new_words(house: House) -> None:
    house.assistant.script(contains="when", answer="old answer", delay=0.5)
    house.assistant.script(contains="where", answer="new answer", delay=0.1)
    message = await house.channel.say("when is it?")
    await house.assistant.requests.wait("chat_async", 1)
    await house.channel.edit(message, "where is it?")
    await house.answers(1)
    await house.idle()
    assert [answer.text for answer in house.channel.answers()] == ["new answer"]
    assert house.asked() == ["when is it?", "where is it?"]
    submits = [e for e in house.assistant.requests if e.endpoint in ("chat_async", "chat_status")]
    assert submits[1].endpoint == "chat_status", "never two in flight"
    await house.channel.edit(message, "too late")
    await asyncio.sleep(0.3)
    assert house.asked() == ["when is it?", "where is it?"]


async def test_an_edit_and_a_deletion_before_the_submit_need_no_second_request(house: House) -> None:
    house.assistant.script(contains="first", answer="one", delay=0.5)
    await house.channel.say("the first")
    waiting, gone = await house.channel.say("secnd"), await house.channel.say("third")
    await house.channel.edit(waiting, "second")
    await house.channel.remove(gone.ref)
    await house.answers(2)
    await house.idle()
    assert house.asked() == ["the first", "second"]
    assert house.count("turns_total", channel="fake", outcome="cancelled") == 1


async def test_a_deletion_after_the_submit_is_polled_to_its_end_and_nothing_is_posted(house: House) -> None:
    house.assistant.script(contains="first", answer="one", delay=0.5)
    message = await house.channel.say("the first")
    await house.assistant.requests.wait("chat_async", 1)
    await house.channel.remove(message.ref)
    await house.idle()
    await house.channel.wait_for(lambda: house.channel.working == set())
    assert house.channel.visible() == []
    assert house.assistant.requests.of("chat_status")
    assert house.count("turns_total", channel="fake", outcome="cancelled") == 1


async def test_a_thread_goes_on_without_a_mention_for_who_asked_there(house: House) -> None:
    thread = room("m-root")
    await house.channel.say("hello all", conversation=thread, mentions_bot=False)
    await house.channel.say("When does the shop open?", conversation=thread)
    await house.answers(1)
    await house.channel.say("And on Sundays?", conversation=thread, mentions_bot=False)
    await house.answers(2)
    await house.channel.say("I say so too", conversation=thread, mentions_bot=False, user_id="U2")
    await house.channel.say("@U2 what do you think?", conversation=thread, mentions_bot=False, mentions_others=True)
    await asyncio.sleep(0.2)
    assert len(house.asked()) == 2
    assert len({entry.body["session_id"] for entry in house.assistant.requests.of("chat_async")}) == 1


async def test_an_ask_without_a_message_posts_its_root_and_the_thread_is_its_session(house: House) -> None:
    await house.channel.command("ask", "When does the shop open?", conversation=room())
    (answer,) = await house.answers(1)
    (root,) = house.channel.notices("question")
    assert "When does the shop open?" in root.text
    assert answer.conversation.thread_id == root.ref.message_id
    await house.channel.say("And closes?", conversation=room(root.ref.message_id), mentions_bot=False)
    await house.answers(2)
    assert len({entry.body["session_id"] for entry in house.assistant.requests.of("chat_async")}) == 1


async def test_a_restart_in_flight_asks_once_and_answers_once(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.6) as house:
        await house.channel.say("When does the shop open?")
        await house.assistant.requests.wait("chat_async", 1)
        await house.restart()
        await house.answers(1)
        await house.idle()
        assert len(house.asked()) == 1
        assert len(house.channel.answers()) == 1
        await house.channel.wait_for(lambda: house.channel.working == set())


async def test_a_send_cut_after_the_platform_stored_it_is_found_and_not_repeated(house: House) -> None:
    house.channel.plan = ["cut_after_write"]
    await house.channel.say("When does the shop open?")
    await house.idle()
    assert len(house.channel.answers()) == 1
    assert house.count("deliveries_total", channel="fake", outcome="reconciled") == 1


async def test_a_send_that_cannot_be_looked_up_is_sent_again_once_and_counted(tmp_path: Path) -> None:
    async with a_house(tmp_path, lacks={"look_ups"}) as house:
        house.channel.plan = ["cut_after_write"]
        await house.channel.say("When does the shop open?")
        await house.idle()
        assert len(house.channel.answers()) == 2
        assert house.count("deliveries_total", channel="fake", outcome="resent_unknown") == 1


async def test_a_submit_whose_outcome_is_unknown_is_sent_once_more_and_a_second_time_ends_it(house: House) -> None:
    house.assistant.faults.add(Fault("drop_after"), endpoint="chat_async", times=1)
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    await house.idle()
    assert len(house.asked()) == 2
    assert house.count("api_retries_total", endpoint="chat_async", reason="unknown") == 1
    house.assistant.faults.add(Fault("drop_after"), endpoint="chat_async", times=2)
    await house.channel.say("And on Sundays?")
    await house.idle()
    (failure,) = house.channel.notices("failure")
    assert len(house.asked()) == 4
    (letter,) = await house.table("SELECT * FROM dead")
    assert letter["reference"] in failure.text
