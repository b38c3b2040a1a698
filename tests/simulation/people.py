"""What people do in a run: ask, edit, delete, stop, begin anew, react early, change their minds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.events import (
    Command,
    Conversation,
    Deletion,
    Edit,
    Event,
    Gone,
    Message,
    MessageRef,
    Moved,
    Reaction,
    Stop,
)
from tests.simulation.channel import Channel, Post

if TYPE_CHECKING:
    from tests.simulation.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
EMOJI = ("👍", "❤", "👎", "💩", "🦊")
"""Two good ones, two bad ones, one that means nothing."""


@dataclass(slots=True, eq=False)
class Delivery:
    """An event on its way to the bot.

    `handed_at`: when a process first had it; `stored_at`: when one first said it is safe; `outcomes`: what was said.
    """

    event: Event
    channel: Channel
    at: float
    handed_at: float | None = None
    stored_at: float | None = None
    outcomes: list[str] = field(default_factory=list)

    @property
    def counted(self) -> bool:
        """Whether the bot took it as something new."""
        return "accepted" in self.outcomes


@dataclass(frozen=True, slots=True)
class Place:
    """Where people talk; `scope` names whose memory is shared there, `{user}` stands for the person's own."""

    conversation: Conversation
    users: tuple[str, ...]
    scope: str


@dataclass(slots=True, eq=False)
class Ask:
    """One question. `texts[v]` are its words after `v` edits, `edits[v]` how those words came to the bot."""

    number: int
    channel: Channel
    place: Place
    user: str
    sent_at: float
    ref: MessageRef | None
    root: bool
    texts: list[str]
    edits: list[Delivery]
    ends: list[Delivery] = field(default_factory=list)

    @property
    def scope(self) -> str:
        """Whose memory this question belongs to."""
        if self.root:
            return f"root {self.number}"
        return f"{self.channel.name} {self.place.conversation.conversation_id} {self.place.scope}".format(
            user=self.user
        )


@dataclass(slots=True, eq=False)
class Vote:
    """One thing a person did to a message of the bot."""

    user: str
    post: Post
    emoji: str
    added: bool
    button: bool
    at: float
    delivery: Delivery


@dataclass(slots=True, eq=False)
class Anew:
    """Somebody begins a new conversation."""

    scope: str
    delivery: Delivery


class People:
    """Everybody, with a plan drawn from the seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng: random.Random = world.rng
        self.asks: list[Ask] = []
        self.votes: list[Vote] = []
        self.anews: list[Anew] = []
        self.deliveries: list[Delivery] = []
        self.moods = self.rng.choice((0.0, 0.4, 0.8))
        from tests.simulation.pastes import Pasters  # it needs what stands above

        self.pasters = Pasters(world)
        self._events = 0
        self._holding: dict[tuple[str, str], set[str]] = {}

    def places(self) -> list[tuple[Channel, Place]]:
        """Draw where people talk in this run."""
        found: list[tuple[Channel, Place]] = []
        for channel in self.world.channels.values():
            one, name = channel.can_be_asked, channel.name
            direct = Conversation(
                channel=name, account_id="acc", conversation_id="D1", kind="dm" if one else "private", is_direct=True
            )
            found.append((channel, Place(direct, ("ann",), "user:{user}")))
            group = Conversation(
                channel=name,
                account_id="acc",
                conversation_id="C1",
                thread_id="t1" if one else None,
                kind="channel" if one else "group",
                is_direct=False,
            )
            found.append((channel, Place(group, ("ann", "bob", "cem"), "t1" if one else self.world.group_scope)))
        self.rng.shuffle(found)
        return found[: self.rng.choice((1, 1, 2, 3))]

    def plan(self, seconds: float) -> None:
        """Draw who asks what when, within the first `seconds`."""
        places = self.places()
        rush = self.rng.random() < 0.3
        for number in range(1, self.rng.choice((1, 2, 3, 4, 6)) + 1):
            channel, place = self.rng.choice(places)
            user = self.rng.choice(place.users)
            at = self.rng.uniform(0.0, 1.5 if rush else seconds)
            self.world.later(at, partial(self.ask, number, channel, place, user))
        if self.rng.random() < 0.35:
            channel, place = self.rng.choice(places)
            user = self.rng.choice(place.users)
            self.world.later(self.rng.uniform(0.0, seconds), lambda: self.begin_anew(channel, place, user))
        self.pasters.plan(seconds)
        groups = [one for one in places if one[1].conversation.kind == "group"]
        if groups and self.rng.random() < 0.12:
            self.world.later(self.rng.uniform(0.0, seconds), lambda: self._move(*groups[0]))
        elif groups and self.rng.random() < 0.1:
            self.world.later(self.rng.uniform(0.0, seconds), lambda: self._leave(*groups[0]))

    def _move(self, channel: Channel, place: Place) -> None:
        """The conversation gets another id, for good."""
        old, new = place.conversation.conversation_id, f"{place.conversation.conversation_id}-moved"
        channel.moved[old] = new
        self._send(
            channel,
            Moved(
                event_id=self._id(),
                channel=channel.name,
                account_id="acc",
                old_id=old,
                new_id=new,
                sent_at=self._time(channel),
            ),
        )
        self.world.note("conversation moved", old, new)

    def _leave(self, channel: Channel, place: Place) -> None:
        """The bot is thrown out, and comes back after a while."""
        name = place.conversation.conversation_id
        channel.closed.add(name)
        channel.ever_closed.add(name)
        self._send(
            channel,
            Gone(
                event_id=self._id(),
                channel=channel.name,
                account_id="acc",
                conversation_id=name,
                sent_at=self._time(channel),
            ),
        )
        self.world.note("bot thrown out", name)
        self.world.later(self.rng.uniform(1.0, 20.0), lambda: channel.closed.discard(name))

    # -- questions ------------------------------------------------------------------------------------------------

    def ask(self, number: int, channel: Channel, place: Place, user: str) -> None:
        """Ask, and plan what follows from it."""
        rng, text = self.rng, f"q{number}v0"
        root = channel.can_be_asked and not place.conversation.is_direct and rng.random() < 0.15
        command = root or (not channel.can_be_asked and rng.random() < 0.2)
        ref = None if root else channel.new_ref(channel.now(place.conversation).conversation_id)
        event: Event
        if command:
            event = Command(
                event_id=self._id(),
                ref=ref,
                conversation=channel.now(place.conversation),
                user_id=user,
                standing="member",
                name="ask",
                args=text,
                sent_at=self._time(channel),
            )
        else:
            assert ref is not None
            event = self._message(channel, place, user, ref, text)
        ask = Ask(number, channel, place, user, event.sent_at.timestamp(), ref, root, [text], [])
        ask.edits.append(self._send(channel, event))
        self.asks.append(ask)
        self.world.note("asks", user, place.conversation.conversation_id, text, "by /ask" if command else "")
        if ref is not None and not command:
            self._second_thoughts(ask)
        if channel.can_be_asked and place.conversation.is_direct and rng.random() < 0.05:
            self.world.later(rng.uniform(0.0, 15.0), lambda: self._stop(ask))

    def _second_thoughts(self, ask: Ask) -> None:
        rng = self.rng
        when = 0.0
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            when += rng.choice((rng.uniform(0.3, 2.0), rng.uniform(1.0, 15.0)))
            self.world.later(when, lambda: self._edit(ask))
        if rng.random() < 0.12:
            when += rng.choice((rng.uniform(0.3, 2.0), rng.uniform(1.0, 15.0)))
            self.world.later(when, lambda: self._delete(ask))

    def _edit(self, ask: Ask) -> None:
        assert ask.ref is not None
        if ask.ends:
            return
        ask.texts.append(f"q{ask.number}v{len(ask.texts)}")
        event = Edit(
            event_id=self._id(),
            ref=ask.ref,
            conversation=ask.channel.now(ask.place.conversation),
            user_id=ask.user,
            standing="member",
            text=ask.texts[-1],
            mentions_bot=not ask.place.conversation.is_direct,
            sent_at=self._time(ask.channel),
        )
        ask.edits.append(self._send(ask.channel, event))
        self.world.note("edits", ask.user, ask.texts[-1])

    def _delete(self, ask: Ask) -> None:
        assert ask.ref is not None
        event = Deletion(event_id=self._id(), ref=ask.ref, sent_at=self._time(ask.channel))
        ask.ends.append(self._send(ask.channel, event))
        self.world.note("deletes", ask.user, ask.texts[-1])

    def _stop(self, ask: Ask) -> None:
        event = Stop(
            event_id=self._id(),
            conversation=ask.channel.now(ask.place.conversation),
            user_id=ask.user,
            sent_at=self._time(ask.channel),
        )
        delivery = self._send(ask.channel, event)
        for one in self.asks:
            if (one.channel, one.place, one.user) == (ask.channel, ask.place, ask.user):
                one.ends.append(delivery)
        self.world.note("presses stop", ask.user)

    def begin_anew(self, channel: Channel, place: Place, user: str) -> None:
        """Type the command for a new conversation."""
        ref = channel.new_ref(channel.now(place.conversation).conversation_id)
        event: Event
        if channel.can_be_asked:
            event = self._message(channel, place, user, ref, "!new")
        else:
            event = Command(
                event_id=self._id(),
                ref=ref,
                conversation=channel.now(place.conversation),
                user_id=user,
                standing="member",
                name="new",
                args="",
                sent_at=self._time(channel),
            )
        scope = f"{channel.name} {place.conversation.conversation_id} {place.scope}".format(user=user)
        self.anews.append(Anew(scope, self._send(channel, event)))
        self.world.note("begins anew", user, scope)

    def _message(self, channel: Channel, place: Place, user: str, ref: MessageRef, text: str) -> Message:
        return Message(
            event_id=self._id(),
            ref=ref,
            conversation=channel.now(place.conversation),
            user_id=user,
            standing="member",
            text=text,
            mentions_bot=not place.conversation.is_direct,
            sent_at=self._time(channel),
        )

    # -- votes ----------------------------------------------------------------------------------------------------

    def see(self, channel: Channel, post: Post) -> None:
        """Somebody sees a message of the bot, and may react to it."""
        if post.kind != "answer":
            return
        ask = next((one for one in self.asks if post.text.startswith(f"q{one.number}v")), None)
        if ask is None or self.rng.random() >= self.moods:
            return
        index, _, of = post.text.partition("~")[2].partition(" ")[0].partition("/")
        last = index == of
        for user in {ask.user: 0, self.rng.choice(ask.place.users): 0}:
            when = self.rng.choice((self.rng.uniform(0.0, 0.2), self.rng.uniform(0.5, 12.0)))
            for _ in range(self.rng.choice((1, 1, 2, 3, 5))):
                button = last and self.rng.random() < 0.3
                self.world.later(when, partial(self._react, channel, post, user, button))
                when += self.rng.choice((self.rng.uniform(0.1, 1.0), self.rng.uniform(1.0, 20.0)))

    def _react(self, channel: Channel, post: Post, user: str, button: bool) -> None:
        if post.deleted is not None:
            return
        held = self._holding.setdefault((post.ref.message_id, user), set())
        emoji = self.rng.choice(EMOJI[:4:2] if button else EMOJI)
        added = button or emoji not in held
        if not button:
            (held.add if added else held.discard)(emoji)
        event = Reaction(
            event_id=self._id(),
            target=post.ref,
            user_id=user,
            standing="member",
            emoji=emoji,
            added=added,
            button=button,
            can_ask_why=True,
            sent_at=self._time(channel),
        )
        self.votes.append(Vote(user, post, emoji, added, button, self.world.now, self._send(channel, event)))
        self.world.note("reacts", user, emoji, "clicks" if button else "adds" if added else "removes", post.text)

    # -- the way to the bot ---------------------------------------------------------------------------------------

    def _id(self) -> str:
        self._events += 1
        return f"e{self._events}"

    def _time(self, channel: Channel) -> datetime:
        seconds = self.world.now if channel.can_be_asked else float(int(self.world.now))
        return START + timedelta(seconds=seconds)

    def _send(self, channel: Channel, event: Any) -> Delivery:
        delivery = Delivery(event, channel, self.world.now)
        self.deliveries.append(delivery)
        self.world.post_office.take(delivery)
        return delivery
