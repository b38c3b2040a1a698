"""A simulated channel and its adapter: people see its messages, the bot posts them, cuts come before or after.

`can_be_asked` makes the difference between the two kinds: one finds a send by its delivery id, as Slack does
with metadata; the other, as Telegram, does not know. Messages of people and of the bot share one row of ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.adapter import ChannelSpec, Check, Host, Part, Want
from bot.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Answer, Conversation, EarlierMessage, File, Mention, MessageRef, Notice, Outbound, Person, Rating
from tests.fakes.adapter import FAKE
from tests.simulation.weather import Fate

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

LATEST = 4.0
"""Seconds after a send began at which the channel acts on it at the latest, even when the sender was cut off."""


@dataclass(slots=True, eq=False)
class Post:
    """A message of the bot, as people see it."""

    at: float
    place: Conversation
    kind: str
    text: str
    reply_to: MessageRef | None
    delivery_id: str
    ref: MessageRef
    user: str | None
    known: bool = False
    deleted: float | None = None


@dataclass(slots=True, eq=False)
class Try:
    """One send, as the channel's own log has it. `noted`: it says that it may be a second copy.

    `end`: known, refused, rejected, unknown or, after a crash, died.
    """

    at: float
    kind: str
    text: str
    place: Conversation
    delivery_id: str
    reply_to: MessageRef | None
    process: int
    noted: bool
    end: str = "died"


@dataclass(eq=False)
class Channel:
    """The platform: it outlives every process of the bot."""

    world: World
    name: str
    can_be_asked: bool
    posts: list[Post] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    working: dict[tuple[str, str], list[tuple[float, bool]]] = field(default_factory=dict)
    working_tries: list[tuple[float, str, bool]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    ever_closed: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Rating | None] = field(default_factory=dict)
    trouble: list[float] = field(default_factory=list)
    _next: int = 0

    @property
    def spec(self) -> ChannelSpec:
        """What the core may know of it."""
        return replace(FAKE, name=self.name, lacks=frozenset(() if self.can_be_asked else ("look_ups",)))

    def now(self, conversation: Conversation) -> Conversation:
        """The conversation under the id it has now."""
        known = self.moved.get(conversation.conversation_id, conversation.conversation_id)
        return replace(conversation, conversation_id=known)

    def new_ref(self, conversation_id: str) -> MessageRef:
        """Give the next message its id."""
        self._next += 1
        return MessageRef(
            channel=self.name,
            account_id="acc",
            conversation_id=conversation_id,
            message_id=f"{self.name[0]}{self._next}",
        )

    def post(self, one: Try, part: Part, reply_to: MessageRef | None) -> Post:
        """Show a message of the bot to everybody."""
        ref = self.new_ref(one.place.conversation_id)
        post = Post(
            self.world.now, one.place, one.kind, one.text, reply_to, one.delivery_id, ref, _text(part.get("user"))
        )
        self.posts.append(post)
        self.world.note("post", self.name, ref.message_id, one.kind, one.text)
        self.world.posted(self, post)
        return post


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class SimAdapter:
    """`bot.adapter.Adapter` for one process."""

    def __init__(self, process: Process, channel: Channel) -> None:
        self._process = process
        self._world = process.world
        self._channel = channel

    @property
    def channel(self) -> str:
        return self._channel.name

    async def run(self, host: Host) -> None:
        """The world delivers the events itself."""

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """One part for every line of an answer, a lesser one in the plain form; everything else is one part."""
        form: dict[str, Any] = {} if plain else {"form": True}
        if isinstance(outbound, Answer):
            return [{"kind": "answer", "text": line} | form for line in outbound.text.split("\n")[after:]]
        assert isinstance(outbound, Notice)
        return [{"kind": outbound.kind, "text": outbound.text, "user": outbound.user_id} | form]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        channel, world = self._channel, self._world
        conversation = channel.now(conversation)  # the channel's error tells the new id, and the adapter follows it
        kind, text = str(part["kind"]), str(part["text"])
        one = Try(world.now, kind, text, conversation, delivery_id, reply_to, self._process.number, bool(note))
        await self._process.point("channel: before a send")
        channel.tries.append(one)
        what = f"{one.kind} {one.text}" if one.kind == "answer" else one.kind
        fate = self._fate(f"sending {what}")
        if fate in ("refused", "limited", "barred"):
            await self._wait()
            one.end = "refused"
            self._raise_refusal(fate, f"send {one.kind}")
        if part.get("form") and world.weather.refuses_form(one.text):
            await self._wait()
            one.end = "refused"
            world.shaken()
            world.note("form refused", channel.name, one.kind, one.text)
            await self._process.point("channel: after a refusal")
            raise Rejected("The channel refuses the form.", status=400, reason="form", form=True)
        if conversation.conversation_id in channel.closed or fate == "odd":
            await self._wait()
            one.end = "rejected"
            world.shaken()
            gone = conversation.conversation_id in channel.closed
            world.note("send refused for good", channel.name, one.kind, one.text, "gone" if gone else "rejected")
            raise Rejected("The channel refuses this.", status=403, reason="gone" if gone else "rejected", gone=gone)
        if fate == "cut_late" or (fate == "fine" and world.weather.happens(f"{what} cut off, shown late", 0.02)):
            late = world.luck.dice(f"{what} shown after").uniform(0.0, LATEST - (world.now - one.at))
            world.later(late, lambda: channel.post(one, part, reply_to))
        elif fate != "cut_before":
            seconds = self._latency(limit=one.at + LATEST)
            post = await world.on_wire(self._process, seconds, lambda: channel.post(one, part, reply_to))
            await self._process.point("channel: after a send")
            if fate == "fine":
                await self._wait()
                self._process.must_live()
                post.known = True
                one.end = "known"
                return post.ref
        await self._wait()
        one.end = "unknown"
        world.note("send cut", channel.name, one.kind, one.text, fate)
        raise OutcomeUnknown("The channel was cut off.", reason="connection")

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        await self._call("find", conversation.conversation_id)
        if not self._channel.can_be_asked:
            return None
        found = [one.ref for one in self._channel.posts if one.delivery_id == delivery_id and one.deleted is None]
        for one in self._channel.posts:
            if one.delivery_id == delivery_id:
                one.known = True
        return found

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        await self._call("mark", ref.conversation_id)
        self._channel.marks[ref.message_id] = rating

    async def delete(self, ref: MessageRef) -> None:
        cut = await self._call("delete", ref.conversation_id)
        for one in self._channel.posts:
            if one.ref == ref and one.deleted is None:
                one.deleted = self._world.now
                self._world.note("deleted by the bot", self.channel, ref.message_id, one.kind)
        self._finish(cut)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        key = "" if question is None else question.message_id
        self._channel.working_tries.append((self._world.now, key, on))
        cut = await self._call("working", conversation.conversation_id)
        self._channel.working.setdefault((conversation.conversation_id, key), []).append((self._world.now, on))
        self._finish(cut)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        return None

    async def open(self, file: File) -> bytes:
        raise Rejected("Messages have no files here.", reason="not_found")

    async def person(self, account_id: str, user_id: str) -> Person | None:
        return None

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        return None

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        return []

    def _latency(self, limit: float | None = None) -> float:
        seconds = self._world.weather.latency(self._world.weather.channel, self.channel)
        return seconds if limit is None else min(seconds, max(0.0, limit - self._world.now))

    async def _wait(self) -> None:
        await asyncio.sleep(self._latency())
        self._process.must_live()

    async def _call(self, what: str, where: str) -> bool:
        """Reach the channel for something repeatable; True when the answer is to be lost."""
        await self._process.point(f"channel: before {what}")
        fate = self._fate(what)
        await self._wait()
        if fate in ("refused", "limited", "barred"):
            self._raise_refusal(fate, what)
        if where in self._channel.closed:
            raise Rejected("Gone.", status=403, reason="gone", gone=True)
        if fate == "cut_before":
            raise OutcomeUnknown("The channel was cut off.", reason="connection")
        return fate in ("cut_after", "cut_late")

    def _fate(self, what: str) -> Fate:
        world = self._world
        lasting = world.lasting.of_channel(self.channel, world.now)
        return lasting or world.weather.fate(world.weather.channel, f"{self.channel}: {what}", world.now)

    def _finish(self, cut: bool) -> None:
        if cut:
            raise OutcomeUnknown("The channel was cut off.", reason="connection")

    def _raise_refusal(self, fate: Fate, what: str) -> None:
        world = self._world
        self._channel.trouble.append(world.now)
        world.note("channel unavailable", self.channel, what, fate)
        if fate == "barred":
            raise Misconfigured("The token is not valid.", status=401, reason="unauthorized")
        if fate == "limited":
            raise Unavailable(
                "Too fast.",
                status=429,
                reason="rate_limited",
                retry_after=world.luck.dice("channel says wait").choice((0.5, 3.0)),
            )
        raise Unavailable("The channel is down.", status=503, reason="server_error")
