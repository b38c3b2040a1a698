"""A platform, or who stands before it, that sends what is made to hurt: waits without end, bodies without end."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.errors import RETRY_AFTER
from adapters.telegram.client import Client
from bot.errors import LONGEST_WAIT, BotError, OutcomeUnknown, Unavailable
from bot.testing.telegram.platform import Fault
from tests.adapters.slack_live import live_slack
from tests.adapters.telegram_wire import TelegramWire


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("1000000000000", LONGEST_WAIT),
        ("9" * 400, LONGEST_WAIT),
        ("7", 7.0),
        ("1e308", RETRY_AFTER),
        ("inf", RETRY_AFTER),
        ("nan", RETRY_AFTER),
        ("-1", RETRY_AFTER),
        ("Tue, 01 Jan 2999 00:00:00 GMT", RETRY_AFTER),
    ],
)
async def test_slack_is_waited_for_a_quarter_of_an_hour_at_most(asked: str, waits: float) -> None:
    async with live_slack() as live:
        live.slack.fail("chat.postMessage", "rate_limited", retry_after=asked)
        where = live.place("C1")
        for _ in range(2):  # the second does not even ask
            with pytest.raises(Unavailable) as refused:
                await live.post("Hello.", where)
            assert refused.value.retry_after == pytest.approx(waits, abs=5)


@pytest.mark.parametrize(("asked", "waits"), [(1e12, LONGEST_WAIT), (1e308, LONGEST_WAIT), (7.0, 7.0), (-1.0, None)])
async def test_telegram_is_waited_for_a_quarter_of_an_hour_at_most(asked: float, waits: float | None) -> None:
    async with TelegramWire() as wire:
        wire.telegram.retry_after = asked
        wire.telegram.fail("rate_limited", method="getMe", times=1)
        with pytest.raises(Unavailable) as refused:
            await Client(wire.settings()).raw("getMe", {})
        assert refused.value.retry_after == waits


async def test_a_body_without_end_from_slack_is_given_up() -> None:
    async with live_slack() as live, asyncio.timeout(60):
        live.slack.fail("chat.postMessage", "endless")
        with pytest.raises(OutcomeUnknown):
            await live.post("Hello.", live.place("C1"))


@pytest.mark.parametrize("fault", ["endless", "packed"])
async def test_a_body_without_end_or_packed_from_telegram_is_given_up(fault: Fault) -> None:
    async with TelegramWire() as wire, asyncio.timeout(60):
        client = Client(wire.settings())
        wire.telegram.fail(fault, method="getUpdates", times=1)
        with pytest.raises(BotError) as refused:
            await client.get_updates(None)
        assert isinstance(refused.value, OutcomeUnknown)
        assert (await client.raw("getMe", {}))["is_bot"] is True
