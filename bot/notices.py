"""What the bot says itself: short, honest, in Markdown. Answers come from the assistant.

The words are in `bot/texts`, a file a language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.texts import Sentence, said, say

MOST_NAMED: Final = 5
"""Files that a sentence names; a longer list nobody reads."""
WORKING: Final = Sentence("working")
STILL_WORKING: Final = Sentence("still-working")
WHY: Final = Sentence("why")
NEW: Final = Sentence("new")
NOTHING_TO_STOP: Final = Sentence("nothing-to-stop")
TOO_LATE_TO_STOP: Final = Sentence("too-late-to-stop")
EMPTY: Final = Sentence("empty")
FILE_NEEDS_WORDS: Final = Sentence("file-needs-words")
ONLY_ATTACHMENT: Final = Sentence("only-attachment")
SECOND_COPY: Final = Sentence("second-copy")
"""Below a part of an answer; at most `bot.adapter.NOTE_UNITS` long."""
CONTEXT_HIDDEN: Final = Sentence("context-hidden")
CONTEXT_REFUSED: Final = Sentence("context-refused")
THREAD_UNREAD: Final = Sentence("thread-unread")
CONTEXT_UNREAD: Final = Sentence("context-unread")
CONTEXT_CUT: Final = Sentence("context-cut")
ABOUT_THIS: Final = Sentence("about-this")
REST_HIDDEN: Final = Sentence("rest-hidden")
REFUSED: Final = Sentence("refused")
PENDING: Final = Sentence("pending")
INVITED: Final = Sentence("invited")
INVITATION_WRONG: Final = Sentence("invitation-wrong")
NAMELESS: Final = {
    "image/": Sentence("file-picture"),
    "audio/": Sentence("file-sound"),
    "video/": Sentence("file-film"),
    "": Sentence("file-nameless"),
}
"""What a file without a name is called, by how its media type begins."""


def greeting(prefix: str) -> Sentence:
    """Say in one line what the bot is and how to ask, where it was just added; `prefix` as in `help_text`."""
    return Sentence("greeting-command", command=f"{prefix}ask") if prefix == "/" else Sentence("greeting")


def failure(reference: str) -> Sentence:
    """Say that there will be no answer, with the reference that the operator can look up."""
    return Sentence("failure", reference=reference)


def cut_short(reference: str) -> Sentence:
    """Say that an answer is incomplete."""
    return Sentence("cut-short", reference=reference)


def unsure(reference: str) -> Sentence:
    """Say that nobody can tell whether the answer arrived."""
    return Sentence("unsure", reference=reference)


def stopped(count: int) -> Sentence:
    """Say that so many questions of the person end without an answer."""
    return Sentence("stopped", count=count)


def unknown_command(prefix: str, names: Sequence[str]) -> Sentence:
    """Say which commands there are, in one line; `prefix` is `/` or `!`."""
    return Sentence("unknown-command", commands=[f"`{prefix}{name}`" for name in names])


def only_attachment(*, reads_files: bool) -> Sentence:
    """Say that a file without words is no question."""
    return FILE_NEEDS_WORDS if reads_files else ONLY_ATTACHMENT


def files_unread(names: Sequence[str], language: str) -> str:
    """Say which files of a question were not read; `names` are of one line each.

    >>> files_unread(["plan.pdf", "a picture", "a picture"], "en")
    'I did not read plan.pdf and a picture (2), only your words.'
    """
    ours = {str(name): said(name, language) for name in NAMELESS.values()}
    names = [ours.get(name, name) for name in names]
    listed = [name if count == 1 else f"{name} ({count})" for name, count in Counter(names).items()]
    if len(listed) > MOST_NAMED:
        listed = [*listed[: MOST_NAMED - 1], say("files-others", language)]
    return say("files-unread", language, files=listed)


def too_long(limit: int) -> Sentence:
    """Say how long a question may be, in characters."""
    return Sentence("too-long", limit=limit)


def too_many(seconds: int) -> Sentence:
    """Say when the person may ask again."""
    return Sentence("too-many", seconds=max(1, seconds))


def queue_full() -> Sentence:
    """Say that too many questions of this conversation are waiting already."""
    return Sentence("queue-full")


def help_text(prefix: str, *, can_rate: bool = True, has_threads: bool = True) -> Sentence:
    """Say what the bot can do; `prefix` is `/` or `!`, as commands are written in this place.

    `can_rate`: the channel has reactions or buttons. `has_threads`: there are places where others talk, and threads.
    """
    places = str(has_threads).lower()
    return Sentence("help-rated" if can_rate else "help", prefix=prefix, places=places)
