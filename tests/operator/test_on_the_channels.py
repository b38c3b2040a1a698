"""An injected bad day, as the operator reads it in Slack and in Telegram; all else runs on a fake channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.assistant.faults import Fault
from bot.config.model import Operator
from bot.operator.alerts import GAP, OVER
from bot.operator.conditions import STEADY
from bot.store import operator
from bot.testing.live import running
from tests.adapters.slack_live import live_slack
from tests.adapters.telegram_wire import TelegramWire
from tests.house import House, a_house

WORDS = "What is the salary of Mrs Miller?"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, BOT_GIVE_UP="60") as made:
        yield made


async def bad_day(house: House) -> None:
    """A failed question, a limit at 85 %, a revoked token, a poison payload; then all is mended."""
    async with asyncio.timeout(30):
        while await house.bot.ctx.db.read(lambda tx: operator.kept(tx, "limits")) is None:
            await asyncio.sleep(0.02)  # its own first look at the API's limits would undo those given here
    now = house.bot.ctx.clock()
    house.bot.ctx.clock = lambda: now
    await house.bot.ctx.db.write(lambda tx: operator.keep(tx, "limits", {"at": 0, "used": {"messages": 0.85}}))
    house.assistant.faults.add(Fault("failed"), endpoint="chat_async", times=1)
    await house.channel.say(WORDS)
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    await house.bot.router.set_aside("fake", "A1", b"{poison", "It is no update.")
    house.bot.ctx.problems.report("telegraph", "The token was revoked (401).")
    await look(house)
    now += GAP + STEADY
    house.bot.ctx.problems.clear("telegraph")
    await house.bot.ctx.db.write(lambda tx: operator.keep(tx, "limits", {"at": 0, "used": {"messages": 0.4}}))
    await house.bot.ctx.db.write(lambda tx: tx.run("DELETE FROM dead"))
    await look(house)
    now += OVER
    await look(house)


async def look(house: House) -> None:
    await house.bot.watch.look()
    await house.bot.messenger.tell()


def check(wrong: str, over: str) -> None:
    assert "Something needs you" in wrong
    for what in ("The token was revoked (401).", "2 dead letters", "85% of the limit of messages is used."):
        assert what in wrong
        assert what in over
    for command in ("uppzy-bot doctor", "uppzy-bot dead show ", "uppzy-bot limits"):
        assert command in wrong
    assert "Over:" in over
    assert "salary" not in wrong + over
    assert "poison" not in wrong + over


async def test_in_slack(house: House) -> None:
    async with live_slack() as live:
        channel = next(iter(name for name in live.slack.channels if name.startswith("C")))
        here = Operator(channel="slack", account=live.slack.team, conversation=channel)
        house.bot.ctx.adapters = {**house.bot.ctx.adapters, "slack": live.adapter}
        house.bot.messenger._settings = here
        await bad_day(house)
        posted = [call for call in live.slack.made("chat.postMessage")]
        assert len(posted) == 2
        check(*(json.dumps(call.arguments, ensure_ascii=False) for call in posted))


async def test_in_telegram(house: House) -> None:
    async with TelegramWire() as wire, running(wire) as live:
        account, chat = wire.conversation.account_id, wire.conversation.conversation_id
        house.bot.ctx.adapters = {**house.bot.ctx.adapters, "telegram": live.adapter}
        house.bot.messenger._settings = Operator(channel="telegram", account=account, conversation=chat)
        await bad_day(house)
        sent = [call.arguments["text"] for call in wire.telegram.called("sendMessage")]
        assert len(sent) == 2
        check(*sent)
