"""What an operator can see and repair from a terminal, beside a running bot. Dicts have the keys of `--json`."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import time
from typing import Any, TypeVar

from bot import notices
from bot.errors import Rejected
from bot.shared import reference as make_reference
from bot.store import (
    contexts,
    conversations,
    dead_letters,
    exporting,
    feedback_list,
    forgetting,
    invitations,
    meta,
    operator,
    steps,
    trace,
    turns,
    wanting,
)
from bot.store.database import Database, Row, Tx
from bot.store.epochs import epoch, set_epoch
from bot.store.feedback_list import EVERYTHING
from bot.store.retention import Slice, give_back, in_slices
from bot.store.turns import LAST, NewTurn

T = TypeVar("T")

PAGE = 500
"""Rows that a list reads at a time."""
NAMED = 5
"""Dead letters that are named where they are counted."""
REST = 0.02
"""Seconds between two slices of what is forgotten: a running bot writes meanwhile."""


class NotPossible(Rejected):
    """The operator asked for something that cannot be done; one sentence says why."""


class Admin:
    """Reads and repairs the database; the running bot sees changes within two seconds."""

    def __init__(
        self, db: Database, clock: Callable[[], float] = time, *, scrub: Callable[[], object] = lambda: None
    ) -> None:
        """`scrub` takes what was deleted out of what the database keeps beside its tables, such as its log."""
        self._db = db
        self._scrub = scrub
        self._clock = clock

    @staticmethod
    def _reference() -> str:
        return make_reference(random.SystemRandom())

    async def invite(self, channel: str, account: str, *, uses: int, seconds: float) -> dict[str, Any]:
        """Make an invitation, with a code that is kept nowhere; `account` "" is any of the channel."""
        code, now = secrets.token_urlsafe(24), self._clock()
        made = invitations.Invitation(channel, account, now + seconds, uses)
        await self._db.write(lambda tx: invitations.add(tx, code, made, now))
        expires_at = trace.iso(made.expires_at)
        return {"code": code, "channel": channel, "account": account, "uses": uses, "expires_at": expires_at}

    async def invited(self) -> dict[str, list[dict[str, Any]]]:
        """List who was admitted by an invitation, and the invitations that can be used."""
        now = self._clock()
        people, left = await self._db.read(lambda tx: (invitations.people(tx), invitations.open_ones(tx, now)))
        return {
            "people": [{**person, "at": trace.iso(person["at"])} for person in people],
            "invitations": [{**one, "expires_at": trace.iso(one["expires_at"])} for one in left],
        }

    async def revoke(self, channel: str, account: str, user: str) -> bool:
        """Admit a person no longer whom an invitation admitted; False when none did."""
        return await self._db.write(lambda tx: invitations.revoke(tx, channel, account, user))

    def feedback(self, since: datetime | None = None, limit: int = EVERYTHING) -> AsyncIterator[list[dict[str, Any]]]:
        """List the ratings, newest change first, some at a time."""
        return self._pages(partial(feedback_list.newest, after=_seconds(since)), limit)

    async def feedback_count(self, since: datetime | None = None) -> int:
        """Count the ratings."""
        return await self._db.read(lambda tx: feedback_list.count(tx, _seconds(since)))

    async def feedback_report(self, since: datetime | None = None, limit: int = EVERYTHING) -> dict[str, Any]:
        """Sum the ratings up; see `feedback_list.report`."""
        return await self._db.read(lambda tx: feedback_list.report(tx, _seconds(since), limit))

    async def rated(self, since: datetime | None = None, limit: int = EVERYTHING) -> list[dict[str, Any]]:
        """List the rated answers with their words; see `feedback_list.rated`."""
        return await self._db.read(lambda tx: feedback_list.rated(tx, _seconds(since), limit))

    def answered(self, since: datetime | None = None) -> AsyncIterator[list[wanting.Asked]]:
        """List answered questions, newest first, some at a time."""
        return self._pages(partial(wanting.answered, after=_seconds(since)), EVERYTHING)

    async def dead(self, limit: int = EVERYTHING) -> AsyncIterator[list[dict[str, Any]]]:
        """List the dead letters, newest first, some at a time."""
        async for rows in self._pages(dead_letters.newest, limit):
            yield [_letter(row) for row in rows]

    async def dead_count(self) -> int:
        """Count the dead letters."""
        return await self._db.read(dead_letters.count)

    async def unfinished(self) -> tuple[operator.OpenTurns, int, list[str]]:
        """Look at the questions that are open, count the dead letters, and name the newest."""
        return await self._db.read(
            lambda tx: (operator.open_turns(tx), dead_letters.count(tx), operator.newest_dead(tx, NAMED))
        )

    async def dead_letter(self, reference: str) -> dict[str, Any] | None:
        """Show one dead letter, with its turn's story, or with its payload as far as it is text."""
        return await self._db.read(lambda tx: _dead_letter(tx, reference.upper()))

    async def retry(self, reference: str) -> str:
        """Open a dead letter's turn anew; return what will happen, in words. Raises `NotPossible`."""
        return await self._write(lambda tx: _retry(tx, reference.upper(), self._clock()))

    async def purge(self, reference: str | None) -> int:
        """Delete one dead letter, or all of them; return how many."""
        return await self._write(lambda tx: dead_letters.remove(tx, reference and reference.upper()))

    async def noted_checks(self, channel: str) -> tuple[float, list[dict[str, Any]]]:
        """Return when the running bot last looked at a channel, 0.0 for never, and what it found (see `meta`)."""
        return await self._db.read(lambda tx: meta.noted_checks(tx, channel))

    async def trace(self, reference: str) -> dict[str, Any] | None:
        """Return the trace of a turn, None for none."""
        return await self._db.read(lambda tx: trace.by_reference(tx, reference.upper()))

    async def said(self, reference: str) -> dict[str, Any] | None:
        """Return the words of a turn as far as they are kept; see `trace.said`."""
        return await self._db.read(lambda tx: trace.said(tx, reference.upper()))

    async def turns_of_session(self, session_id: str) -> list[dict[str, Any]]:
        """Return the traces of a session's turns, oldest first."""
        return await self._db.read(lambda tx: trace.of_session(tx, session_id))

    async def close_session(self, session_id: str) -> bool:
        """Begin a new session in its place and have the old one closed; False when no conversation uses it."""
        return await self._write(lambda tx: _close(tx, session_id, self._reference, self._clock()))

    async def export(self, channel: str, account: str, user: str) -> dict[str, list[dict[str, Any]]]:
        """Return what is held of a person; see `exporting.person`."""
        return await self._db.read(lambda tx: exporting.person(tx, channel, account, user))

    async def forget(self, channel: str, account: str, user: str) -> dict[str, int]:
        """Delete what is held of a person, in slices that a running bot hardly notices; return how many rows of each
        kind. If it is cut short, forgetting again goes on. Afterwards no byte of it is in the database's files."""
        counts: dict[str, int] = {}
        quoted = await self._db.read(lambda tx: contexts.quoting(tx, channel, account, user))
        payloads = await self._db.read(lambda tx: dead_letters.naming(tx, channel, account, user))
        for name, one in forgetting.person(channel, account, user, quoted, payloads):
            (count,) = await in_slices(self._write_aside, (one,))
            counts[name] = counts.get(name, 0) + count
        await in_slices(self._write_aside, (give_back,))
        await asyncio.to_thread(self._scrub)
        return counts

    async def _pages(self, read: Callable[..., tuple[list[T], Any]], limit: int) -> AsyncIterator[list[T]]:
        """Read a list a page at a time. `read` returns beside a page where it ended, and takes that as `before`."""
        last = None
        while limit > 0:
            page, last = await self._db.read(partial(read, limit=min(limit, PAGE), before=last))
            if not page:
                return
            yield page
            limit -= len(page)

    async def _write(self, work: Callable[[Tx], T]) -> T:
        def marked(tx: Tx) -> T:
            result = work(tx)
            meta.leave_mark(tx)
            return result

        return await self._db.write(marked)

    async def _write_aside(self, work: Slice) -> int:
        changed = await self._write(work)
        if changed:
            await asyncio.sleep(REST)
        return changed


def _seconds(since: datetime | None) -> float:
    return 0.0 if since is None else since.timestamp()


def _letter(row: Row) -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "channel": row["channel"],
        "session_id": row["session_id"],
        "kind": row["kind"],
        "reason": row["reason"],
        "at": trace.iso(row["at"]),
    }


def _dead_letter(tx: Tx, reference: str) -> dict[str, Any] | None:
    row = dead_letters.letter(tx, reference)
    if row is None:
        return None
    letter = _letter(row)
    if row["turn"] is not None:
        turn = tx.one("SELECT * FROM turns WHERE id=?", row["turn"])
        letter["turn"] = None if turn is None else trace.trace(tx, turn)
    if row["raw"] is not None:
        letter["payload"] = bytes(row["raw"]).decode("utf-8", "backslashreplace")
    return letter


def _retry(tx: Tx, reference: str, now: float) -> str:
    row = dead_letters.letter(tx, reference)
    if row is None:
        raise NotPossible(f"There is no dead letter {reference}; `dead list` shows those there are.")
    if row["kind"] == "payload":
        raise NotPossible(f"{reference} is a payload that could not be understood; it cannot be retried, only purged.")
    if row["kind"] == "feedback":
        tx.run("UPDATE feedback SET due_at=?, changed_at=?, tries=0, outcome=NULL WHERE turn=?", now, now, row["turn"])
        dead_letters.remove(tx, reference)
        return "The rating is submitted again."
    turn = tx.one("SELECT * FROM turns WHERE id=?", row["turn"])
    if turn is None or (turn["text"] is None and turn["kind"] != "close"):
        raise NotPossible(f"The words of {reference} are no longer kept, so it cannot be retried.")
    # What was asked for without success is asked again, under new delivery ids.
    intent = steps.forget_for_retry(tx, turn["id"], row["kind"])
    tx.run(
        "UPDATE turns SET state='open', outcome=NULL, reason=NULL, finished_at=NULL, cancelled=0, intent=?, cleanup=0,"
        " generation=generation+1, accepted_at=?, began_at=NULL WHERE id=?",
        int(intent),
        now,
        turn["id"],
    )
    tx.wake(turn["lane"])
    conversations.mark_reachable(tx, turns.from_row(turn).address)
    dead_letters.remove(tx, reference)
    return "The turn is open again; a running bot goes on with it within two seconds."


def _close(tx: Tx, session_id: str, reference: Callable[[], str], now: float) -> bool:
    row = tx.one("SELECT * FROM turns WHERE lane=? AND kind='question' ORDER BY id DESC LIMIT 1", session_id)
    if row is None:
        return False
    turn = turns.from_row(row)
    tx.alone(turn.address.channel, turn.address.account, turn.conversation.conversation_id)
    number, _ = epoch(tx, turn.address, row["scope"])
    if number != row["epoch"] or tx.one("SELECT 1 FROM turns WHERE lane=? AND kind='close'", session_id):
        return False
    set_epoch(tx, turn.address, row["scope"], number + 1, now)
    close = NewTurn(
        reference=reference(),
        kind="close",
        lane=session_id,
        address=turn.address,
        conversation=turn.conversation,
        asker=turn.asker,
        route=turn.route,
        site=turn.site,
        sent_at=LAST,
        accepted_at=now,
    )
    notice_reference = reference()
    notice = replace(
        close,
        reference=notice_reference,
        kind="notice",
        lane=f"notice:{notice_reference}",
        notice="info",
        text=notices.NEW,
        sent_at=now,
    )
    turns.make_lane_ready(tx, session_id)
    turns.insert(tx, close)
    turns.insert(tx, notice)
    return True
