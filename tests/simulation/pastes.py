"""People whose app makes several messages of what was one to them: pastes in parts, forwards after their comment; who
quote, and edit any part and what it quotes; and the judge of whether each was asked whole.

Each has a conversation of its own, on the channel that delivers in order, so that the other judges see nothing of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.events import ContextItem, Conversation, Edit, JoinKind, Joins, Message, MessageRef
from tests.simulation.api import Request
from tests.simulation.channel import Channel
from tests.simulation.deeds import Delivery

if TYPE_CHECKING:
    from tests.simulation.judge import Verdict
    from tests.simulation.world import World

REQUEST = re.compile(r"#(rp\d+)$")


@dataclass(slots=True, eq=False)
class Piece:
    """One message; `deliveries[v]` is how its words came after `v` edits. `quotes`: they answer a message."""

    number: int
    ref: MessageRef
    forwarded: bool
    quotes: bool
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pasted:
    """What was one message to the person."""

    number: int
    channel: Channel
    place: Conversation
    pieces: list[Piece] = field(default_factory=list)

    def words(self, piece: int, version: int) -> str:
        """Return the words of a piece, found again in what reaches the API."""
        return f"<p{self.number}.{piece}v{version}>"

    def quote(self, piece: int, version: int) -> str:
        """Return the words of the message that a piece answers; an edit may point at another one."""
        return f"<c{self.number}.{piece}v{version}>"


class Pasters:
    """Those who paste and forward, with a plan drawn from the seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.luck = world.luck
        self.pasted: list[Pasted] = []
        self._events = 0

    def plan(self, seconds: float) -> None:
        """Draw who pastes when, within the first `seconds`."""
        channel = next((one for one in self.world.channels.values() if not one.can_be_asked), None)
        if channel is None or self.world.weather.upgrade_from:
            return  # the versions before knew no questions in parts
        for number in range(self.luck.option("pastes at most", 0, lambda dice: dice.choice((0, 1, 1, 2)))):
            at = self.luck.dice(f"p{number} comes at").uniform(0.0, seconds)
            if self.luck.draw(f"p{number} comes", False, lambda _: True):
                self.world.later(at, partial(self._paste, number, channel))

    def _paste(self, number: int, channel: Channel) -> None:
        place = Conversation(
            channel=channel.name, account_id="acc", conversation_id=f"P{number}", kind="private", is_direct=True
        )
        one = Pasted(number, channel, place)
        self.pasted.append(one)
        dice = self.luck.dice(f"what p{number} is")
        forwards = dice.unit() < 0.4
        count = dice.choice((2, 2, 3)) if forwards else dice.choice((1, 2, 2, 3))
        for index in range(count):
            kind: JoinKind | None = "paste" if index < count - 1 or dice.unit() < 0.2 else None
            if forwards:
                kind = "forward" if index else None  # the comment comes first
            self._say(one, index, kind)
        for _ in range(self.luck.draw(f"edits of p{number}", 0, lambda dice: dice.choice((0, 0, 1, 2)))):
            when = dice.choice((dice.uniform(0.0, 2.0), dice.uniform(1.0, 12.0)))
            self.world.later(when, partial(self._edit, one))

    def _say(self, one: Pasted, index: int, kind: JoinKind | None) -> None:
        forwarded, words = kind == "forward", one.words(index, 0)
        quotes = not forwarded and self.luck.draw(
            f"p{one.number}.{index} quotes", False, lambda dice: dice.unit() < 0.5
        )
        piece = Piece(index, one.channel.new_ref(one.place.conversation_id), forwarded, quotes)
        message = Message(
            event_id=self._id(),
            ref=piece.ref,
            conversation=one.place,
            user_id=f"pia{one.number}",
            standing="member",
            text="" if forwarded else words,
            mentions_bot=False,
            context=(ContextItem(kind="forward", text=words, author="Di"),) if forwarded else _quoted(one, piece),
            joins=Joins(number=index + 1, after=0, kind=kind, glue=""),
            sent_at=self.world.platform_time(one.channel),
        )
        one.pieces.append(piece)
        self._send(one, piece, message)

    def _edit(self, one: Pasted) -> None:
        typed = [piece for piece in one.pieces if not piece.forwarded]  # nobody can edit what somebody else has said
        piece = self.luck.dice(f"which piece of p{one.number} is edited").choice(typed)
        edit = Edit(
            event_id=self._id(),
            ref=piece.ref,
            conversation=one.place,
            user_id=f"pia{one.number}",
            standing="member",
            text=one.words(piece.number, len(piece.deliveries)),
            mentions_bot=False,
            context=_quoted(one, piece),
            sent_at=self.world.platform_time(one.channel),
        )
        self._send(one, piece, edit)

    def _send(self, one: Pasted, piece: Piece, event: Message | Edit) -> None:
        delivery = Delivery(event, one.channel, self.world.now, one.words(piece.number, len(piece.deliveries)))
        piece.deliveries.append(delivery)
        self.world.post_office.take(delivery)
        self.world.note("sends a piece", f"pia{one.number}", one.words(piece.number, len(piece.deliveries) - 1))

    def _id(self) -> str:
        self._events += 1
        return f"p{self._events}"


def _quoted(one: Pasted, piece: Piece) -> tuple[ContextItem, ...]:
    """Return what the next delivery of a piece points at."""
    text = one.quote(piece.number, len(piece.deliveries))
    return (ContextItem(kind="reply", text=text, author="Di"),) if piece.quotes else ()


def judge_pastes(world: World, verdict: Verdict) -> None:
    """Each was asked whole, in order, with its latest words; nothing was answered in pieces, nothing is lost."""
    for one in world.people.pasters.pasted:
        verdict.count("pastes")
        requests = [r for r in world.api.requests.values() if f"<p{one.number}." in r.text]
        ids = {
            match[1]
            for post in one.channel.posts
            if post.kind == "answer" and (match := REQUEST.search(post.text)) is not None
        }
        answered = [request for request in requests if request.id in ids]
        for request in answered:
            _no_piece(one, request, verdict)
        if one.channel.name == world.lasting.channel and world.lasting.kind == "channel":
            continue  # nothing can be seen there any more
        here = [entry for entry in one.channel.tries if entry.place.conversation_id == one.place.conversation_id]
        failed = any(entry.kind == "failure" for entry in here)
        if answered and not failed and not any(_has_latest(one, request) for request in answered):
            verdict.wrong.append(f"p{one.number} was not answered whole: {[request.text for request in answered]}.")
        if not answered and not failed and not any(entry.kind == "answer" for entry in here):
            verdict.count("lost")
            verdict.wrong.append(f"p{one.number} ended with nothing to be seen.")


def _no_piece(one: Pasted, request: Request, verdict: Verdict) -> None:
    """What was stored before an answer was known is in what was answered, in its order."""
    places = []
    for piece in one.pieces:
        stored = piece.deliveries[0].stored_at
        found = request.text.find(f"<p{one.number}.{piece.number}v")
        if found < 0 and stored is not None and request.told is not None and stored < request.told:
            verdict.wrong.append(f"p{one.number} was answered without piece {piece.number}: {request.text!r}.")
        if found >= 0 and not piece.forwarded:
            places.append(found)
    if places != sorted(places) or request.text.count(f"<p{one.number}.") > len(one.pieces):
        verdict.wrong.append(f"The pieces of p{one.number} are out of order: {request.text!r}.")


def _has(one: Pasted, piece: Piece, version: int, request: Request) -> bool:
    """Whether a request has these words of a piece, and what they point at."""
    quote = one.quote(piece.number, version) if piece.quotes else ""
    return one.words(piece.number, version) in request.text and quote in request.text


def _has_latest(one: Pasted, request: Request) -> bool:
    """Whether a request has the latest words of every piece that the bot took as something new."""
    for piece in one.pieces:
        counted = [version for version, delivery in enumerate(piece.deliveries) if delivery.counted]
        # What was stored before a crash, and acknowledged only after it, is newer than the last one that was counted.
        newest = range(counted[-1], len(piece.deliveries)) if counted else ()
        if counted and not any(_has(one, piece, version, request) for version in newest):
            return False
    return True
