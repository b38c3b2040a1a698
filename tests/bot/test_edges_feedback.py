"""Hard cases of ratings and reasons: what the API kept, slow ones beside quick ones, reasons that are edited."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.api.models import FeedbackReceipt
from bot.store import feedback
from tests.bot.test_admin import operator_of
from tests.bot.test_feedback import answered, settled, truth
from tests.fakes.channel import Sent, room
from tests.house import House


def asker(answer: Sent) -> str:
    return answer.conversation.conversation_id.removeprefix("D-")


async def test_a_withdrawn_rating_given_again_does_not_claim_that_the_api_took_it(house: House) -> None:
    answer = await answered(house)
    react = house.channel.react
    await react(answer.ref, "👍")
    await settled(house)
    await react(answer.ref, "👍", added=False)
    await react(answer.ref, "👎")
    await settled(house)
    assert await truth(house) == ("bad", "bad", "already_rated")
    await react(answer.ref, "👎", added=False)
    await settled(house)
    await react(answer.ref, "👎")
    await settled(house)
    assert await truth(house) == ("bad", "bad", "already_rated")


async def test_the_report_compares_with_the_rating_that_the_api_kept(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👎")
    await settled(house)
    await house.channel.react(answer.ref, "👎", added=False)
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    async with operator_of(house) as operator:
        report = await operator.feedback_report()
        (differing,) = report["differs"]
        assert (differing["rating"], differing["submitted"], differing["held"]) == ("good", "good", "bad")
        await house.channel.react(answer.ref, "👍", added=False)
        await house.channel.react(answer.ref, "👎")
        await settled(house)
        assert (await operator.feedback_report())["differs"] == [], "the API holds what people mean again"


async def test_a_rating_of_somebody_else_that_the_api_keeps_is_not_known(house: House) -> None:
    answer = await answered(house)
    turn = (await house.table("SELECT lane, request_id FROM turns WHERE kind='question'"))[0]
    await house.bot.ctx.api_for("").feedback(turn["lane"], turn["request_id"], "bad")
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    async with operator_of(house) as operator:
        (differing,) = (await operator.feedback_report())["differs"]
        assert (differing["rating"], differing["held"], differing["outcome"]) == ("good", None, "already_rated")


async def test_a_click_that_is_taken_back_is_no_vote_and_asks_no_reason(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👍")
    await house.channel.react(answer.ref, "👎", button=True)
    await settled(house)
    assert (await truth(house))[0] == "bad"
    await house.channel.react(answer.ref, "👎", button=True, added=False)
    await settled(house)
    assert (await truth(house))[0] is None, "the click has replaced the emoji for good"
    assert len(house.channel.notices("why")) == 1
    await house.channel.react(answer.ref, "👍", button=True)
    await settled(house)
    assert (await truth(house))[0] == "good"


async def test_a_rating_withdrawn_before_it_was_submitted_is_no_difference(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👍")
    await house.channel.react(answer.ref, "👍", added=False)
    await settled(house)
    async with operator_of(house) as operator:
        assert (await operator.feedback_report())["differs"] == []


async def test_a_clock_that_was_set_back_before_a_restart_delays_no_rating_for_an_hour(house: House) -> None:
    await answered(house)
    (turn,) = await house.table("SELECT id FROM turns")
    an_hour_ahead = house.bot.ctx.clock() + 3600
    await house.bot.ctx.persist(lambda tx: feedback.set_rating(tx, turn["id"], "bad", 5.0, an_hour_ahead))
    await house.restart()
    async with asyncio.timeout(20):
        while (await house.table("SELECT due_at FROM feedback"))[0]["due_at"] > house.bot.ctx.clock() + feedback.LATEST:
            await asyncio.sleep(0.02)


async def test_an_edited_reason_is_no_question(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👎", button=True)
    await house.channel.wait_for(lambda: house.channel.notices("why"))
    (why,) = house.channel.notices("why")
    reply = await house.channel.say("It is thirty-one.", in_reply_to=why.ref)
    await house.channel.edit(reply, "It is thirty-two.")
    await house.idle()
    await asyncio.sleep(0.3)
    assert house.asked() == ["How long do I have to return a bicycle?"]


@pytest.mark.parametrize("stuck", [1, 9])
async def test_a_slow_feedback_delays_no_other(house: House, stuck: int) -> None:
    real = house.bot.ctx.api_for
    got: list[str] = []

    class Slow:
        def __init__(self, route: str) -> None:
            self.real = real(route)

        async def feedback(self, _session: str, _request: str, rating: str) -> FeedbackReceipt:
            if rating == "bad":
                await asyncio.sleep(8)
            got.append(rating)
            return FeedbackReceipt(submitted_at="now")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    for n in range(stuck + 1):
        await house.channel.say("When does the shop open?", user_id=f"U{n}")
    await house.answers(stuck + 1)
    await house.idle()
    house.bot.ctx.api_for = Slow
    *slow, quick = house.channel.answers()
    for answer in slow:
        await house.channel.react(answer.ref, "👎", user_id=asker(answer))
    await asyncio.sleep(1)
    await house.channel.react(quick.ref, "👍", user_id=asker(quick))
    await asyncio.sleep(3)
    assert "good" in got


async def test_buttons_are_marked_as_soon_as_the_channel_takes_it(house: House) -> None:
    answer = await answered(house)
    house.channel.retry_after = 0.2
    house.channel.failing = "rate_limited"
    await house.channel.react(answer.ref, "👍")
    await asyncio.sleep(0.5)
    house.channel.failing = None
    await settled(house)
    await asyncio.sleep(0.5)
    assert house.channel.answers()[-1].rating == "good"


async def test_buttons_that_show_the_rating_already_are_left_alone(house: House) -> None:
    answer = await answered(house)
    for user in ("U1", "U2", "U3", "U4"):
        await house.channel.react(answer.ref, "👍", user_id=user)
        await settled(house)
    assert len([one for one in house.channel.requests if one[0] == "update"]) == 1


async def test_why_is_asked_where_the_answer_stands(house: House) -> None:
    await house.channel.command("ask", "When does the shop open?", conversation=room())
    (answer,) = await house.answers(1)
    await house.idle()
    await house.channel.react(answer.ref, "👎", button=True)
    await house.channel.wait_for(lambda: house.channel.notices("why"))
    assert house.channel.notices("why")[0].conversation.thread_id == answer.conversation.thread_id


async def test_a_rating_waits_until_the_whole_answer_is_out(house: House) -> None:
    """What is said of a part whose receipt is not stored yet may change what is meant."""
    post, sent, released = house.channel.post, list[Any](), asyncio.Event()

    async def slowly_told(*given: Any) -> Any:
        sent.append(await post(*given))
        if len(sent) == 2:
            await released.wait()
        return sent[-1]

    house.channel.post = slowly_told  # type: ignore[assignment,method-assign]  # the platform's own doing
    house.assistant.script(contains="much", answer="word " * 1000)
    await house.channel.say("How much?")
    await house.channel.wait_for(lambda: len(house.channel.answers()) == 2)
    await house.channel.react(sent[0], "👍")
    await house.channel.react(sent[1], "👎")
    await asyncio.sleep(house.config.feedback.settle_seconds + 0.7)
    assert house.rated() == []
    released.set()
    await house.idle()
    await settled(house)
    assert house.rated() == []
    await house.channel.react(sent[1], "👎", added=False)
    await settled(house)
    assert await truth(house) == ("good", "good", "submitted")
