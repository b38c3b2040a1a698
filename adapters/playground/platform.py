"""The make-believe platform behind the page: what people wrote, what the bot sent, what is still to be delivered.

It plays the outside world, so it keeps its own SQLite file and knows nothing of the core. What a person does is
stored together with the payload that tells the bot of it; the payload stays until it is acknowledged, through
kill -9 and restarts. Every call is one small transaction in the caller's thread.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from adapters.playground.changes import Changes
from adapters.playground.errors import PlatformRefusal
from adapters.playground.ids import BOT, PEOPLE, ROOM, direct
from adapters.playground.journal import Journal
from adapters.playground.pointing import stored
from bot.shared import plain_emoji

SHOWN: Final = 500
TEXT_LIMIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class PendingPayload:
    """A payload that the bot has not acknowledged yet."""

    event: str
    message: str | None
    payload: str


class Platform:
    """Conversations in one file. Not for several processes or threads at once.

    `nanoseconds` is the clock (since 1970). The file is opened at the first use and again after `close`.
    """

    def __init__(self, path: Path, nanoseconds: Callable[[], int] = time.time_ns) -> None:
        self.changes = Changes()
        self._journal = Journal(path, nanoseconds)

    # What people do: each is stored with the payload for the bot.

    def post(
        self,
        person: str,
        conversation: str,
        thread: str | None,
        text: str,
        nonce: str | None = None,
        *,
        pointing: tuple[str, str] | None = None,
    ) -> str:
        """Store what a person wrote, return the message's id. The same nonce again is the same message.

        `pointing`: how they point at another message (`quote`, `forward`), and at which.
        """
        self._must_be_in(person, conversation)
        body: dict[str, object] = {"text": text}
        if pointing is not None:
            body["context"] = stored(self._seen(person, pointing[1]), pointing[0])
        if pointing is None or pointing[0] != "forward" or len(text) > TEXT_LIMIT:
            _must_be_text(text)
        with self._journal.transaction() as db:
            if nonce and (known := db.execute("SELECT id FROM message WHERE nonce = ?", (nonce,)).fetchone()):
                return str(known[0])
            if thread is not None and (conversation != ROOM or self._row(thread)["conversation"] != ROOM):
                raise PlatformRefusal("There is no such thread in this conversation.", 404)
            message = self._journal.stamp()
            db.execute(
                "INSERT INTO message (id, conversation, thread, author, body, nonce) VALUES (?, ?, ?, ?, ?, ?)",
                (message, conversation, thread, person, json.dumps(body), nonce),
            )
            self._tell("message", person, conversation, message, thread=thread, **body)
        self._changed(message)
        return message

    def edit(self, person: str, message: str, text: str) -> None:
        """Change the words of one's own message; the same words again are no edit."""
        row = self._own(person, message)
        _must_be_text(text)
        if (body := json.loads(row["body"]))["text"] == text:
            return
        body["text"] = text
        with self._journal.transaction() as db:
            db.execute("UPDATE message SET body = ?, edited = 1 WHERE id = ?", (json.dumps(body), message))
            self._tell("message_edited", person, row["conversation"], message, thread=row["thread"], **body)
        self._changed(message)

    def remove(self, person: str, message: str) -> None:
        """Delete one's own message; replies to it stay."""
        row = self._own(person, message)
        with self._journal.transaction() as db:
            self._erase(db, message)
            self._tell("message_deleted", person, row["conversation"], message, thread=row["thread"])
        self._changed(message)

    def react(self, person: str, message: str, emoji: str, added: bool) -> None:
        """Put an emoji on a message or take it off. Another skin tone of the same emoji replaces the first."""
        row = self._seen(person, message)
        if not 0 < len(emoji) <= 16 or emoji.isascii():
            raise PlatformRefusal("That is not an emoji.")
        held = [
            r[0]
            for r in self._journal.db.execute(
                "SELECT emoji FROM reaction WHERE message = ? AND person = ?", (message, person)
            )
        ]
        with self._journal.transaction() as db:
            if not added and emoji in held:
                self._unreact(db, row, person, emoji)
            elif added and emoji not in held:
                for other in held:
                    if plain_emoji(other) == plain_emoji(emoji):
                        self._unreact(db, row, person, other)
                at = self._tell(
                    "reaction_added", person, row["conversation"], message, thread=row["thread"], emoji=emoji
                )
                db.execute("INSERT INTO reaction VALUES (?, ?, ?, ?)", (message, person, emoji, at))
        self._changed(message)

    def click(self, person: str, message: str, button: str, added: bool = True) -> None:
        """Press a rating button under a message of the bot, or take that back."""
        row = self._seen(person, message)
        if row["author"] != BOT or button not in ("good", "bad") or not json.loads(row["body"]).get("buttons"):
            raise PlatformRefusal("There is no such button.", 404)
        with self._journal.transaction() as db:
            db.execute("DELETE FROM click WHERE message = ? AND person = ?", (message, person))
            if added:
                db.execute("INSERT INTO click VALUES (?, ?, ?)", (message, person, button))
            kind = "button_clicked" if added else "button_released"
            self._tell(kind, person, row["conversation"], message, thread=row["thread"], button=button)
        self._changed(message)

    def give_reason(self, person: str, message: str, text: str) -> None:
        """Answer "why?"; an empty text closes the form and says nothing."""
        row = self._seen(person, message)
        if row["asks_why"] != person:
            raise PlatformRefusal("Nobody asked why.", 409)
        with self._journal.transaction() as db:
            db.execute("UPDATE message SET asks_why = NULL WHERE id = ?", (message,))
            if text.strip():
                _must_be_text(text)
                self._tell("why_given", person, row["conversation"], message, thread=row["thread"], text=text)
        self._changed(message)

    def stop(self, person: str, conversation: str, thread: str | None) -> None:
        """Press the stop button of a conversation or a thread."""
        self._must_be_in(person, conversation)
        with self._journal.transaction():
            self._tell("stop_pressed", person, conversation, None, thread=thread)
        self.changes.wake.set()

    # What the bot does.

    def send(
        self, conversation: str, thread: str | None, part: Mapping[str, object], delivery_id: str, reply_to: str | None
    ) -> str:
        """Store a message of the bot and return its id."""
        if conversation != ROOM and conversation not in map(direct, PEOPLE):
            raise PlatformRefusal("There is no such conversation.", 404)
        with self._journal.transaction() as db:
            message = self._journal.stamp()
            db.execute(
                "INSERT INTO message (id, conversation, thread, author, body, reply_to, delivery_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (message, conversation, thread, BOT, json.dumps(part), reply_to, delivery_id),
            )
        self._changed(message)
        return message

    def sent(self, conversation: str, delivery_id: str) -> list[str]:
        """Return the ids of what was sent under a delivery id, deleted messages included."""
        rows = self._journal.db.execute(
            "SELECT id FROM message WHERE delivery_id = ? AND conversation = ? ORDER BY id", (delivery_id, conversation)
        )
        return [str(row[0]) for row in rows]

    def said_before(self, conversation: str, thread: str, message: str, limit: int) -> list[sqlite3.Row]:
        """Return the newest messages of a thread, its root among them, before a message, oldest first."""
        rows = self._journal.db.execute(
            "SELECT * FROM message WHERE conversation = ? AND ? IN (id, thread) AND id < ? AND deleted = 0"
            " ORDER BY id DESC LIMIT ?",
            (conversation, thread, message, max(limit, 0)),
        )
        return rows.fetchall()[::-1]

    def unsend(self, message: str) -> None:
        """Delete a message of the bot; one that is gone, or never was, is no error."""
        with self._journal.transaction() as db:
            found = db.execute("SELECT 1 FROM message WHERE id = ? AND author = ?", (message, BOT)).fetchone()
            if found:
                self._erase(db, message)
        if found:
            self._changed(message)

    def mark(self, message: str, rating: Literal["good", "bad"] | None) -> None:
        """Show a rating on the buttons of a message; one that never was is no error."""
        with self._journal.transaction() as db:
            found = db.execute("UPDATE message SET rating = ? WHERE id = ?", (rating, message)).rowcount
        if found:
            self._changed(message)

    def ask_why(self, message: str, person: str) -> None:
        """Open the "why?" form for one person; it stays open through a reload."""
        with self._journal.transaction() as db:
            db.execute("UPDATE message SET asks_why = ? WHERE id = ?", (person, message))
        self._changed(message)

    def working(self, conversation: str, thread: str | None, question: str | None, on: bool) -> None:
        """Begin or end the sign of work; ended without a question, all of the conversation's signs end."""
        where = (conversation, thread or "")
        with self._journal.transaction() as db:
            if on:
                db.execute("INSERT OR IGNORE INTO working VALUES (?, ?, ?)", (*where, question or ""))
            else:
                db.execute(
                    "DELETE FROM working WHERE conversation = ? AND thread = ? AND (? IS NULL OR question IN (?, ''))",
                    (*where, question, question),
                )
        self.changes.publish("working", self.signs())

    # Delivery.

    def deliver(self, payload: str) -> str:
        """Deliver a payload as it is, and again if it was before; return a key that `pending` lists until then."""
        with self._journal.transaction():
            key = self._journal.stamp()
            self._enqueue(key, None, payload)
        self.changes.wake.set()
        return key

    def pending(self) -> list[PendingPayload]:
        """Return what the bot has not acknowledged, oldest first."""
        rows = self._journal.db.execute("SELECT event, message, payload FROM pending ORDER BY rowid")
        return [PendingPayload(row["event"], row["message"], row["payload"]) for row in rows]

    def acknowledge(self, item: PendingPayload) -> None:
        """Forget a payload that the bot has taken."""
        with self._journal.transaction() as db:
            db.execute("DELETE FROM pending WHERE event = ?", (item.event,))
        if item.message:
            self._changed(item.message)

    # What the page shows.

    def snapshot(self) -> list[dict[str, object]]:
        """Return the newest messages, oldest first."""
        rows = self._journal.db.execute("SELECT id FROM message ORDER BY id DESC LIMIT ?", (SHOWN,)).fetchall()
        return [self.view(row[0]) for row in reversed(rows)]

    def signs(self) -> list[dict[str, str]]:
        """Return the signs of work now shown."""
        rows = self._journal.db.execute("SELECT conversation, thread, question FROM working ORDER BY rowid")
        return [dict(row) for row in rows]

    def view(self, message: str) -> dict[str, object]:
        """Return a message as the page draws it."""
        row = self._row(message)
        view: dict[str, object] = {
            name: row[name] for name in ("id", "conversation", "thread", "author", "reply_to", "rating", "asks_why")
        }
        emoji: dict[str, list[str]] = {}
        for name, person in self._journal.db.execute(
            "SELECT emoji, person FROM reaction WHERE message = ? ORDER BY at", (message,)
        ):
            emoji.setdefault(name, []).append(person)
        clicks = self._journal.db.execute("SELECT person, button FROM click WHERE message = ?", (message,))
        waiting = self._journal.db.execute("SELECT 1 FROM pending WHERE message = ? LIMIT 1", (message,)).fetchone()
        return view | {
            "body": None if row["deleted"] else json.loads(row["body"]),
            "edited": bool(row["edited"]),
            "deleted": bool(row["deleted"]),
            "reactions": [{"emoji": name, "people": people} for name, people in emoji.items()],
            "clicks": dict(clicks.fetchall()),
            "waiting": waiting is not None,
        }

    def conversation_of(self, message: str) -> str:
        """Return the conversation a message stands in; `PlatformRefusal` when there is none."""
        return str(self._row(message)["conversation"])

    def probe(self) -> None:
        """Write nothing, as a write is done: raises what a write would."""
        with self._journal.transaction() as db:
            db.execute("DELETE FROM pending WHERE event = ''")

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._journal.close()

    # Inside.

    def _tell(self, kind: str, person: str, conversation: str, message: str | None, **more: object) -> str:
        """Store a payload for the bot, inside the transaction of what it tells; return its time."""
        at = self._journal.stamp()
        payload = {"type": kind, "event": f"{kind}:{at}", "at": at, "person": person, "conversation": conversation}
        self._enqueue(at, message, json.dumps(payload | {"message": message} | more, ensure_ascii=False))
        return at

    def _enqueue(self, key: str, message: str | None, payload: str) -> None:
        self._journal.db.execute("INSERT INTO pending VALUES (?, ?, ?)", (key, message, payload))

    def _changed(self, message: str) -> None:
        self.changes.publish("message", self.view(message))
        self.changes.wake.set()

    def _row(self, message: str) -> sqlite3.Row:
        row = self._journal.db.execute("SELECT * FROM message WHERE id = ?", (message,)).fetchone()
        if row is None:
            raise PlatformRefusal("There is no such message.", 404)
        assert isinstance(row, sqlite3.Row)
        return row

    def _seen(self, person: str, message: str) -> sqlite3.Row:
        row = self._row(message)
        self._must_be_in(person, row["conversation"])
        if row["deleted"]:
            raise PlatformRefusal("This message was deleted.", 404)
        return row

    def _own(self, person: str, message: str) -> sqlite3.Row:
        row = self._seen(person, message)
        if row["author"] != person:
            raise PlatformRefusal("This message is somebody else's.", 403)
        return row

    def _unreact(self, db: sqlite3.Connection, row: sqlite3.Row, person: str, emoji: str) -> None:
        db.execute("DELETE FROM reaction WHERE message = ? AND person = ? AND emoji = ?", (row["id"], person, emoji))
        self._tell("reaction_removed", person, row["conversation"], row["id"], thread=row["thread"], emoji=emoji)

    @staticmethod
    def _erase(db: sqlite3.Connection, message: str) -> None:
        db.execute("UPDATE message SET deleted = 1, body = '{}', asks_why = NULL WHERE id = ?", (message,))
        for table in ("reaction", "click"):
            db.execute(f"DELETE FROM {table} WHERE message = ?", (message,))  # noqa: S608  # constants

    @staticmethod
    def _must_be_in(person: str, conversation: str) -> None:
        if person not in PEOPLE:
            raise PlatformRefusal("There is no such person.", 404)
        if conversation not in (ROOM, direct(person)):
            raise PlatformRefusal("This conversation is not yours.", 403)


def _must_be_text(text: str) -> None:
    if not text.strip():
        raise PlatformRefusal("Write something first.")
    if len(text) > TEXT_LIMIT:
        raise PlatformRefusal(f"This is too long; {TEXT_LIMIT} characters are possible.")
