"""Several Telegram bots in one process, polling and webhooks mixed: each its own people, site and trouble."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from adapters.telegram.config import CHANNEL
from bot.accounts.several import SeveralAccounts
from bot.app import make_adapters
from bot.assistant.accounts import TenantAccount
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.config import load
from bot.errors import ConfigError, Rejected
from bot.events import MessageRef
from bot.telemetry.metrics import Metrics
from bot.testing.telegram.platform import FakeTelegram
from bot.testing.telegram.world import person
from tests.started import Bot

TOKENS: Final = {
    name: f"{number}:AAF-loopback_Token-0123456789abcdef{number}"
    for name, number in [("first", 4242), ("second", 4343), ("third", 4444)]
}
PUBLIC: Final = "https://bot.example.org"
ANNA: Final = person(7, "Anna")
DOCS: Final = {"faq.md": "# Opening\n\nThe shop opens at nine.\n"}
OTHER: Final = TenantAccount(id="other", sites=("two", "three"), keys=("key-of-other",))


class Front:
    """One address of a Bot API with several bots: a request goes to the server of its token."""

    def __init__(self, servers: dict[str, FakeTelegram]) -> None:
        self._servers = {server.token: server for server in servers.values()}
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application(client_max_size=50 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with aiohttp.ClientSession(auto_decompress=False) as self._session:
                yield
        finally:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        server = self._servers.get(request.match_info["token"])
        if server is None:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        headers = {"Content-Type": request.headers.get("Content-Type", "")}
        body = await request.read()
        async with self._session.request(
            request.method, f"{server.url}{request.path_qs}", data=body, headers=headers
        ) as reply:
            return web.Response(body=await reply.read(), status=reply.status, content_type="application/json")


@dataclass
class Bots:
    telegrams: dict[str, FakeTelegram]
    assistant: RunningAssistant
    bot: Bot
    front: Front

    def sites(self) -> list[str]:
        """List the site of each question that was asked."""
        return sorted(e.path.split("/sites/")[1].split("/")[0] for e in self.assistant.requests.of("chat_async"))


def settings(folder: Path, front: str, assistant: str, **more: str) -> Any:
    for name, token in TOKENS.items():
        (folder / f"{name}.token").write_text(f"{token}\n")
    for name in ("second", "third"):
        (folder / f"{name}.secret").write_text(f"secret_of_{name}")
    (folder / "other.key").write_text("key-of-other")
    further = [
        {
            "name": name,
            "token_file": f"{name}.token",
            "webhook_url": f"{PUBLIC}/{name}",
            "webhook_secret_file": f"{name}.secret",
        }
        for name in ("second", "third")
    ]
    routes = [
        {"account": "4343", "tenant_id": "other", "site_id": "two", "api_key_file": "other.key", "language": "de"},
        {"account": "4444", "tenant_id": "other", "site_id": "three", "api_key_file": "other.key"},
    ]
    return {
        "UPPZY_BASE_URL": assistant,
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "BOT_HTTP_PORT": "0",
        "TELEGRAM_BOT_TOKEN": TOKENS["first"],
        "TELEGRAM_API_URL": front,
        "BOT_TELEGRAM": json.dumps(further),
        "BOT_ROUTES": json.dumps(routes),
        **more,
    }


@asynccontextmanager
async def bots(folder: Path) -> AsyncIterator[Bots]:
    (docs := folder / "docs").mkdir()
    (docs / "faq.md").write_text(DOCS["faq.md"])
    async with AsyncExitStack() as stack:
        telegrams = {name: await stack.enter_async_context(FakeTelegram(token=token)) for name, token in TOKENS.items()}
        front = Front(telegrams)
        await stack.enter_async_context(front.open())
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05, more=(OTHER,)))
        stack.push_async_callback(assistant.close)
        config = load([CHANNEL], environ=settings(folder, front.url, assistant.base_url), cwd=folder)
        bot = Bot(config, channels=[CHANNEL], metrics=Metrics())
        await bot.start()
        stack.push_async_callback(bot.stop)
        for name in ("second", "third"):
            telegrams[name].updates.public[f"{PUBLIC}/{name}"] = f"{str(bot.web.url).rstrip('/')}/telegram/webhook"
            await telegrams[name].wait_for(partial(_has_webhook, telegrams[name]))
        first = telegrams["first"]
        await first.wait_for(lambda: first.called("getUpdates"))
        yield Bots(telegrams, assistant, bot, front)


def _has_webhook(telegram: FakeTelegram) -> bool:
    return bool(telegram.updates.webhook)


async def asked(telegram: FakeTelegram, words: str) -> None:
    """Ask directly, and wait for the answer."""
    await telegram.world.say(telegram.world.private(ANNA), ANNA, words)
    await telegram.wait_for(lambda: telegram.called("sendMessage"))


async def test_each_bot_its_own_people_its_own_site_and_its_own_answers(tmp_path: Path) -> None:
    async with bots(tmp_path) as made:
        for telegram in made.telegrams.values():
            await asked(telegram, "When does the shop open?")
        for name, telegram in made.telegrams.items():
            (sent,) = telegram.called("sendMessage")
            first = (
                "The shop opens" if name == "first" else "Das weiß ich nicht" if name == "second" else "I don't know"
            )
            assert first in sent.arguments["text"], "each answers from its own documents, in its route's language"
        assert made.sites() == ["demo", "three", "two"]
        rows = await made.bot.db.read(lambda tx: tx.all("SELECT account, lane FROM turns WHERE kind='question'"))
        assert {row["account"] for row in rows} == {"4242", "4343", "4444"}
        assert len({row["lane"] for row in rows}) == 3, "one person has a session with each bot"


async def test_a_webhook_is_told_apart_by_its_secret_and_nobody_elses_is_taken(tmp_path: Path) -> None:
    async with bots(tmp_path) as made, aiohttp.ClientSession() as session:
        url = f"{str(made.bot.web.url).rstrip('/')}/telegram/webhook"
        header = "X-Telegram-Bot-Api-Secret-Token"
        for given, status in (("secret_of_second", 200), ("secret_of_third", 200), ("secret_of_first", 403), ("", 403)):
            async with session.post(url, json={"update_id": 1}, headers={header: given} if given else {}) as reply:
                assert reply.status == status, given
        refused = made.bot.ctx.metrics.registry.get_sample_value
        name = "uppzy_bot_refused_deliveries_total"
        assert refused(name, {"channel": "telegram", "reason": "secret"}) == 1, "one request is one refusal"
        assert refused(name, {"channel": "telegram", "reason": "unsigned"}) == 1


async def test_a_bot_whose_token_is_refused_holds_back_no_other(tmp_path: Path) -> None:
    async with bots(tmp_path) as made:
        made.telegrams["first"].fail(401)
        telegram = made.telegrams["second"]
        await asked(telegram, "When does the shop open?")
        adapter = made.bot.ctx.adapters["telegram"]
        checks = [(check.check, check.status) for check in await adapter.check()]
        assert checks.count(("telegram token", "fail")) == 1
        assert checks.count(("telegram token", "ok")) == 2


async def test_an_account_that_is_gone_from_the_settings_is_out_of_reach(tmp_path: Path) -> None:
    config = load(
        [CHANNEL], environ=settings(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1/api/v1"), cwd=tmp_path
    )
    (adapter,) = make_adapters(config, [CHANNEL]).values()
    assert isinstance(adapter, SeveralAccounts)
    with pytest.raises(Rejected, match="9999") as raised:
        await adapter.delete(MessageRef(channel="telegram", account_id="9999", conversation_id="7", message_id="1"))
    assert raised.value.gone


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        ({"name": "x"}, "telegram[1].token_file", "is required"),
        ({"name": "x", "token_file": "nowhere"}, "telegram[1].token_file", "the path of a readable file"),
        ({"name": "x", "token_file": "first.secret"}, "telegram[1]", "the token BotFather gave"),
        ({"name": "x", "token_file": "first.token", "webhook_url": "https://x.org"}, "telegram[1]", "1 to 256"),
        ({"name": "x", "token_file": "first.token", "tokn": "1"}, "telegram[1].tokn", "no such setting"),
        ("text", "telegram", "a list of tables"),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(tmp_path: Path, table: Any, name: str, expected: str) -> None:
    given = settings(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1/api/v1")
    (tmp_path / "first.secret").write_text("no-token-at-all")
    toml = tmp_path / "uppzy-bot.toml"
    keys = [f'{key} = "{value}"' for key, value in table.items()] if isinstance(table, dict) else []
    toml.write_text("[[telegram]]\n" + "\n".join(keys) if keys else 'telegram = "text"\n')
    del given["BOT_TELEGRAM"]
    with pytest.raises(ConfigError) as raised:
        load([CHANNEL], environ=given, cwd=tmp_path)
    ((found, words),) = raised.value.problems
    assert found == name
    assert expected in words
    assert "no-token-at-all" not in str(raised.value)


def test_two_tables_with_one_account_are_a_mistake(tmp_path: Path) -> None:
    given = settings(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1/api/v1")
    given["BOT_TELEGRAM"] = json.dumps([{"name": "x", "token_file": "first.token"}])
    with pytest.raises(ConfigError, match="only once"):
        make_adapters(load([CHANNEL], environ=given, cwd=tmp_path), [CHANNEL])
