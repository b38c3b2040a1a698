"""The page over the whole bot: core, database, embedded assistant; what people see is what the API was told."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from adapters.playground.adapter import PlaygroundAdapter
from adapters.playground.config import CHANNEL, PlaygroundSettings
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.config import Config, load
from bot.demo import pages
from tests.fakes.browser import ask, bot, launched, opened, pick
from tests.started import Bot

DOCS = {
    "returns.md": "# Returns\n\nYou can return a bicycle within 30 days.\n",
    "opening.md": "# Opening hours\n\nThe shop opens at nine o'clock.\n",
}


class Whole:
    """A bot on a port that stays, so that the page finds it again after a restart."""

    def __init__(self, folder: Path, assistant: RunningAssistant, config: Config) -> None:
        self.docs = folder / "docs"
        self.assistant = assistant
        self.config = config
        self.settings = PlaygroundSettings(enabled=True, data=folder / "playground.db", docs="docs")
        self.bot: Bot

    @property
    def url(self) -> str:
        return self.bot.web.url

    async def start(self) -> None:
        adapter = PlaygroundAdapter(self.settings)
        self.bot = Bot(self.config, adapters={CHANNEL.name: adapter}, pages=pages(self.assistant))
        await self.bot.start()
        self.config = self.config.model_copy(update={"http_port": self.bot.web.port})

    def rated(self) -> list[str]:
        return [entry.body["feedback"] for entry in self.assistant.requests.of("feedback")]

    def asked(self) -> list[str]:
        return [entry.body["message"] for entry in self.assistant.requests.of("chat_async")]


@asynccontextmanager
async def everything(folder: Path, settle: str) -> AsyncIterator[Whole]:
    docs = folder / "docs"
    docs.mkdir()
    for name, text in DOCS.items():
        (docs / name).write_text(text)
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.1, watch=True))
    environ = {
        "UPPZY_BASE_URL": assistant.base_url,
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "BOT_HTTP_PORT": "0",
        "BOT_FEEDBACK__SETTLE_SECONDS": settle,
    }
    whole = Whole(folder, assistant, load([CHANNEL], environ=environ, cwd=folder))
    await whole.start()
    try:
        yield whole
    finally:
        await whole.bot.stop()
        await assistant.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


async def fed_back(page: Page, rating: str, submitted: str, state: str) -> None:
    for label, value in (("Rating", rating), ("Last submitted", submitted), ("State", state)):
        await expect(page.locator("#feedback div", has_text=label).locator("dd")).to_have_text(value)


@pytest.mark.needs_package("chromium")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_fact_an_unknown_and_feedback_that_is_the_truth(chromium: Browser, tmp_path: Path) -> None:
    async with everything(tmp_path, settle="5") as whole, opened(chromium, whole.url, restarts=True) as page:
        await expect(page.locator("#empty")).to_have_text(re.compile(r"Hello Mira.*Change what it knows", re.DOTALL))
        await expect(page.locator("#empty")).not_to_have_text(re.compile("false|null|undefined"))
        await ask(page, "How long do I have to return a bicycle?")
        await expect(bot(page)).to_contain_text("30 days")
        await expect(page.locator("#outcome")).to_have_text("answered")
        await expect(page.locator("#panel")).to_contain_text("Wait for the answer")
        await expect(page.locator("#panel")).to_contain_text("req_")

        # Two opposite emoji within the settle window, and a restart in it: one submission of what was last meant.
        answer = bot(page).first
        await pick(page, answer, "👎")
        await expect(answer.locator(".chip")).to_have_text("👎1")
        await pick(page, answer, "👍")
        await expect(answer.locator(".chip")).to_have_text("👍1")
        await fed_back(page, "good", "none", "nothing yet")
        await whole.bot.stop()
        await expect(page.locator("#link")).to_have_text("Reconnecting…")
        assert whole.rated() == []
        quick = whole.config.feedback.model_copy(update={"settle_seconds": 0.2})
        whole.config = whole.config.model_copy(update={"feedback": quick})
        await whole.start()
        await fed_back(page, "good", "good", "submitted")
        assert whole.rated() == ["good"]
        await answer.locator(".chip").click()
        await fed_back(page, "none", "good", "retracted")
        assert whole.rated() == ["good"]

        await ask(page, "When does the shop open?")
        await expect(bot(page)).to_have_count(2)
        await bot(page).last.get_by_role("button", name="Not helpful").click()
        await page.get_by_label("What was wrong with this answer?").fill("It opens at ten")
        await bot(page).last.get_by_role("button", name="Send", exact=True).click()
        await fed_back(page, "bad", "bad", "submitted")
        assert whole.rated() == ["good", "bad"]
        (comment,) = await whole.bot.db.read(lambda tx: tx.all("SELECT * FROM comments"))
        assert comment["text"] == "It opens at ten"

        # What says nothing of the documents asks for no rating, and is explained as any other answer.
        for number, (words, said) in enumerate(
            [("Hello!", "Hello"), ("Who won the world cup in 1954?", "I don't know")], start=3
        ):
            await ask(page, words)
            await expect(bot(page)).to_have_count(number)
            await expect(bot(page).last).to_contain_text(said)
            await expect(bot(page).last.locator(".rate")).to_have_count(0)
        await pick(page, bot(page).last, "👎")
        await fed_back(page, "bad", "bad", "submitted")
        await page.reload()
        await expect(bot(page).last).to_contain_text("I don't know")
        await expect(bot(page).locator(".rates")).to_have_count(2)
        await expect(page.locator("#outcome")).to_have_text("answered")

        # Save a file, ask again.
        (whole.docs / "cup.md").write_text("# World cup\n\nGermany won the world cup in 1954.\n")
        async with asyncio.timeout(30):
            while "Germany won" not in await bot(page).last.inner_text():
                count = await bot(page).count()
                await ask(page, "Who won the world cup in 1954?")
                await expect(bot(page)).to_have_count(count + 1)


@pytest.mark.needs_package("chromium")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_thread_and_the_keyboard_alone(chromium: Browser, tmp_path: Path) -> None:
    async with everything(tmp_path, settle="0.2") as whole, opened(chromium, f"{whole.url}#jonas/room") as page:
        keyboard = page.keyboard

        async def press(*keys: str) -> None:
            for key in keys:
                await keyboard.press(key)

        await press("Tab", "Enter")  # the link that skips to the message box
        await keyboard.type("@bot How long do I have to return a bicycle?")
        await press("Enter")
        await expect(bot(page)).to_contain_text("30 days")
        await expect(page.locator(".sign")).to_have_count(0)  # its stop button is in the order of Tab, too
        await press("Shift+Tab", "End", "ArrowUp")
        await expect(page.locator("article[data-author=jonas]")).to_be_focused()
        await press("Tab", "ArrowRight", "Enter")
        await expect(page.locator("#replying")).to_be_visible()
        await keyboard.type("When does the shop open?")  # no mention: the bot takes part in this thread
        await press("Enter")
        await expect(bot(page).last).to_contain_text("nine")
        await expect(page.locator(".sign")).to_have_count(0)
        await expect(page.locator("article[data-author=bot]:focus")).to_have_count(0)
        await press("Shift+Tab", "Shift+Tab", "End")  # past the button that leaves the thread
        await expect(bot(page).last).to_be_focused()
        await press("Tab", "Enter")
        await expect(bot(page).last.get_by_role("button", name="Helpful", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        await fed_back(page, "good", "good", "submitted")
        await press("Escape")
        sessions = {entry.body["session_id"] for entry in whole.assistant.requests.of("chat_async")}
        assert len(sessions) == 1
        assert whole.rated() == ["good"]


@pytest.mark.needs_package("chromium")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_click_is_taken_back_and_the_other_person_sees_it(chromium: Browser, tmp_path: Path) -> None:
    """Two browsers on the same thread: each shows what its own person pressed, and what the other did."""
    async with (
        everything(tmp_path, settle="0.2") as whole,
        opened(chromium, f"{whole.url}#mira/room") as mira,
        opened(chromium, f"{whole.url}#jonas/room") as jonas,
    ):

        def button(page: Page, name: str) -> Locator:
            return bot(page).get_by_role("button", name=name, exact=True)

        async def pressed(page: Page, name: str, yes: bool) -> None:
            await expect(button(page, name)).to_have_attribute("aria-pressed", str(yes).lower())

        await ask(mira, "@bot When does the shop open?")
        await expect(bot(jonas)).to_contain_text("nine")
        others = [bot(page).locator(".others") for page in (mira, jonas)]
        await button(jonas, "Not helpful").click()
        await pressed(jonas, "Not helpful", True)
        await pressed(mira, "Not helpful", False)
        await expect(others[0]).to_have_text("Jonas: Not helpful · Counts as: Not helpful")
        await button(mira, "Helpful").click()  # she has asked, so hers counts
        await expect(others[0]).to_have_text("Jonas: Not helpful")
        await expect(others[1]).to_have_text("Mira: Helpful · Counts as: Helpful")
        await pressed(jonas, "Not helpful", True)
        await button(mira, "Helpful").click()
        await pressed(mira, "Helpful", False)
        await expect(others[1]).to_have_count(0)
        await button(jonas, "Not helpful").click()
        await pressed(jonas, "Not helpful", False)
        for one in others:
            await expect(one).to_have_count(0)
        await mira.reload()
        await pressed(mira, "Helpful", False)
        events = await whole.bot.db.read(
            lambda tx: [row["event_id"].partition(":")[0] for row in tx.all("SELECT event_id FROM events")]
        )
        assert (events.count("button_clicked"), events.count("button_released")) == (2, 2)
        (rated,) = await whole.bot.db.read(lambda tx: tx.all("SELECT rating FROM feedback"))
        assert rated["rating"] is None


async def test_the_demo_killed_inside_the_settle_window_loses_nothing(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with aiohttp.ClientSession() as http:
        async with demo(tmp_path, port) as (url, _):
            asked = {"person": "mira", "conversation": "dm-mira", "text": "Can I try a bike before I buy it?"}
            question = await act(http, url, "messages", asked)
            (answer,) = await until(http, url, lambda s: [m for m in s["messages"] if m["author"] == "bot"])
            assert "Test rides are free" in answer["body"]["text"]
            await act(http, url, "clicks", {"person": "mira", "message": answer["id"], "button": "good"})
            await until(http, url, lambda s: [m for m in s["messages"] if m["rating"] == "good"])
            assert (await inspect(http, url, question))["submitted"] is None
        async with demo(tmp_path, port) as (url, _):
            async with asyncio.timeout(60):
                while (found := await inspect(http, url, answer["id"]))["submitted"] is None:
                    await asyncio.sleep(0.1)
            assert (found["rating"], found["submitted"], found["feedback"]) == ("good", "good", "submitted")
            messages = (await snapshot(http, url))["messages"]
            assert [m["author"] for m in messages] == ["mira", "bot"]


@asynccontextmanager
async def demo(folder: Path, port: int, *options: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run the demo as people do; end it with kill -9."""
    command = (sys.executable, "-m", "bot", "demo", *options)
    environ = os.environ | {"BOT_HTTP_PORT": str(port), "BOT_HTTP_HOST": "127.0.0.1"}
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, (folder / "log").read_text()
        yield line.decode().strip().rstrip("/"), process
    except BaseException:
        print((folder / "log").read_text())  # what a failure of this test would be asked for
        raise
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


OWN = {
    "faq.csv": "Question,Answer\nHow long do I have to return a bicycle?,You have 30 days.\n",
    "shop.md": "# Shop\n\n## Opening hours of <b>both</b> shops\n\nBoth shops open at nine o'clock.\n",
    "tyres.md": "# Tyres\n\n## Table of contents\n\nFlat tyres\n\n## Repair of flat tyres\n\nThat takes two days.\n",
}


@pytest.mark.needs_package("chromium")
@pytest.mark.asyncio(loop_scope="module")
async def test_the_demo_offers_what_may_be_asked_of_own_documents(chromium: Browser, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    async with demo(tmp_path, 0, "--docs", str(own)) as (url, _), opened(chromium, url) as page:
        offered = page.locator("#empty .suggestions button:visible")
        await expect(page.locator("#documents")).to_have_text("There is no document in the folder.")
        await expect(offered).to_have_count(0)
        for name, text in OWN.items():
            (own / name).write_text(text)
        texts = [
            "How long do I have to return a bicycle?",
            "Opening hours of <b>both</b> shops",
            "Repair of flat tyres",
        ]
        await expect(offered).to_have_text(texts, timeout=60_000)  # the page looks every 15 s
        await expect(page.locator("#documents")).to_have_text("3 files read.")
        await page.reload()
        await expect(offered).to_have_text(texts)
        await offered.nth(2).click()
        await expect(bot(page)).to_contain_text("two days")
        await expect(offered).to_have_count(0)
        await page.get_by_role("button", name="Team room").click()
        await expect(offered).to_have_text(texts)
        for name in OWN:
            (own / name).unlink()
        await expect(offered).to_have_count(0, timeout=60_000)


async def act(http: aiohttp.ClientSession, url: str, verb: str, fields: dict[str, str]) -> Any:
    async with http.post(f"{url}/playground/api/{verb}", json=fields) as response:
        assert response.status == 200, await response.text()
        return (await response.json())["message"]


async def inspect(http: aiohttp.ClientSession, url: str, message: str) -> dict[str, Any]:
    async with http.get(f"{url}/playground/api/inspect", params={"message": message}) as response:
        found = (await response.json())["found"]
        assert isinstance(found, dict)
        return found


async def snapshot(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with http.get(f"{url}/playground/events") as stream:
        while True:
            block = (await stream.content.readuntil(b"\n\n")).decode()
            if block.startswith("event: snapshot"):
                found = json.loads(block.partition("data: ")[2])
                assert isinstance(found, dict)
                return found


async def until(http: aiohttp.ClientSession, url: str, wanted: Any) -> Any:
    async with asyncio.timeout(60):
        while not (found := wanted(await snapshot(http, url))):
            await asyncio.sleep(0.05)
    return found


@pytest.mark.needs_package("chromium")
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_quoted_and_forwarded_goes_along_and_the_panel_shows_it(
    chromium: Browser, tmp_path: Path
) -> None:
    async with everything(tmp_path, settle="0.2") as whole, opened(chromium, f"{whole.url}#jonas/room") as page:
        await ask(page, "The bell of my bicycle is broken.")
        await page.get_by_text("Mira", exact=True).click()
        said = page.locator("article[data-author=jonas]")
        await said.hover()
        await said.get_by_role("button", name="Quote").click()
        await expect(page.locator("#pointing")).to_contain_text("Quotes “The bell")
        await ask(page, "@bot can I return it?")
        await expect(bot(page)).to_contain_text("30 days")
        await expect(page.locator("#pointing")).to_be_hidden()
        asked = page.locator("article[data-author=mira]")
        await expect(asked.locator(".pointed")).to_contain_text("Jonas The bell of my bicycle is broken.")
        await asked.click()
        await expect(page.locator("#along li")).to_have_text(re.compile(r"The message it answers went along, \d+ char"))
        await expect(page.locator("#panel")).to_contain_text("The bell of my bicycle is broken.")

        await said.hover()
        await said.get_by_role("button", name="Forward").click()
        await page.get_by_role("button", name="Direct message").click()
        await expect(page.locator("#pointing")).to_contain_text("Forwards “The bell")
        await page.locator("#text").press("Enter")
        await expect(page.locator("article[data-author=mira] .pointed")).to_contain_text("Forwarded from Jonas")
        await expect(bot(page)).to_have_count(1)
    preface = "(Quoted lines show what the question at the end is about; they are not part of it.)\n\n"
    assert whole.asked() == [
        f"{preface}[The message from Jonas that the question replies to]\n> The bell of my bicycle is broken.\n\n"
        "[Question]\ncan I return it?",
        f"{preface}[Forwarded message from Jonas]\n> The bell of my bicycle is broken.\n\n"
        "[Question]\nWhat is to be said about this?",
    ]
