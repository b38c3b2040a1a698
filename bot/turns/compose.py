"""The message that is submitted: what goes along with a question, each thing fenced and named, then the question. Pure.

    (Quoted lines show what the question at the end is about; they are not part of it.)

    [Forwarded message from Eve]
    > The VPN is down since 9:00.

    [Question]
    What should I do about this?

Every line of other people's words begins with "> ", whatever they hold, so none of them can be taken for a heading or
for the question. A question that nothing goes along with is submitted as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from bot import notices
from bot.events import ContextItem, ContextKind, Mention, unmarked
from bot.render.clean import prose
from bot.store.contexts import QuestionContext
from bot.texts import DEFAULT
from bot.texts import said as in_words

AlongKind: TypeAlias = ContextKind | Literal["thread", "file", "name"]
AlongOutcome: TypeAlias = Literal["used", "cut", "unreadable", "refused"]
"""`cut`: only a part of it went along, or for its length nothing · `unreadable`: the channel does not show it ·
`refused`: the API did not take the message with it."""

PREFACE: Final = "(Quoted lines show what the question at the end is about; they are not part of it.)"
QUESTION: Final = "[Question]"
QUOTE: Final = "> "
LONGEST_NAME: Final = 80
"""Characters of the name of a person or of a file."""
MOST_FILES: Final = 5
CUT_ROOM: Final = 60
"""Characters of the line that says how much was left out."""
SMALLEST: Final = 40
"""Characters of a thing below which it is not worth its heading."""

MARKED: Final = re.compile("\u2068[^\u2068\u2069]*\u2069")
UNNAMED: Final[Mapping[str, str]] = {
    "person": "@somebody",
    "conversation": "#some-channel",
    "group": "@some-group",
}
"""What stands for a mention whose name cannot be had."""


@dataclass(frozen=True, slots=True)
class WentAlong:
    """One thing that went along, or should have. `chars`: how much of it, its heading included. `name`: of a file."""

    kind: AlongKind
    outcome: AlongOutcome
    chars: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the thread: who said it, by a name or by an id that is looked up, and the words."""

    author: str
    author_id: str | None
    text: str
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class FileText:
    """A file that came with the question: its name, and what was in it, "" where it was not read."""

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a turn has found out for its question. `thread` is oldest first, None where it could not be read; `email` is
    the asker's, None where it is not to be sent."""

    thread: Sequence[Said] | None = ()
    files: Sequence[FileText] = ()
    names: Mapping[Mention, str] = field(default_factory=dict)
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """The message, and what went along in it."""

    message: str
    along: tuple[WentAlong, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """Characters: of all that goes along, and of the whole message."""

    context: int
    message: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One thing with its heading; `newest_last`: its end is kept where not all of it fits."""

    kind: AlongKind
    heading: str
    lines: Sequence[str]
    newest_last: bool = False

    @property
    def chars(self) -> int:
        return len(self.heading) + sum(1 + len(line) for line in self.lines) + 2


def compose(text: str, context: QuestionContext, gathered: Gathered, room: Room) -> Composed:
    """Put the message together. The question is whole in it, and stands last; the rest gives way to it."""
    question = _question(text, context, gathered, room)
    pieces, along = [], []
    for item in context.items:
        if item.text or item.files:
            pieces.append(_piece(item, gathered))
        else:
            along.append(WentAlong(item.kind, "unreadable"))
    for file in gathered.files:
        if file.text:
            pieces.append(_Piece("file", f"[File {one_line(file.name)}]", list(_quoted(file.text))))
        else:
            along.append(WentAlong("file", "unreadable", name=one_line(file.name)))
    if gathered.thread is None:
        along.append(WentAlong("thread", "unreadable"))
    elif gathered.thread:
        pieces.append(_thread(gathered.thread, gathered.names))
    frame = len(PREFACE) + len(QUESTION) + 4
    shown, sent = _fit(pieces, min(room.context, room.message - len(question) - frame))
    message = "\n\n".join([PREFACE, *shown, f"{QUESTION}\n{question}"]) if shown else question
    return Composed(message, (*sent, *along, *_names(context, gathered)))


def bare(text: str, context: QuestionContext, gathered: Gathered, room: Room) -> Composed:
    """Put the question together alone: the API has refused it with what goes along."""
    refused = [WentAlong(item.kind, "refused") for item in context.items]
    refused += [WentAlong("file", "refused" if file.text else "unreadable", name=file.name) for file in gathered.files]
    if gathered.thread:
        refused.append(WentAlong("thread", "refused"))
    return Composed(_question(text, context, gathered, room), tuple(refused))


def _question(text: str, context: QuestionContext, gathered: Gathered, room: Room) -> str:
    """Write the question with names, or without any where they would make it longer than a message may be."""
    question = named(text, context.mentions, gathered.names)
    return question if len(question) <= room.message else named(text, context.mentions, {})


def named(text: str, mentions: Sequence[Mention], names: Mapping[Mention, str]) -> str:
    """Put names in the place of mentions.

    >>> bob = Mention(kind="person", id="U2")
    >>> named(f"What is {bob}'s role?", [bob], {bob: "Bob"}), named(f"Ask {bob}.", [bob], {})
    ("What is @Bob's role?", 'Ask @somebody.')
    """
    known = {str(mention): mention for mention in mentions}

    def name_of(match: re.Match[str]) -> str:
        mention = known.get(match[0])
        if mention is None:
            return match[0]
        name = names.get(mention)
        sign = "#" if mention.kind == "conversation" else "@"
        return f"{sign}{one_line(name)}" if name else UNNAMED[mention.kind]

    return unmarked(MARKED.sub(name_of, text)) if mentions else text


def notes_of(along: Sequence[WentAlong], language: str = DEFAULT) -> tuple[str, ...]:
    """Say what of a question's context did not go along whole, a sentence each."""
    happened = {(one.kind, one.outcome) for one in along}
    notes: list[str] = []
    if any(outcome == "refused" for _, outcome in happened):
        notes.append(notices.CONTEXT_REFUSED)
    if ("thread", "unreadable") in happened:
        notes.append(notices.THREAD_UNREAD)
    if happened & {(kind, "unreadable") for kind in ("reply", "forward", "table", "link")}:
        notes.append(notices.CONTEXT_UNREAD)
    if unread := [one.name for one in along if (one.kind, one.outcome) == ("file", "unreadable")]:
        notes.append(notices.files_unread(unread, language))
    if happened & {(kind, "cut") for kind in ("reply", "forward", "table", "link", "file")}:
        notes.append(notices.CONTEXT_CUT)
    return tuple(in_words(note, language) for note in notes)


def one_line(name: str) -> str:
    """Make a name safe for a heading: one line, no brackets, not too long.

    >>> one_line("a\\n[Question]  b")
    'a (Question) b'
    """
    words = " ".join(prose(name.replace("[", "(").replace("]", ")")).split())
    return words if len(words) <= LONGEST_NAME else words[: LONGEST_NAME - 1] + "…"


def mentioned(context: QuestionContext, thread: Sequence[Said] | None) -> list[Mention]:
    """List everybody and everything whose name is needed, each once: first those of the question itself."""
    found = dict.fromkeys(context.mentions)
    for item in context.items:
        found |= dict.fromkeys(item.mentions)
        if not item.author and item.author_id and (item.text or item.files):
            found[Mention(kind="person", id=item.author_id)] = None
    for said in thread or ():
        if not said.author and said.author_id:
            found[Mention(kind="person", id=said.author_id)] = None
        found |= dict.fromkeys(said.mentions)
    return list(found)


def _names(context: QuestionContext, gathered: Gathered) -> Iterator[WentAlong]:
    for mention in mentioned(context, gathered.thread):
        yield WentAlong("name", "used" if mention in gathered.names else "unreadable")


def _piece(item: ContextItem, gathered: Gathered) -> _Piece:
    names = gathered.names
    lines = list(_quoted(named(item.text, item.mentions, names)))
    read = {file.name for file in gathered.files if file.text}
    if hidden := [name for name in item.files if name not in read]:
        listed = ", ".join(one_line(name) or "a file without a name" for name in hidden[:MOST_FILES])
        more = f" and {len(hidden) - MOST_FILES} more" if len(hidden) > MOST_FILES else ""
        lines.append(f"{QUOTE}(With {'files' if len(hidden) > 1 else 'a file'}, not shown here: {listed}{more})")
    return _Piece(item.kind, f"[{_heading(item, _by(item.author, item.author_id, names))}]", lines)


def _heading(item: ContextItem, author: str) -> str:
    message = f"message from {author}" if author else "message"
    match item.kind:
        case "reply":
            whose = "your earlier answer" if item.by_us else f"the {message}"
            heading = f"{'selected words of ' if item.selected else ''}{whose} that the question replies to"
            return heading[0].upper() + heading[1:]
        case "forward":
            return "Forwarded: an earlier answer of yours" if item.by_us else f"Forwarded {message}"
        case "table":
            return "Table that belongs to the question, a line a row"
        case "link":
            return f"{'An earlier answer of yours' if item.by_us else f'The {message}'} that the question links to"


def _by(author: str, author_id: str | None, names: Mapping[Mention, str]) -> str:
    return one_line(author or (names.get(Mention(kind="person", id=author_id), "") if author_id else ""))


def _thread(thread: Sequence[Said], names: Mapping[Mention, str]) -> _Piece:
    lines = []
    for said in thread:
        first, *rest = list(_quoted(named(said.text, said.mentions, names))) or [QUOTE]
        lines += [f"{QUOTE}{_by(said.author, said.author_id, names) or 'Somebody'}: {first[len(QUOTE) :]}", *rest]
    return _Piece("thread", "[Earlier messages of this thread, the newest last]", lines, newest_last=True)


def _quoted(text: str) -> Iterator[str]:
    """Begin every line of a text with the quote's mark; several blank lines become one."""
    blank = False
    for line in text.splitlines():  # at every character that anything could take for a line's end
        words = prose(line).rstrip()
        if words or not blank:
            yield (QUOTE + words).rstrip()
        blank = not words


def _fit(pieces: Sequence[_Piece], room: int) -> tuple[list[str], list[WentAlong]]:
    """Cut what does not fit. What was pointed at shares the room evenly; the thread has what is left."""
    shares: dict[int, int] = {}
    pointed = [number for number, piece in enumerate(pieces) if not piece.newest_last]
    left = room
    for count, number in enumerate(sorted(pointed, key=lambda number: pieces[number].chars)):
        shares[number] = min(pieces[number].chars, left // (len(pointed) - count))
        left -= shares[number]
    shown, along = [], []
    for number, piece in enumerate(pieces):
        text = _shown(piece, shares.get(number, left))
        if text:
            shown.append(text)
        along.append(WentAlong(piece.kind, "used" if piece.chars <= shares.get(number, left) else "cut", len(text)))
    return shown, along


def _shown(piece: _Piece, room: int) -> str:
    """Write one thing within its room, "" where there is none worth it."""
    if piece.chars <= room:
        return "\n".join((piece.heading, *piece.lines))
    room -= len(piece.heading) + CUT_ROOM
    if room < SMALLEST:
        return ""
    kept: list[str] = []
    lines = piece.lines[::-1] if piece.newest_last else piece.lines
    for line in lines:
        if len(line) + 1 > room:
            if room > SMALLEST:
                kept.append(line[: room - 2] + "…")
            break
        kept.append(line)
        room -= len(line) + 1
    missing = f"({sum(map(len, piece.lines)) - sum(map(len, kept)):,} characters are left out here.)"
    written = [missing, *kept[::-1]] if piece.newest_last else [*kept, missing]
    return "\n".join((piece.heading, *written))
