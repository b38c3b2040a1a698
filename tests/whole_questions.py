"""What reaches the API for every recorded payload with something to go along: `python -m tests.whole_questions`.

To be read by people: would an assistant understand what is meant? Names are looked up in a table of our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bot.config.model import Along, Limits
from bot.events import Command, Edit, Mention, Message
from bot.intake.context import brought_by, clean, words_for
from bot.testing.payload_files import load
from bot.turns.compose import Composed, Gathered, Room, compose, mentioned, notes_of

PAYLOADS: Final = Path(__file__).parent / "payloads"
NAMES: Final[Mapping[str, str]] = {"U2": "Bea", "U2BOB": "Bob", "C0DEF456": "general", "S1": "helpdesk", "U9EVE": "Eve"}
ROOM: Final = Room(Along().chars, Limits().message_chars)


def questions() -> Iterator[tuple[str, str, Composed]]:
    """Compose the questions of all recorded payloads that bring more than words: name, about, message."""
    for folder in sorted(PAYLOADS.iterdir()):
        for case in load(folder):
            for event in case.events:
                if isinstance(event, Message | Edit | Command) and (event.context or event.mentions or event.files):
                    yield f"{folder.name}/{case.name}", case.about, whole(event)


def whole(event: Message | Edit | Command) -> Composed:
    """Compose the question of one event."""
    context = brought_by(event, ROOM.message)
    names = {one: NAMES[one.id] for one in mentioned(context, ()) if one.id in NAMES}
    text = clean(event.args if isinstance(event, Command) else event.text)
    known: Mapping[Mention, str] = names
    return compose(words_for(text, context, "en"), context, Gathered(names=known), ROOM)


def main() -> None:
    """Print them."""
    count = 0
    for count, (name, about, composed) in enumerate(questions(), 1):  # noqa: B007  # counted for the last line
        print(f"── {name}: {about}\n{composed.message}")
        for note in notes_of(composed.along):
            print(f"  (told under the answer: {note})")
        print()
    print(f"{count} questions.")


if __name__ == "__main__":
    main()
