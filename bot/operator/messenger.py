"""Tells the operator, in a conversation of theirs: alerts as they come, a letter a week. One process of all does it.

It speaks to the adapter directly, not by a turn: a database that is full is one of the things to tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

import structlog

import bot
from bot.context import Context
from bot.errors import BotError, OutcomeUnknown, Unavailable
from bot.events import Conversation, Notice
from bot.operator.alerts import AlertBook
from bot.operator.conditions import conditions
from bot.operator.digest import Week, letter, week_of
from bot.operator.watch import Watch
from bot.store import dead_letters, operator
from bot.store.database import Tx

EVERY = 5.0
"""Seconds between two looks whether something is to be told."""
WEEK = 7 * 86_400.0

log = structlog.get_logger(__name__)


class Messenger:
    """Tells what the watch sees, in the conversation that [operator] names."""

    def __init__(self, ctx: Context, watch: Watch) -> None:
        self._ctx = ctx
        self._watch = watch
        self._settings = ctx.config.operator
        self._book = AlertBook()

    async def run(self) -> None:
        """Tell until cancelled; for one process at a time."""
        await self._recall()
        while True:
            try:
                await self.tell()
                await self.write_letter()
            except Exception:
                log.exception("operator.failed")
            await asyncio.sleep(EVERY)

    async def tell(self) -> None:
        """Tell what is due to be told."""
        now = self._ctx.clock()
        message = self._book.message(conditions(self._watch.latest), now)
        if message is None or not await self._send(message, f"alert:{now:.3f}"):
            return
        self._book.sent(now)
        await self._keep("alerts", self._book.to_json())

    async def write_letter(self) -> None:
        """Send the week's letter, once; the first one is due in the week after the first start."""
        now = self._ctx.clock()
        week = week_of(now)
        try:
            kept = await self._ctx.db.read(lambda tx: operator.kept(tx, "digest"))
            if kept is not None and kept["week"] == week:
                return
            version = "" if kept is None else str(kept["version"])
            text = letter(await self._ctx.db.read(lambda tx: _week(tx, now, version)))
        except Unavailable:
            return
        if kept is None or await self._send(text, f"letter:{week}"):
            await self._keep("digest", {"week": week, "version": bot.__version__})

    async def _recall(self) -> None:
        with contextlib.suppress(Unavailable):
            kept = await self._ctx.db.read(lambda tx: operator.kept(tx, "alerts"))
            if kept is not None:
                self._book = AlertBook.from_json(kept)

    async def _keep(self, name: str, value: object) -> None:
        with contextlib.suppress(Unavailable):  # it is remembered by this process at least
            await self._ctx.db.write(lambda tx: operator.keep(tx, name, value))

    async def _send(self, text: str, name: str) -> bool:
        """Send a message; whether it was taken. What nobody can tell counts as taken: twice is noise."""
        if self._settings.channel not in self._ctx.adapters:
            return False
        try:
            await self._send_parts(text, name)
        except OutcomeUnknown:
            return True
        except BotError as error:
            log.warning("operator.unreachable", channel=self._settings.channel, reason=str(error))
            return False
        return True

    async def _send_parts(self, text: str, name: str) -> None:
        adapter = self._ctx.adapters[self._settings.channel]
        conversation = Conversation(
            channel=self._settings.channel,
            account_id=self._settings.account,
            conversation_id=self._settings.conversation,
            kind="operator",
            is_direct=False,
        )
        for number, part in enumerate(adapter.render(Notice(text=text, kind="info"))):
            own_id = hashlib.sha256(f"{name}:{number}".encode()).hexdigest()[:32]
            await adapter.send(conversation, part, own_id, None)


def _week(tx: Tx, now: float, version_before: str) -> Week:
    limits = operator.kept(tx, "limits") or {"used": {}}
    return Week(
        now=operator.span(tx, now - WEEK, now),
        before=operator.span(tx, now - 2 * WEEK, now - WEEK),
        dead=dead_letters.count(tx),
        limits=limits["used"],
        version=bot.__version__,
        version_before=version_before,
    )
