"""The conformance suite over both ways of receiving."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.telegram.config import CHANNEL
from bot.testing.conformance import AdapterConformance
from bot.testing.wire import Wire
from tests import PAYLOADS
from tests.adapters.telegram_wire import TelegramWire


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
