"""The fake adapter keeps the contract, findable or not; so the core's tests stand on firm ground."""

from __future__ import annotations

import pytest

from bot.testing.conformance import AdapterConformance, Wire
from tests import PAYLOADS
from tests.adapters.fake_wire import FakeWire
from tests.fakes.adapter import FAKE


class TestFakeChannel(AdapterConformance):
    spec = FAKE
    payloads = PAYLOADS / "fake"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire()


class TestFakeChannelThatCannotBeAsked(AdapterConformance):
    spec = FAKE
    payloads = PAYLOADS / "fake"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire(can_find=False)
