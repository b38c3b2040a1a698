"""The queue's way to a database that is away: whoever ends does not wait for it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, patch

import psycopg
import pytest

from bot.engine.driver import Closed, ReconnectingDriver


class Slow:
    """A database that takes a while to connect to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.closed = False

    async def connect(self) -> Any:
        self.asked.set()
        await self.go_on.wait()
        return self

    async def close(self) -> None:
        self.closed = True


class Away:
    """A database that takes no connections, and says when one was tried."""

    def __init__(self) -> None:
        self.tries = 0
        self.tried = asyncio.Event()

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        self.tries += 1
        self.tried.set()
        raise psycopg.OperationalError("away")


async def test_a_listener_between_two_tries_ends_with_its_driver() -> None:
    away = Away()
    driver = ReconnectingDriver(away.connect)
    await driver.add_listener("news", lambda payload: None)
    await away.tried.wait()
    async with asyncio.timeout(10):
        await driver.close()
    tries = away.tries
    await asyncio.sleep(0.5)
    assert away.tries == tries


async def test_who_waits_for_the_database_is_let_go() -> None:
    away = Away()
    driver = ReconnectingDriver(away.connect)
    asking = asyncio.create_task(driver.fetch("SELECT 1"))
    await away.tried.wait()
    async with asyncio.timeout(10):
        await driver.close()
        with pytest.raises(Closed):
            await asking


async def test_nothing_is_closed_under_who_asks_just_now() -> None:
    slow = Slow()
    slow.go_on.set()
    driver = ReconnectingDriver(slow.connect)
    holding = asyncio.Event()

    async def result(_: Any) -> str:
        holding.set()
        await asyncio.sleep(0.3)
        return "closed" if slow.closed else "open"

    with patch("bot.engine.driver.AsyncRawCursor", lambda *_, **__: AsyncMock()):
        asking = asyncio.create_task(driver._ask("SELECT 1", (), result))
        await holding.wait()
        await driver.close()
        assert await asking == "open"
    assert slow.closed


async def test_a_connection_that_comes_after_the_end_is_closed() -> None:
    slow = Slow()
    driver = ReconnectingDriver(slow.connect)
    asking = asyncio.create_task(driver.fetch("SELECT 1"))
    await slow.asked.wait()
    await driver.close()
    slow.go_on.set()
    async with asyncio.timeout(10):
        await asyncio.gather(asking, return_exceptions=True)
    assert slow.closed
