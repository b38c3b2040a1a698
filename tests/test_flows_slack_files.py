"""Files beside a question in Slack: named as not read, or read where that is switched on and permitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.slack import pacing
from bot.testing.slack.files import LOGIN_PAGE
from bot.testing.slack.platform import FILE_SCOPES
from tests.slack_house import SlackHouse, slack_house

PACE = 0.02
WORDS = "When is the launch?"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)


async def asked_with(house: SlackHouse, *file_ids: str) -> tuple[str, str]:
    """Ask beside files; return what reached the API, and the answer as people see it."""
    shown: list[dict[str, Any]] = [house.slack.files.stored[file_id].shown for file_id in file_ids]
    await house.slack.say("U1", "D1", WORDS, subtype="file_share", files=shown)
    (answer,) = await house.answers(1)
    await house.idle()
    (asked,) = house.asked()
    return asked, str(answer["blocks"])


async def test_a_file_is_named_as_not_read_and_never_asked_for(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=False, pace_seconds=PACE) as house:
        asked, answer = await asked_with(house, house.slack.files.put(b"On Monday.", "plan.txt"))
        assert asked == WORDS
        assert answer.count("I did not read plan.txt, only your words.") == 1
        assert not house.slack.made("files.info")
        assert house.slack.files.tokens == []


async def test_its_text_goes_along_where_that_is_on(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=False, pace_seconds=PACE, BOT_CONTEXT__FILES="true") as house:
        house.slack.scopes += FILE_SCOPES
        asked, answer = await asked_with(house, house.slack.files.put(b"On Monday.", "plan.txt"))
        assert "[File plan.txt]\n> On Monday." in asked
        assert asked.endswith(f"[Question]\n{WORDS}")
        assert "did not read" not in answer


async def test_without_the_scope_the_login_page_is_no_file(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=False, pace_seconds=PACE, BOT_CONTEXT__FILES="true") as house:
        asked, answer = await asked_with(house, house.slack.files.put(b"On Monday.", "plan.html", "text/html"))
        assert "Sign in" in LOGIN_PAGE
        assert "Sign in" not in asked
        assert asked == WORDS
        assert "I did not read plan.html, only your words." in answer


async def test_a_file_that_lies_elsewhere_is_named_and_not_fetched(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=False, pace_seconds=PACE, BOT_CONTEXT__FILES="true") as house:
        house.slack.scopes += FILE_SCOPES
        away = house.slack.files.put(b"", "plan.txt", is_external=True, url_private="https://files.invalid/plan.txt")
        asked, answer = await asked_with(house, away)
        assert asked == WORDS
        assert "I did not read a file, only your words." in answer
        assert house.slack.files.tokens == []
