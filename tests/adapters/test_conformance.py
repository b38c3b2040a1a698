"""The fake adapter keeps the contract, findable or not; so the core's tests stand on firm ground."""

from __future__ import annotations

import pytest

from bot.adapter import ChannelSpec
from tests.adapters.conformance import AdapterConformance, Wire
from tests.adapters.fake_wire import FakeWire
from tests.fakes.adapter import FAKE


class TestFakeChannel(AdapterConformance):
    channel = "fake"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire()

    def spec(self) -> ChannelSpec:
        return FAKE


class TestFakeChannelThatCannotBeAsked(AdapterConformance):
    channel = "fake"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire(can_find=False)

    def spec(self) -> ChannelSpec:
        return FAKE
