"""A peer that answers no more and closes nothing: noticed on each connection, and the next one works.

`make test` has bounds of a second; `make prove` the real ones, within which 150 seconds are enough for all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import aiohttp
import pytest
from pydantic import SecretStr

from adapters.slack import client as slack_client
from adapters.slack import socket as slack_socket
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackSettings
from adapters.telegram import client as telegram_client
from adapters.telegram import polling
from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.config import TelegramSettings
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.api.http import Timeouts
from bot.assistant.server import AssistantOptions, start
from bot.errors import OutcomeUnknown, Unavailable
from bot.testing.host import FakeHost
from bot.testing.slack.platform import FakeSlack
from bot.testing.telegram.platform import TOKEN, FakeTelegram
from tests.adapters.telegram_wire import soon
from tests.network.outside import Line, until

LATEST = 150.0
FULL = pytest.param(False, marks=[pytest.mark.prove, pytest.mark.timeout(400)], id="as in production")
BRIEF = pytest.param(True, id="brief")


@asynccontextmanager
async def running(adapter: SlackAdapter | TelegramAdapter, host: FakeHost) -> AsyncIterator[None]:
    task = asyncio.create_task(adapter.run(host))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def shorten(monkeypatch: pytest.MonkeyPatch, module: ModuleType, brief: bool, **bounds: object) -> None:
    for name, value in bounds.items() if brief else ():
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("brief", [BRIEF, FULL])
async def test_telegram_polling(monkeypatch: pytest.MonkeyPatch, brief: bool) -> None:
    shorten(monkeypatch, polling, brief, DEAF_SECONDS=0.8)
    async with FakeTelegram() as telegram, Line(_port(telegram.url)) as line, FakeHost() as host:
        settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": f"http://127.0.0.1:{line.port}"}
        async with running(TelegramAdapter(TelegramSettings.model_validate(settings), make_backoff=soon), host):
            await telegram.wait_for(lambda: telegram.called("getUpdates"))
            began, polls = time.monotonic(), len(telegram.called("getUpdates"))
            line.fall_silent()
            await until(lambda: len(telegram.called("getUpdates")) > polls, LATEST)
            assert time.monotonic() - began < LATEST


async def test_a_deaf_telegram_client_is_built_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when the library waits for ever: the bound is ours, whatever its own time-outs are."""
    monkeypatch.setattr(polling, "DEAF_SECONDS", 0.4)
    built: list[object] = []
    initialize = telegram_client.Request.initialize

    async def counted(self: telegram_client.Request) -> None:
        built.append(self)
        await initialize(self)

    monkeypatch.setattr(telegram_client.Request, "initialize", counted)
    async with FakeTelegram() as telegram, Line(_port(telegram.url)) as line, FakeHost() as host:
        settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": f"http://127.0.0.1:{line.port}"}
        adapter = TelegramAdapter(TelegramSettings.model_validate(settings), make_backoff=soon)
        async with running(adapter, host):
            await telegram.wait_for(lambda: telegram.called("getUpdates"))
            before = len(built)
            line.fall_silent()
            await until(lambda: len(built) > before, 20)
            assert built[before:] == [adapter._client._polling], "what sends is left alone"
    assert "has not answered" in caplog.text


@asynccontextmanager
async def slack_on_a_line(ping_seconds: float | None = None) -> AsyncIterator[tuple[FakeSlack, Line]]:
    """Start a bot whose sockets go over a line that can fall silent, and wait until both are open."""
    async with FakeSlack() as slack, Line(_port(slack.base_url)) as line, FakeHost() as host:
        slack.sockets.ping_seconds = ping_seconds
        slack.sockets.address = f"ws://127.0.0.1:{line.port}"
        given = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        async with running(SlackAdapter(SlackSettings.model_validate(given)), host):
            await slack.until(lambda: slack.sockets.count == 2)
            yield slack, line


@pytest.mark.parametrize("brief", [BRIEF, FULL])
async def test_a_socket_that_is_half_open(monkeypatch: pytest.MonkeyPatch, brief: bool) -> None:
    """Its pings are not answered."""
    shorten(monkeypatch, slack_socket, brief, HEARTBEAT_SECONDS=0.3)
    async with slack_on_a_line() as (slack, line):
        began, tickets = time.monotonic(), slack.sockets.handed_out
        line.fall_silent()
        await slack.until(lambda: slack.sockets.handed_out >= tickets + 2, LATEST)
        await slack.until(lambda: line.connections == 4, LATEST)
        assert time.monotonic() - began < LATEST


@pytest.mark.parametrize("brief", [BRIEF, FULL])
async def test_a_socket_on_which_slack_is_silent(monkeypatch: pytest.MonkeyPatch, brief: bool) -> None:
    """Something answers our pings, and Slack sends none of its own."""
    shorten(monkeypatch, slack_socket, brief, SILENT_SECONDS=0.5, HEARTBEAT_SECONDS=0.2)
    async with slack_on_a_line() as (slack, _):
        began, tickets = time.monotonic(), slack.sockets.handed_out
        await slack.until(lambda: slack.sockets.handed_out >= tickets + 2, LATEST + 30)
        assert time.monotonic() - began < LATEST + 20, "the bound, and what a hang-up takes"


async def test_a_socket_that_is_pinged_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_socket, "SILENT_SECONDS", 1.0)
    async with slack_on_a_line(ping_seconds=0.2) as (slack, _):
        await asyncio.sleep(2.5)
        assert slack.sockets.handed_out == 2
        assert slack.sockets.count == 2, "the pings are answered, or the server had closed"


@pytest.mark.parametrize("brief", [BRIEF, FULL])
async def test_slacks_web_api(monkeypatch: pytest.MonkeyPatch, brief: bool) -> None:
    shorten(monkeypatch, slack_client, brief, TIMEOUT=aiohttp.ClientTimeout(total=0.5, sock_connect=0.5))
    async with FakeSlack() as slack, Line(_port(slack.base_url)) as line:
        client = slack_client.Client(slack.bot_token, f"http://127.0.0.1:{line.port}/api/")
        async with client.open():
            await client.who_am_i()
            began = time.monotonic()
            line.fall_silent()
            with pytest.raises(OutcomeUnknown):
                await client.who_am_i()
            await client.who_am_i()
            assert time.monotonic() - began < LATEST


@pytest.mark.parametrize("brief", [BRIEF, FULL])
async def test_the_m2m_api(brief: bool) -> None:
    """The dead connection is dropped from the pool, and no other call is written to it."""
    assistant = await start(AssistantOptions(port=0))
    async with Line(int(assistant.base_url.rpartition(":")[2].partition("/")[0])) as line:
        client = ApiClient(
            base_url=f"http://127.0.0.1:{line.port}/api/v1",
            api_key=SecretStr("demo"),
            tenant_id="demo",
            site_id="demo",
            gate=Gate(),
            timeouts=Timeouts(connect=0.5, read=0.5, total=1.0) if brief else None,
        )
        await client.limits()
        began = time.monotonic()
        line.fall_silent()
        with pytest.raises(Unavailable):
            await client.limits()
        await client.limits()
        assert time.monotonic() - began < LATEST
        assert line.connections == 2
        await client.aclose()
    await assistant.close()


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
