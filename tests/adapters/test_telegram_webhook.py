"""Receiving by webhook: who may knock, what Telegram is told, and when the webhook is set."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from adapters.telegram.client import ALLOWED_UPDATES
from adapters.telegram.webhook import SECRET_HEADER
from bot.errors import Misconfigured
from bot.events import Reaction
from bot.testing.host import FakeVault
from bot.testing.live import running
from bot.testing.telegram.updates import Webhook
from tests.adapters.telegram_wire import ANNA, PUBLIC, SECRET, TelegramWire

JSON_TYPE = "application/json"


@pytest.fixture
async def wire() -> AsyncIterator[TelegramWire]:
    async with TelegramWire(webhook=True) as wire:
        yield wire


async def knock(wire: TelegramWire, body: bytes, **headers: str) -> int:
    """Call the webhook as anybody in the world can."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{wire.host.base_url}/telegram/webhook", data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.parametrize(
    ("secret", "kind", "body", "status"),
    [
        (None, JSON_TYPE, None, 403),
        ("", JSON_TYPE, None, 403),
        ("wrong", JSON_TYPE, None, 403),
        (SECRET + "x", JSON_TYPE, None, 403),
        ("s\u00e9cret", JSON_TYPE, None, 403),
        ("wrong", JSON_TYPE, b"{", 403),
        (SECRET, "text/plain", None, 415),
        (SECRET, "application/x-www-form-urlencoded", None, 415),
        (SECRET, JSON_TYPE, b"{", 400),
        (SECRET, JSON_TYPE, b"", 400),
        (SECRET, JSON_TYPE, b"\xff\xfe", 400),
        (SECRET, JSON_TYPE, b"[1]", 400),
        (SECRET, JSON_TYPE, b'{"message": {}}', 400),
        (SECRET, JSON_TYPE, b'{"update_id": "1"}', 400),
        (SECRET, JSON_TYPE, b"[" * 200_000, 400),
        (SECRET, JSON_TYPE, b'{"update_id": 1, "x": "' + b"x" * 1_100_000 + b'"}', 413),
        (SECRET, JSON_TYPE, None, 200),
        (SECRET, "application/json; charset=utf-8", None, 200),
    ],
)
async def test_who_may_knock(
    wire: TelegramWire, secret: str | None, kind: str, body: bytes | None, status: int
) -> None:
    async with running(wire) as live:
        given = body if body is not None else json.dumps(wire.message("hello")).encode()
        headers = {"Content-Type": kind} | ({} if secret is None else {SECRET_HEADER: secret})
        assert await knock(wire, given, **headers) == status
        assert len(live.host.deliveries) == (1 if status == 200 else 0)
        assert not live.host.set_aside_payloads


async def test_it_is_stored_before_200_and_503_while_it_cannot_be(wire: TelegramWire) -> None:
    async with running(wire) as live:
        body = json.dumps(wire.message("hello")).encode()
        headers = {"Content-Type": JSON_TYPE, SECRET_HEADER: SECRET}
        live.host.hold = asyncio.Event()
        answer = asyncio.create_task(knock(wire, body, **headers))
        await live.host.wait_for(lambda: live.host.deliveries)
        assert not answer.done()
        live.host.recover()
        assert await answer == 200
        live.host.fail()
        assert await knock(wire, body, **headers) == 503


async def test_telegram_tries_again_until_it_is_stored(wire: TelegramWire) -> None:
    async with running(wire) as live:
        live.host.fail()
        update = wire.message("patience")
        assert not await live.deliver(update)
        live.host.recover()
        await live.host.wait_for(lambda: live.host.events)
        await wire.telegram.wait_for(lambda: not wire.telegram.updates.pending)
        statuses = [attempt.status for attempt in wire.telegram.updates.attempts]
        assert statuses[0] == 503
        assert statuses[-1] == 200


async def test_poison_is_200_and_kept(wire: TelegramWire) -> None:
    """A 5xx would stop that chat for a day."""
    async with running(wire) as live:
        assert await live.deliver(wire.poison())
        assert len(live.host.set_aside_payloads) == 1
        assert [attempt.status for attempt in wire.telegram.updates.attempts] == [200]


async def test_a_reaction_may_overtake_the_messages_of_its_chat(wire: TelegramWire) -> None:
    """Telegram has queues of their own for reactions: one that waits holds up no other."""
    async with running(wire) as live:
        (ref,) = await live.send("An answer.")
        live.host.hold = asyncio.Event()
        message = asyncio.create_task(live.deliver(wire.message("first")))
        await live.host.wait_for(lambda: live.host.deliveries)
        reaction = asyncio.create_task(live.deliver(wire.reaction_to(ref)))
        await live.host.wait_for(lambda: any(isinstance(event, Reaction) for event in live.host.deliveries))
        live.host.recover()
        assert await message
        assert await reaction


def set_calls(wire: TelegramWire) -> list[dict[str, Any]]:
    return [call.arguments for call in wire.telegram.called("setWebhook")]


async def test_the_webhook_is_set_once_and_then_left(wire: TelegramWire) -> None:
    """Telegram does not tell the secret it has: the first start sets it, later ones know."""
    async with running(wire):
        (call,) = set_calls(wire)
        assert call["url"] == f"{PUBLIC}/telegram/webhook"
        assert call["secret_token"] == SECRET
        assert json.loads(call["allowed_updates"]) == list(ALLOWED_UPDATES)
        assert call.get("drop_pending_updates") in (None, "false")
    async with running(wire):
        assert len(set_calls(wire)) == 1


@pytest.mark.parametrize("change", ["address", "updates", "secret", "gone"])
async def test_the_webhook_is_set_anew_when_something_differs(wire: TelegramWire, change: str) -> None:
    async with running(wire):
        pass
    wire.telegram.methods.webhook_seconds = 0.0
    updates = wire.telegram.updates
    assert updates.webhook is not None
    assert isinstance(wire.host.vault, FakeVault)
    if change == "address":
        updates.webhook = Webhook(f"{PUBLIC}/other", SECRET, 40)
    elif change == "updates":
        updates.allowed = ["message"]
    elif change == "secret":
        wire.host.vault.values = {"telegram:4242:webhook": "the hash of another"}
    else:
        updates.webhook = None
    async with running(wire):
        await wire.telegram.wait_for(lambda: len(set_calls(wire)) == 2)
        assert updates.webhook is not None
        assert updates.webhook.url == f"{PUBLIC}/telegram/webhook"
        assert updates.allowed == list(ALLOWED_UPDATES)


async def test_a_refused_address_says_what_to_do(wire: TelegramWire) -> None:
    wire.telegram.fail(400, method="setWebhook")
    with pytest.raises(Misconfigured, match="TELEGRAM_WEBHOOK_URL"):
        await wire.build().run(wire.host)


async def test_without_a_key_for_the_vault_it_is_set_at_each_start(wire: TelegramWire) -> None:
    assert isinstance(wire.host.vault, FakeVault)
    wire.host.vault.has_key = False
    wire.telegram.methods.webhook_seconds = 0.0
    for _ in range(2):
        before = len(set_calls(wire))
        run = asyncio.create_task(wire.build().run(wire.host))
        while len(set_calls(wire)) == before:  # the test's time limit ends it
            await asyncio.sleep(0.01)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert len(set_calls(wire)) == 2


async def test_replicas_that_start_together_do_not_collide(wire: TelegramWire) -> None:
    runs = [asyncio.create_task(wire.build().run(wire.host)) for _ in range(3)]
    await wire.telegram.wait_for(lambda: len(wire.telegram.called("getWebhookInfo")) == 3)
    await wire.telegram.wait_for(lambda: all(call.status for call in wire.telegram.calls))
    for run in runs:
        run.cancel()
    await asyncio.gather(*runs, return_exceptions=True)
    assert len(set_calls(wire)) == 1
    assert 429 not in [call.status for call in wire.telegram.calls]


async def test_doctor_tells_the_last_delivery_error(wire: TelegramWire) -> None:
    wire.telegram.updates.last_error = (1_795_348_800, "Wrong response from the webhook: 403 Forbidden")
    found = {check.check: check for check in await wire.build().check()}
    assert found["telegram delivery"].status == "warn"
    assert "403 Forbidden" in found["telegram delivery"].detail
    assert "2026-11-22 12:00" in found["telegram delivery"].detail
    wire.telegram.updates.webhook = Webhook("https://old.example.org/hook", "", 40)
    found = {check.check: check for check in await wire.build().check()}
    assert found["telegram receiving"].status == "warn"
    wire.telegram.updates.allowed = ["message"]
    found = {check.check: check for check in await wire.build().check()}
    assert found["telegram reactions"].status == "warn"


async def test_before_it_knows_who_it_is_it_takes_nothing(wire: TelegramWire) -> None:
    """Mentions cannot be told without a name; Telegram comes again."""
    wire.telegram.fail(500, method="getMe")
    run = asyncio.create_task(wire.build().run(wire.host))
    await asyncio.sleep(0.05)
    await wire.host.start_http()
    headers = {"Content-Type": JSON_TYPE, SECRET_HEADER: SECRET}
    body = json.dumps(wire.message("early")).encode()
    assert await knock(wire, body, **headers) == 503
    wire.telegram.fail(None, method="getMe")
    await wire.telegram.wait_for(lambda: set_calls(wire))
    assert await knock(wire, body, **headers) == 200
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_person_can_be_heard(wire: TelegramWire) -> None:
    """The whole way: a person writes, Telegram calls, the event is there."""
    async with running(wire) as live:
        await wire.telegram.world.say(wire.chat, ANNA, "Hello?")
        await live.host.wait_for(lambda: [getattr(event, "text", "") for event in live.host.events] == ["Hello?"])
