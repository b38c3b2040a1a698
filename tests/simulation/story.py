"""A run told in sentences, for somebody who does not know the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

History: TypeAlias = Sequence[tuple[float, str, tuple[Any, ...]]]
"""What happened: when, what, and the words that go into its sentence."""

SENTENCES = {
    "asks": "{0} asks {1} in {2} of channel {3} {4}",
    "sends a piece": "{0} sends a piece of a longer question, or edits it: its words are {1}",
    "edits": "{0} edits the question: its words are now {1}",
    "deletes": "{0} deletes the question {1}",
    "presses stop": "{0} presses stop",
    "begins anew": "{0} begins a new conversation ({1})",
    "reacts": "{0} {1} {2} on “{3}”",
    "conversation moved": "The conversation {0} gets another id, {1}",
    "bot thrown out": "The bot is thrown out of {0}",
    "taken": "The bot has stored and acknowledges: {0} ({1})",
    "not taken": "The bot does not acknowledge: {0} ({1}); it will be delivered again",
    "api accepts": "The API takes {0} as request {1}; its answer comes {2} {3}",
    "api refuses": "The API refuses a call ({0}, {1})",
    "submit cut": "The API's reply to the submit of {0} is lost ({1}): the bot cannot know whether it was taken",
    "api tells the end": "The API tells the bot the answer of request {0} ({1})",
    "api is told": "The API is told that the answer of request {1} is {0}",
    "session closed": "The API closes the session {0}",
    "post": "People of channel {0} see message {1} of the bot, {2}: “{3}”",
    "send cut": "The channel {0} does not confirm: {1} “{2}” ({3}); the bot cannot know whether it is shown",
    "send refused for good": "The channel {0} refuses for good: {1} “{2}” ({3})",
    "form refused": "The channel {0} refuses the form of the {1} “{2}”",
    "channel unavailable": "The channel {0} cannot be used: {1} ({2})",
    "deleted by the bot": "The bot deletes its message {1} ({2}) in channel {0}",
    "CRASH": "*** The process is killed: {0} ***",
    "START": "*** Process number {0} starts ***",
    "SIGTERM": "*** The process is asked to stop ***",
    "stopped": "*** The process has stopped ***",
    "FREEZE": "*** Process number {0} is frozen for {1} s ***",
    "THAW": "*** Process number {0} goes on ***",
    "OVERLAP": "*** The process loses its lock and goes on for {0} s beside the next one ***",
    "OLD SCHEMA": "*** What it left is a database of schema {0}; the next process brings it up to date ***",
    "CLOCK SET": "*** The bot's wall clock is set by {0} s ***",
    "CALM": "From here on nothing new goes wrong",
    "WRONG": "WRONG: {0}",
}
"""A sentence for each kind of event in a history; the numbers stand for what is told of it."""
LEGEND = (
    "q2v1: the words of question 2 after 1 edit · r201: its first request at the API · channel lookup can be asked",
    "what became of a message, channel blind cannot · times in seconds from the start",
)
"""What must be known to read a story."""
LOG = "  log "
"""How the name of an event of the bot's own log begins."""


def tell(history: History, *, logs: bool = False) -> Iterator[str]:
    """Tell it, a line for each thing that happened."""
    for at, what, about in history:
        if not what.startswith(LOG):
            yield f"{at:9.3f}  {SENTENCES[what].format(*about).strip()}"
        elif logs:
            yield f"{at:9.3f}    the bot logs {what.removeprefix(LOG)} {about[0]}"
