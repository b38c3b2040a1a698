"""New API keys without a restart: the old one until the new one is proven, and no question fails on the way."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from pydantic import SecretStr

from bot import app
from bot.assistant.accounts import TenantAccount
from bot.config import Config
from bot.errors import ConfigError
from tests.fakes.channel import room
from tests.house import House, a_house, fake_config

KEYS = TenantAccount(id="demo", sites=("demo",), keys=("demo", "fresh-key"))


def settings(house: House, folder: Path, **more: str) -> Config:
    return fake_config(house.assistant.base_url, folder, **more)


async def ask_on(house: House, questions: int, seconds: float) -> None:
    """Ask 20 questions a second, each in a thread of its own."""
    for number in range(questions):
        await house.channel.say("When does the shop open?", conversation=room(f"t{number}"))
        await asyncio.sleep(seconds)


async def test_no_question_fails_while_the_key_is_changed(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.3) as house:
        house.assistant.accounts.add(KEYS)
        asking = asyncio.create_task(ask_on(house, 60, 0.05))
        await house.channel.wait_for(lambda: len(house.channel.answers()) >= 10)
        await app.rotate_keys(house.bot.running_bot, settings(house, tmp_path, UPPZY_API_KEY="fresh-key"))
        house.assistant.accounts.revoke("demo")
        await asking
        await house.answers(60)
        assert house.channel.notices("failure") == []
        assert house.bot.ctx.config.api_key == SecretStr("fresh-key")


async def test_a_key_that_the_api_refuses_is_not_used(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await app.rotate_keys(house.bot.running_bot, settings(house, tmp_path, UPPZY_API_KEY="no-key-of-theirs"))
        await house.channel.say("When does the shop open?")
        await house.answers(1)
        assert house.bot.ctx.config.api_key == SecretStr("demo")


async def test_the_key_of_a_route_and_the_encryption_keys(tmp_path: Path) -> None:
    (tmp_path / "route.key").write_text("demo")
    routes = '[{"conversation": "R-*", "api_key_file": "route.key"}]'
    async with a_house(tmp_path, BOT_ROUTES=routes, BOT_ENCRYPTION_KEY="o" * 20) as house:
        house.assistant.accounts.add(KEYS)
        await house.bot.host.vault.put("x", "a value")
        (tmp_path / "route.key").write_text("fresh-key")
        both = f"{'n' * 20},{'o' * 20}"
        await app.rotate_keys(
            house.bot.running_bot, settings(house, tmp_path, BOT_ROUTES=routes, BOT_ENCRYPTION_KEY=both)
        )
        ctx = house.bot.ctx
        assert ctx.api_key_of("*:*:R-*") == SecretStr("fresh-key")
        assert ctx.api_key_of("") == SecretStr("demo")
        assert await house.bot.host.vault.get("x") == "a value"
        assert (await house.bot.host.vault.rotate()).closed == ()


async def test_sighup_reads_the_settings_again(tmp_path: Path) -> None:
    """Wrong ones change nothing; the process goes on."""
    (tmp_path / "own").mkdir()
    async with a_house(tmp_path) as house:
        house.assistant.accounts.add(KEYS)
        reads: list[str] = []

        def read() -> Config:
            reads.append("x")
            if len(reads) == 1:
                raise ConfigError([("UPPZY_API_KEY", "is required")])
            return settings(house, tmp_path / "own", UPPZY_API_KEY="fresh-key")

        running = asyncio.create_task(app.run(settings(house, tmp_path / "own"), read))
        try:
            for count in (1, 2):
                async with asyncio.timeout(30):
                    while len(reads) < count:
                        await asyncio.sleep(0.1)
                        if running.done():
                            running.result()
                        if signal.getsignal(signal.SIGHUP) not in (signal.SIG_DFL, None):
                            os.kill(os.getpid(), signal.SIGHUP)
            await house.assistant.requests.wait("site")
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait([running], timeout=20)
