"""Which language the bot itself speaks to whom, and which one the API is asked to answer in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import notices
from bot.assistant.faults import Fault
from bot.events import Conversation, Person
from bot.texts import said
from tests.fakes.channel import dm, room
from tests.house import House, a_house

ROUTES = json.dumps([{"conversation": "R-*", "language": "tr"}])


async def told(house: House, text: str, conversation: Conversation, **fields: Any) -> str:
    """Say something that is answered with a notice, and return it."""
    before = len(house.channel.notices())
    await house.channel.say(text, conversation=conversation, **fields)
    await house.channel.wait_for(lambda: len(house.channel.notices()) > before)
    return house.channel.notices()[-1].text


async def test_a_direct_chat_in_the_persons_own_a_group_in_the_routes(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ROUTES=ROUTES) as house:
        assert await told(house, "!new", dm(), locale="de-AT") == said(notices.NEW, "de")
        assert await told(house, "!new", dm(), locale="pt_BR") == said(notices.NEW, "pt")
        assert await told(house, "!new", room("t1"), locale="de") == said(notices.NEW, "tr")
        assert await told(house, "!new", room("t1", "X-1"), locale="de") == said(notices.NEW, "en")
        assert await told(house, "!new", dm("U2")) == said(notices.NEW, "en")
        assert await told(house, "!new", dm("U2"), locale="xx") == said(notices.NEW, "en")


async def test_the_default_is_the_settings(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LANGUAGES__DEFAULT="fr") as house:
        assert await told(house, "!new", room("t1"), locale="de") == said(notices.NEW, "fr")
        assert await told(house, "!new", dm(), locale="xx") == said(notices.NEW, "fr")


async def test_what_the_event_does_not_tell_is_asked_for_at_the_channel(tmp_path: Path) -> None:
    """Once an hour for each person, and never for what is said in a group."""
    async with a_house(tmp_path) as house:
        ctx = house.bot.ctx
        ctx.channels = {"fake": replace(ctx.channels["fake"], person_has_locale=True)}
        asked: list[str] = []

        async def person(account: str, user: str) -> Person:
            asked.append(user)
            return Person(name=user, locale="es-MX")

        ctx.adapters["fake"].person = person  # type: ignore[assignment,method-assign]
        assert await told(house, "!new", room("t1")) == said(notices.NEW, "en")
        assert asked == []
        assert await told(house, "!new", dm()) == said(notices.NEW, "es")
        assert await told(house, "!stop", dm()) == said(notices.NOTHING_TO_STOP, "es")
        assert asked == [dm().conversation_id.removeprefix("D-")]


async def test_a_failure_keeps_its_language_over_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.assistant.script(contains="never", answer="late", delay=60.0)
        await house.channel.say("What is never?", locale="de")
        await house.channel.wait_for(lambda: house.assistant.requests.of("chat_async"))
        await house.restart()
        house.assistant.faults.add(Fault("status", status=404), endpoint="chat_status")
        await house.channel.wait_for(lambda: house.channel.notices("failure"))
        (row,) = await house.table("SELECT reference FROM turns WHERE kind='question'")
        assert house.channel.notices("failure")[0].text == said(notices.failure(row["reference"]), "de")


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [("none", [None, None, None]), ("route", [None, None, "tr"]), ("person", ["de", "pt", "de"])],
)
async def test_which_language_the_api_is_asked_to_answer_in(
    tmp_path: Path, answers: str, wanted: list[str | None]
) -> None:
    async with a_house(tmp_path, BOT_ROUTES=ROUTES, BOT_LANGUAGES__ANSWERS=answers) as house:
        for number, (where, locale) in enumerate([(dm(), "de"), (dm(), "pt-BR"), (room("t1"), "de")], 1):
            await house.channel.say(f"When does the shop open? {number}", conversation=where, locale=locale)
            await house.answers(number)
        sent = [entry.body.get("response_language") for entry in house.assistant.requests.of("chat_async")]
        assert sent == wanted


async def test_an_unknown_folder_stops_the_start(tmp_path: Path) -> None:
    from bot.errors import ConfigError
    from tests.house import fake_config

    with pytest.raises(ConfigError, match="FOLDER"):
        fake_config("http://127.0.0.1/api/v1", tmp_path, BOT_LANGUAGES__FOLDER="nowhere")
