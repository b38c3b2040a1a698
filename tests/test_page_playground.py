"""The playground's page, driven by a real Chromium over a scripted core, so that each moment can be held."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.adapter import JsonValue
from bot.events import Answer, Command, Comment, Conversation, Deletion, Edit, Message, Reaction
from tests.fakes.browser import ask, bot, launched, opened, pick
from tests.fakes.playground import SUGGESTIONS, ScriptedCore, world

E = TypeVar("E")

DIRECT = Conversation(channel="playground", account_id="demo", conversation_id="dm-mira", kind="dm", is_direct=True)

pytestmark = [pytest.mark.needs_package("chromium"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def core(tmp_path: Path) -> AsyncIterator[ScriptedCore]:
    async with world(tmp_path) as core:
        yield core


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


def text_with(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(words))


def of(core: ScriptedCore, kind: type[E]) -> list[E]:
    return [event for event in core.events if isinstance(event, kind)]


async def test_a_suggestion_is_asked_answered_and_explained(chromium: Browser, core: ScriptedCore) -> None:
    core.answers[SUGGESTIONS[0]] = "Within **30 days**."
    async with opened(chromium, f"{core.base_url}/") as page:
        await expect(page.get_by_role("heading", name="Hello Mira")).to_be_visible()
        core.gate.clear()
        await page.get_by_role("button", name=SUGGESTIONS[0]).click()
        await expect(page.locator(".sign")).to_contain_text("Working on it")
        await expect(page.locator("#panel")).to_contain_text("Wait for the answer")
        core.gate.set()
        await expect(bot(page).locator("strong")).to_have_text("30 days")
        await expect(page.locator(".sign")).to_have_count(0)
        await expect(page.locator("#outcome")).to_have_text("answered")
        explained = re.compile("goes to the assistant|The assistant (holds|keeps)")
        await expect(page.locator("#panel")).to_contain_text(explained)
        for fact in (
            "K7Q2M4XA",
            "s_87b9dd716ca8707a597bda8a8a6988342583684a",
            "req_1709dc2bcedb3872047eace2975c198c",
            "2.3 s",
        ):
            await expect(page.locator("#panel")).to_contain_text(fact)
        await expect(page.locator("#announce")).to_have_text("Bot: Within 30 days.")
        await page.reload()
        await expect(bot(page)).to_contain_text("30 days")
    (question,) = of(core, Message)
    assert (question.text, question.user_id, question.conversation.is_direct) == (SUGGESTIONS[0], "mira", True)


async def test_emoji_are_added_changed_and_removed(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:
        await ask(page, "Where is it?")
        await expect(bot(page)).to_have_count(1)
        answer = bot(page)
        await pick(page, answer, "👎")
        await expect(answer.locator(".chip")).to_have_text("👎1")
        await pick(page, answer, "👍🏽")
        await expect(answer.locator(".chip")).to_have_text("👍🏽1")
        await answer.locator(".chip").click()
        await expect(answer.locator(".chip")).to_have_count(0)
    await core.wait_for(lambda: len(of(core, Reaction)) == 4)
    told = [(r.emoji, r.added) for r in of(core, Reaction)]
    assert told == [("👎", True), ("👎", False), ("👍", True), ("👍", False)]
    assert {r.target for r in of(core, Reaction)} == {core.last}


async def test_a_bad_rating_asks_why_once_and_survives_a_reload(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:
        await ask(page, "What does it cost?")
        await bot(page).get_by_role("button", name="Not helpful").click()
        await expect(bot(page).get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
        await page.reload()
        why = page.get_by_label("What was wrong with this answer?")
        await why.fill("The price is old")
        await bot(page).get_by_role("button", name="Helpful", exact=True).click()
        await expect(bot(page).get_by_role("button", name="Helpful", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        await expect(why).to_have_value("The price is old")  # drawing the message again takes no words away
        await why.press("Enter")
        await expect(why).to_have_count(0)
    await core.wait_for(lambda: of(core, Comment))
    (comment,) = of(core, Comment)
    assert (comment.text, comment.user_id, comment.target) == ("The price is old", "mira", core.last)
    assert [(r.emoji, r.button) for r in of(core, Reaction)] == [("👎", True), ("👍", True)]


async def test_a_room_for_two_with_threads(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/#mira/room") as page:
        await page.locator("#text").fill("hello?")
        await page.get_by_role("button", name="@bot", exact=True).click()
        await page.locator("#text").press("Enter")
        await expect(bot(page)).to_have_text(text_with("HELLO?"))
        await page.get_by_text("Jonas", exact=True).click()
        await expect(page.locator("article[data-author=mira]")).to_contain_text("hello?")
        await bot(page).hover()
        await bot(page).get_by_role("button", name="Reply in thread").click()
        await expect(page.locator("#replying")).to_contain_text("hello?")
        await ask(page, "and me, @bot?")
        await expect(page.locator(".reply article")).to_have_count(3)
        await page.locator("#text").press("Escape")
        await expect(page.locator("#replying")).to_be_hidden()
        await page.get_by_role("button", name="Direct message").click()
        await expect(page.get_by_role("heading", name="Hello Jonas")).to_be_visible()
    first, second = of(core, Message)
    assert first.conversation.thread_id == second.conversation.thread_id == first.ref.message_id
    assert (first.user_id, second.user_id) == ("mira", "jonas")
    assert (first.text, first.mentions_bot, second.text) == ("hello?", True, "and me, ?")


async def test_own_words_are_edited_and_deleted(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/#mira/room") as page:
        await ask(page, "helo")
        mine = page.locator("article[data-author=mira]")
        await mine.hover()
        await mine.get_by_role("button", name="Edit").click()
        await page.get_by_label("Change the words").fill("hello")
        await page.get_by_label("Change the words").press("Enter")
        await expect(mine).to_contain_text("edited")
        await mine.hover()
        await mine.get_by_role("button", name="Delete").click()
        await mine.get_by_role("button", name="Delete?").click()
        await expect(mine).to_have_count(0)
        await expect(page.locator("#text")).to_be_focused()
    assert [type(event) for event in core.events] == [Message, Edit, Deletion]


async def test_an_edit_after_the_answer_says_until_when_it_counts(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:
        await ask(page, "How much is a bike?")
        await expect(bot(page)).to_have_count(1)
        await expect(page.locator("#outcome")).to_have_text("answered")
        await expect(page.locator("#changed")).to_have_count(0)
        mine = page.locator("article[data-author=mira]")
        await mine.hover()
        await mine.get_by_role("button", name="Edit").click()
        await page.get_by_label("Change the words").fill("How much is a helmet?")
        await page.get_by_label("Change the words").press("Enter")
        await expect(page.locator("#changed")).to_contain_text("until its answer is on its way")


async def test_commands_and_stop(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:
        await page.get_by_role("button", name="Help").click()
        await expect(page.locator("article[data-kind=info]")).to_contain_text("Ask me anything")
        core.gate.clear()
        await ask(page, "slow")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".sign")).to_have_count(0)
        await expect(page.locator("article[data-kind=info]")).to_have_count(2)
        await page.get_by_role("button", name="New conversation").click()
        await expect(page.locator("article[data-kind=info]")).to_have_count(3)
    assert [(c.name, c.user_id) for c in of(core, Command)] == [("help", "mira"), ("stop", "mira"), ("new", "mira")]


async def test_with_the_keyboard_alone(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:

        async def press(*keys: str) -> None:
            for key in keys:
                await page.keyboard.press(key)

        async def go_to(name: str, key: str = "ArrowRight") -> None:
            for _ in range(30):
                await press(key)
                if await page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText") == name:
                    return
            raise AssertionError(f"{key} does not reach {name}")

        await press("Tab")
        await expect(page.get_by_role("link", name="Skip to the message box")).to_be_focused()
        await press("Enter")
        await page.keyboard.type("First?")
        await press("Enter")
        await expect(bot(page)).to_have_count(1)
        await page.keyboard.type("Second?")
        await press("Enter")
        await expect(bot(page)).to_have_count(2)
        await expect(page.locator(".sign")).to_have_count(0)
        await press("Shift+Tab")  # the last message's control; one message at a time is in the order of Tab
        await expect(bot(page).last.locator(":focus")).to_have_count(1)
        await press("ArrowUp", "ArrowUp")
        await expect(bot(page).first).to_be_focused()
        await go_to("Helpful")
        await press("Enter")
        await expect(bot(page).first.get_by_role("button", name="Helpful", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        await expect(bot(page).first.get_by_role("button", name="Helpful", exact=True)).to_be_focused()
        await go_to("React")
        await press("Enter", "ArrowDown", "ArrowDown", "Enter")
        await expect(bot(page).first.locator(".chip")).to_have_text("👎1")
        await expect(bot(page).first.get_by_role("button", name="React")).to_be_focused()
        await press("Enter", "Escape")
        await expect(page.locator("#picker")).to_be_hidden()
        await go_to("What happened")
        await press("Enter")
        await expect(page.locator("#panel")).to_contain_text("FIRST?")
    await core.wait_for(lambda: len(of(core, Reaction)) == 2)


async def test_a_message_is_three_stops_of_tab_at_most(chromium: Browser, core: ScriptedCore) -> None:
    """The message, its table, and one of its controls; the arrow keys reach the other controls, links among them."""
    row = "| " + " | ".join(["heading"] * 12) + " |"
    core.answers["Prices?"] = f"See [the list](https://example.com).\n\n{row}\n{'|---' * 12}|\n{row}"
    here = "(({ activeElement: e }) => (e.closest('article') ? e.dataset.control || e.tagName : ''))(document)"
    async with opened(chromium, f"{core.base_url}/", viewport={"width": 390, "height": 740}) as page:
        await ask(page, "Prices?")
        await expect(bot(page)).to_have_count(1)
        await expect(page.locator(".sign")).to_have_count(0)
        await bot(page).focus()
        stops = []
        while stop := await page.evaluate(here):
            stops.append(stop)
            await page.keyboard.press("Tab")
        assert len(stops) == 3, stops
        assert stops[0] == "ARTICLE"
        reached = set()
        await bot(page).focus()
        for _ in range(10):
            await page.keyboard.press("ArrowRight")
            reached.add(await page.evaluate(here))
        assert {"A", "rate-good", "rate-bad", "react", "details", "quote", "forward"} <= reached


XSS = """<img src=x onerror="alert(1)"> <script>alert(2)</script> [click](javascript:alert(3)) [data](data:text/html,x)
<a href="https://example.com" onclick="alert(4)">raw</a> ![pic](https://example.com/x.png) <@mira>
[fine](https://example.com/a?b=1&c=2)"""


async def test_nothing_that_is_said_can_run(chromium: Browser, core: ScriptedCore) -> None:
    core.answers["<b>bold?</b><script>alert(0)</script>"] = XSS
    blocked = "violates the following Content Security Policy"
    evil: dict[str, JsonValue] = {"kind": "answer", "text": "x", "buttons": False}
    async with opened(chromium, f"{core.base_url}/", blocked=blocked) as page:
        await page.evaluate("window.alert = (n) => { document.title = `alert ${n}` }")
        await ask(page, "<b>bold?</b><script>alert(0)</script>")
        await expect(bot(page)).to_have_count(1)
        await expect(page.locator("article[data-author=mira] .body")).to_have_text(
            "<b>bold?</b><script>alert(0)</script>"
        )
        # The page rebuilds what it shows, so even a renderer gone wrong can do no harm.
        html = """<p onclick=alert(5) style="position:fixed">kept<script>alert(6)</script><img src=/x onerror=alert(7)>
            <svg><a href="javascript:alert(8)">s</a></svg><iframe srcdoc="<script>alert(9)</script>"></iframe>
            <a href="JaVaScript:alert(10)">one</a><a href="//example.com">two</a>
            <form action=/x><button>go</button></form><span class="actions" id="text">span</span></p>"""
        await core.adapter.send(DIRECT, evil | {"html": html}, "f" * 32, None)
        await expect(bot(page)).to_have_count(2)
        shown = page.locator(".body")
        bad = "script, img, svg:not(.rate svg), iframe, form, [style], [id], [class=actions]"
        assert await shown.locator(bad).count() == 0
        hrefs = await shown.locator("a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
        assert "https://example.com/a?b=1&c=2" in hrefs
        assert all(href is None or href.startswith("https://example.com/") for href in hrefs), hrefs
        for link in await shown.locator("a, p, span").all():
            names = await link.evaluate("node => node.getAttributeNames()")
            assert set(names) <= {"href", "target", "rel", "dir", "tabindex", "class"}, names
        assert "alert" not in await page.title()


async def test_the_plain_form_is_shown_as_it_is_written(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/") as page:
        (part,) = core.adapter.render(Answer(text="**one** <b>&amp;lt;\n\ntwo", asker_id="mira"), plain=True)
        await core.adapter.send(DIRECT, part, "e" * 32, None)
        await expect(bot(page).locator(".said")).to_have_text("one <b>&lt;\n\ntwo", use_inner_text=True)
        assert await bot(page).locator(".body b, .body strong, .body p").count() == 0
        await bot(page).get_by_role("button", name="Helpful", exact=True).click()
    await core.wait_for(lambda: of(core, Reaction))


async def test_the_bot_goes_away_and_comes_back(chromium: Browser, tmp_path: Path) -> None:
    async with world(tmp_path) as core, opened(chromium, f"{core.base_url}/", restarts=True) as page:
        port = int(core.base_url.rpartition(":")[2])
        await ask(page, "Are you there?")
        await expect(bot(page)).to_have_count(1)
        await core.stop()
        await expect(page.locator("#link")).to_have_text("Reconnecting…")
        await ask(page, "And now?")
        await expect(page.locator("#trouble")).to_contain_text("Your text is kept")
        await expect(page.locator("#text")).to_have_value("And now?")
        async with world(tmp_path, port=port) as again:
            await expect(page.locator("#link")).to_have_text("Connected")
            await page.locator("#text").press("Enter")
            await expect(bot(page)).to_have_count(2)
            assert [m.text for m in of(again, Message)] == ["And now?"]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (390, "dark"), (1360, "dark")])
async def test_fits_and_can_be_read(chromium: Browser, core: ScriptedCore, width: int, scheme: str) -> None:
    table = "| a | b |\n|---|---|\n| " + "wide " * 60 + "| x |"
    core.answers["Long?"] = f"{table}\n\n{'word' * 80}\n\n`code {'x' * 200}`"
    size = {"width": width, "height": 740}
    async with opened(chromium, f"{core.base_url}/", viewport=size, color_scheme=scheme, has_touch=width < 800) as page:
        await ask(page, "Long?")
        await expect(bot(page)).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.locator("#log").evaluate("log => log.scrollWidth <= log.clientWidth")
        await expect(page.locator("#panel .ids")).to_contain_text("req_")
        assert await page.locator("#panel").evaluate("panel => panel.scrollWidth <= panel.clientWidth")
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(CONTRAST) == []
        if width < 1000:
            await page.locator("#open-panel").click()
            await expect(page.get_by_role("dialog", name="What happened")).to_be_visible()
            await expect(page.locator("#close-panel")).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(page.locator("#panel")).to_be_hidden()
            await expect(page.locator("#open-panel")).to_be_focused()


@pytest.mark.parametrize("width", [390, 1280])
async def test_no_word_of_a_cell_is_broken(chromium: Browser, core: ScriptedCore, width: int) -> None:
    """Neither "9:00–18:30" nor "e-bike": what is too wide scrolls."""
    days = [f"day-{number}" for number in range(12)]
    core.answers["Hours?"] = f"|{'|'.join(days)}|\n{'|---' * 12}|\n{'|**9:00–18:30** or so' * 12}|"
    async with opened(chromium, f"{core.base_url}/", viewport={"width": width, "height": 740}) as page:
        await ask(page, "Hours?")
        await expect(bot(page).locator("td")).to_have_count(12)
        assert await page.evaluate(BROKEN) == []
        assert await bot(page).locator("td").first.inner_text() == "9:00–18:30 or so"
        space = "article => article.querySelector('.wide').getBoundingClientRect().top"
        space += " - article.querySelector('.body').getBoundingClientRect().top"
        assert await bot(page).evaluate(space) < 16, "a table begins where words would"


async def test_the_picker_leaves_the_message_in_sight(chromium: Browser, core: ScriptedCore) -> None:
    async with opened(chromium, f"{core.base_url}/", viewport={"width": 1280, "height": 740}) as page:
        await ask(page, "What is it?")
        await bot(page).get_by_role("button", name="React").focus()
        await page.keyboard.press("Enter")
        picker, message = await page.locator("#picker").bounding_box(), await bot(page).bounding_box()
        assert picker is not None
        assert message is not None
        assert picker["x"] >= message["x"] + message["width"]


BROKEN = """
[...document.querySelectorAll('article :is(td, th)')].flatMap((cell) => {
  const found = [];
  const range = document.createRange();
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode());)
    for (const word of text.data.matchAll(/\\S+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1) found.push(word[0]);
    }
  return found;
})"""
"""Words in cells that stand on more than one line."""

UNNAMED = """
[...document.querySelectorAll('button, textarea, input, a[href]')]
  .filter((n) => n.checkVisibility() && !(n.ariaLabel || n.innerText || n.labels?.[0]?.textContent))
  .map((n) => n.outerHTML)"""
"""Controls that have no name for people who cannot see them."""

CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const over = (color, under) => {
    for (canvas.fillStyle of [under, color]) canvas.fillRect(0, 0, 1, 1);
    return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).join(' ')})`;
  };
  const ground = (n) => over(getComputedStyle(n).backgroundColor, n.parentElement ? ground(n.parentElement) : 'white');
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const bright = (color) => color.match(/\\d+/g).map((c, i) => [0.2126, 0.7152, 0.0722][i] * linear(c / 255))
    .reduce((sum, v) => sum + v);
  const poor = [];
  for (const n of document.querySelectorAll('body *')) {
    const speaks = [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    const shown = n.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!speaks || !shown || n.matches(':disabled, .sr, .skip')) continue;
    const [light, dark] = [over(getComputedStyle(n).color, ground(n)), ground(n)].map(bright).sort((x, y) => y - x);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${n.className} ${n.textContent.slice(0, 30)}`);
  }
  return poor;
})()"""
"""Text whose contrast is under WCAG's 4.5 : 1."""
