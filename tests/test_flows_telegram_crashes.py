"""kill -9 of the whole bot at seeded moments around getUpdates: every question is answered.

Twice only where a send was cut by the kill, and each of those is counted in the store.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant.server import AssistantOptions, start
from bot.notices import SECOND_COPY, WORKING
from bot.testing.telegram.platform import FakeTelegram, person
from bot.testing.telegram.text import JSON

MOMENTS = (
    ("getUpdates", "asked"),
    ("getUpdates", "asked"),
    ("getUpdates", "done"),
    ("getUpdates", "done"),
    ("setMessageReaction", "done"),
    ("sendMessage", "done"),
)


class BotProcess:
    """The bot as a process of its own, to be killed."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self._environ = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")} | environ
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self._folder / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self._folder, env=self._environ, stdout=log, stderr=log
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def settled(self) -> bool:
        """Whether no send is open, the repeated ones included."""
        return count(self._folder, "SELECT COUNT(*) FROM steps WHERE kind='send' AND done_at IS NULL") == 0

    def tail(self) -> str:
        """Return the end of the bot's log."""
        return (self._folder / "bot.log").read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    async def ended(self) -> int:
        assert self.process is not None
        return await self.process.wait()


class Killer:
    """Kills the bot when a call of the Bot API has come, or when it is done and not yet answered."""

    def __init__(self, bot: BotProcess, chance: random.Random) -> None:
        self._bot = bot
        self.method, self.phase = chance.choice(MOMENTS)
        self._skip = chance.randrange(3) if self.method == "getUpdates" else 0
        self._late = chance.choice([0.0, 0.002, 0.01, 0.05])
        self._done = False

    def __call__(self, method: str, phase: str) -> None:
        if self._done or (method, phase) != (self.method, self.phase):
            return
        self._skip -= 1
        if self._skip < 0:
            self._done = True  # a second one, later, would meet the next process
            asyncio.get_running_loop().call_later(self._late, self._bot.kill)


async def mended(telegram: FakeTelegram, bot: BotProcess, asked: list[JSON]) -> None:
    """Wait until all that was asked is answered and no send is open; say what is not, and whether the bot lives."""
    keys = {key(message) for message in asked}
    try:
        await until(lambda: (answered(telegram) >= keys and bot.settled) or not bot.alive, 150)
    except TimeoutError:
        raise AssertionError(
            f"not answered: {keys - answered(telegram)}; settled: {bot.settled}\n{bot.tail()}"
        ) from None
    assert bot.alive, f"the bot ended by itself\n{bot.tail()}"


async def until(predicate: Callable[[], bool], seconds: float) -> None:
    """Wait until it is true; seldom looked at, for five bots share the processors with this."""
    async with asyncio.timeout(seconds):
        while not predicate():
            await asyncio.sleep(0.1)


async def play(telegram: FakeTelegram, bot: BotProcess, rounds: int, seed: int) -> tuple[list[JSON], Counter[str]]:
    """Let people ask while the bot is killed again and again; then let it live until all have their answers."""
    chance = random.Random(seed)
    asked: list[JSON] = []
    moments: Counter[str] = Counter()

    telegram.updates.longest_poll = 0.3  # so that there is always a next call to be killed at

    async def say() -> None:
        who = person(100 + len(asked), f"P{len(asked)}")
        asked.append(await telegram.world.say(telegram.world.private(who), who, f"question {len(asked)}"))

    for number in range(rounds):
        killer = Killer(bot, chance)
        moments[f"{killer.method} {killer.phase}"] += 1
        await bot.start()
        # What the last kill cut must be mended first: two cuts of one step end it with an honest notice instead.
        await mended(telegram, bot, asked)
        telegram.watch = killer
        enough = len(asked) + 5
        while bot.alive:
            # 👀 is not put on every question when many come in one second, and a killer may wait for that.
            if len(asked) < enough or (answered(telegram) >= {key(message) for message in asked} and bot.settled):
                await say()
            await asyncio.sleep(chance.choice([0.05, 0.2]))
        assert await bot.ended() == -9, f"round {number}: the bot ended by itself"
        telegram.watch = None
        await say()
    await bot.start()
    await mended(telegram, bot, asked)
    await until(lambda: not telegram.updates.pending, 60)
    return asked, moments


async def one_house(folder: Path, rounds: int, seed: int) -> Counter[str]:
    """Play with one bot, judge what people have seen, and return the figures."""
    folder.mkdir()
    assistant = await start(AssistantOptions(port=0, delay=0.2, data=folder / "assistant.db"))
    assistant.script(contains="question", answer="An answer.")
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
        }
        bot = BotProcess(folder, environ)
        try:
            asked, moments = await play(telegram, bot, rounds, seed)
            unknown = count(folder, "SELECT SUM(unknowns) FROM steps WHERE kind='send'")
            cut = count(folder, "SELECT COUNT(*) FROM steps WHERE kind='progress' AND done_at IS NULL")
            await until(lambda: len(notices(telegram)) <= cut, 60)
        finally:
            telegram.watch = None
            bot.kill()
            await bot.ended()
            await assistant.close()
        left = notices(telegram)
        answers = Counter(
            (message["chat"]["id"], message["reply_to_message"]["message_id"])
            for message in telegram.world.by_bot()
            if message not in left
        )
        twice = sum(answers.values()) - len(answers)
        texts = {"An answer.", WORKING, f"An answer.\n\n{SECOND_COPY}"}
        assert {message["text"] for message in telegram.world.by_bot()} <= texts
        assert len(answers) == len(asked)
        assert twice <= unknown, "twice without a count"
        assert max(answers.values()) <= 2
        figures = {"kills": rounds, "questions": len(asked), "answered": len(answers), "twice": twice}
        return moments + Counter(figures | {"sends unknown": unknown, "notices left": len(left)})


async def killings(folder: Path, houses: int, rounds: int, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Several bots at once, since each waits five seconds before it repeats a send nobody knows of."""
    all_figures = await asyncio.gather(
        *(one_house(folder / str(number), rounds, seed + number) for number in range(houses))
    )
    with capsys.disabled():
        print(f"\n  {dict(sum(all_figures, Counter()))}")


def count(folder: Path, sql: str) -> int:
    """Ask the bot's database, beside the bot."""
    if not (folder / "bot.db").exists():
        return 0
    database = sqlite3.connect(f"file:{folder}/bot.db?mode=ro", uri=True)
    try:
        return int(database.execute(sql).fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return -1  # the bot is just making it
    finally:
        database.close()


def notices(telegram: FakeTelegram) -> list[JSON]:
    """List what still says that work goes on. Telegram cannot be asked for one whose send was cut: it stays."""
    return [message for message in telegram.world.by_bot() if message["text"] == WORKING]


def key(message: JSON) -> tuple[int, int]:
    return message["chat"]["id"], message["message_id"]


def answered(telegram: FakeTelegram) -> set[tuple[int, int]]:
    replied = [message for message in telegram.world.by_bot() if "reply_to_message" in message]
    return {(message["chat"]["id"], message["reply_to_message"]["message_id"]) for message in replied}


@pytest.mark.timeout(240)
async def test_ten_killings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await killings(tmp_path, 5, 2, 1, capsys)


@pytest.mark.prove
@pytest.mark.timeout(3600)
async def test_two_hundred_killings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await killings(tmp_path, 5, 40, 100, capsys)
