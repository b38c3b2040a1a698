"""What an operator can see and repair from a terminal, beside a running bot. Dicts have the keys of `--json`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from time import time
from typing import Any

from bot import notices
from bot.errors import Rejected
from bot.shared import reference as make_reference
from bot.store import contexts, conversations, dead_letters, meta, reasons, steps, trace, turns
from bot.store.database import Database, Row, Tx
from bot.store.epochs import epoch, forget_epochs, set_epoch
from bot.store.turns import LAST, NewTurn


class NotPossible(Rejected):
    """The operator asked for something that cannot be done; one sentence says why."""


class Admin:
    """Reads and repairs the database; the running bot sees changes within two seconds."""

    def __init__(self, db: Database, clock: Callable[[], float] = time) -> None:
        self._db = db
        self._clock = clock

    @staticmethod
    def _reference() -> str:
        return make_reference(random.SystemRandom())

    async def feedback(self, since: datetime | None = None) -> list[dict[str, Any]]:
        """List the ratings, newest change first."""
        after = 0.0 if since is None else since.timestamp()
        return await self._db.read(lambda tx: _feedback(tx, after))

    async def dead(self) -> list[dict[str, Any]]:
        """List the dead letters, newest first."""
        return await self._db.read(lambda tx: [_letter(row) for row in dead_letters.all_letters(tx)])

    async def dead_letter(self, reference: str) -> dict[str, Any] | None:
        """Show one dead letter, with its turn's story, or with its payload as far as it is text."""
        return await self._db.read(lambda tx: _dead_letter(tx, reference.upper()))

    async def retry(self, reference: str) -> str:
        """Open a dead letter's turn anew; return what will happen, in words. Raises `NotPossible`."""
        return await self._db.write(lambda tx: _retry(tx, reference.upper(), self._clock()))

    async def purge(self, reference: str | None) -> int:
        """Delete one dead letter, or all of them; return how many."""
        return await self._db.write(lambda tx: dead_letters.remove(tx, reference and reference.upper()))

    async def noted_checks(self, channel: str) -> tuple[float, list[dict[str, Any]]]:
        """Return when the running bot last looked at a channel, 0.0 for never, and what it found (see `meta`)."""
        return await self._db.read(lambda tx: meta.noted_checks(tx, channel))

    async def trace(self, reference: str) -> dict[str, Any] | None:
        """Return the trace of a turn, None for none."""
        return await self._db.read(lambda tx: trace.by_reference(tx, reference.upper()))

    async def turns_of_session(self, session_id: str) -> list[dict[str, Any]]:
        """Return the traces of a session's turns, oldest first."""
        return await self._db.read(lambda tx: trace.of_session(tx, session_id))

    async def close_session(self, session_id: str) -> bool:
        """Begin a new session in its place and have the old one closed; False when no conversation uses it."""
        return await self._db.write(lambda tx: _close(tx, session_id, self._reference, self._clock()))

    async def forget(self, channel: str, account: str, user: str) -> dict[str, int]:
        """Delete what is held of a person; return how many rows of each kind."""
        return await self._db.write(lambda tx: _forget(tx, channel, account, user))


def _feedback(tx: Tx, after: float) -> list[dict[str, Any]]:
    rows = tx.all(
        "SELECT feedback.*, turns.reference, turns.channel, turns.lane, turns.request_id FROM feedback"
        " JOIN turns ON turns.id=feedback.turn WHERE feedback.changed_at>=? ORDER BY feedback.changed_at DESC",
        after,
    )
    return [
        {
            "reference": row["reference"],
            "channel": row["channel"],
            "session_id": row["lane"],
            "request_id": row["request_id"],
            "rating": row["rating"],
            "submitted": row["submitted"],
            "outcome": row["outcome"] or ("waiting" if row["due_at"] is not None else None),
            "at": trace.iso(row["changed_at"]),
            "comments": reasons.of_turn(tx, row["turn"]),
        }
        for row in rows
    ]


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
    conversations.mark_reachable(tx, turns.from_row(turn).address)
    dead_letters.remove(tx, reference)
    return "The turn is open again; a running bot goes on with it within two seconds."


def _close(tx: Tx, session_id: str, reference: Callable[[], str], now: float) -> bool:
    row = tx.one("SELECT * FROM turns WHERE lane=? AND kind='question' ORDER BY id DESC LIMIT 1", session_id)
    if row is None:
        return False
    turn = turns.from_row(row)
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


def _forget(tx: Tx, channel: str, account: str, user: str) -> dict[str, int]:
    who = (channel, account, user)
    here = "turn IN (SELECT id FROM turns WHERE channel=? AND account=?)"
    theirs = "turn IN (SELECT id FROM turns WHERE channel=? AND account=? AND asker=?)"
    counts = {
        name: tx.run(f"DELETE FROM {name} WHERE user_id=? AND {here}", user, channel, account)  # noqa: S608  # constants
        for name in ("votes", "clicks", "comments")
    }
    for key, name in (("early", "early_reactions"), ("overtaken", "early_changes")):  # the keys are those of `--json`
        counts[key] = tx.run(f"DELETE FROM {name} WHERE channel=? AND account=? AND user_id=?", *who)  # noqa: S608
    counts["dead"] = tx.run(f"DELETE FROM dead WHERE {theirs}", *who)  # noqa: S608  # a constant
    counts["dead"] += _forget_payloads(tx, channel, account, user)
    tx.run("DELETE FROM joining WHERE channel=? AND account=? AND user_id=?", *who)
    counts["turns"] = tx.run("DELETE FROM turns WHERE channel=? AND account=? AND asker=?", *who)
    counts["quoted"] = contexts.forget_quoted(tx, *who) + steps.forget_gathered(tx, (channel, account), user)
    counts["epochs"] = forget_epochs(tx, "channel=? AND account=? AND scope=?", channel, account, f"user:{user}")
    keys = [f"{what}:{channel}:{account}:{user}" for what in ("refused", "limited")]
    counts["said"] = tx.run("DELETE FROM cooldowns WHERE key IN (?,?)", *keys)
    return counts


def _forget_payloads(tx: Tx, channel: str, account: str, user: str) -> int:
    """Delete the payloads that mention the person's id; nobody knows more of what could not be understood."""
    rows = tx.all("SELECT reference, raw FROM dead WHERE raw IS NOT NULL AND channel=? AND account=?", channel, account)
    mentioned = [row["reference"] for row in rows if user.encode() in bytes(row["raw"])]
    return sum(dead_letters.remove(tx, reference) for reference in mentioned)
