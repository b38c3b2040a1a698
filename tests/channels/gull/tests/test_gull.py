"""Gull passes the contract of every adapter, and does what only gull does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.adapter import ManifestOptions
from bot.errors import Misconfigured
from bot.events import Notice
from bot.testing.conformance import AdapterConformance, Wire
from bot.testing.live import running
from uppzy_gull.config import CHANNEL, GullSettings
from uppzy_gull.manifest import MANIFEST

from wire import GullWire


class TestGull(AdapterConformance):
    spec = CHANNEL
    payloads = Path(__file__).parent / "payloads"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with GullWire() as wire:
            yield wire


@pytest.fixture
async def gull_wire() -> AsyncIterator[GullWire]:
    async with GullWire() as wire:
        yield wire


async def test_a_wrong_signature_is_refused(gull_wire: GullWire) -> None:
    async with running(gull_wire) as live:
        assert await gull_wire.gull.deliver(gull_wire.message("hello"), secret="another") == 403
        assert not live.host.deliveries


async def test_nothing_is_acknowledged_after_the_end(gull_wire: GullWire) -> None:
    async with running(gull_wire):
        pass
    assert await gull_wire.gull.deliver(gull_wire.message("too late")) == 503


async def test_the_root_of_an_ask_names_the_asker(gull_wire: GullWire) -> None:
    async with running(gull_wire) as live:
        (ref,) = await live.send(Notice(text="Why?", kind="question", user_id="U1"))
    assert gull_wire.gull.messages[ref.message_id]["asked_by"] == "U1"


async def test_a_mark_is_shown(gull_wire: GullWire) -> None:
    async with running(gull_wire) as live:
        (ref,) = await live.send("An answer.")
        await live.do(live.adapter.mark(ref, "good"))
    assert gull_wire.gull.messages[ref.message_id]["rating"] == "good"


async def test_the_manifest_is_applied_once(gull_wire: GullWire) -> None:
    settings, options = gull_wire.settings(), ManifestOptions(url="https://bot.example.org/")
    assert await MANIFEST.differences(settings) == ["Gull tells of other events."]
    assert await MANIFEST.apply(settings, options) == ["The webhook and its events were set."]
    assert await MANIFEST.apply(settings, options) == []
    assert await MANIFEST.differences(settings) == []
    assert gull_wire.gull.app["webhook"] == "https://bot.example.org/gull/webhook"
    with pytest.raises(Misconfigured):
        await MANIFEST.apply(settings, ManifestOptions())
    assert await MANIFEST.differences(GullSettings()) is None


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"GULL_TOKEN": "t"}, "GULL_WEBHOOK_SECRET"),
        ({"GULL_API_URL": "http://gull.example"}, "GULL_API_URL"),
    ],
)
def test_settings_name_what_is_wrong(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=f"{named}: expected"):
        GullSettings.model_validate(variables)
