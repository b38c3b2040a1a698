"""What the platform's refusals and its file's errors mean to the bot, in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import BotError, Rejected, Unavailable


class PlatformRefusal(Exception):
    """The platform does not do this; one sentence for the person, with an HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def translate(error: sqlite3.Error | OSError | PlatformRefusal) -> BotError:
    """Return the error of ours that says the same."""
    if isinstance(error, PlatformRefusal):
        return Rejected(str(error), status=error.status, reason="not_found", gone=error.status == 404)
    if isinstance(error, OSError):
        return Unavailable("The playground's folder cannot be made; choose another.", reason="database")
    return Unavailable(
        "The playground's file cannot be read or written; look at its folder and the space on the disk.",
        reason="database",
    )


@contextmanager
def our_errors() -> Iterator[None]:
    """Let only errors of ours out."""
    try:
        yield
    except (sqlite3.Error, OSError, PlatformRefusal) as error:
        raise translate(error) from error
