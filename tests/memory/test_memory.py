"""After events of many people nothing has grown with them: the objects of the real process are walked."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.benchmarks.load import an_api
from tests.crash.crowd import SECRET
from tests.crash.crowd import TOKEN as SLACK_TOKEN
from tests.crash.process import ROOT
from tests.memory.world import HOOK_SECRET, TOKEN, deliver, platforms

IDLE = re.compile(r"^\w*turns_in_flight 0(\.0)?$", re.M)


@dataclass
class Examined:
    """A bot whose objects can be walked."""

    process: asyncio.subprocess.Process
    url: str

    async def grown(self) -> dict[str, int]:
        """Walk once nothing is open, and until what goes by itself after some seconds has gone."""
        await self.idle()
        found: dict[str, int] = {}
        for _ in range(8):
            if not (found := await self.walk()):
                break
            await asyncio.sleep(1.0)
        return found

    async def idle(self) -> None:
        """Wait until nothing is open; of 200,000 events much may be."""
        async with asyncio.timeout(3000), aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{self.url}metrics") as reply:
                    if IDLE.search(await reply.text()):
                        break
                await asyncio.sleep(0.2)

    def most_megabytes(self) -> int:
        """Say how much memory the process ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.partition("VmHWM:")[2].split()[0]) / 1000)

    async def walk(self) -> dict[str, int]:
        """Let the process name what has grown since the first walk, which names nothing."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        found: dict[str, int] = json.loads(await self.process.stdout.readline())
        return found


@asynccontextmanager
async def examined(folder: Path, *, most: int, lower: int = 0, leak: str = "none") -> AsyncIterator[Examined]:
    """Start a bot on Slack and Telegram; see `tests.memory.process` for the arguments."""
    async with an_api(0.05) as api_url, platforms() as address:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "PYTHONPATH": str(ROOT),
            **{f"UPPZY_{name}": "demo" for name in ("API_KEY", "TENANT_ID", "SITE_ID")},
            "UPPZY_BASE_URL": f"{api_url}/api/v1",
            "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
            "BOT_HTTP_PORT": "0",
            "SLACK_BOT_TOKEN": SLACK_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{address}/api/",
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": address,
            "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram/webhook",
            "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.memory.process", str(most), str(lower), leak),
            cwd=folder,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        bot = Examined(process, json.loads(await process.stdout.readline())["url"])
        try:
            # What a first question makes once, its tables as well, is there when the process notes what it has.
            await deliver(bot.url, 10, 5, random.Random(2))
            await bot.idle()
            await bot.walk()
            yield bot
        finally:
            process.stdin.close()
            assert await process.wait() == 0


MOST, LOWER = 150, 40
"""For the short form: bounds are lowered, so that nothing that is bounded has as many entries as there are people."""


async def test_nothing_grows_with_people_or_messages(tmp_path: Path) -> None:
    async with examined(tmp_path, most=MOST, lower=LOWER) as bot:
        await deliver(bot.url, 600, 300, random.Random(1))
        assert await bot.grown() == {}


@pytest.mark.parametrize(("kind", "many"), [("person", 200), ("message", 300)])
async def test_an_unbounded_map_is_found(tmp_path: Path, kind: str, many: int) -> None:
    """A dict of numbers by text, which the collector itself does not see."""
    async with examined(tmp_path, most=MOST, lower=LOWER, leak=kind) as bot:
        await deliver(bot.url, 600, 300, random.Random(1))
        found = await bot.grown()
    assert max((size for name, size in found.items() if "LEAKED" in name), default=0) >= many, found


@pytest.mark.prove
@pytest.mark.timeout(7200)
async def test_two_hundred_thousand_events_of_a_hundred_thousand_people(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """With the bounds as they are: the largest is of 10,000."""
    events, people, began = 200_000, 100_000, time.monotonic()
    async with examined(tmp_path, most=15_000) as bot:
        again = await deliver(bot.url, events, people, random.Random(1), at_once=16)
        grown = await bot.grown()
        figures = {"events": events, "people": people, "refused and come again": again, "grown": len(grown)}
        figures |= {"memory_mb": bot.most_megabytes(), "seconds": round(time.monotonic() - began)}
        record_property("objects walked", figures)
        assert grown == {}
