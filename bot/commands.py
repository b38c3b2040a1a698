"""What people can tell the bot to do: a table of name → function. Each runs in the accepting transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from bot import notices

if TYPE_CHECKING:
    from bot.accept import Accepting

Run: TypeAlias = "Callable[[Accepting, str], None]"


def run_help(accepting: Accepting, _args: str) -> None:
    """Say what the bot can do."""
    accepting.say(notices.help_text(accepting.prefix), "info")


def run_new(accepting: Accepting, _args: str) -> None:
    """Begin a new conversation: the epoch rises, the old session is closed when its questions are answered."""
    accepting.new_epoch()
    accepting.say(notices.NEW, "info")


def run_ask(accepting: Accepting, args: str) -> None:
    """Ask; without a question, help."""
    if args.strip():
        accepting.question(args)
    else:
        run_help(accepting, "")


COMMANDS: dict[str, Run] = {"help": run_help, "start": run_help, "new": run_new, "ask": run_ask}

TYPED = ("new", "help", "ask")
"""Commands that may be typed as the first word of a message, after `!`, where slash commands cannot be used."""


def typed(text: str) -> tuple[str, str] | None:
    """Split a message that is a typed command into name and arguments.

    >>> typed("!ask  who?"), typed("!NEW"), typed("!important"), typed("hello")
    (('ask', 'who?'), ('new', ''), None, None)
    """
    if not text.startswith("!"):
        return None
    word, _, rest = text[1:].partition(" ") if "\n" not in text.split(" ")[0] else text[1:].partition("\n")
    name = word.strip().lower()
    return (name, rest.strip()) if name in TYPED else None
