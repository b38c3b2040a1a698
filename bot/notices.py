"""What the bot says itself: short, honest, in Markdown. Answers come from the assistant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

MOST_NAMED: Final = 5
"""Files that a sentence names; a longer list nobody reads."""
WORKING = "I am still working on your question."
STILL_WORKING = "This takes longer than usual. I keep at it and answer here."
WHY = (
    "Thanks for telling. What was wrong with this answer? Reply to this message, and the people who run me can mend it."
)
NEW = "A new conversation begins. I have forgotten what we spoke of."
NOTHING_TO_STOP = "Nothing of yours is open here, so there is nothing to stop."
TOO_LATE_TO_STOP = "It is too late to stop: your answer is on its way."
EMPTY = "I need a question in words. Write it out, and I answer."
FILE_NEEDS_WORDS = "I can read the text of files, but need a question in words beside it."
ONLY_ATTACHMENT = "I cannot read files. Write your question in words, and I answer."
SECOND_COPY = "This may be a second copy: the connection broke while I was sending it."
"""Below a part of an answer; at most `bot.adapter.NOTE_UNITS` long."""
CONTEXT_HIDDEN = "I am not shown what you point at. Copy its words to me, and I answer."
CONTEXT_REFUSED = "I was asked without what you pointed at: with it, the question was too much to take."
THREAD_UNREAD = "I could not read the earlier messages of this thread."
CONTEXT_UNREAD = "I am not shown all of what you point at; what I was not shown, I could not read."
CONTEXT_CUT = "What you point at is long; I have read only a part of it."
ABOUT_THIS = "What is to be said about this?"
REST_HIDDEN = (
    "This looks like the first piece of a longer message, and in this group I am not shown the rest. Send it to me "
    "directly, or shorten it."
)
REFUSED = "I may not answer here. Ask the people who run me for access."


def greeting(prefix: str) -> str:
    """Say in one line what the bot is and how to ask, where it was just added; `prefix` as in `help_text`."""
    command = f", or write `{prefix}ask` and your question" if prefix == "/" else ""
    return f"Hello! I am an assistant and answer questions here: mention me{command}."


def failure(reference: str) -> str:
    """Say that there will be no answer, with the reference that the operator can look up."""
    return (
        "I could not get an answer to your question. Please ask again later, or give the people who run me this "
        f"reference: `{reference}`."
    )


def cut_short(reference: str) -> str:
    """Say that an answer is incomplete."""
    return (
        "The rest of this answer could not be sent. Please ask again, or give the people who run me this "
        f"reference: `{reference}`."
    )


def unsure(reference: str) -> str:
    """Say that nobody can tell whether the answer arrived."""
    return (
        "I cannot tell whether my whole answer reached you. If it did not, please ask again, or give the people who "
        f"run me this reference: `{reference}`."
    )


def stopped(count: int) -> str:
    """Say that so many questions of the person end without an answer."""
    return (
        "I have stopped. Your question gets no answer." if count == 1 else f"I have stopped {count} questions of yours."
    )


def unknown_command(prefix: str, names: Sequence[str]) -> str:
    """Say which commands there are, in one line; `prefix` is `/` or `!`."""
    *rest, last = [f"`{prefix}{name}`" for name in names]
    return f"I do not know that command. There are {', '.join(rest)} and {last}."


def only_attachment(*, reads_files: bool) -> str:
    """Say that a file without words is no question."""
    return FILE_NEEDS_WORDS if reads_files else ONLY_ATTACHMENT


def files_unread(names: Sequence[str]) -> str:
    """Say which files of a question were not read; `names` are of one line each.

    >>> files_unread(["plan.pdf", "a picture", "a picture"])
    'I did not read plan.pdf and a picture (2), only your words.'
    """
    listed = [name if count == 1 else f"{name} ({count})" for name, count in Counter(names).items()]
    *rest, last = listed if len(listed) <= MOST_NAMED else [*listed[: MOST_NAMED - 1], "others"]
    return f"I did not read {', '.join(rest)}{' and ' if rest else ''}{last}, only your words."


def too_long(limit: int) -> str:
    """Say how long a question may be, in characters."""
    return f"Your question is too long for me. Please keep it under {limit:,} characters."


def too_many(seconds: int) -> str:
    """Say when the person may ask again."""
    wait = f"{seconds} seconds" if seconds > 1 else "a second"
    return f"That is more than I can take at once. Please ask again in {wait}."


def queue_full() -> str:
    """Say that too many questions of this conversation are waiting already."""
    return (
        "Too many of your questions are waiting already. Please wait for the answers, about a minute, then ask again."
    )


def help_text(prefix: str, *, can_rate: bool = True, has_threads: bool = True) -> str:
    """Say what the bot can do; `prefix` is `/` or `!`, as commands are written in this place.

    `can_rate`: the channel has reactions or buttons. `has_threads`: there are places where others talk, and threads.
    """
    threads = (
        "Write to me directly, or mention me where others talk; in a thread where you have asked me, just go on."
        if has_threads
        else "Write to me in your own words."
    )
    text = (
        f"I answer questions. {threads}\n\n"
        f"- `{prefix}new` begins a new conversation: I forget what we spoke of.\n"
        f"- `{prefix}ask` and your question asks me.\n"
        f"- `{prefix}stop` ends what you have asked here and I have not answered yet.\n"
        f"- `{prefix}help` shows this."
    )
    rating = "React with 👍 or 👎 to an answer, or use its buttons: it tells the people who run me how good it was."
    return f"{text}\n\n{rating}" if can_rate else text
