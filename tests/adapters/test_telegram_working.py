"""The sign of work: shown while it lasts, gone afterwards, and never a reason to fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.telegram import working
from bot.errors import Unavailable
from bot.events import MessageRef
from bot.testing.live import running
from bot.testing.telegram.platform import BOT_ID
from tests.adapters.telegram_wire import ANNA, TelegramWire


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramWire]:
    monkeypatch.setattr(working, "TYPING_SECONDS", 0.2)
    async with TelegramWire() as wire:
        yield wire


def eyes(wire: TelegramWire, ref: MessageRef) -> list[str]:
    there = wire.telegram.world.reactions[int(ref.conversation_id), int(ref.message_id)]
    return [reaction["emoji"] for reaction in there.get(BOT_ID, [])]


def typing(wire: TelegramWire) -> int:
    return len(wire.telegram.called("sendChatAction"))


def test_it_is_refreshed_before_telegram_forgets_it() -> None:
    assert working.TYPING_SECONDS < 5


async def test_typing_is_kept_alive_and_ends(wire: TelegramWire) -> None:
    async with running(wire) as live:
        await live.do(live.adapter.working(wire.conversation, wire.question, True))
        await wire.telegram.wait_for(lambda: typing(wire) >= 3)
        await wire.telegram.wait_for(lambda: eyes(wire, wire.question) == ["👀"])
        await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert eyes(wire, wire.question) == []
        before = typing(wire)
        await asyncio.sleep(0.5)
        assert typing(wire) == before


async def test_typing_is_shown_in_its_topic(wire: TelegramWire) -> None:
    async with running(wire) as live:
        await live.do(live.adapter.working(wire.thread, None, True))
        await wire.telegram.wait_for(lambda: typing(wire))
        assert wire.telegram.methods.actions[0] == (wire.forum.id, "typing", wire.topic)


async def test_one_question_ends_and_another_goes_on(wire: TelegramWire) -> None:
    """Two people in one group: each has a session, both are worked on."""
    message = wire.telegram.world.words(wire.chat, ANNA, "And this?")
    second = replace(wire.question, message_id=str(message["message_id"]))
    async with running(wire) as live:
        for question in (wire.question, second):
            await live.do(live.adapter.working(wire.conversation, question, True))
        await wire.telegram.wait_for(lambda: eyes(wire, second) == ["👀"] and eyes(wire, wire.question) == ["👀"])
        await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert eyes(wire, wire.question) == []
        assert eyes(wire, second) == ["👀"]
        before = typing(wire)
        await wire.telegram.wait_for(lambda: typing(wire) > before)
        await live.do(live.adapter.working(wire.conversation, second, False))
        assert eyes(wire, second) == []


async def test_what_a_crash_left_is_removed_after_the_restart(wire: TelegramWire) -> None:
    async with running(wire) as live:
        await live.do(live.adapter.working(wire.conversation, wire.question, True))
        await wire.telegram.wait_for(lambda: eyes(wire, wire.question) == ["👀"])
    async with running(wire) as live:
        assert eyes(wire, wire.question) == ["👀"]
        await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert eyes(wire, wire.question) == []


async def test_a_chat_without_that_emoji(wire: TelegramWire) -> None:
    """REACTION_INVALID is no error, and what was never set is not removed."""
    wire.chat.reactions = False
    async with running(wire) as live:
        await live.do(live.adapter.working(wire.conversation, wire.question, True))
        await wire.telegram.wait_for(lambda: wire.telegram.called("setMessageReaction"))
        await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert [call.status for call in wire.telegram.called("setMessageReaction")] == [400]


@pytest.mark.parametrize("how", ["rate_limited", "cut", 500])
async def test_a_removal_that_failed_may_be_tried_again(wire: TelegramWire, how: object) -> None:
    """The core does so, for a minute at most, and again after a restart."""
    async with running(wire) as live:
        await live.do(live.adapter.working(wire.conversation, wire.question, True))
        await wire.telegram.wait_for(lambda: eyes(wire, wire.question) == ["👀"])
        wire.telegram.fail(how, method="setMessageReaction", times=1)  # type: ignore[arg-type] # one of the faults
        with pytest.raises(Unavailable):
            await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert eyes(wire, wire.question) == ["👀"]
        await live.do(live.adapter.working(wire.conversation, wire.question, False))
        assert eyes(wire, wire.question) == []


@pytest.mark.parametrize("how", ["cut", "cut_after_write", "rate_limited", "gone", "garbage", "bad_token", 500, 400])
async def test_no_failure_of_it_is_anybodys_trouble(wire: TelegramWire, how: object) -> None:
    async with running(wire) as live:
        for method in ("sendChatAction", "setMessageReaction"):
            wire.telegram.fail(how, method=method)  # type: ignore[arg-type] # one of the faults
        await live.do(live.adapter.working(wire.conversation, wire.question, True))
        await wire.telegram.wait_for(lambda: typing(wire) and wire.telegram.called("setMessageReaction"))
        with contextlib.suppress(Unavailable):
            await live.do(live.adapter.working(wire.conversation, wire.question, False))
        (ref,) = await live.send("The answer comes all the same.")
        assert live.shown([ref])


async def test_many_questions_at_once_use_a_third_of_the_budget_at_most(wire: TelegramWire) -> None:
    """Thirty calls a second are allowed; signs for forty questions are not forty calls."""
    world = wire.telegram.world
    async with running(wire) as live:
        wire.host.pace_limit = 1.0
        places = []
        for number in range(40):
            chat = world.group(f"Group {number}")
            message = world.words(chat, ANNA, "What?")
            where = replace(wire.conversation, conversation_id=str(chat.id), kind="group", is_direct=False)
            asked = replace(wire.question, conversation_id=str(chat.id), message_id=str(message["message_id"]))
            places.append((where, asked))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for where, asked in places:
            await live.do(live.adapter.working(where, asked, True))
        await asyncio.sleep(1.0)
        signs, seconds = wire.signs(), loop.time() - began
        assert 5 <= signs <= 10 * (seconds + 1)
        for where, asked in places:
            await live.do(live.adapter.working(where, asked, False))
        assert not [ref for _, ref in places if eyes(wire, ref)]


async def test_typing_waits_as_long_as_telegram_asks(wire: TelegramWire) -> None:
    async with running(wire) as live:
        wire.telegram.retry_after = 30.0
        wire.telegram.fail("rate_limited", method="sendChatAction", times=1)
        await live.do(live.adapter.working(wire.conversation, None, True))
        await wire.telegram.wait_for(lambda: typing(wire) == 1)
        await asyncio.sleep(5 * working.TYPING_SECONDS)
        assert typing(wire) == 1
        await live.send("An answer does not wait for that.")
