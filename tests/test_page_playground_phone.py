"""The playground's page on a phone, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.fakes.browser import ask, bot, launched, opened
from tests.fakes.playground import SUGGESTIONS, ScriptedCore, world

PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 740}, "has_touch": True}

pytestmark = [pytest.mark.needs_package("chromium"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def core(tmp_path: Path) -> AsyncIterator[ScriptedCore]:
    async with world(tmp_path) as core:
        yield core


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


async def test_what_greets_is_read_from_its_beginning(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/", **PHONE) as page:
        await expect(page.get_by_role("heading", name="Hello Mira")).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("button", name=SUGGESTIONS[0])).to_be_in_viewport(ratio=1)
        await expect(page.locator(".docs")).to_be_in_viewport()
        shown = await page.locator("body").inner_text()
        assert shown.count("ask again") == 1, "how to change what it knows is said once"


async def test_the_theme_is_chosen_on_a_phone_too(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/", color_scheme="light", **PHONE) as page:
        theme, paper = page.get_by_role("button", name="Theme"), "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(paper)
        await theme.tap()
        await expect(theme).to_have_text("Theme: light")
        assert await page.evaluate(paper) == light
        await theme.tap()
        await expect(theme).to_have_text("Theme: dark")
        assert await page.evaluate(paper) != light
        await page.reload()
        await expect(theme).to_have_text("Theme: dark")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [390, 1280])
async def test_who_reads_further_up_is_told_of_a_new_message(chromium: Browser, core: ScriptedCore, width: int) -> None:
    core.answers["Long?"] = "\n\n".join(f"Paragraph {n}." for n in range(40))
    async with opened(chromium, f"{core.base_url}/", **PHONE | {"viewport": {"width": width, "height": 740}}) as page:
        newer = page.get_by_role("button", name="New message")
        await ask(page, "Long?")
        await expect(bot(page)).to_have_count(1)
        await expect(bot(page).get_by_text("Paragraph 39.")).to_be_in_viewport()
        await expect(newer).to_be_hidden()
        core.gate.clear()
        await ask(page, "And?")
        await expect(page.locator(".sign")).to_be_in_viewport()
        await page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
        await expect(page.locator(".sign")).not_to_be_in_viewport()
        core.gate.set()
        await expect(newer).to_be_in_viewport(ratio=1)
        await expect(bot(page)).to_have_count(2)
        await expect(bot(page).last).not_to_be_in_viewport()
        await newer.click()
        await expect(bot(page).last).to_be_in_viewport(ratio=1)
        await expect(newer).to_be_hidden()
        await expect(page.locator("#text")).to_be_focused()
        # Who scrolls down by hand has seen it as well.
        core.gate.clear()
        await ask(page, "And then?")
        await page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
        await expect(page.locator(".sign")).not_to_be_in_viewport()
        core.gate.set()
        await expect(newer).to_be_visible()
        await page.locator("#log").evaluate("log => { log.scrollTop = log.scrollHeight }")
        await expect(newer).to_be_hidden()


async def test_one_tap_rates_an_answer_that_was_not_chosen_before(chromium: Browser, core: ScriptedCore) -> None:
    """Nothing moves under the finger: at the end of a conversation, what a touch shows would push the button away."""
    core.answers["Long?"] = "\n\n".join(f"Paragraph {n}." for n in range(30))
    async with opened(chromium, f"{core.base_url}/", **PHONE) as page:
        await ask(page, "Long?")
        await expect(page.locator("#outcome")).to_have_text("answered")
        helpful = bot(page).get_by_role("button", name="Helpful", exact=True)
        await helpful.tap()
        await expect(helpful).to_have_attribute("aria-pressed", "true")
        await helpful.tap()
        await expect(helpful).to_have_attribute("aria-pressed", "false")
