"""A network in which only a proxy reaches the outside, whose servers have certificates of an own authority.

The whole bot runs there as a process: Slack over Socket Mode and HTTP, Telegram by polling and webhook, the M2M API. In
a namespace of its own nothing else is possible; where none can be made, the same is tested without the walls.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.testing.slack.platform import FakeSlack
from bot.testing.telegram.platform import TOKEN, FakeTelegram, person
from tests.network.namespace import Impossible, Namespace
from tests.network.outside import PASSWORD, USER, Authority, Proxy, until
from tests.slack_house import DOCS

ANNA = person(7, "Anna", "anna")
PUBLIC = "https://bot.example.org"
PORT = 18080
"""Of the bot, in a namespace of its own; elsewhere a free one is looked for."""


@dataclass
class Company:
    """The network of a company, the outside, and a bot in it."""

    slack: FakeSlack
    telegram: FakeTelegram
    assistant: RunningAssistant
    proxy: Proxy
    namespace: Namespace | None
    environ: dict[str, str]
    folder: Path

    async def bot(self, *arguments: str) -> asyncio.subprocess.Process:
        enter: Callable[[], None] | None = self.namespace.enter if self.namespace else None
        with (self.folder / "bot.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", *arguments),
                cwd=self.folder,
                env=self.environ,
                stdout=asyncio.subprocess.PIPE if arguments != ("run",) else log,
                stderr=log,
                preexec_fn=enter,
            )

    def log(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")


@asynccontextmanager
async def company(folder: Path, *, receives: str, walls: bool, **more: str) -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        namespace = None
        if walls:
            try:
                namespace = stack.enter_context(Namespace())
            except Impossible as error:
                pytest.skip(str(error))
        docs = folder / "docs"
        docs.mkdir()
        for name, text in DOCS.items():
            (docs / name).write_text(text)
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05))
        stack.push_async_callback(assistant.close)
        slack = await stack.enter_async_context(FakeSlack(pace_seconds=0.01, echo=True))
        telegram = await stack.enter_async_context(FakeTelegram())
        authority = Authority(folder)
        stack.push_async_callback(authority.close)
        ports = {
            "api": int(assistant.base_url.rpartition(":")[2].partition("/")[0]),
            "slack": int(slack.base_url.rpartition(":")[2]),
            "telegram": int(telegram.url.rpartition(":")[2]),
        }
        ports["wss"] = ports["slack"]
        proxy = Proxy({f"{name}.outside.test:443": await authority.tls(port) for name, port in ports.items()})
        await proxy.start(namespace.listening(3128) if namespace else None)
        stack.push_async_exit(proxy)
        slack.sockets.address = "wss://wss.outside.test"
        port = PORT if namespace else _free_port()
        environ = _environment(slack, proxy, authority, port, folder)
        socket_mode = receives == "socket"
        environ |= (
            {"SLACK_APP_TOKEN": slack.app_token} if socket_mode else {"SLACK_SIGNING_SECRET": slack.signing_secret}
        )
        if not socket_mode:
            server = await namespace.bring_out(port) if namespace else None
            out = server.sockets[0].getsockname()[1] if server else port
            if server:
                stack.callback(server.close)
            slack.events_url = f"http://127.0.0.1:{out}/slack/events"
            environ |= {"TELEGRAM_WEBHOOK_URL": f"{PUBLIC}/telegram/webhook", "TELEGRAM_WEBHOOK_SECRET": "a_Secret"}
            telegram.updates.public[PUBLIC] = f"http://127.0.0.1:{out}"
        made = Company(slack, telegram, assistant, proxy, namespace, environ | more, folder)
        running = await made.bot("run")
        try:
            yield made
        finally:
            if running.returncode is None:
                running.terminate()
            await running.wait()


def _environment(slack: FakeSlack, proxy: Proxy, authority: Authority, port: int, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    return kept | {
        "HTTPS_PROXY": proxy.url,
        "SSL_CERT_FILE": str(authority.file),
        "UPPZY_BASE_URL": "https://api.outside.test/api/v1",
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_HTTP_PORT": str(port),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": "https://slack.outside.test/api/",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": "https://telegram.outside.test",
        "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


async def hears(made: Company, receives: str) -> None:
    """Wait until the bot receives from both."""
    if receives == "socket":
        await until(lambda: made.slack.sockets.count == 2)
        await until(lambda: made.telegram.called("getUpdates"))
    else:
        await until(lambda: made.slack.made("auth.test"))
        await until(lambda: made.telegram.updates.webhook)


async def answered(made: Company, number: int) -> None:
    """Ask on both channels, and wait for so many answers on each."""
    chat = made.telegram.world.private(ANNA)
    await made.slack.say("U1", "D1", "When can I return a bicycle?")
    await made.telegram.world.say(chat, ANNA, "When can I return a bicycle?")
    await until(lambda: len(made.slack.answers("D1")) >= number, 90)
    await until(
        lambda: len([one for one in made.telegram.world.by_bot(chat) if "30 days" in one["text"]]) >= number, 90
    )


@pytest.mark.parametrize("walls", [True, False])
@pytest.mark.parametrize("receives", ["socket", "http"])
async def test_connected_and_answered(tmp_path: Path, receives: str, walls: bool) -> None:
    async with company(tmp_path, receives=receives, walls=walls) as made:
        await hears(made, receives)
        await answered(made, 1)
        names = {"api", "slack", "telegram"} | ({"wss"} if receives == "socket" else set())
        assert set(made.proxy.seen) == {f"{name}.outside.test:443" for name in names}
        await made.proxy.die()
        await asyncio.sleep(1.0)
        await made.proxy.start(made.namespace.listening(3128) if made.namespace else None)
        if receives == "socket":
            await until(lambda: made.slack.sockets.count >= 2)
        await answered(made, 2)
        doctor = await made.bot("doctor", "--json")
        out, _ = await doctor.communicate()
        found = {check["check"]: check["detail"] for check in json.loads(out)}
        for name in ("api way", "slack way", "telegram way"):
            assert "through the proxy 127.0.0.1:" in found[name]
        if receives == "socket":
            assert "wss.outside.test is reached through the proxy" in found["slack socket mode"]
        for secret in (USER, PASSWORD):
            assert secret not in made.log() + out.decode()


async def test_no_proxy_is_respected(tmp_path: Path) -> None:
    """Slack's name is excepted, so here nothing of Slack is reached, and the rest is."""
    async with company(tmp_path, receives="socket", walls=True, NO_PROXY="slack.outside.test:443") as made:
        await until(lambda: made.telegram.called("getUpdates"))
        await until(lambda: "slack.outside.test" in made.log() or "Slack could not be reached" in made.log())
        assert not [name for name in made.proxy.seen if name.startswith("slack")]


async def test_without_the_authority_nothing_is_trusted(tmp_path: Path) -> None:
    nothing = tmp_path / "none.pem"
    other = tmp_path / "other"
    other.mkdir()
    nothing.write_bytes(Authority(other).file.read_bytes())
    async with company(tmp_path, receives="socket", walls=True, SSL_CERT_FILE=str(nothing)) as made:
        await until(lambda: len(made.proxy.seen) >= 4)
        await until(lambda: "could not be reached" in made.log())
        assert made.slack.calls == []
        assert made.telegram.calls == []
