"""The channel refuses the form of a message: the form is lost, the answer is not, and it is there once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot import notices
from bot.adapter import NOTE_UNITS, Part
from bot.errors import Rejected
from bot.events import Answer, Outbound
from bot.turns.rendering import Rendered, rest_in_plain_form
from tests.fakes.adapter import FakeAdapter
from tests.fakes.channel import FakeChannel, Sent
from tests.house import House, a_house

WORDS = [f"word{n:04}" for n in range(150)]
LONG = " ".join(WORDS)
"""Of three messages here, and of a fourth."""


def said(messages: Sequence[Sent]) -> list[str]:
    return " ".join(message.text for message in messages).split()


async def ask(house: House, answer: str = LONG) -> None:
    house.assistant.script(contains="question", answer=answer)
    await house.channel.say("a question")


async def test_every_part_goes_out_plain_once_and_is_rated(house: House) -> None:
    house.channel.refuses_form = True
    await ask(house)
    await house.idle()
    answers = house.channel.answers()
    assert said(answers) == WORDS
    assert not any(message.styled for message in answers)
    assert len({message.delivery_id for message in answers}) == len(answers) == 4
    assert house.count("deliveries_plain_total", channel="fake", reason="styles") == 1
    assert house.count("deliveries_total", channel="fake", outcome="sent") == 4
    assert house.count("turns_total", channel="fake", outcome="answered") == 1
    adapter = FakeAdapter(house.channel)
    for message in answers:
        assert await adapter.find(message.conversation, message.delivery_id) == [message.ref]
    await house.channel.react(answers[1].ref, "👎")
    await house.channel.wait_for(lambda: house.rated() == ["bad"])


async def test_what_was_sent_before_the_refusal_is_not_sent_again(house: House) -> None:
    house.channel.plan = [None, "form"]
    await ask(house)
    await house.idle()
    answers = house.channel.answers()
    assert said(answers) == WORDS
    assert [message.styled for message in answers] == [True, False, False, False]
    posts = [delivery_id for method, delivery_id in house.channel.requests if method == "post"]
    assert len(posts) == len(set(posts)) == 5, "the refused one, and four that are not"


async def test_a_restart_goes_on_with_the_plain_parts(house: House) -> None:
    """Even if the channel takes the form again meanwhile: half an answer in either form would be a wrong one."""
    house.channel.plan = [None, "form", None]
    house.channel.failing = "refused"
    await ask(house)
    await house.channel.wait_for(lambda: len(house.channel.answers()) == 2)
    await house.restart()
    house.channel.failing = None
    await house.idle()
    assert said(house.channel.answers()) == WORDS
    assert [message.styled for message in house.channel.answers()] == [True, False, False, False]
    assert house.count("deliveries_plain_total", channel="fake", reason="styles") == 1


async def test_a_crash_between_the_refusal_and_its_storing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refused part is begun and nothing more: it is looked up, refused again, and then replaced."""
    house.channel.refuses_form = True
    dying = True

    async def die(*args: Any) -> Sequence[Part]:
        if dying:
            raise RuntimeError("the process ends here")
        return await rest_in_plain_form(*args)

    monkeypatch.setattr("bot.turns.delivery.rest_in_plain_form", die)
    monkeypatch.setattr("bot.turns.send.LOOK_AFTER", 0.1)
    monkeypatch.setattr("bot.turns.send.LOOK_AGAIN", 0.1)
    await ask(house)
    await house.channel.wait_for(lambda: any(method == "post" for method, _ in house.channel.requests))
    dying = False
    await house.restart()
    await house.idle()
    assert said(house.channel.answers()) == WORDS


async def test_a_plain_part_that_is_refused_too_ends_in_a_failure(house: House) -> None:
    house.channel.plan = ["form", "form"]
    await ask(house)
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    assert house.channel.answers() == []
    assert [row["kind"] for row in await house.table("SELECT kind FROM dead")] == ["delivery"]


async def test_a_dead_letter_can_be_retried_and_refused_again(house: House) -> None:
    """The rest that is still to be sent is stored with its answer, so a retry asks nobody anew."""
    from bot.store import open_admin

    house.channel.plan = [None, "form", None, "form"]
    await ask(house)
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    (row,) = await house.table("SELECT reference FROM dead")
    async with open_admin(house.config.database_url) as admin:
        await admin.retry(row["reference"])
    await house.channel.wait_for(lambda: len(house.channel.answers()) == 4)
    await house.idle()
    assert said(house.channel.answers()) == WORDS
    assert len(house.asked()) == 1


@pytest.mark.parametrize("command", ["help", "nothing"])
async def test_notices_and_the_root_of_an_ask_too(house: House, command: str) -> None:
    house.channel.refuses_form = True
    if command == "help":
        await house.channel.say("!help")
        await house.channel.wait_for(lambda: house.channel.notices("info"))
    else:
        from tests.fakes.channel import room

        await house.channel.command("ask", "a question", conversation=room())
        await house.answers(1)
        await house.idle()
        (root,) = house.channel.notices("question")
        assert root.text == "a question"
        assert house.channel.answers()[0].conversation.thread_id == root.ref.message_id
    assert not any(message.styled for message in house.channel.visible())


async def test_progress_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.progress.FIRST_NOTICE_AFTER", 0.1)
    house.assistant.script(contains="slow", answer="done", delay=2.0)
    house.channel.refuses_form = True
    await house.channel.say("slow question")
    await house.channel.wait_for(lambda: house.channel.notices("progress"))
    assert not house.channel.notices("progress")[0].styled
    await house.answers(1)
    await house.channel.wait_for(lambda: not house.channel.notices("progress"))


# A second copy


async def test_a_part_that_may_be_there_twice_says_so(tmp_path: Path) -> None:
    async with a_house(tmp_path, lacks=["look_ups"]) as house:
        house.channel.plan = ["cut_after_write", None]
        await ask(house)
        await house.idle()
        first, second, *rest = house.channel.answers()
        assert second.text == f"{first.text}\n\n{notices.SECOND_COPY}"
        assert not any(notices.SECOND_COPY in message.text for message in [first, *rest])


async def test_it_says_nothing_where_that_is_switched_off_or_the_channel_can_tell(tmp_path: Path) -> None:
    async with a_house(tmp_path, lacks=["look_ups"], BOT_ANSWERS__SECOND_COPY="false") as house:
        house.channel.plan = ["cut_after_write", None]
        await ask(house, "Short.")
        await house.idle()
        assert [message.text for message in house.channel.answers()] == ["Short.", "Short."]


async def test_what_was_certainly_not_sent_is_no_second_copy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.send.LOOK_AFTER", 0.1)
    monkeypatch.setattr("bot.turns.send.LOOK_AGAIN", 0.1)
    house.channel.plan = ["cut_before_write", None]
    await ask(house, "Short.")
    await house.idle()
    assert [message.text for message in house.channel.answers()] == ["Short."]


def test_the_line_fits_into_its_room() -> None:
    assert len(notices.SECOND_COPY.encode("utf-16-le")) // 2 <= NOTE_UNITS


# Rendering


class Narrower(FakeAdapter):
    """The adapter of a later version: it splits otherwise."""

    def split(self, text: str) -> list[str]:
        return [self.escape(word) for word in text.split()]


@pytest.mark.parametrize("asks_rating", [True, False])
async def test_an_intent_is_the_same_after_it_was_stored(asks_rating: bool) -> None:
    answer = Answer(text=LONG, asker_id="U1", notes=("A note.",), asks_rating=asks_rating)
    rendered = Rendered(answer, list(FakeAdapter(FakeChannel()).render(answer)))
    assert ("asks_rating" in rendered.to_json()["answer"]) == (not asks_rating), "an older bot can read it"
    assert Rendered.from_json(json.loads(json.dumps(rendered.to_json()))) == rendered


async def test_an_intent_of_an_older_version_has_only_its_parts(house: House) -> None:
    assert Rendered.from_json([{"kind": "answer"}]) == Rendered(None, [{"kind": "answer"}])


async def test_after_an_upgrade_that_splits_otherwise_the_whole_is_sent() -> None:
    """Nobody can tell where the rest begins; twice is better than lost."""
    outbound: Outbound = Answer(text=LONG, asker_id="U1")
    old = FakeAdapter(FakeChannel())
    rendered = Rendered(outbound, list(old.render(outbound)))
    rest = await rest_in_plain_form(old, rendered, 1)
    words = " ".join(str(part["raw"]) for part in rest).split()
    assert words == WORDS[-len(words) :]
    assert len(words) == 150 - len(str(rendered.parts[0]["raw"]).split())
    whole = await rest_in_plain_form(Narrower(FakeChannel()), rendered, 1)
    assert [part["raw"] for part in whole] == WORDS


def test_a_refusal_of_the_form_is_no_refusal_of_the_place() -> None:
    error = Rejected("No.", form=True)
    assert (error.form, error.gone) == (True, False)
