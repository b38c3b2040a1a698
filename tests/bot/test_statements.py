"""What a question costs on its way in: pinned, for the writer's time and the event loop's are everybody's time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from bot.api.client import ApiClient
from bot.intake import acceptance, router
from bot.store.database import Tx
from bot.store.file import connect
from bot.store.trace import by_reference
from tests.house import House, a_house
from tests.postgres import about_sqlite
from tests.store_counts import counted

pytestmark = about_sqlite

MOST = 8
"""Statements in the transaction that accepts a direct question."""
TURN_WRITES = 5
TURN_STATEMENTS = 26
TURN_READS = 6
"""What a direct question with an answer of one part costs, from its acceptance to its end."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as house:
        yield house


class Counted:
    """Notes the statements of every accepting transaction."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []

    def take(self, tx: Tx, *args: Any, **options: Any) -> Any:
        statements: list[str] = []
        self.transactions.append(statements)
        tx.connection.set_trace_callback(statements.append)
        try:
            return acceptance.take(tx, *args, **options)
        finally:
            tx.connection.set_trace_callback(None)


async def test_a_direct_question_is_accepted_by_few_statements_and_its_epoch_read_once(house: House) -> None:
    counted = Counted()
    with patch.object(router, "take", counted.take):
        await house.channel.say("When does the shop open?")
        await house.answers(1)
        await house.channel.say("Can I return a bicycle?")
        await house.answers(2)
    assert len(counted.transactions) == 2, "the first question of a person, and a later one"
    for statements in counted.transactions:
        assert len(statements) <= MOST, "\n".join(statements)
        reads = [one for one in statements if one.startswith("SELECT") and "epochs" in one]
        assert len(reads) == 1, reads
        assert len(statements) > 3, "the statements were not seen"


async def test_the_client_of_every_route_is_made_before_the_first_question(tmp_path: Path) -> None:
    """Its TLS takes 50 ms, for which no other question would be heard."""
    routes = '[{"conversation": "D-A*", "site_id": "demo"}, {"conversation": "D-B*", "site_id": "demo"}]'
    with patch("bot.api.clients.ApiClient", wraps=ApiClient) as made:
        async with a_house(tmp_path, BOT_ROUTES=routes) as house:
            assert made.call_count == 3, "two routes, and the site of the settings"
            for user_id in ("A1", "B1", "C1"):
                await house.channel.say("When does the shop open?", user_id=user_id)
            await house.answers(3)
            assert made.call_count == 3


async def test_a_turn_is_five_commits_and_nothing_is_read_that_is_known(house: House) -> None:
    """Accepted; the submit begins; it has its request; the answer is promised, its send begins; it is sent, at the end.

    That no sign of work is left is noted later, for many turns at once.
    """
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    await _clean(house)
    with counted() as counts:
        await house.channel.say("Can I return a bicycle?")
        await house.answers(2)
        await house.idle()
        await asyncio.sleep(0)
        jobs, writes = counts.jobs, list(counts.writes)
        await _clean(house)
    table = "\n".join(("written:", *writes, "read:", *counts.reads))  # the times of a route are kept now and then
    assert jobs == TURN_WRITES, table
    assert len(writes) <= TURN_STATEMENTS, table
    assert len([sql for sql in counts.reads if "cleanup" not in sql and "FROM dead" not in sql]) <= TURN_READS, table
    trace = await house.bot.db.read(lambda tx: by_reference(tx, tx.all("SELECT reference FROM turns")[-1]["reference"]))
    assert trace is not None
    assert [step["name"] for step in trace["steps"]] == ["submit:0", "poll:0", "intent", "send:0"]
    assert (trace["attempts"], trace["polls"] > 0) == (1, True)


async def test_the_answer_is_stored_once(house: House) -> None:
    house.assistant.script(contains="", answer="A very particular answer.")
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    stored = await house.table("SELECT kind, result FROM steps WHERE result LIKE '%very particular%'")
    assert [row["kind"] for row in stored] == ["intent"]


async def _clean(house: House) -> None:
    async with asyncio.timeout(20):
        while await house.table("SELECT 1 FROM turns WHERE state='open' OR cleanup=1"):
            await asyncio.sleep(0.05)


async def test_a_poll_whose_answer_was_not_promised_is_made_again(tmp_path: Path) -> None:
    """It is stored as done with what comes next: after an edit that is the next submit, which the API may refuse."""
    async with a_house(tmp_path, delay=1.0) as house:
        await house.channel.say("When does the shop open?")
        await house.channel.wait_for(lambda: house.asked())
        await house.bot.stop()
        with contextlib.closing(connect(tmp_path / "bot.db")) as connection:
            connection.execute("INSERT INTO steps (turn, kind, number, done_at, result) VALUES (1,'poll',0,1.0,'null')")
        await house.restart()
        (answer,) = await house.answers(1)
        assert "nine" in answer.text
        assert len(house.asked()) == 1
