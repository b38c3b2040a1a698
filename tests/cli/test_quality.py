"""The feedback report: by week, channel and route, the worst questions; as cells without formulas, as one page."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.assistant.faults import Fault
from bot.cli.quality import as_csv, as_html
from tests.bot.test_admin import operator_of
from tests.bot.test_feedback import settled
from tests.cli.process import command
from tests.house import House, a_house

HOSTILE = '=HYPERLINK("http://x") <img src=x onerror=alert(1)>'
LINE = "I am not sure of this. Ask extension 4711."


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, BOT_ANSWERS__LOW_CONFIDENCE=LINE) as made:
        yield made


async def test_over_time_by_channel_and_route_with_reasons(house: House, tmp_path: Path) -> None:
    await house.channel.say(HOSTILE)
    (answer,) = await house.answers(1)
    await house.idle()
    await house.channel.react(answer.ref, "👎", button=True)
    await house.channel.wait_for(lambda: house.channel.notices("why"))
    await house.channel.say("-1 is <b>wrong</b>", in_reply_to=house.channel.notices("why")[0].ref)
    await settled(house)
    async with operator_of(house) as operator:
        report, rated = await operator.feedback_report(), await operator.rated()
    monday = datetime.now(UTC).date().isocalendar()
    (week,) = report["weeks"]
    assert datetime.fromisoformat(week["week"]).date().isocalendar()[:2] == monday[:2]
    assert datetime.fromisoformat(week["week"]).weekday() == 0
    assert (week["channel"], week["route"], week["good"], week["bad"]) == ("fake", "", 0, 1)
    (worst,) = report["worst"]
    assert (worst["question"], worst["reasons"]) == (HOSTILE, ["-1 is <b>wrong</b>"])
    (row,) = csv.DictReader(io.StringIO(as_csv(rated)))
    assert row["question"] == f"'{HOSTILE}"
    assert row["reasons"] == "'-1 is <b>wrong</b>"
    page = as_html(report, made_at="now")
    assert "<img" not in page
    assert "<b>" not in page
    parsed = Outside()
    parsed.feed(page)
    assert parsed.found == [], "it needs nothing else"
    settings = {"BOT_DATABASE_URL": house.config.database_url}
    done = command("feedback", "list", "--nonsense", cwd=tmp_path, **settings)
    assert done.returncode == 2


class Outside(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href") or name.startswith("on")]


def test_the_page_is_for_its_owner(tmp_path: Path) -> None:
    assert command("migrate", cwd=tmp_path).returncode == 0
    done = command("feedback", "report", "--html", "report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert command("feedback", "report", "--html", "absent/report.html", cwd=tmp_path).returncode == 1
    assert command("feedback", "report", "--html", "r.html", "--csv", cwd=tmp_path).returncode == 2
    table = command("feedback", "report", "--csv", cwd=tmp_path)
    assert table.stdout.startswith("reference,at,channel,route,rating")


async def test_low_confidence_says_whom_to_ask(house: House) -> None:
    house.assistant.faults.add(
        Fault("garbage", body='{"status": "completed", "answer": "Perhaps.", "confidence_level": "low"}'),
        endpoint="chat_status",
    )
    await house.channel.say("Is it so?")
    (answer,) = await house.answers(1)
    assert LINE in answer.text


async def test_an_answer_that_is_trusted_has_no_such_line(house: House) -> None:
    await house.channel.say("When does the shop open?")
    (answer,) = await house.answers(1)
    assert LINE not in answer.text
