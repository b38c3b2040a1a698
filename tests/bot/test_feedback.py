"""Reactions and buttons, through the whole house, to what the API receives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.assistant.faults import Fault
from bot.ratings import record
from bot.store.receipts import Receipt
from tests.fakes.channel import Sent
from tests.house import House, a_house


async def answered(house: House) -> Sent:
    await house.channel.say("How long do I have to return a bicycle?")
    await house.answers(1)
    await house.idle()
    return house.channel.answers()[-1]


async def settled(house: House) -> None:
    await asyncio.sleep(0.05)

    async def due() -> int:
        return len(await house.table("SELECT 1 FROM feedback WHERE due_at IS NOT NULL OR mark_due=1"))

    async with asyncio.timeout(20):
        while await due():
            await asyncio.sleep(0.02)


async def truth(house: House) -> tuple[str | None, str | None, str | None]:
    (row,) = await house.table("SELECT * FROM feedback")
    return row["rating"], row["submitted"], row["outcome"]


async def test_a_change_within_the_settle_window_is_one_submission(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👎")
    await house.channel.react(answer.ref, "👎", added=False)
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    assert house.rated() == ["good"]
    assert await truth(house) == ("good", "good", "submitted")


async def test_a_removal_before_submission_sends_nothing_and_after_it_retracts(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👍")
    await house.channel.react(answer.ref, "👍", added=False)
    await settled(house)
    assert house.rated() == []
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    await house.channel.react(answer.ref, "👍", added=False)
    await settled(house)
    assert house.rated() == ["good"]
    assert await truth(house) == (None, "good", "retracted")
    assert house.count("feedback_total", channel="fake", rating="good", outcome="retracted") == 1
    await house.channel.react(answer.ref, "🎉")
    await settled(house)
    assert house.rated() == ["good"], "a rating equal to the last one submitted is not sent again"


async def test_a_changed_rating_is_submitted_and_never_claimed_to_have_replaced_the_first(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    await house.channel.react(answer.ref, "👍", added=False)
    await house.channel.react(answer.ref, "💩")
    await settled(house)
    assert house.rated() == ["good", "bad"]
    assert await truth(house) == ("bad", "bad", "already_rated")


async def test_a_button_replaces_emoji_and_a_later_emoji_cancels_the_click(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👎")
    await house.channel.react(answer.ref, "👍", button=True)
    await settled(house)
    await house.channel.react(answer.ref, "👎", added=False)
    await settled(house)
    assert await truth(house) == ("good", "good", "submitted"), "the click holds when the emoji goes"
    assert house.channel.answers()[-1].rating == "good"
    await house.channel.react(answer.ref, "👍", button=True)
    await house.channel.react(answer.ref, "❌")
    await settled(house)
    assert house.rated() == ["good", "bad"]


async def test_the_askers_vote_counts_before_the_majority_of_the_others(house: House) -> None:
    answer = await answered(house)
    for user in ("U2", "U3"):
        await house.channel.react(answer.ref, "👎", user_id=user)
    await house.channel.react(answer.ref, "👍", user_id="U4")
    await settled(house)
    assert (await truth(house))[0] == "bad"
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    assert (await truth(house))[0] == "good"


async def test_a_restart_inside_the_settle_window_loses_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_FEEDBACK__SETTLE_SECONDS="1.5") as house:
        answer = await answered(house)
        await house.channel.react(answer.ref, "👎")
        await house.restart()
        assert house.rated() == []
        await settled(house)
        assert house.rated() == ["bad"]


async def test_any_part_of_a_split_answer_counts_and_a_reaction_that_overtakes_waits(house: House) -> None:
    house.assistant.script(contains="long", answer=" ".join(f"word{n}" for n in range(300)))
    house.channel.delay = 0.4
    await house.channel.say("A long one")
    await house.channel.wait_for(lambda: len(house.channel.answers()) == 1)
    early = house.channel.answers()[0]
    # The platform shows the message, but its receipt is not stored yet: the send has not returned.
    reaction = house.channel.reaction(house.channel.ref(early.conversation, "b-unknown"), "👍")
    await house.channel.happen(reaction)
    await house.channel.wait_for(lambda: len(house.channel.answers()) >= 2)
    await house.channel.react(house.channel.answers()[-1].ref, "👎")
    await house.idle()
    await settled(house)
    assert house.rated() == ["bad"]


@pytest.mark.parametrize("early_first", [True, False])
async def test_what_is_done_within_one_second_keeps_its_order_though_one_part_is_not_known_yet(
    house: House, early_first: bool
) -> None:
    """Telegram tells whole seconds; the click on the last part overtakes its receipt, the emoji stands on the first."""
    answer = await answered(house)
    later = house.channel.ref(answer.conversation, "b-later")
    second = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
    click = replace(house.channel.reaction(later, "👍", button=True), sent_at=second)
    emoji = replace(house.channel.reaction(answer.ref, "👎"), sent_at=second)
    receipt = Receipt(1, "answer", later, answer.conversation)
    if not early_first:
        await house.channel.happen(emoji)
    await house.bot.db.write(lambda tx: record.keep_early(tx, later, click, 0.0))
    if early_first:
        await house.channel.happen(emoji)
    await house.bot.db.write(lambda tx: record.early_gestures(tx, receipt, house.config.feedback, 0.0))
    assert [row["rating"] for row in await house.table("SELECT rating FROM feedback")] == [
        "bad" if early_first else "good"
    ]


async def test_reactions_out_of_order_count_by_the_platforms_time(house: House) -> None:
    answer = await answered(house)
    added = house.channel.reaction(answer.ref, "👍")
    removed = house.channel.reaction(answer.ref, "👍", added=False)
    assert removed.sent_at - added.sent_at >= timedelta(0)
    await house.channel.happen(removed)
    await house.channel.happen(added)
    await settled(house)
    assert house.rated() == []


async def test_why_is_asked_once_and_only_the_askers_reply_is_the_reason(house: House) -> None:
    answer = await answered(house)
    await house.channel.react(answer.ref, "👎", button=True)
    await house.channel.wait_for(lambda: house.channel.notices("why"))
    await house.channel.react(answer.ref, "👍", button=True)
    await house.channel.react(answer.ref, "👎", button=True)
    (why,) = house.channel.notices("why")
    assert why.reply_to == answer.ref.message_id
    await house.channel.say("It is thirty-one.", in_reply_to=why.ref)
    await house.channel.say("What about helmets?", in_reply_to=why.ref, user_id="U2")
    await house.answers(2)
    (comment,) = await house.table("SELECT * FROM comments")
    assert comment["text"] == "It is thirty-one."
    assert house.asked() == ["How long do I have to return a bicycle?", "What about helmets?"]
    await asyncio.sleep(0.3)
    assert len(house.channel.notices("why")) == 1


async def test_a_failing_api_is_asked_again_and_an_unfinished_attempt_of_ours_counts_as_submitted(house: House) -> None:
    answer = await answered(house)
    house.assistant.faults.add(Fault("drop_after"), endpoint="feedback", times=1)
    await house.channel.react(answer.ref, "👍")
    await settled(house)
    assert house.rated() == ["good", "good"]
    assert await truth(house) == ("good", "good", "submitted")


async def test_a_reaction_on_a_notice_or_on_another_message_means_nothing(house: House) -> None:
    message = await house.channel.say("!help")
    await house.channel.wait_for(lambda: house.channel.notices("info"))
    await house.channel.react(house.channel.notices("info")[0].ref, "👍")
    await house.channel.react(message.ref, "👍")
    assert await house.table("SELECT * FROM feedback") == []
    assert await house.table("SELECT * FROM early_reactions") == []
