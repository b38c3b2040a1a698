"""The conformance suite over both ways of receiving."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.config import CHANNEL
from bot.testing.conformance import AdapterConformance
from bot.testing.wire import Wire
from tests import PAYLOADS
from tests.adapters.telegram_wire import TelegramWire


def test_it_takes_what_every_channel_is_told_and_lacks_what_it_says() -> None:
    """The Bot API cannot tell what became of a send; all else is in the suite."""
    assert CHANNEL.lacks == {"look_ups", "history"}
    assert TelegramAdapter(TelegramWire().settings(), guests_differ=True).channel == CHANNEL.name


class TestTelegramByPolling(AdapterConformance):
    spec = CHANNEL
    payloads = PAYLOADS / "telegram"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with TelegramWire() as wire:
            yield wire


class TestTelegramByWebhook(AdapterConformance):
    spec = CHANNEL
    payloads = PAYLOADS / "telegram"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with TelegramWire(webhook=True) as wire:
            yield wire
