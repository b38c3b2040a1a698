"""Updates of tomorrow: what Telegram adds to the ones of today changes nothing about what they mean."""

from __future__ import annotations

import hmac
import json
from typing import Any

import aiohttp
import pytest

from adapters.telegram import webhook
from adapters.telegram.identity import Identity
from adapters.telegram.normalize import normalize
from bot.testing import payload_files
from bot.testing.live import running
from bot.testing.payload_files import PayloadCase
from tests import PAYLOADS
from tests.adapters.telegram_wire import CLICKED_AT, TelegramWire

ME = Identity(id=4242, username="Test_bot")
TOMORROW: tuple[Any, ...] = ({"unheard": [1, {"of": None}]}, [], "words", 10**30, True, None)
CASES = payload_files.load(PAYLOADS / "telegram")


def richer(value: Any, new: Any) -> Any:
    """Add a field to every object inside, save where an update would get a kind of its own."""
    if isinstance(value, dict):
        return {key: richer(each, new) for key, each in value.items()} | {"tomorrow": new}
    return [richer(each, new) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_new_field_anywhere_changes_nothing(case: PayloadCase) -> None:
    for new in TOMORROW:
        assert tuple(normalize(richer(case.payload, new), ME, CLICKED_AT)) == case.events


@pytest.mark.parametrize("kind", ["hologram", "date_time"])
def test_an_entity_of_a_new_kind_is_text(kind: str) -> None:
    (case,) = [case for case in CASES if case.name == "private_text"]
    message = {**case.payload["message"], "entities": [{"type": kind, "offset": 0, "length": 1, "depth": 3}]}
    assert tuple(normalize({**case.payload, "message": message}, ME, CLICKED_AT)) == case.events


def test_a_reaction_of_a_new_kind_means_nothing() -> None:
    (case,) = [case for case in CASES if case.name.startswith("reaction_added")]
    reaction = {**case.payload["message_reaction"], "new_reaction": [{"type": "hologram", "hologram_id": "7"}]}
    assert normalize({**case.payload, "message_reaction": reaction}, ME, CLICKED_AT) == []


async def test_the_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request goes through hmac's comparison, however wrong, and nothing is read before."""
    compared = []

    def compare(given: bytes, secret: bytes) -> bool:
        compared.append(given)
        return hmac.compare_digest(given, secret)

    class Recorded:
        compare_digest = staticmethod(compare)

    monkeypatch.setattr(webhook, "hmac", Recorded)
    async with TelegramWire(webhook=True) as wire, running(wire), aiohttp.ClientSession() as session:
        for given in ("", "l", "loopback_Secret-", "loopback_Secret-2"):
            headers = {webhook.SECRET_HEADER: given, "Content-Type": "application/json"}
            body = json.dumps(wire.message("hello"))
            async with session.post(f"{wire.host.base_url}/telegram/webhook", data=body, headers=headers) as answer:
                assert answer.status == 403
        assert compared == [b"", b"l", b"loopback_Secret-", b"loopback_Secret-2"]
        assert not wire.host.deliveries
