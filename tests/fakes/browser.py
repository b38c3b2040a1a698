"""A real Chromium for the playground's page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

PATIENCE: Final = 20_000
"""Milliseconds until something that does not appear is a failure; long, for loaded machines."""

FLAGS: Final = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]

expect.set_options(timeout=PATIENCE)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Start a browser, and close it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    chromium: Browser, url: str, *, blocked: str = "", restarts: bool = False, **options: Any
) -> AsyncIterator[Page]:
    """Open the page in a profile of its own; fail if it complained about anything or asked for another place.

    `blocked`: what the browser may say it has blocked. `restarts`: it may also say that nobody answered.
    """
    complaints: list[str] = []
    context = await chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    origin = url.split("/#")[0].rstrip("/")
    page.on("request", lambda r: None if r.url.startswith(origin) else complaints.append(f"asked for {r.url}"))
    await page.goto(url)
    await expect(page.locator("#link")).to_have_text("Connected")
    yield page
    await context.close()
    allowed = [blocked] * bool(blocked) + ["net::ERR_"] * restarts
    assert [said for said in complaints if not any(words in said for words in allowed)] == []


def bot(page: Page) -> Locator:
    """What the bot said."""
    return page.locator("article[data-author=bot]")


async def ask(page: Page, text: str) -> None:
    """Write a message and send it."""
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def pick(page: Page, message: Locator, emoji: str) -> None:
    """React with the picker."""
    await message.hover()
    await message.get_by_role("button", name="React").click()
    await page.locator("#picker").get_by_role("button", name=emoji, exact=True).click()
