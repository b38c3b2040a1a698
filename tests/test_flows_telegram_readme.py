"""README's Telegram section, done by somebody new: its own commands, in processes, until the first answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from bot.assistant.server import AssistantOptions, start
from bot.testing.telegram.platform import TOKEN, FakeTelegram, person
from bot.testing.telegram.updates import Webhook
from tests.cli.process import environment, uppzy_bot

README = Path(__file__).parent.parent / "README.md"
ANNA = person(7, "Anna", "anna")


@dataclass
class Newcomer:
    """Somebody with a folder and a `.env`."""

    folder: Path
    telegram: FakeTelegram

    async def does(self, command: str, **more: str) -> CompletedProcess[str]:
        return await asyncio.to_thread(lambda: uppzy_bot(*command.split(), cwd=self.folder, **more))

    async def doctor(self, **more: str) -> tuple[int, dict[str, dict[str, Any]]]:
        done = await self.does("doctor --json", **more)
        return done.returncode, {check["check"]: check for check in json.loads(done.stdout)}

    @asynccontextmanager
    async def runs(self, command: str) -> AsyncIterator[None]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *command.split()),
            cwd=self.folder,
            env=environment({"BOT_HTTP_PORT": "0"}),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            assert await process.wait() == 0


@pytest.fixture
async def newcomer(tmp_path: Path) -> AsyncIterator[Newcomer]:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "faq.md").write_text("# Opening\n\nThe shop opens at nine.\n")
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05))
    async with FakeTelegram() as telegram:
        identifiers = {"UPPZY_API_KEY": "demo", "UPPZY_TENANT_ID": "demo", "UPPZY_SITE_ID": "demo"}
        # The last two lead to loopback; a newcomer writes only what README says.
        env = {**identifiers, **telegram.environment(), "UPPZY_BASE_URL": assistant.base_url}
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
        yield Newcomer(tmp_path, telegram)
    await assistant.close()


def steps() -> list[str]:
    """List the steps of README's Telegram section."""
    section = README.read_text(encoding="utf-8").split("\n## Telegram")[1].split("\n## ")[0]
    return re.findall(r"^\d\. (.*(?:\n   .*)*)", section, re.MULTILINE)


def commands() -> list[str]:
    return [command for step in steps() for command in re.findall(r"`uppzy-bot ([^`]+)`", step)]


async def until(telegram: FakeTelegram, predicate: Callable[[], object]) -> None:
    await telegram.wait_for(predicate, 60)


@pytest.mark.timeout(180)
async def test_from_botfather_to_the_first_answer(newcomer: Newcomer, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(steps()) <= 4
    apply, doctor, run = commands()
    done = await newcomer.does(apply)
    assert done.returncode == 0, done.stderr
    assert newcomer.telegram.world.commands["all_private_chats", ""]
    done = await newcomer.does(doctor)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("@Test_bot", "long polling, 0 updates waiting", "on: in groups"):
        assert words in " ".join(done.stdout.split()), done.stdout
    async with newcomer.runs(run):
        await until(newcomer.telegram, lambda: newcomer.telegram.called("getUpdates"))
        world = newcomer.telegram.world
        await world.say(world.private(ANNA), ANNA, "When does the shop open?")
        await until(newcomer.telegram, lambda: world.by_bot())
        assert "nine" in world.by_bot()[0]["text"]
    with capsys.disabled():
        print("\n  " + "\n  ".join(f"uppzy-bot {command}" for command in (apply, doctor, run)))
        print("".join(f"    {line}\n" for line in done.stdout.splitlines() if "telegram" in line), end="")


@pytest.mark.timeout(180)
async def test_doctor_says_what_is_wrong(newcomer: Newcomer) -> None:
    code, found = await newcomer.doctor(TELEGRAM_BOT_TOKEN=TOKEN[:-1] + "x")
    assert code == 1
    assert found["telegram token"]["status"] == "fail"
    assert "BotFather" in found["telegram token"]["fix"]
    newcomer.telegram.updates.webhook = Webhook("https://old.example.org/hook", "", 40)
    newcomer.telegram.world.privacy = False
    code, found = await newcomer.doctor()
    assert code == 0
    assert found["telegram receiving"]["status"] == "warn"
    assert "old.example.org" in found["telegram receiving"]["detail"]
    assert found["telegram privacy mode"]["detail"].startswith("off:")
    assert not [call for call in newcomer.telegram.calls if call.method == "deleteWebhook"], "doctor changes nothing"


@pytest.mark.timeout(180)
async def test_manifest_lists_what_differs_and_changes_it_only_when_told(newcomer: Newcomer) -> None:
    shown = await newcomer.does("manifest telegram")
    assert shown.returncode == 0
    assert yaml.safe_load(shown.stdout)["commands"]
    assert "commands in all_group_chats for language tr: /ask is missing, /new is missing" in shown.stderr
    assert "--apply" in shown.stderr
    assert not [call for call in newcomer.telegram.calls if call.method.startswith("set")]
    applied = json.loads((await newcomer.does("manifest telegram --apply --json")).stdout)
    after = json.loads((await newcomer.does("manifest telegram --json")).stdout)
    assert applied["done"]
    assert after["differences"] == []
    refused = await newcomer.does("manifest telegram", TELEGRAM_BOT_TOKEN=TOKEN[:-1] + "x")
    assert refused.returncode == 0, "the text is there all the same"
    assert "TELEGRAM_BOT_TOKEN" in refused.stderr
    assert yaml.safe_load(refused.stdout)["commands"], "the profile itself needs no token"
