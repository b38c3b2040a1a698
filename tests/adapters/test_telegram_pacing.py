"""Pacing against the loopback server's flood control, and the budget for progress."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.pacing import CALLS, PROGRESS, PaceLimits, Pacer
from adapters.telegram.parts import TelegramPart
from bot.errors import Unavailable
from bot.events import Answer, Notice, NoticeKind
from bot.shared import ANSWER_RANK, NOTICE_RANK, PROGRESS_RANK, RankedPace
from bot.testing.host import FakeHost
from bot.testing.telegram.flood import Flood
from tests.adapters.telegram_wire import TelegramWire


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def answer(adapter: TelegramAdapter, wire: TelegramWire, chat_id: int, text: str) -> None:
    """Send as the core does: again after the time that Telegram asks for."""
    where = replace(wire.conversation, conversation_id=str(chat_id), kind="group", is_direct=False)
    (part,) = adapter.render(Answer(text=text, asker_id="7"))
    while True:
        try:
            await adapter.send(where, part, "0" * 32, None)
        except Unavailable as error:
            await asyncio.sleep(error.retry_after or 0.1)
        else:
            return


async def flood(scale: float, most: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty answers in one group while thirty others get one each, refused at most so often at that scale of time."""
    limits = PaceLimits(
        chat_seconds=1.0 * scale,
        group_seconds=PaceLimits().group_seconds * scale,
        overall_seconds=PaceLimits().overall_seconds * scale,
    )
    async with TelegramWire() as wire:
        world, control = wire.telegram.world, Flood(scale)
        wire.telegram.methods.flood = control
        wire.host.pace_limit = 3600.0
        adapter = TelegramAdapter(wire.settings(), limits=limits)
        run = asyncio.create_task(adapter.run(wire.host))
        await wire.telegram.wait_for(lambda: wire.telegram.called("getUpdates"))
        group = world.group("Busy")
        others = [world.group(f"Quiet {number}") for number in range(30)]
        began = asyncio.get_running_loop().time()

        async def busy() -> None:
            for number in range(30):
                await answer(adapter, wire, group.id, f"answer {number}")

        await asyncio.gather(busy(), *(answer(adapter, wire, chat.id, "one answer") for chat in others))
        seconds = asyncio.get_running_loop().time() - began
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert [message["text"] for message in world.by_bot(group)] == [f"answer {number}" for number in range(30)]
    assert all(len(world.by_bot(chat)) == 1 for chat in others)
    with capsys.disabled():
        print(f"\n  30 answers in one group, in order, 30 elsewhere: {control.refusals} × 429, {seconds:.1f} s")
    assert control.refusals <= most


async def test_thirty_answers_in_one_group(capsys: pytest.CaptureFixture[str]) -> None:
    # A group's minute is 3 s here, so a machine that holds a call up for 50 ms costs a refusal; unpaced, there are 11.
    await flood(0.05, 6, capsys)


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_thirty_answers_in_one_group_in_telegrams_own_time(capsys: pytest.CaptureFixture[str]) -> None:
    await flood(1.0, 2, capsys)


async def test_a_group_gets_twenty_in_a_minute_and_a_burst_is_not_slowed() -> None:
    """Twenty slots, each used once a minute: whoever sends, it is never more."""
    host = FakeHost()
    host.pace_limit = 0.0
    pacer = Pacer("1", PaceLimits(), Clock())
    for _ in range(41):
        await pacer.message(host, "-5")
    slots = [key for key, seconds in host.paces if seconds == PaceLimits().group_seconds]
    assert len(set(slots[:20])) == 20
    assert slots[20:40] == slots[:20]
    assert PaceLimits().group_seconds >= 60


async def test_a_private_chat_has_a_message_a_second_and_no_group_limit() -> None:
    host = FakeHost()
    host.pace_limit = 0.0
    await Pacer("1", PaceLimits(), Clock()).message(host, "5")
    assert host.paces == [("telegram:1:5:0", 2.0), ("telegram:1:0", 1.0)]


async def test_a_burst_of_answers_is_not_slowed_and_a_second_has_no_more_than_it_may() -> None:
    host = FakeHost()
    host.pace_limit = 0.0
    pacer = Pacer("1", PaceLimits(), Clock())
    for chat in range(CALLS + 1):
        await pacer.message(host, str(chat))
    overall = [key for number, (key, _) in enumerate(host.paces) if number % 2]
    assert len(set(overall[:CALLS])) == CALLS
    assert overall[CALLS] == overall[0]


async def test_signs_of_work_wait_for_nothing_that_answers_wait_for_and_go_first_when_there_is_too_much() -> None:
    host, clock = FakeHost(), Clock()
    pacer = Pacer("1", PaceLimits(), clock)
    assert pacer.take_progress()
    assert host.paces == [], "no answer waits behind it"
    pacer.flooded("-5", 7.0)
    assert not pacer.take_progress(), "in no chat"
    clock.now = 7.5
    assert pacer.take_progress()
    pacer.be_quiet(3.0)
    assert not pacer.take_progress()


async def test_an_answer_goes_before_the_notices_that_wait_in_its_chat() -> None:
    host, sent = FakeHost(), list[str]()
    pacer = Pacer("1", PaceLimits(chat_seconds=0.05, group_seconds=0.05), Clock())

    async def send(name: str, chat_id: str, rank: int) -> None:
        await pacer.message(host, chat_id, rank)
        sent.append(name)

    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(send(f"help {number}", "-5", NOTICE_RANK))
        await asyncio.sleep(0.01)
        tasks.create_task(send("answer", "-5", ANSWER_RANK))
        tasks.create_task(send("elsewhere", "-6", NOTICE_RANK))
    assert sent.index("answer") <= 3
    assert sent.index("elsewhere") <= 3
    assert [name for name in sent if name.startswith("help")] == [f"help {number}" for number in range(5)]


async def test_an_answer_goes_before_what_ends_progress() -> None:
    host, made = FakeHost(), list[str]()
    host.pace_limit = 3600.0
    pacer = Pacer("1", PaceLimits(overall_seconds=0.01), time.monotonic)

    async def call(name: str, rank: int) -> None:
        await pacer.call(host, rank)
        made.append(name)

    async with asyncio.TaskGroup() as tasks:
        for number in range(2 * CALLS):
            tasks.create_task(call(f"👀 off {number}", PROGRESS_RANK))
        await asyncio.sleep(0.02)
        assert len(made) == 2 * PROGRESS
        for number in range(2 * CALLS):
            tasks.create_task(call(f"answer {number}", ANSWER_RANK))
        await asyncio.sleep(0)
        assert len(made) == 2 * PROGRESS + CALLS, "they have taken no place of an answer"
        assert not pacer.take_notice("5"), "answers wait"
    assert [name for name in made[2 * PROGRESS :][: 2 * CALLS] if name.startswith("answer")] == [
        f"answer {number}" for number in range(2 * CALLS)
    ]
    assert pacer.take_notice("5")


async def test_who_keeps_the_time_may_go_away() -> None:
    """Whoever is cancelled, the others come through, in order."""
    pace, through = RankedPace(), list[int]()

    async def come(number: int) -> None:
        await pace.enter("chat", ANSWER_RANK, lambda: asyncio.sleep(0.01))
        through.append(number)

    tasks = [asyncio.create_task(come(number)) for number in range(9)]
    await asyncio.sleep(0)
    for number in (0, 1, 4, 8):
        tasks[number].cancel()
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert through == [2, 3, 5, 6, 7]
    assert not pace.is_crowded("chat")
    async with asyncio.timeout(5):
        await come(9)


def test_a_notice_for_something_a_person_did_waits_behind_answers() -> None:
    adapter = TelegramWire().build()
    ranks = {
        kind: TelegramPart.from_json(adapter.render(Notice(text="x", kind=kind))[0]).rank
        for kind in get_args(NoticeKind)
    }
    assert ranks == {"progress": 2, "failure": 0, "refusal": 1, "info": 1, "question": 0, "why": 1, "greeting": 1}


async def test_progress_gets_a_third_and_nothing_when_answers_need_it() -> None:
    host = FakeHost()
    host.pace_limit = 0.0
    clock = Clock()
    pacer = Pacer("1", PaceLimits(), clock)
    assert [pacer.take_progress() for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now = 1.1
    assert pacer.take_progress()
    for _ in range(20):
        await pacer.call(host)
    assert not pacer.take_progress()
    clock.now = 3.0
    assert pacer.take_progress()


def test_notices_get_a_third_of_a_groups_minute() -> None:
    clock = Clock()
    pacer = Pacer("1", PaceLimits(), clock)
    assert [pacer.take_notice("-5") for _ in range(8)] == [True] * 6 + [False] * 2
    assert pacer.take_notice("-6"), "another group has its own"
    assert all(pacer.take_notice("5") for _ in range(30)), "a private chat has no such limit"
    clock.now = 100.0
    assert pacer.take_notice("-5")


def test_what_telegram_asked_to_wait_is_remembered_per_chat() -> None:
    clock = Clock()
    pacer = Pacer("1", PaceLimits(), clock)
    pacer.flooded("-5", 7.0)
    pacer.flooded("-5", 3.0)
    assert pacer.waiting("-5") == 7.0
    assert pacer.waiting("5") == 0.0
    clock.now = 7.5
    assert pacer.waiting("-5") == 0.0


def test_only_progress_notices_have_less_right() -> None:
    wire = TelegramWire()
    adapter = wire.build()
    assert all(part.get("progress") for part in adapter.render(Notice(text="Still working.", kind="progress")))
    assert not any(part.get("progress") for part in adapter.render(Notice(text="It failed.", kind="failure")))
