"""What people can tell the bot to do: a table of name → function. Each runs in the accepting transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from bot import notices
from bot.events import Command
from bot.intake.arrival import Accepted, Arrival, Purpose
from bot.intake.context import clean, words_for
from bot.intake.joined import take_words
from bot.intake.lifecycle import cancel_all
from bot.intake.questions import NewQuestion, begin_session
from bot.intake.replies import tell
from bot.store import conversations, questions

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
    told = tell(arrival, notices.NEW, "info")
    return replace(told, lanes=lanes + told.lanes, ended=None)


def run_ask(arrival: Arrival, args: str) -> Accepted:
    """Ask; without a question, and without anything that it could be about, help."""
    text = words_for(args, arrival.context, arrival.language)
    return take_words(arrival, NewQuestion(text=text, context=arrival.context)) if text else run_help(arrival, "")


def run_stop(arrival: Arrival, _args: str) -> Accepted:
    """End what the person has open here, and say what came of it.

    Said in a thread it is the thread that is meant; said where a thread would only begin, the whole conversation.
    """
    begins_thread = arrival.ref is not None and arrival.address.thread == arrival.ref.message_id
    here = replace(arrival.address, thread="") if begins_thread else arrival.address
    theirs = [turn for turn in questions.open_in(arrival.tx, here, arrival.user) if turn.sent_at <= arrival.sent_at]
    ended = cancel_all(arrival, theirs)
    if ended.lanes:
        text = notices.stopped(len(ended.lanes))
    else:
        text = notices.TOO_LATE_TO_STOP if theirs else notices.NOTHING_TO_STOP
    told = tell(arrival, text, "info")
    return replace(told, lanes=ended.lanes + told.lanes, ended=None)


def run_unknown(arrival: Arrival, _args: str) -> Accepted:
    """A command that we do not have: say which ones there are. Mended by an edit, it may become a question."""
    return tell(arrival, notices.unknown_command(_prefix(arrival), TYPED), "refusal")


COMMANDS: dict[str, Run] = {
    "help": run_help,
    "start": run_help,
    "new": run_new,
    "ask": run_ask,
    "stop": run_stop,
}

TYPED = ("ask", "new", "stop", "help")
"""Commands that may be typed as the first word of a message, after `!`, where slash commands cannot be used."""


def purpose_of_command(arrival: Arrival, event: Command) -> Purpose | None:
    """Tell what a command is to us. One that we do not have is answered with those we have."""
    return Purpose(handle=partial(_run, event=event))


def _run(arrival: Arrival, event: Command) -> Accepted:
    if arrival.unreachable:
        conversations.mark_reachable(arrival.tx, arrival.address)
    return COMMANDS.get(event.name, run_unknown)(arrival, clean(event.args))


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
