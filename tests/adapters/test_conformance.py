"""The fake adapter keeps the contract, whatever the channel lacks; so the core's tests stand on firm ground."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.testing.capabilities import ALL
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
    spec = replace(FAKE, lacks=frozenset({"look_ups"}))
    payloads = PAYLOADS / "fake"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire(lacks=self.spec.lacks)


class TestFakeChannelWithoutReactionsButtonsAndThreads(AdapterConformance):
    spec = replace(FAKE, lacks=frozenset({"reactions", "buttons", "threads"}))
    payloads = PAYLOADS / "fake_flat"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire(lacks=self.spec.lacks)


class TestFakeChannelThatLacksEverything(AdapterConformance):
    spec = replace(FAKE, lacks=ALL)
    payloads = PAYLOADS / "fake_bare"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire(lacks=self.spec.lacks, tells=False, files=False)
