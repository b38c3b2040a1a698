"""What the clauses say and send: one of each kind, and text that must stay text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, get_args

from bot.events import Answer, Home, Notice, NoticeKind, Outbound, RecentQuestion
from bot.testing.wire import FailHow, Wire

RETRY_AFTER: Final = 33.0
"""Longer than the suite's patience: an adapter that waits itself instead of saying so is found out."""

NASTY: Final = (
    "<!channel> <!here> <@U024BE7LH> <#C024BE7LR|general> <b>bold?</b> <script>alert(1)</script> &lt; &amp; "
    "a<b && c>d @channel @everyone [click](javascript:alert(1)) [me](tg://user?id=42) <tg://user?id=42> "
    "[x](slack://open) <https://example.com|masked>"
)
WORDS: Final = ("<!channel>", "<@U024BE7LH>", "<b>bold?</b>", "a<b && c>d", "click")

HOWS: Final = get_args(FailHow)


def every_outbound(wire: Wire) -> list[Outbound]:
    """Make one of each kind."""
    asked = RecentQuestion(text=NASTY, ref=wire.question, asked_at=datetime(2026, 1, 2, tzinfo=UTC), outcome="answered")
    return [
        Answer(
            text="# Title\n\nSome *text*, a [link](https://example.com) and\n\n```\ncode\n```", asker_id=wire.asker_id
        ),
        Answer(text=NASTY, asker_id=wire.asker_id),
        Answer(text="```\nopen", asker_id=wire.asker_id, notes=("I did not read *that*.",)),
        *(Notice(text="A **notice**.", kind=kind, user_id=wire.asker_id) for kind in get_args(NoticeKind)),
        Notice(text="For nobody.", kind="info"),
        Home(user_id=wire.asker_id, recent=(asked,), suggestions=("What is this?",)),
        Home(user_id=wire.asker_id, recent=()),
    ]


def absent(message_id: str) -> str:
    """Make the id of a message that does not exist, of the same shape: its digits turned round, none kept."""
    return "".join(str(9 - int(character)) if character.isdigit() else character for character in message_id)


def another(some_id: str) -> str:
    """Make an id of the same shape that nothing has: its last letter or digit is another one."""
    for at in range(len(some_id) - 1, -1, -1):
        character = some_id[at]
        if character.isascii() and character.isalnum():
            other = str(9 - int(character)) if character.isdigit() else ("y" if character == "x" else "x")
            return some_id[:at] + other + some_id[at + 1 :]
    return some_id + "x"
