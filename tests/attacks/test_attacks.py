"""Each attack on the real process: what everybody else notices of it, and that nothing is left of it.

The short forms judge counts alone; the long ones time too, beside the quiet time of the same minutes, for the machine
may be busy with other things.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.intake.replies import TOLD_A_MINUTE
from tests.attacks.attackers import ATTACKS as INCOMING
from tests.attacks.siege import Figures, Siege, a_siege, under
from tests.benchmarks.load import p

ACK, HEALTH, MEMORY = 0.25, 0.25, 250
"""The bounds: seconds until 99 of 100 deliveries are acknowledged, and until /healthz answers; megabytes."""
SLOWER = 1.5
"""How much longer others may wait for their answers than in the quiet time."""
SPARE = 12
"""Descriptors of connections that are kept for later, more than before; an attack opens hundreds."""
FEW = 400
"""Descriptors of the bot where it shall run out of them."""
API = ("stacked", "packed", "longid", "bigint", "interim")


@asynccontextmanager
async def asked(siege: Siege, what: str, times: int, pause: float) -> AsyncIterator[None]:
    """Ask what the API answers with an attack, with the submit and with the polls."""

    async def ask() -> None:
        for number in range(times):
            for form in (what, f"poll {what}"):
                siege.crowd.say(f"D9{number}{form}", f"U9{number}", f"x {form}")
                await asyncio.sleep(pause)

    task = asyncio.create_task(ask())
    try:
        yield
    finally:
        await task


@asynccontextmanager
async def talking(siege: Siege, words: str, times: int, pause: float) -> AsyncIterator[None]:
    """Let one person make the bot talk in one channel."""

    async def talk() -> None:
        for _ in range(times):
            siege.crowd.say("C1", "U666", words)
            await asyncio.sleep(pause)

    task = asyncio.create_task(talk())
    try:
        yield
    finally:
        await task


def noticed(quiet: Figures, during: Figures) -> dict[str, float]:
    """Return the figures of an attack for the record: milliseconds, megabytes, and a ratio to the quiet time."""
    return {
        "ack_p99_quiet": p(quiet.acks, 0.99) * 1000,
        "ack_p99": p(during.acks, 0.99) * 1000,
        "healthz_p99": p(during.health, 0.99) * 1000,
        "answers_ratio": p(during.answers, 0.5) / p(quiet.answers, 0.5),
        "memory_mb": max(during.memory),
        "refused": during.refused,
    }


def judged(
    quiet: Figures, during: Figures, attack: str, record: Callable[[str, object], None], *, answers: bool = True
) -> None:
    """Judge by the bounds; where even the quiet time was slow, the machine was busy, and the bounds move with it.

    `answers`: whether it is the bot that answers come late for.
    """
    for name, figures in (("quiet", quiet), (attack, during)):
        print(f"\n{attack:>10} {name:>10}: {figures}", end="")
    record(f"attacks: {attack}", noticed(quiet, during))
    assert max(during.memory) < MEMORY
    assert p(during.acks, 0.99) <= max(ACK, 2 * p(quiet.acks, 0.99))
    assert p(during.health, 0.99) <= max(HEALTH, 2 * p(quiet.health, 0.99))
    assert not answers or p(during.answers, 0.5) <= SLOWER * p(quiet.answers, 0.5)


def clean(siege: Siege) -> None:
    """Nothing of an attack is a surprise, or told more than once."""
    log = siege.log()
    assert "Traceback" not in log
    assert "Too many open files" not in log
    assert log.count('"connections.full"') <= 2


# From outside


@pytest.mark.parametrize("attack", INCOMING)
async def test_whoever_attacks_the_port_is_in_nobodys_way(tmp_path: Path, attack: str) -> None:
    async with a_siege(tmp_path, descriptors=FEW) as siege:
        await siege.watched(0.2)
        before = await siege.calm(60)
        async with under(attack, siege.port):
            await asyncio.sleep(1.0)
            during = await siege.watched(1.0)
        assert len(during.acks) >= 5
        assert len(siege.crowd.answers) == siege.number >= 6, "everybody is answered, however many the machine lets ask"
        assert max(during.memory) < MEMORY
        assert await siege.calm(before + SPARE) <= before + SPARE
        clean(siege)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("attack", INCOMING)
async def test_an_attack_on_the_port_in_full(
    tmp_path: Path, attack: str, record_property: Callable[[str, object], None]
) -> None:
    async with a_siege(tmp_path, descriptors=1024) as siege:
        await siege.watched(3)
        before = await siege.calm(60)
        quiet = await siege.watched(15)
        async with under(attack, siege.port):
            await asyncio.sleep(2.0)
            during = await siege.watched(15)
        judged(quiet, during, attack, record_property)
        assert await siege.calm(before + SPARE) <= before + SPARE
        clean(siege)


# By the API


@pytest.mark.parametrize("attack", API)
async def test_what_the_api_sends_hurts_its_own_question_alone(tmp_path: Path, attack: str) -> None:
    async with a_siege(tmp_path, BOT_GIVE_UP="4") as siege:
        async with asked(siege, attack, 1, 0.1):
            during = await siege.watched(1.0)
        assert len(siege.crowd.answers) == siege.number >= 5
        assert max(during.memory) < MEMORY
        await siege.calm()
        told = [text for seen in siege.crowd.notices.values() for _, text in seen if "could not get an answer" in text]
        assert len(told) == 2, "one sentence for either question"
        clean(siege)
        assert "turn.unexpected" not in siege.log()


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("attack", API)
async def test_an_attack_by_the_api_in_full(
    tmp_path: Path, attack: str, record_property: Callable[[str, object], None]
) -> None:
    async with a_siege(tmp_path, BOT_GIVE_UP="20") as siege:
        await siege.watched(3)
        quiet = await siege.watched(15)
        async with asked(siege, attack, 4, 1.5):
            during = await siege.watched(15)
        judged(quiet, during, attack, record_property)
        await siege.calm()
        clean(siege)
        assert "turn.unexpected" not in siege.log()


async def test_more_questions_than_connections_all_come_to_their_end(tmp_path: Path) -> None:
    """The API holds its connections, and the bot may open few: the rest waits, and deliveries find their place."""
    async with a_siege(tmp_path, descriptors=FEW) as siege:
        for number in range(200):
            siege.crowd.say(f"D8{number}", f"U8{number}", f"q8{number:06} slowly", f"q8{number:06}")
            await asyncio.sleep(0.01)
        during = await siege.watched(0.5)
        assert max(during.memory) < MEMORY
        await siege.crowd.until(lambda: len(siege.crowd.answers) >= 200, 90)
        await siege.calm()
        assert set(siege.crowd.answers.values()) == {1}
        clean(siege)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(900)
async def test_three_thousand_questions_at_an_api_that_holds_its_connections(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Their own answers come as slowly as that API lets them; what is judged is that deliveries find their place."""
    async with a_siege(tmp_path, descriptors=1024) as siege:
        await siege.watched(3)
        quiet = await siege.watched(10)
        for number in range(3000):
            siege.crowd.say(f"D8{number}", f"U8{number}", f"q8{number:06} slowly", f"q8{number:06}")
            await asyncio.sleep(0.01)
        during = await siege.watched(5)
        judged(quiet, during, "holding", record_property, answers=False)
        await siege.crowd.until(lambda: len(siege.crowd.answers) >= 3000, 600)
        clean(siege)


# By people


@pytest.mark.parametrize("words", ["!help", ""])
async def test_who_makes_the_bot_talk_starves_nobody(tmp_path: Path, words: str) -> None:
    async with a_siege(tmp_path) as siege:
        async with talking(siege, words, 60, 0.01):
            await asyncio.sleep(0.3)
            siege.crowd.say("C1", "U1", "q6000001", "q6000001")
        await siege.crowd.answer("q6000001", 60)
        waiting = [at for at, _ in siege.crowd.notices["C1"] if at < siege.crowd.answered_at["q6000001"]]
        assert len(waiting) <= TOLD_A_MINUTE // 2, "the answer went before the notices that waited"
        await siege.calm()
        assert len(siege.crowd.notices["C1"]) <= TOLD_A_MINUTE + 1
        clean(siege)


# After a restart


def open_questions(path: Path, count: int) -> None:
    """Store so many questions as if they had been accepted before the bot was stopped."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<?) INSERT INTO turns (reference,"
            " kind, lane, channel, account, conversation, thread, sent_to, question, asker, text, sent_at, accepted_at,"
            " asked_in, version, cancelled, attempt, generation, intent, polls, why_asked, scope, epoch, route)"
            " SELECT printf('R%07d', i), 'question', 's_' || i, channel, account, 'D8' || i, '',"
            " replace(sent_to, conversation, 'D8' || i), question || i, 'U8' || i, printf('q8%06d', i), sent_at,"
            " accepted_at, 'D8' || i, 0, 0, 0, 0, 0, 0, 0, 'u', 0, '' FROM turns, k WHERE turns.id=1",
            (count,),
        )


async def restarted(tmp_path: Path, count: int, seconds: float) -> tuple[Figures, Figures]:
    """Start with so many open questions; return what new ones notice before, in quiet, and meanwhile."""
    async with a_siege(tmp_path) as siege:
        siege.crowd.ask(1, "q9000001")
        await siege.crowd.answer("q9000001", 60)
        quiet = await siege.watched(seconds / 2)
        await siege.calm()
    (tmp_path / "bot.log").unlink()  # where the address of the next one will stand
    open_questions(tmp_path / "bot.db", count)
    async with a_siege(tmp_path) as siege:
        during = await siege.watched(seconds)
        await siege.crowd.until(lambda: sum(name.startswith("q8") for name in siege.crowd.answers) == count, 900)
        assert set(siege.crowd.answers.values()) == {1}
        await siege.calm()
        clean(siege)
    return quiet, during


async def test_what_is_found_open_at_a_start_goes_on_bit_by_bit(tmp_path: Path) -> None:
    _, during = await restarted(tmp_path, 300, 0.5)
    assert max(during.memory) < MEMORY


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(1800)
async def test_ten_thousand_open_questions_at_a_start(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    quiet, during = await restarted(tmp_path, 10_000, 20)
    print(f"\nrestart: {during}")
    record_property("attacks: restart", noticed(quiet, during))
    assert max(during.memory) < 2 * MEMORY
