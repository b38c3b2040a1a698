"""The status page: what is wrong with what to run, the last hour, and how it looks on a phone, light and dark."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, async_playwright
from prometheus_client import CollectorRegistry

from bot.operator.watch import Surroundings, Watch
from bot.telemetry.metrics import Metrics
from bot.web import Snapshot, Trouble
from bot.web.charts import ChartLine, chart
from bot.web.history import History, Minute, quantile
from bot.web.status import _engine, counted, page
from tests.house import House, a_house
from tests.postgres import a_server

HOSTILE = "<script>alert(1)</script> & \"'"


def shown(snapshot: Snapshot, minutes: tuple[Minute, ...] = ()) -> str:
    metrics = Metrics()
    metrics.feedback_total.labels(channel="slack", rating="good", outcome="submitted").inc(3)
    metrics.feedback_total.labels(channel="slack", rating="bad", outcome="already_rated").inc()
    metrics.feedback_total.labels(channel="slack", rating="bad", outcome="failed").inc()
    return page(
        snapshot,
        words={"database": "ok", "slack": "degraded"},
        verdict="degraded",
        state="running",
        seconds_up=60,
        totals=counted(metrics),
        rates=None,
        metrics=metrics,
        minutes=minutes,
    )


def test_what_is_wrong_stands_first_with_what_to_run_and_is_text() -> None:
    trouble = Trouble(sentence=HOSTILE, command="uppzy-bot doctor", ago=130, lasted=60)
    text = shown(
        Snapshot(troubles=[trouble], over=[replace(trouble, sentence="It was late.")], oldest=("ABCDEFGH", 400))
    )
    assert text.index("What needs you") < text.index("turns open")
    assert "<code>uppzy-bot doctor</code>" in text
    assert "since 2 min" in text
    assert "It was late." in text
    assert "2 min ago, for 1 min" in text
    assert "age of the oldest, ABCDEFGH" in text
    assert "<script" not in text
    assert "<td>75%</td>" in text, "ratings that reached the API, by channel"


def test_the_engine_is_a_part_and_says_what_keeps_it_back() -> None:
    assert "engine</td>" in shown(Snapshot())
    assert "is open for" not in shown(Snapshot(oldest=("ABCDEFGH", 20)))
    assert "ABCDEFGH is open for 6 min." in shown(Snapshot(oldest=("ABCDEFGH", 400)))
    metrics = Metrics()
    metrics.lanes_waiting.labels(reason="admission").set(7)
    assert _engine(Snapshot(), metrics)[0] == "degraded"
    assert "7 wait for a place" in _engine(Snapshot(), metrics)[1]


def test_what_to_look_at_stands_with_what_to_do() -> None:
    text = shown(Snapshot(warnings=[(f"1 of 3 wait to be admitted: {HOSTILE}.", 'add: allow = ["slack:T9"]')]))
    assert "To look at" in text
    assert "allow = [&quot;slack:T9&quot;]" in text
    assert "<script" not in text
    assert "To look at" not in shown(Snapshot())


def test_the_last_hour_in_minutes() -> None:
    metrics, now = Metrics(), 0.0
    history = History(metrics.registry, clock=lambda: now)
    for channel in ("slack", "telegram"):
        for seconds in (1.5, 1.5, 4.0):
            metrics.turn_seconds.labels(channel=channel).observe(seconds)
    metrics.api_requests_total.labels(endpoint="chat", status="429").inc(2)
    metrics.api_requests_total.labels(endpoint="chat", status="timeout").inc(3)
    metrics.turns_total.labels(channel="slack", outcome="answered").inc(6)
    history.sample()
    assert not list(history.minutes), "the minute is not over"
    now = 61.0
    history.sample()
    (minute,) = history.minutes
    assert (minute.questions, minute.limited, minute.failed, minute.completion) == (6, 2, 3, None)
    assert minute.turn is not None
    half, most = minute.turn
    assert 1 <= half <= 2
    assert 2 <= most <= 5
    now = 122.0
    history.sample()
    assert history.minutes[-1] == Minute(None, None, 0, 0, 0)
    for _ in range(100):
        now += 61
        history.sample()
    assert len(history.minutes) == 60


def test_a_chart_is_told_in_words_too_and_is_broken_where_nothing_was() -> None:
    drawn = chart("Time", [ChartLine("half", [1.0, None, 3.0])], " s")
    assert 'aria-label="Time, last hour. Now: half 3 s; at most 3 s."' in drawn
    assert drawn.count("<polyline") == 2
    (first,) = re.findall(r'points="([^"]+)"', chart("Time", [ChartLine("half", [2.0])], " s"))
    start, end = first.split()
    assert start != end, "the first minute is seen too"
    assert "Nothing yet" in chart("Time", [ChartLine("half", [None])], " s")
    assert quantile({1.0: 1, math.inf: 4}, 0.95) == 1.0, "more than the last bound is not told apart"
    assert not list(History(CollectorRegistry()).minutes)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as made:
        yield made


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def _note(said: list[str], message: ConsoleMessage) -> None:
    said.append(message.text)


@pytest.mark.needs_package("chromium")
async def test_it_fits_a_phone_in_light_and_dark_without_a_script(house: House) -> None:
    house.bot.ctx.problems.report("telegraph", "The token was revoked. " + "long" * 40)
    await house.bot.watch.look()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        backgrounds = set()
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                viewport={"width": 360, "height": 740},
                color_scheme="dark" if scheme == "dark" else "light",
                java_script_enabled=True,
            )
            tab = await context.new_page()
            said: list[str] = []
            tab.on("console", partial(_note, said))
            await tab.goto(house.bot.web.url)
            assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), scheme
            parts = tab.get_by_role("region", name="Parts")
            assert await parts.evaluate("table => table.scrollWidth <= table.clientWidth"), "it is read whole"
            backgrounds.add(await tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert await tab.get_by_text("uppzy-bot doctor").first.is_visible()
            assert said == [], "the policy of the page lets its own style through"
            tags = Tags()
            tags.feed(await tab.content())
            assert "script" not in tags.seen
            await context.close()
        assert len(backgrounds) == 2
        await browser.close()


@pytest.mark.needs_package("chromium")
@pytest.mark.parametrize("width", [360, 1280])
async def test_what_is_to_be_done_is_read_whole(width: int) -> None:
    warning = ("Events are expected; nobody looked whether they come. " * 2, "Set SLACK_CONFIG_TOKEN, or ask. " * 4)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = await browser.new_page(viewport={"width": width, "height": 740})
        await tab.set_content(shown(Snapshot(warnings=[warning])))
        table = tab.get_by_role("region", name="To look at")
        assert await table.evaluate("table => table.scrollWidth <= table.clientWidth")
        await browser.close()


@pytest.mark.needs_package("postgresql")
@pytest.mark.needs_package("chromium")
async def test_every_process_of_a_database_is_on_each_ones_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two on PostgreSQL; one of them ends without a word."""
    with a_server() as server, server.database() as url:
        async with a_house(tmp_path, BOT_DATABASE_URL=url) as house, async_playwright() as playwright:
            ctx, watch = house.bot.ctx, house.bot.watch
            with monkeypatch.context() as patched:
                patched.setattr("socket.gethostname", lambda: "second")
                other = Watch(ctx, Surroundings(house.bot.web.health.words, lambda: None, is_shared=True))
            await other.look()
            await watch.look()
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            tab = await browser.new_page(viewport={"width": 360, "height": 740})
            await tab.goto(house.bot.web.url)
            table = tab.get_by_role("region", name="Processes")
            assert await table.locator("tbody tr").count() == 2
            assert await table.locator(".pill.ok").count() == 2
            assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            at = ctx.clock()
            ctx.clock = lambda: at + 90
            await watch.look()
            await tab.reload()
            silent = table.locator("tbody tr").filter(has_text="second")
            assert "not heard of for 1 min" in await silent.inner_text()
            ctx.clock = lambda: at + 4000
            await watch.look()
            await tab.reload()
            assert await table.count() == 0, "one alone is no table"
            await browser.close()
