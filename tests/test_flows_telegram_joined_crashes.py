"""kill -9 of the whole bot while the parts of a question wait: nothing lost, nothing asked twice, nothing in pieces."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.testing.telegram.platform import TOKEN, FakeTelegram, person
from bot.testing.telegram.text import JSON
from tests.test_flows_telegram_crashes import BotProcess, count, until

WAITING = "SELECT COUNT(*) FROM turns WHERE ready_at IS NOT NULL"
OPEN = "SELECT COUNT(*) FROM turns WHERE state='open'"
FULL = 4096


@dataclass
class Machine:
    """The bot's machine between a loopback Telegram and the assistant."""

    telegram: FakeTelegram
    assistant: RunningAssistant
    bot: BotProcess
    folder: Path

    def asked(self) -> Counter[str]:
        return Counter(entry.body["message"] for entry in self.assistant.requests.of("chat_async"))

    async def piece(self, who: JSON, text: str) -> None:
        await self.telegram.world.say(self.telegram.world.private(who), who, text)

    async def kill(self) -> None:
        self.bot.kill()
        assert await self.bot.ended() == -9

    async def stored(self, parts: int) -> None:
        await until(lambda: count(self.folder, "SELECT COUNT(*) FROM question_parts") >= parts, 60)


@asynccontextmanager
async def a_machine(folder: Path, **settings: str) -> AsyncIterator[Machine]:
    assistant = await start(AssistantOptions(port=0, delay=0.1, data=folder / "assistant.db"))
    async with FakeTelegram() as telegram:
        environ = {
            "UPPZY_BASE_URL": assistant.base_url,
            "UPPZY_API_KEY": "demo",
            "UPPZY_TENANT_ID": "demo",
            "UPPZY_SITE_ID": "demo",
            "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
            "BOT_HTTP_PORT": "0",
            "BOT_LOG_FORMAT": "json",
            **telegram.environment(),
            **settings,
        }
        bot = BotProcess(folder, environ)
        try:
            yield Machine(telegram, assistant, bot, folder)
        finally:
            bot.kill()
            await bot.ended()
            await assistant.close()


@pytest.mark.timeout(240)
async def test_a_kill_between_the_parts_loses_none_and_asks_no_piece(tmp_path: Path) -> None:
    """Ten people paste; the bot is killed when the first parts are stored, and again when more are."""
    people = [person(100 + number, f"P{number}") for number in range(10)]
    async with a_machine(tmp_path, BOT_INPUT__JOIN_SECONDS="5") as machine:
        await machine.bot.start()
        for who in people:
            await machine.piece(who, f"{who['id']} " + "x" * (FULL - 4))
        await machine.stored(len(people))
        assert machine.asked() == Counter()
        await machine.kill()
        assert count(tmp_path, WAITING) == len(people)
        for who in people[:5]:  # in the same second, as far as Telegram's stamp tells
            first = next(m for m in machine.telegram.world.messages.values() if m["from"] == who)
            chat = machine.telegram.world.private(who)
            rest = machine.telegram.world.new_message(chat, who, text=f"end {who['id']}", date=first["date"])
            await machine.telegram.updates.push("message", rest)
        await machine.bot.start()
        await machine.stored(len(people) + 5)
        await machine.kill()
        await machine.bot.start()
        await until(lambda: count(tmp_path, OPEN) == 0 and bool(machine.asked()), 120)
        asked = machine.asked()
        ends = {who["id"]: f"end {who['id']}" for who in people[:5]}
        whole = {f"{who['id']} " + "x" * (FULL - 4) + ends.get(who["id"], "") for who in people}
        assert sorted((len(text), text[:4], text[-8:]) for text in asked) == sorted(
            (len(text), text[:4], text[-8:]) for text in whole
        ), "each question whole, and no piece of one"
        # The kill may have cut a submit, which is then sent once more and counted.
        unknown = count(tmp_path, "SELECT SUM(unknowns) FROM steps WHERE kind='submit'")
        assert sum(asked.values()) - len(people) <= unknown
        assert count(tmp_path, WAITING) == 0


@pytest.mark.timeout(120)
async def test_the_sign_of_work_begins_with_the_first_part_and_again_after_a_kill(tmp_path: Path) -> None:
    who = person(7, "Anna")
    async with a_machine(tmp_path, BOT_INPUT__JOIN_SECONDS="5") as machine:
        await machine.bot.start()
        await machine.piece(who, "x" * FULL)
        await machine.stored(1)
        await until(lambda: len(machine.telegram.called("setMessageReaction")) > 0, 60)
        assert machine.asked() == Counter()
        await machine.kill()
        signs = len(machine.telegram.called("sendChatAction"))
        await machine.bot.start()
        await until(lambda: len(machine.telegram.called("sendChatAction")) > signs, 60)
        # On a loaded machine the notice that it takes longer may be there before the question is.
        await until(lambda: bool(machine.telegram.world.by_bot()) and bool(machine.asked()), 60)
        assert machine.asked() == Counter(["x" * FULL])


@pytest.mark.timeout(120)
async def test_a_kill_while_a_file_is_fetched_loses_nothing_and_asks_once(tmp_path: Path) -> None:
    who = person(7, "Anna")
    async with a_machine(tmp_path, BOT_CONTEXT__FILES="true") as machine:
        await machine.bot.start()
        world, telegram = machine.telegram.world, machine.telegram
        plan = world.document(world.private(who), who, b"The launch is on Monday.", "plan.txt", mime_type="text/plain")
        plan["caption"] = "When is the launch?"
        asked_for, file = asyncio.Event(), next(iter(world.files.values()))

        async def never(request: web.Request) -> web.StreamResponse:
            asked_for.set()
            await asyncio.Event().wait()
            raise AssertionError(request)

        telegram.downloads = never
        await telegram.updates.push("message", plan)
        await asyncio.wait_for(asked_for.wait(), 60)
        await machine.kill()
        assert machine.asked() == Counter()
        telegram.downloads = None
        await machine.bot.start()
        await until(lambda: count(tmp_path, OPEN) == 0 and bool(machine.asked()), 60)
        ((asked, times),) = machine.asked().items()
        assert times == 1
        assert "> The launch is on Monday." in asked
        assert asked.endswith("[Question]\nWhen is the launch?")
        assert len(world.by_bot()) == 1
        token, log = TOKEN.partition(":")[2], machine.bot.tail()
        assert token not in log
        assert file.path not in log, "the address of a file is nobody's business"
