"""What a person of the page points at with a message: another one that they quote or send on. Pure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from adapters.playground.errors import PlatformRefusal
from adapters.playground.ids import BOT, message_ref
from adapters.playground.text import without_mention
from bot.events import ContextItem, ContextKind

KINDS: Final[Mapping[str, ContextKind]] = {"quote": "reply", "forward": "forward"}


def stored(row: sqlite3.Row, kind: str) -> dict[str, str]:
    """Make what a message keeps of the one it points at: its words as they are now, for it may change or go."""
    if kind not in KINDS:
        raise PlatformRefusal("A message can be quoted or forwarded, nothing else.")
    body = json.loads(row["body"])
    return {
        "kind": kind,
        "message": row["id"],
        "conversation": row["conversation"],
        "author": row["author"],
        "text": str(body.get("text", "")),
    }


def context_of(pointed: object, names: Mapping[str, str]) -> tuple[ContextItem, ...]:
    """Read what `stored` made, out of a payload.

    Raises:
        ValueError: it is not of that form.
    """
    if pointed is None:
        return ()
    if (
        not isinstance(pointed, Mapping)
        or not all(isinstance(pointed.get(name), str) for name in _FIELDS)
        or (pointed["kind"] not in KINDS)
    ):
        raise ValueError("The payload's `context` has not its form.")
    author, by_us = pointed["author"], pointed["author"] == BOT
    return (
        ContextItem(
            kind=KINDS[pointed["kind"]],
            text=pointed["text"] if by_us else without_mention(pointed["text"]),
            author=names.get(author, author),
            author_id=None if by_us else author,
            by_us=by_us,
            ref=message_ref(pointed["conversation"], pointed["message"]),
        ),
    )


_FIELDS: Final = ("kind", "message", "conversation", "author", "text")
