"""What overtook its message: platforms deliver again what was not acknowledged, so a deletion may come first."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.database import Tx

KEEP = 86400.0
"""Seconds that it is kept. Slack delivers for about an hour, Telegram for a day."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The newest words of a message that has not arrived yet; None when it was deleted. `sent_at`: the platform's."""

    text: str | None
    sent_at: float


def keep(
    tx: Tx, key: tuple[str, str, str, str], text: str | None, sent_at: float, now: float, user: str | None = None
) -> None:
    """Keep an edit by a person, or a deletion (text None), for the message with this key. A deletion stays one."""
    tx.run(
        "INSERT INTO overtaken (channel, account, conversation, message, text, sent_at, at, user)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, message)"
        " DO UPDATE SET text=excluded.text, sent_at=excluded.sent_at, at=excluded.at"
        " WHERE overtaken.text IS NOT NULL AND (excluded.text IS NULL OR excluded.sent_at>=overtaken.sent_at)",
        *key,
        text,
        sent_at,
        now,
        user,
    )


def find(tx: Tx, key: tuple[str, str, str, str]) -> Overtaken | None:
    """Return what overtook the message with this key, None for nothing."""
    row = tx.one("SELECT * FROM overtaken WHERE channel=? AND account=? AND conversation=? AND message=?", *key)
    return None if row is None else Overtaken(row["text"], row["sent_at"])


def forget_old(tx: Tx, now: float) -> int:
    """Forget what nothing waits for any more; return how many."""
    return tx.run("DELETE FROM overtaken WHERE at<?", now - KEEP)
