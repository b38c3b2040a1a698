"""What one process has alone, and what is shared out: Telegram's polling, an app's Socket Mode connections."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.testing.slack.platform import FakeSlack
from bot.testing.telegram.platform import FakeTelegram
from bot.testing.telegram.world import person
from tests.postgres import a_server
from tests.processes.api import an_api
from tests.processes.house import Replica, note

BUSY = 4.0
"""How much longer than 10 s it may take where the machine does other things."""

pytestmark = pytest.mark.needs_package("postgresql")


@asynccontextmanager
async def replicas(folder: Path, count: int, **settings: str) -> AsyncIterator[list[Replica]]:
    """Start so many processes, with these settings, on one database and before one API."""
    with a_server() as server, server.database() as url:
        async with an_api(0.2) as api:
            common = {"BOT_DATABASE_URL": url, "UPPZY_BASE_URL": f"{api.url}/api/v1", **settings}
            made = [Replica(folder / f"bot{number}", common) for number in range(count)]
            try:
                await asyncio.gather(*(one.start() for one in made))
                yield made
            finally:
                for one in made:
                    if one.process is not None and one.process.returncode is None:
                        await one.end()


def polled_since(telegram: FakeTelegram, polls: int) -> bool:
    """Whether there were more polls than these."""
    return len(telegram.called("getUpdates")) > polls


def is_answered(telegram: FakeTelegram, message: dict[str, Any]) -> bool:
    """Whether the answer to a question is there."""
    return any(
        said.get("reply_to_message", {}).get("message_id") == message["message_id"] and "answer" in said["text"]
        for said in telegram.world.by_bot()
    )


async def test_another_process_polls_telegram_when_the_one_that_did_is_gone(tmp_path: Path) -> None:
    async with FakeTelegram() as telegram, replicas(tmp_path, 2, **telegram.environment()) as both:
        who, gaps = person(7, "Ada"), []
        await telegram.wait_for(lambda: telegram.called("getUpdates"), 60)
        for number in (0, 1, 0):  # at least one of the first two is the one that polls
            await both[number].end(signal.SIGKILL)
            died, polls = time.monotonic(), len(telegram.called("getUpdates"))
            message = await telegram.world.say(telegram.world.private(who), who, f"question {number}")
            await telegram.wait_for(partial(polled_since, telegram, polls), 60)
            gaps.append(round(time.monotonic() - died, 1))
            await telegram.wait_for(partial(is_answered, telegram, message), 60)
            await both[number].start()
        conflicts = [call for call in telegram.called("getUpdates") if call.status == 409]
        note("another polls after", {"seconds": max(gaps), "each": gaps, "conflicts": len(conflicts)})
        assert max(gaps) <= 10.0 * BUSY
        # Telegram itself holds the poll of a process that is gone until it notices.
        assert len(conflicts) <= 3, "they fight over it"


async def test_socket_mode_connections_are_shared_out(tmp_path: Path) -> None:
    async with FakeSlack() as slack:
        settings = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": f"{slack.base_url}/api/",
        }
        async with replicas(tmp_path, 5, **settings) as all_of_them:
            await slack.until(lambda: slack.sockets.count == 8, 60)
            await asyncio.sleep(3)
            assert slack.sockets.most == 8, "more than the app's share"
            await all_of_them[0].end(signal.SIGTERM)
            await slack.until(lambda: slack.sockets.count == 8, 30)  # the one that had none has them now
