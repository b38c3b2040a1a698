"""Pigeon passes the contract of every adapter, without what it lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.conformance import AdapterConformance, Wire
from bot.testing.live import running
from uppzy_pigeon.config import CHANNEL

from wire import PigeonWire


class TestPigeon(AdapterConformance):
    spec = CHANNEL
    payloads = Path(__file__).parent / "payloads"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with PigeonWire() as wire:
            yield wire


async def test_a_wrong_token_is_refused() -> None:
    async with PigeonWire() as wire, running(wire) as live:
        assert await wire.pigeon.deliver(wire.message("hello"), token="another") == 403
        assert not live.host.deliveries
