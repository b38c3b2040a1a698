"""Invitations: codes that admit who sends them, of which only hashes are kept, and the people they admitted."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

from bot.store.database import Tx

GUESSES: Final = 5
"""Wrong codes that one person may send in `GUESS_SECONDS`; what they send then is not looked up."""
GUESS_SECONDS: Final = 3600.0


class Invitation(NamedTuple):
    """An invitation. `account` "" is any of the channel. `uses` are left; times in seconds since the epoch."""

    channel: str
    account: str
    expires_at: float
    uses: int


def add(tx: Tx, code: str, invitation: Invitation, now: float) -> None:
    """Store an invitation by its code's hash."""
    tx.run("INSERT INTO invitations VALUES (?,?,?,?,?,?)", _hash(code), *invitation, now)


def redeem(tx: Tx, code: str, who: tuple[str, str, str], now: float) -> bool | None:
    """Admit a person (channel, account, user) by a code; False for a wrong one, None when they guessed too often.

    A use is taken in the statement that looks it up, so of several people who share the last one only one gets it.
    """
    row = tx.one("SELECT wrong, since FROM guesses WHERE channel=? AND account=? AND user_id=?", *who)
    fresh = row is None or now - row["since"] > GUESS_SECONDS
    if row is not None and not fresh and row["wrong"] >= GUESSES:
        return None
    taken = tx.run(
        "UPDATE invitations SET uses=uses-1 WHERE code=? AND channel=? AND account IN ('', ?)"
        " AND expires_at>? AND uses>0",
        *(_hash(code), who[0], who[1], now),
    )
    if taken:
        tx.run("INSERT INTO invited VALUES (?,?,?,?) ON CONFLICT DO NOTHING", *who, now)
        return True
    tx.run(
        "INSERT INTO guesses VALUES (?,?,?,?,?) ON CONFLICT (channel, account, user_id)"
        " DO UPDATE SET wrong=excluded.wrong, since=excluded.since",
        *(*who, 1 if row is None or fresh else row["wrong"] + 1, now if row is None or fresh else row["since"]),
    )
    return False


def is_invited(tx: Tx, channel: str, account: str, user: str) -> bool:
    """Whether a person was admitted by an invitation."""
    return bool(tx.one("SELECT 1 FROM invited WHERE channel=? AND account=? AND user_id=?", channel, account, user))


def people(tx: Tx) -> list[dict[str, Any]]:
    """List who was admitted by an invitation, newest first."""
    return [dict(row) for row in tx.all("SELECT channel, account, user_id, at FROM invited ORDER BY at DESC, user_id")]


def open_ones(tx: Tx, now: float) -> list[dict[str, Any]]:
    """List the invitations that can be used, without their codes, which nobody knows any more."""
    return [
        dict(row)
        for row in tx.all(
            "SELECT channel, account, uses, expires_at FROM invitations WHERE uses>0 AND expires_at>?"
            " ORDER BY expires_at, code",
            now,
        )
    ]


def revoke(tx: Tx, channel: str, account: str, user: str) -> bool:
    """Admit a person no longer; False when no invitation did."""
    return tx.run("DELETE FROM invited WHERE channel=? AND account=? AND user_id=?", channel, account, user) > 0


def forget_old(tx: Tx, now: float, most: int) -> int:
    """Forget invitations that can be used no more, and guesses that count no more."""
    gone = tx.run(
        "DELETE FROM invitations WHERE code IN (SELECT code FROM invitations WHERE expires_at<? OR uses=0 LIMIT ?)",
        *(now, most),
    )
    return gone + tx.run(
        "DELETE FROM guesses WHERE (channel, account, user_id) IN"
        " (SELECT channel, account, user_id FROM guesses WHERE since<? LIMIT ?)",
        *(now - GUESS_SECONDS, most),
    )


def _hash(code: str) -> str:
    """A code is long and random, so a plain hash tells nothing of it."""
    return hashlib.sha256(code.encode()).hexdigest()
