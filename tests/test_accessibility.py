"""Every page, as axe-core judges it in a real Chromium: no violation of any level, its best practices among them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.async_api import Browser, Page, expect

from adapters.slack.oauth import _again
from bot.cli.quality import as_html
from bot.config import installed, load_object
from bot.render import parse, plain
from bot.web import Snapshot, Trouble
from bot.web.history import Minute
from bot.web.preview import SAMPLE, plain_column, preview_page
from tests.bot.test_admin import operator_of
from tests.bot.test_feedback import answered, settled
from tests.fakes.browser import ask, bot, launched, opened, pick
from tests.fakes.playground import ScriptedCore, world
from tests.house import a_house
from tests.web.test_status_page import shown

SIZES: Final = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]

pytestmark = [
    pytest.mark.needs_package("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(("width", "scheme"), SIZES),
]


@pytest_asyncio.fixture(loop_scope="module")
async def core(tmp_path: Path) -> AsyncIterator[ScriptedCore]:
    async with world(tmp_path) as core:
        yield core


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


def looks(width: int, scheme: str) -> dict[str, Any]:
    """How the page is opened; axe is put into it from outside, which its policy would keep out."""
    return {
        "viewport": {"width": width, "height": 740},
        "color_scheme": scheme,
        "has_touch": width < 800,
        "reduced_motion": "reduce",  # a colour on its way to another is none that people read
        "bypass_csp": True,
    }


async def judged(page: Page, what: str) -> None:
    results = (await Axe().run(page)).response
    assert len(results["passes"]) > 10, f"{what}: axe has seen nothing"
    found = [(v["id"], v["impact"], [node["target"] for node in v["nodes"]]) for v in results["violations"]]
    assert found == [], what


async def test_the_chat(chromium: Browser, core: ScriptedCore, width: int, scheme: str) -> None:
    core.answers["All?"] = SAMPLE + "\n| " + "wide " * 60 + "| b |\n|---|---|\n| c | d |\n"
    async with opened(chromium, f"{core.base_url}/", **looks(width, scheme)) as page:
        await judged(page, "nothing said yet")
        core.gate.clear()
        await ask(page, "All?")
        await expect(page.locator(".sign")).to_be_visible()
        await judged(page, "at work")
        core.gate.set()
        await expect(bot(page)).to_have_count(1)
        await expect(page.locator("#outcome")).to_have_text("answered")
        await page.get_by_role("button", name="Help", exact=True).click()
        await expect(page.locator("article[data-kind=info]")).to_have_count(1)
        answer = bot(page).first
        await answer.get_by_role("button", name="Not helpful").click()
        await expect(page.get_by_label("What was wrong with this answer?")).to_be_visible()
        await judged(page, "an answer with everything, a notice, asked why")
        await answer.locator(".head").click()  # where nothing hovers, the chosen message shows what can be done with it
        await pick(page, answer, "👍")
        await answer.get_by_role("button", name="React").click()
        await judged(page, "the picker is open")
        await page.keyboard.press("Escape")
        await answer.get_by_role("button", name="Quote").click()
        await expect(page.locator("#pointing")).to_be_visible()
        mine = page.locator("article[data-author=mira]").first
        await mine.locator(".head").click()
        await mine.get_by_role("button", name="Edit").click()
        await judged(page, "an edit is under way, something is quoted")
        await page.keyboard.press("Escape")
        await page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
        await page.get_by_text("Jonas", exact=True).dispatch_event("click")
        await page.get_by_role("button", name="Team room").click()
        await ask(page, "@bot All?")
        await expect(bot(page)).to_have_count(1)
        await bot(page).get_by_role("button", name="Helpful", exact=True).click()
        await expect(bot(page).get_by_role("button", name="Helpful", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        await page.get_by_text("Mira", exact=True).first.dispatch_event("click")
        await expect(bot(page).locator(".others")).to_contain_text("Jonas: Helpful")
        await judged(page, "the room, with a thread and what the other pressed")
        if width < 800:
            await page.locator("#open-panel").click()
            await expect(page.get_by_role("dialog", name="What happened")).to_be_visible()
            await judged(page, "the panel over it")


@asynccontextmanager
async def showing(chromium: Browser, html: str, width: int, scheme: str) -> AsyncIterator[Page]:
    """A page that needs nothing else, as it is written."""
    context = await chromium.new_context(**looks(width, scheme))
    page = await context.new_page()
    await page.set_content(html)
    yield page
    await context.close()


async def test_the_status_page(chromium: Browser, width: int, scheme: str) -> None:
    trouble = Trouble(sentence="The API refuses the key (401).", command="uppzy-bot doctor", ago=130, lasted=60)
    html = shown(
        Snapshot(
            troubles=[trouble], over=[trouble], oldest=("ABCDEFGH", 400), warnings=[("One waits.", "access allow")]
        ),
        tuple(Minute((1.0 + n, 2.0 + n), (1.0, 2.0), n, 1, 0) for n in range(5)),
    )
    async with showing(chromium, html, width, scheme) as page:
        await judged(page, "much is wrong")
    async with showing(chromium, shown(Snapshot()), width, scheme) as page:
        await judged(page, "nothing is wrong, nothing was asked")


async def test_the_preview(chromium: Browser, width: int, scheme: str) -> None:
    columns = {spec.name: load_object(spec.preview)(SAMPLE) for spec in installed() if spec.preview}
    html = preview_page({**columns, "Plain text": plain_column(plain(parse(SAMPLE)))}, SAMPLE)
    async with showing(chromium, html, width, scheme) as page:
        await judged(page, "the preview of all channels")


async def test_what_people_see_who_install_the_slack_app(chromium: Browser, width: int, scheme: str) -> None:
    async with showing(chromium, str(_again("This link has ended.").text), width, scheme) as page:
        await judged(page, "an installation that did not work")


async def test_the_feedback_report(chromium: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    async with a_house(tmp_path) as house:
        for emoji in ("👎", "👍"):
            await house.channel.react((await answered(house)).ref, emoji)
        await settled(house)
        async with operator_of(house) as operator:
            report = await operator.feedback_report()
    assert report["weeks"]
    assert report["worst"]
    async with showing(chromium, as_html(report, made_at="now"), width, scheme) as page:
        await judged(page, "the report on feedback")
