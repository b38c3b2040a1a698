"""Workspaces that install the app by OAuth: in a real browser, once; and what they get until they are admitted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect
from yarl import URL

from adapters.slack.config import CHANNEL
from adapters.slack.installations import Installations
from adapters.slack.oauth import COOKIE, MOST_STATES, STATE_SECONDS
from bot import notices
from bot.assistant.server import AssistantOptions, start
from bot.config import load
from bot.testing.slack import payloads
from bot.testing.slack.oauth import CLIENT_ID, CLIENT_SECRET, Grant
from bot.testing.slack.platform import FakeSlack, Fault
from tests.fakes.browser import launched
from tests.slack_house import DOCS, SlackHouse, slack_environment

KEY = "k" * 32


@asynccontextmanager
async def house_of(folder: Path, **more: str) -> AsyncIterator[SlackHouse]:
    (docs := folder / "docs").mkdir()
    (docs / "faq.md").write_text(DOCS["faq.md"])
    async with FakeSlack() as slack:
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05))
        oauth = {"SLACK_CLIENT_ID": CLIENT_ID, "SLACK_CLIENT_SECRET": CLIENT_SECRET, "BOT_ENCRYPTION_KEY": KEY}
        environ = slack_environment(slack, assistant.base_url, folder, socket_mode=False, **{**oauth, **more})
        house = SlackHouse(slack, assistant, load([CHANNEL], environ=environ, cwd=folder))
        await house.start()
        slack.oauth.redirect_url = f"{base(house)}/slack/oauth_redirect"
        try:
            yield house
        finally:
            await house.bot.stop()
            await assistant.close()


def base(house: SlackHouse) -> str:
    return str(house.bot.web.url).rstrip("/")


def event_of(team: str, text: str, *, org: bool = False, user: str = "U1", channel: str = "D1") -> dict[str, Any]:
    """Make a direct message in another workspace, as Slack delivers it to the app."""
    message = payloads.message(channel, user, text, payloads.next_ts(), team="T-any" if org else team)
    entry = {
        "enterprise_id": team if org else None,
        "team_id": None if org else team,
        "user_id": payloads.BOT_USER,
        "is_bot": True,
        "is_enterprise_install": org,
    }
    ids = {"team_id": "T-any" if org else team, "context_team_id": "T-any" if org else team}
    return payloads.event_callback(message, authorizations=[entry], **ids)


async def install(house: SlackHouse, grant: Grant) -> int:
    """Install the app with a browser that keeps cookies; the status of the last page."""
    return await installed_at(house.slack, base(house), grant)


async def installed_at(slack: FakeSlack, url: str, grant: Grant) -> int:
    """Install the app of the bot at this address."""
    slack.oauth.next_grant = grant
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(f"{url}/slack/install", allow_redirects=False) as reply:
            assert reply.status == 302
            state = URL(reply.headers["Location"]).query["state"]
        query = {"code": slack.oauth.code(grant), "state": state}
        async with browser.get(f"{url}/slack/oauth_redirect", params=query) as reply:
            return reply.status


def posted_by(house: SlackHouse, team: str) -> list[str]:
    return [call.arguments["text"] for call in house.slack.made("chat.postMessage") if call.team == team]


async def test_a_real_browser_installs_the_app(tmp_path: Path) -> None:
    """Allowed; then with the same state again, cancelled, with another's state: pages say so, nothing is installed."""
    async with house_of(tmp_path) as house, launched() as chromium:
        house.slack.oauth.next_grant = Grant("T9")
        context = await chromium.new_context()
        page = await context.new_page()
        await page.goto(f"{base(house)}/slack/install")
        await page.click("#yes")
        await expect(page.locator("h1")).to_have_text("The app is installed.")
        assert "xoxb" not in await page.content()
        used = page.url
        await page.goto(used)
        await expect(page.locator("h1")).to_contain_text("was not begun here")
        await page.click("a")
        await page.click("#no")
        await expect(page.locator("h1")).to_contain_text("was not installed")
        other = await (await chromium.new_context()).new_page()
        await other.goto(f"{base(house)}/slack/install")
        stolen = await other.locator("#yes").get_attribute("href")
        await page.goto(str(stolen))
        await expect(page.locator("h1")).to_contain_text("was not begun here")
        await other.click("#yes")
        await expect(other.locator("h1")).to_have_text("The app is installed.")
        assert len(house.slack.made("oauth.v2.access")) == 2


async def test_a_state_is_over_after_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house_of(tmp_path) as house:
        flow = house.bot.ctx.adapters["slack"]._accounts._flow  # type: ignore[attr-defined]
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            async with browser.get(f"{base(house)}/slack/install", allow_redirects=False) as reply:
                state = URL(reply.headers["Location"]).query["state"]
                assert f"{COOKIE}=" in reply.headers["Set-Cookie"]
                assert "HttpOnly" in reply.headers["Set-Cookie"]
            flow._clock = lambda: time.time() + STATE_SECONDS + 1
            query = {"code": house.slack.oauth.code(Grant("T9")), "state": state}
            async with browser.get(f"{base(house)}/slack/oauth_redirect", params=query) as reply:
                assert reply.status == 400
            assert house.slack.made("oauth.v2.access") == []
            async with browser.get(f"{base(house)}/slack/install", allow_redirects=False):
                pass
        states = await house.bot.db.read(lambda tx: tx.all("SELECT name FROM vault WHERE name LIKE 'slack:state:%'"))
        assert len(states) == 1, "what is over is swept"
        assert MOST_STATES == 1_000


async def test_a_workspace_waits_until_it_is_named(tmp_path: Path) -> None:
    """Nobody is answered, each person is told once a day; `doctor` shows it with the line to add."""
    async with house_of(tmp_path) as house:
        assert await install(house, Grant("T9")) == 200
        for number in range(3):
            assert await house.slack.send(event_of("T9", f"When does the shop open? {number}"))
        await house.slack.until(lambda: posted_by(house, "T9"))
        await house.idle()
        assert posted_by(house, "T9") == [notices.PENDING]
        assert house.asked() == []
        (check,) = [c for c in await house.bot.ctx.adapters["slack"].check() if c.check == "slack installations"]
        assert (check.status, '"slack:T9"' in check.fix) == ("warn", True)
        await house.bot.supervisor.check_channels()
        async with aiohttp.ClientSession() as session, session.get(house.bot.web.url) as reply:
            shown = await reply.text()
        assert "1 of 1 wait to be admitted: Loop (T9)." in shown
        assert "allow = [&quot;slack:T9&quot;]" in shown


@pytest.mark.parametrize(
    "named", [{"BOT_ACCESS__ALLOW": '["slack:T9"]'}, {"BOT_ROUTES": '[{"channel": "slack", "account": "T9"}]'}]
)
async def test_an_admitted_workspace_is_answered_with_its_own_token(tmp_path: Path, named: dict[str, str]) -> None:
    async with house_of(tmp_path, **named) as house:
        assert await install(house, Grant("T9")) == 200
        assert await house.slack.send(event_of("T9", "When does the shop open?"))
        await house.slack.say("U1", "D1", "Can I return a bicycle?")
        await house.answers(2)
        assert len(posted_by(house, "T9")) == 1
        assert len(posted_by(house, house.slack.team)) == 1
        accounts = await house.bot.db.read(lambda tx: tx.all("SELECT account FROM turns WHERE kind='question'"))
        assert sorted(row["account"] for row in accounts) == sorted(["T9", house.slack.team])
        assert await house.slack.send(event_of("T8", "When does the shop open?")), "acknowledged, and nothing of ours"
        assert len(house.asked()) == 2


async def test_an_organisation_installs_it_for_all_its_workspaces(tmp_path: Path) -> None:
    async with house_of(tmp_path, BOT_ACCESS__ALLOW='["slack:E7", "slack:E7:U1"]') as house:
        assert await install(house, Grant("E7", org=True)) == 200
        assert await house.slack.send(event_of("E7", "When does the shop open?", org=True))
        await house.answers(1)
        assert len(posted_by(house, "E7")) == 1


async def test_an_uninstalled_app_forgets_the_workspace_and_may_come_back(tmp_path: Path) -> None:
    async with house_of(tmp_path, BOT_ACCESS__ALLOW='["slack:T9"]') as house:
        await install(house, Grant("T9"))
        gone = event_of("T9", "x")
        gone["event"] = {"type": "app_uninstalled", "event_ts": payloads.next_ts()}
        assert await house.slack.send(gone)
        left = await house.bot.db.read(lambda tx: tx.all("SELECT 1 FROM vault WHERE name LIKE '%installation%'"))
        assert left == []
        assert await house.slack.send(event_of("T9", "When does the shop open?"))
        await house.idle()
        assert house.asked() == []
        await install(house, Grant("T9"))
        assert await house.slack.send(event_of("T9", "When does the shop open?"))
        await house.answers(1)


async def test_no_token_is_in_clear_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with house_of(tmp_path) as house:
        await install(house, Grant("T9", expires_in=43_200))
        tokens = [*house.slack.oauth.holders, *house.slack.oauth.refreshable, CLIENT_SECRET]
        assert len(tokens) == 3
    said = "".join(capsys.readouterr())
    for file in [path for path in tmp_path.iterdir() if path.name.startswith("bot.db")]:
        assert not any(token.encode() in file.read_bytes() for token in tokens), file.name
    assert not any(token in said for token in tokens)


async def test_at_the_end_of_a_token_one_call_renews_it_for_all(tmp_path: Path) -> None:
    async with house_of(tmp_path, BOT_ACCESS__ALLOW='["slack:T9"]') as house:
        await install(house, Grant("T9", expires_in=60))
        (before,) = house.slack.oauth.holders
        adapter: Any = house.bot.ctx.adapters["slack"]
        workspace = await adapter._accounts.of("T9")
        await asyncio.gather(*(workspace.client.call("auth.test", read=True) for _ in range(20)))
        renewals = [c for c in house.slack.made("oauth.v2.access") if c.arguments.get("grant_type")]
        assert len(renewals) >= 1
        assert len(house.slack.oauth.refreshable) == 1
        assert before not in workspace.client.token


async def test_twenty_calls_at_expiry_are_one_refresh(tmp_path: Path) -> None:
    """Of two processes with one database: what one has renewed the other reads, under the lease."""
    async with house_of(tmp_path, BOT_ACCESS__ALLOW='["slack:T9"]') as house:
        oauth = house.slack.oauth
        await install(house, Grant("T9", expires_in=43_200))
        adapter: Any = house.bot.ctx.adapters["slack"]
        first: Installations = adapter._accounts._installations
        second = Installations(first._client, CLIENT_ID, CLIENT_SECRET)
        second.open(house.bot.host)
        later = time.time() + 43_200 - 60
        first._clock = second._clock = lambda: later
        got = await asyncio.gather(*(each.token("T9") for each in (first, second) for _ in range(10)))
        assert len(set(got)) == 1
        assert len([c for c in house.slack.made("oauth.v2.access") if c.arguments.get("grant_type")]) == 1
        assert list(oauth.holders)[-1] == got[0]


async def test_a_renewal_that_fails_uses_the_token_as_long_as_it_holds(tmp_path: Path) -> None:
    async with house_of(tmp_path, BOT_ACCESS__ALLOW='["slack:T9"]') as house:
        await install(house, Grant("T9", expires_in=600))
        house.slack.faults["oauth.v2.access"].append(Fault("status:503", times=None))
        assert await house.slack.send(event_of("T9", "When does the shop open?"))
        await house.answers(1)
        (check,) = [c for c in await house.bot.ctx.adapters["slack"].check() if c.check == "slack token renewal"]
        assert check.status == "warn"
        assert "T9 ends at" in check.detail
        house.slack.faults["oauth.v2.access"].clear()
        assert await house.slack.send(event_of("T9", "When does the shop open? 2"))
        await house.answers(2)
        assert not [c for c in await house.bot.ctx.adapters["slack"].check() if c.check == "slack token renewal"]


async def test_an_install_that_was_cut_before_it_was_stored_can_be_repeated(tmp_path: Path) -> None:
    async with house_of(tmp_path) as house:
        adapter: Any = house.bot.ctx.adapters["slack"]
        real = adapter._accounts._installations.save

        async def dies(installation: Any) -> None:
            raise ValueError("killed here")

        adapter._accounts._installations.save = dies
        assert await install(house, Grant("T9")) == 502
        adapter._accounts._installations.save = real
        assert await install(house, Grant("T9")) == 200
        stored = await house.bot.db.read(lambda tx: tx.all("SELECT value FROM vault WHERE name LIKE '%installation%'"))
        assert len(stored) == 1
        assert "xoxb" not in json.dumps([row["value"] for row in stored])


async def test_without_an_encryption_key_nobody_can_install_it(tmp_path: Path) -> None:
    async with house_of(tmp_path, BOT_ENCRYPTION_KEY="") as house, aiohttp.ClientSession() as browser:
        reply = await browser.get(f"{base(house)}/slack/install", allow_redirects=False)
        assert reply.status == 503
        assert "BOT_ENCRYPTION_KEY" in await reply.text()
