"""kill -9 between Slack's answer to an installation and our write: it is repeated, no token is in clear."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from bot.testing.slack.oauth import CLIENT_ID, CLIENT_SECRET, Grant
from tests.crash.process import Machine, a_machine
from tests.test_flows_slack_oauth import KEY


async def install(machine: Machine) -> tuple[int, str]:
    """Install the app as a browser does; (0, "") where nobody answers any more."""
    grant = Grant("T9", expires_in=43_200)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        try:
            async with browser.get(f"{machine.url()}/slack/install", allow_redirects=False) as reply:
                state = URL(reply.headers["Location"]).query["state"]
            query = {"code": machine.slack.oauth.code(grant), "state": state}
            async with browser.get(f"{machine.url()}/slack/oauth_redirect", params=query) as reply:
                return reply.status, await reply.text()
        except aiohttp.ClientError:
            return 0, ""


def dump(folder: Path) -> str:
    """Write the database out as SQL."""
    with closing(sqlite3.connect(folder / "bot.db")) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.parametrize("phase", ["before", "after"])
async def test_an_install_that_was_killed_is_repeated(tmp_path: Path, phase: str) -> None:
    async with a_machine(
        tmp_path, SLACK_CLIENT_ID=CLIENT_ID, SLACK_CLIENT_SECRET=CLIENT_SECRET, BOT_ENCRYPTION_KEY=KEY
    ) as machine:
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count == 2, 60)
        killed = await machine.kill_once_at(machine.slack_tap, phase, "oauth.v2.access")
        assert await install(machine) == (0, "")
        assert killed.is_set()
        assert "installation:T9" not in dump(tmp_path), "it died before it was written"
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count == 2, 60)
        status, page = await install(machine)
        assert status == 200
        held = dump(tmp_path)
        assert held.count("installation:T9") == 1
        tokens = [*machine.slack.oauth.holders, *machine.slack.oauth.refreshable, CLIENT_SECRET, KEY]
        assert len(tokens) >= 4
        for token in tokens:
            assert token not in held
            assert token not in page
            assert token not in machine.log()
        for file in [path for path in tmp_path.iterdir() if path.name.startswith("bot.db")]:
            assert not any(token.encode() in file.read_bytes() for token in tokens), file.name
