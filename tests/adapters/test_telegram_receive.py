"""Receiving by polling: nothing is confirmed before it is safe, and nothing stops it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from adapters.telegram.client import ALLOWED_UPDATES
from bot.events import Command, Event, Message, Reaction
from bot.testing.live import running
from bot.testing.telegram.platform import TOKEN, person
from bot.testing.telegram.updates import Webhook
from tests.adapters.telegram_wire import ANNA, TelegramWire


@pytest.fixture
async def wire() -> AsyncIterator[TelegramWire]:
    async with TelegramWire() as wire:
        yield wire


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


async def test_a_batch_is_confirmed_up_to_the_first_update_that_is_not_safe(wire: TelegramWire) -> None:
    """The offset of the next getUpdates is the first one not stored; the rest come again, and count once."""
    updates = [wire.message(f"question {n}") for n in range(5)]
    for update in updates:
        wire.telegram.updates.pending[update["update_id"]] = update
    host = wire.host
    stored, failed = host.handle, list[Event]()

    async def handle(event: Event) -> object:
        if getattr(event, "text", "") == "question 2" and not failed:
            failed.append(event)
            host.fail()
        return await stored(event)

    host.handle = handle  # type: ignore[method-assign,assignment] # the test's own core
    async with running(wire):
        await host.wait_for(lambda: host.failure)
        await wire.telegram.wait_for(lambda: len(wire.telegram.updates.polls) > 1)
        assert wire.telegram.updates.polls[1].offset == updates[2]["update_id"]
        assert texts(host.events) == ["question 0", "question 1"]
        host.recover()
        await host.wait_for(lambda: len(host.events) == 5)
        assert texts(host.events) == [f"question {n}" for n in range(5)]
        await wire.telegram.wait_for(lambda: not wire.telegram.updates.pending)


async def test_one_unreadable_update_among_fifty(wire: TelegramWire, capsys: pytest.CaptureFixture[str]) -> None:
    """The library's own updater would stall on it, asking 290 times a second."""
    for number in range(50):
        update = wire.poison() if number == 20 else wire.message(f"question {number}")
        wire.telegram.updates.pending[update["update_id"]] = update
    began = time.monotonic()
    async with running(wire) as live:
        await live.host.wait_for(lambda: len(live.host.events) == 49 and live.host.set_aside_payloads)
        await wire.telegram.wait_for(lambda: not wire.telegram.updates.pending)
        await asyncio.sleep(0.5)
        polls = len(wire.telegram.updates.polls)
    seconds = time.monotonic() - began
    assert len(live.host.set_aside_payloads) == 1
    assert b"poison" in live.host.set_aside_payloads[0].raw
    assert polls <= 4
    with capsys.disabled():
        print(f"\n  49 events, 1 dead letter; {polls} getUpdates in {seconds:.1f} s, {polls / seconds:.1f} a second")


async def test_what_the_core_cannot_take_is_set_aside_too(wire: TelegramWire) -> None:
    async with running(wire) as live:
        stored = live.host.handle

        async def handle(event: Event) -> object:
            if getattr(event, "text", "") == "stumble":
                raise RuntimeError("a mistake in the core")
            return await stored(event)

        live.host.handle = handle  # type: ignore[method-assign,assignment] # the test's own core
        assert await live.deliver(wire.message("stumble"))
        assert await live.deliver(wire.message("walk"))
        assert texts(live.host.events) == ["walk"]
        assert "RuntimeError" in live.host.set_aside_payloads[0].reason


async def test_updates_are_asked_for_by_name(wire: TelegramWire) -> None:
    """Without that Telegram leaves reactions out, for good: what was not asked for never comes later."""
    async with running(wire):
        assert wire.telegram.updates.allowed == list(ALLOWED_UPDATES)
        assert wire.telegram.updates.wanted("message_reaction")
        assert not wire.telegram.updates.wanted("channel_post")


async def test_a_webhook_in_the_way_is_removed_and_what_waits_stays(wire: TelegramWire) -> None:
    update = wire.message("waited")
    wire.telegram.updates.webhook = Webhook("https://old.invalid/hook", "", 40)
    wire.telegram.updates.pending[update["update_id"]] = update
    async with running(wire) as live:
        await live.host.wait_for(lambda: texts(live.host.events) == ["waited"])
        (call,) = wire.telegram.called("deleteWebhook")
        assert call.arguments.get("drop_pending_updates") in (None, "false")


async def test_without_a_webhook_none_is_removed(wire: TelegramWire) -> None:
    async with running(wire):
        assert not wire.telegram.called("deleteWebhook")


async def test_telegram_may_count_anew(wire: TelegramWire) -> None:
    """After a silent week the next update id is random, and may be lower than the last."""
    wire.telegram.updates.longest_poll = 0.05
    async with running(wire) as live:
        assert await live.deliver(wire.message("before"))
        before = len(wire.telegram.updates.polls)
        await wire.telegram.wait_for(lambda: len(wire.telegram.updates.polls) > before + 1)
        low = {**wire.message("after"), "update_id": 3}
        assert await live.deliver(low)
        assert texts(live.host.events) == ["before", "after"]


async def test_a_second_poller_waits_for_the_lease(wire: TelegramWire) -> None:
    async with running(wire) as first:
        second = asyncio.create_task(wire.build().run(first.host))
        await asyncio.sleep(0.2)
        assert await first.deliver(wire.message("one"))
        assert 409 not in [call.status for call in wire.telegram.called("getUpdates")]
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_a_stranger_with_our_token_loses_us_nothing(wire: TelegramWire, caplog: pytest.LogCaptureFixture) -> None:
    """Two programs that poll fight with 409; we go on, say so, and take the webhook of nobody away."""
    async with running(wire) as live:
        await wire.telegram.updates.set_webhook(Webhook("https://other.invalid/hook", "", 40))
        await wire.telegram.wait_for(
            lambda: sum(call.status == 409 for call in wire.telegram.called("getUpdates")) >= 2
        )
        assert not wire.telegram.called("deleteWebhook")
        await wire.telegram.updates.set_webhook(None)
        assert await live.deliver(wire.message("still here"))
    assert "another program receives with this token" in caplog.text


@pytest.mark.parametrize("how", ["cut", "garbage", "empty", "html", 500, 503, "rate_limited"])
async def test_receiving_goes_on_after_any_failure(wire: TelegramWire, how: object) -> None:
    wire.telegram.retry_after = 0.1
    async with running(wire) as live:
        wire.telegram.fail(how, method="getUpdates", times=2)  # type: ignore[arg-type] # one of the faults
        assert await live.deliver(wire.message("one"))
        assert await live.deliver(wire.message("two"))
        assert texts(live.host.events) == ["one", "two"]


async def test_a_network_that_comes_later(wire: TelegramWire) -> None:
    """A blip at the start does not end the process."""
    await wire.fail("refused")
    run = asyncio.create_task(wire.build().run(wire.host))
    await asyncio.sleep(0.2)
    assert not run.done()
    await wire.fail(None)
    assert await wire.deliver(wire.message("hello"))
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_click_is_always_answered_and_never_waited_for(wire: TelegramWire) -> None:
    """Or the button would spin for a minute; forged ones are answered too."""
    world = wire.telegram.world
    async with running(wire) as live:
        (ref,) = await live.send("An answer.")
        good = wire.click_on(ref, "good")
        forged = wire._update("callback_query", world.query(wire.chat, int(ref.message_id), ANNA, "rate:bad:1:2"))
        assert await live.deliver(good)
        assert await live.deliver(forged)
        await wire.telegram.wait_for(lambda: all(world.queries.values()))
        assert [event.emoji for event in live.host.events if isinstance(event, Reaction)] == ["👍"]
        wire.telegram.fail(400, method="answerCallbackQuery")
        assert await live.deliver(wire.click_on(ref, "bad"))


def album(wire: TelegramWire, group: str, *captions: str) -> list[dict[str, object]]:
    photo = [{"file_id": "A", "file_unique_id": "B", "width": 1, "height": 1}]
    content = [{"caption": caption} if caption else {} for caption in captions]
    new = wire.telegram.world.new_message
    return [
        wire._update("message", new(wire.chat, ANNA, media_group_id=group, photo=photo, **each)) for each in content
    ]


async def test_each_message_of_an_album_says_what_it_belongs_to(wire: TelegramWire) -> None:
    """The core makes one question, or one notice, of them."""
    async with running(wire) as live:
        for update in album(wire, "77", "Which?", "", ""):
            assert await live.deliver(update)
        events = [event for event in live.host.events if isinstance(event, Message)]
        assert [event.text for event in events] == ["Which?", "", ""]
        assert [event.joins.kind for event in events if event.joins is not None] == ["album"] * 3


async def test_a_group_without_rights_is_said_once(wire: TelegramWire, caplog: pytest.LogCaptureFixture) -> None:
    world = wire.telegram.world
    plain, good = world.group("Plain", admin=False), world.group("Good", admin=True)
    async with running(wire) as live:
        for chat in (plain, good, plain):
            await world.say(chat, ANNA, "/ask what is it?")
        await live.host.wait_for(lambda: sum(isinstance(event, Command) for event in live.host.events) == 3)
        await wire.telegram.wait_for(lambda: "no administrator" in caplog.text)
        await wire.telegram.wait_for(lambda: len(wire.telegram.called("getChatMember")) == 2)
        found = {check.check: check for check in await live.adapter.check()}
        assert found["telegram groups"].status == "warn"
        assert str(plain.id) in found["telegram groups"].detail
        assert str(good.id) not in found["telegram groups"].detail
        assert not await world.react(plain, 1, ANNA, "👍"), "Telegram tells no reactions there"
        await world.membership(plain, ANNA, "administrator")
        await wire.telegram.wait_for(lambda: not wire.telegram.updates.pending)
        found = {check.check: check for check in await live.adapter.check()}
        assert found["telegram groups"].status == "ok"
    warnings = [record for record in caplog.records if "no administrator" in record.getMessage()]
    assert len(warnings) == 1


async def test_logs_hold_no_token_and_no_words(wire: TelegramWire, caplog: pytest.LogCaptureFixture) -> None:
    """Addresses of the Bot API hold the token, and the SDK logs whole calls at debug."""
    caplog.set_level(logging.DEBUG)
    async with running(wire) as live:
        assert await live.deliver(wire.message("my private words"))
        await live.send("my private answer")
        wire.telegram.fail("garbage", times=1)
        with pytest.raises(Exception, match="could not be read"):
            await live.send("my private answer")
        await live.deliver(wire.poison())
    await wire.fail("bad_token")
    await wire.build().check()
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text
    assert "private" not in caplog.text


async def test_a_refused_token_ends_receiving(wire: TelegramWire) -> None:
    await wire.fail("bad_token")
    with pytest.raises(Exception, match="TELEGRAM_BOT_TOKEN"):
        await wire.build().run(wire.host)


async def test_privacy_mode_is_told(wire: TelegramWire) -> None:
    for privacy, word in ((True, "on:"), (False, "off:")):
        wire.telegram.world.privacy = privacy
        (found,) = [check for check in await wire.build().check() if check.check == "telegram privacy mode"]
        assert word in found.detail


async def test_everybody_is_heard_where_telegram_lets_us(wire: TelegramWire) -> None:
    """Under privacy mode small talk stays away, while commands, mentions and replies come."""
    world = wire.telegram.world
    group = world.group("Private", admin=False)
    async with running(wire) as live:
        for words in ("small talk", "/ask one", "@test_bot two"):
            await world.say(group, person(9, "Cem"), words)
        await live.host.wait_for(lambda: len(live.host.events) == 2)
        assert [type(event).__name__ for event in live.host.events] == ["Command", "Message"]
