"""What a question costs on its way in: pinned, for the writer's time and the event loop's are everybody's time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from bot.api.client import ApiClient
from bot.intake import acceptance, router
from bot.store.database import Tx
from tests.house import House, a_house

MOST = 8
"""Statements in the transaction that accepts a direct question."""


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
        tx._connection.set_trace_callback(statements.append)
        try:
            return acceptance.take(tx, *args, **options)
        finally:
            tx._connection.set_trace_callback(None)


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
    with patch("bot.app.ApiClient", wraps=ApiClient) as made:
        async with a_house(tmp_path, BOT_ROUTES=routes) as house:
            assert made.call_count == 3, "two routes, and the site of the settings"
            for user_id in ("A1", "B1", "C1"):
                await house.channel.say("When does the shop open?", user_id=user_id)
            await house.answers(3)
            assert made.call_count == 3
