"""What people can tell the bot to do: a table of name → function. Each runs in the accepting transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bot import notices
from bot.events import Command
from bot.intake.arrival import Accepted, Arrival, Purpose
from bot.intake.questions import ask, begin_session, clean
from bot.intake.replies import tell
from bot.store import conversations

Run: TypeAlias = Callable[[Arrival, str], Accepted]

TYPED_PREFIX = "!"
"""What a typed command begins with, in places where the channel has no commands of its own."""


def run_help(arrival: Arrival, _args: str) -> Accepted:
    """Say what the bot can do."""
    ctx, channel = arrival.ctx, arrival.address.channel
    can_rate = not (ctx.lacks(channel, "reactions") and ctx.lacks(channel, "buttons"))
    has_threads = not ctx.lacks(channel, "threads")
    return tell(arrival, notices.help_text(_prefix(arrival), can_rate=can_rate, has_threads=has_threads), "info")


def run_new(arrival: Arrival, _args: str) -> Accepted:
    """Begin a new conversation: the epoch rises, the old session is closed when its questions are answered."""
    lanes = begin_session(arrival)
    return Accepted(lanes=lanes + tell(arrival, notices.NEW, "info").lanes)


def run_ask(arrival: Arrival, args: str) -> Accepted:
    """Ask; without a question, help."""
    return ask(arrival, args) if args.strip() else run_help(arrival, "")


COMMANDS: dict[str, Run] = {"help": run_help, "start": run_help, "new": run_new, "ask": run_ask}

TYPED = ("new", "help", "ask")
"""Commands that may be typed as the first word of a message, after `!`, where slash commands cannot be used."""


def purpose_of_command(arrival: Arrival, event: Command) -> Purpose | None:
    """Tell what a command is to us; None for one we do not have."""
    run = COMMANDS.get(event.name)
    if run is None:
        return None

    def handle(arrival: Arrival) -> Accepted:
        if arrival.unreachable:
            conversations.mark_reachable(arrival.tx, arrival.address)
        return run(arrival, clean(event.args))

    return Purpose(handle=handle)


def typed(text: str) -> tuple[str, str] | None:
    """Split a message that is a typed command into name and arguments.

    >>> typed("!ask  who?"), typed("!NEW"), typed("!important"), typed("hello")
    (('ask', 'who?'), ('new', ''), None, None)
    """
    if not text.startswith(TYPED_PREFIX):
        return None
    word, _, rest = text[1:].partition(" ") if "\n" not in text.split(" ")[0] else text[1:].partition("\n")
    name = word.strip().lower()
    return (name, rest.strip()) if name in TYPED else None


def _prefix(arrival: Arrival) -> str:
    spec = arrival.ctx.channels.get(arrival.address.channel)
    return TYPED_PREFIX if spec is None else spec.command_prefix
