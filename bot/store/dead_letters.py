"""Dead letters: what cannot go on, kept with its reason until an operator retries or purges it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.store.database import Row, Tx
from bot.store.kinds import LetterKind
from bot.store.turns import Turn


@dataclass(frozen=True, slots=True)
class Payload:
    """What a platform delivered and nobody could understand, byte for byte."""

    channel: str
    account: str
    raw: bytes


def add_turn(tx: Tx, turn: Turn, kind: LetterKind, reason: str, now: float) -> None:
    """Keep a turn that failed.

    A turn has one letter: that of a failed rating does not replace one without which there is no whole answer.
    """
    tx.run(
        "INSERT INTO dead (reference, turn, channel, account, session_id, kind, reason, at) VALUES (?,?,?,?,?,?,?,?)"
        " ON CONFLICT (reference) DO UPDATE SET kind=excluded.kind, reason=excluded.reason, at=excluded.at"
        " WHERE excluded.kind<>'feedback' OR dead.kind='feedback'",
        turn.reference,
        turn.id,
        turn.address.channel,
        turn.address.account,
        turn.lane,
        kind,
        reason,
        now,
    )


def add_payload(tx: Tx, reference: str, payload: Payload, reason: str, now: float) -> bool:
    """Keep a payload that cannot be normalised, the same bytes once; whether it is new."""
    origin = (payload.channel.encode(), payload.account.encode(), payload.raw)
    digest = hashlib.sha256(b"\0".join(origin)).hexdigest()
    return (
        tx.run(
            "INSERT INTO dead (reference, channel, account, kind, reason, at, raw, digest)"
            " VALUES (?,?,?,'payload',?,?,?,?) ON CONFLICT DO NOTHING",
            *(reference, payload.channel, payload.account, reason, now, payload.raw, digest),
        )
        > 0
    )


def count(tx: Tx) -> int:
    """Count the dead letters."""
    row = tx.one("SELECT count(*) AS n FROM dead")
    return 0 if row is None else int(row["n"])


def newest(tx: Tx, limit: int, before: tuple[float, str] | None = None) -> tuple[list[Row], tuple[float, str] | None]:
    """List them, newest first, at most `limit`.

    `before`: where the last list ended, as it was returned beside it; None at the end.
    """
    rows = tx.all(
        "SELECT * FROM dead WHERE (at, reference)<(?, ?) ORDER BY at DESC, reference DESC LIMIT ?",
        *(before or (math.inf, "")),
        limit,
    )
    return rows, (rows[-1]["at"], rows[-1]["reference"]) if rows else None


def letter(tx: Tx, reference: str) -> Row | None:
    """Find one by its reference."""
    return tx.one("SELECT * FROM dead WHERE reference=?", reference)


def naming(tx: Tx, channel: str, account: str, user: str) -> list[str]:
    """Find the payloads of an account that mention a person's id, by their references: a read that may take a while.
    Nobody knows more of what could not be understood."""
    rows = tx.all("SELECT reference FROM dead WHERE raw IS NOT NULL AND channel=? AND account=?", channel, account)
    return [row["reference"] for row in rows if user.encode() in _raw(tx, row["reference"])]


def _raw(tx: Tx, reference: str) -> bytes:
    row = tx.one("SELECT raw FROM dead WHERE reference=?", reference)
    return b"" if row is None else bytes(row["raw"])


def remove_all(tx: Tx, references: Sequence[str]) -> int:
    """Delete these; return how many there were."""
    return sum(remove(tx, reference) for reference in references)


def remove(tx: Tx, reference: str | None) -> int:
    """Delete one, or all with None; return how many."""
    if reference is None:
        return tx.run("DELETE FROM dead")
    return tx.run("DELETE FROM dead WHERE reference=?", reference)
