"""A messaging platform in memory: people, messages, deliveries, and every way to fail. `adapter.py` speaks it.

channel = FakeChannel()
question = await channel.say("How long is the warranty?")         # returns once the core has acknowledged it
await channel.wait_for(lambda: channel.answers())
await channel.react(channel.answers()[0].ref, "👎")
channel.plan = ["cut_after_write", None]                          # the next send is unknown, the one after it fine

Its markup is `<...>`, its escapes `&lt; &gt; &amp;`: an adapter that forgets to escape shows. It raises `ChannelError`,
as an SDK would, never an error of ours.
"""

from __future__ import annotations

import asyncio
import html
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from bot import events
from bot.adapter import Capability
from bot.errors import BotError
from bot.events import Conversation, Event, Message, MessageRef, Rating, Standing
from bot.testing.payload_files import write_event
from bot.testing.wire import FailHow
from tests.fakes.parts import FakePart

NAME: Final = "fake"
ACCOUNT: Final = "A1"
ASKER: Final = "U1"

Plan: TypeAlias = FailHow | Literal["cut_before_write", "no_file", "form"]
"""`cut_before_write`: like `cut_after_write`, but nothing was done; the adapter cannot tell the two apart. `no_file`:
what a download of none says. `form`: the styles of a message are refused, certainly."""

CHUNK: Final = 1 << 20
"""Bytes of one piece of a download."""


class ChannelError(Exception):
    """What the platform's SDK raises."""

    def __init__(self, how: Plan, retry_after: float) -> None:
        super().__init__(how)
        self.how = how
        self.retry_after = retry_after


class NotAcknowledged(AssertionError):
    """A delivery was not acknowledged: the platform would deliver it again."""


@dataclass(slots=True)
class Sent:
    """One message of the bot. `kind` is `answer`, the kind of a notice, or `home`; `raw` has the markup."""

    ref: MessageRef
    conversation: Conversation
    kind: str
    raw: str
    buttons: bool
    delivery_id: str
    reply_to: str | None
    at: datetime
    styled: bool = False
    rating: Rating | None = None
    deleted: bool = False

    @property
    def text(self) -> str:
        """What people read."""
        return html.unescape(self.raw)


def dm(user_id: str = ASKER) -> Conversation:
    """Make the direct conversation of one person with the bot."""
    return Conversation(channel=NAME, account_id=ACCOUNT, conversation_id=f"D-{user_id}", kind="dm", is_direct=True)


def room(thread_id: str | None = None, conversation_id: str = "R-1") -> Conversation:
    """Make a room, or one of its threads."""
    return Conversation(
        channel=NAME,
        account_id=ACCOUNT,
        conversation_id=conversation_id,
        thread_id=thread_id,
        kind="room",
        is_direct=False,
    )


class FakeChannel:
    """The platform.

    `sent`: every message of the bot, in order, deleted ones too. `plan`: how the next sends end, one each, None is
    well; then `failing` holds, for every method, until it is None. `lacks`: as in `ChannelSpec`; without `findable` it
    lacks look-ups. `tells`: it tells what was said, and names. `files`: what can be downloaded, by id.
    `delay`: seconds a send takes. `limit`: characters of one message, escapes counted; the adapter keeps room for a
    note in them. `refuses_form`: it takes no part that is styled. `requests`: (method,
    delivery id or message id) of every request that reached it.
    """

    def __init__(
        self,
        *,
        findable: bool = True,
        lacks: Collection[Capability] = (),
        tells: bool = True,
        limit: int = 522,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        cannot: dict[Capability, bool] = {"look_ups": not findable, "history": not tells}
        self.lacks = frozenset(lacks) | {name for name, lacking in cannot.items() if lacking}
        self.tells = tells
        self.files: dict[str, bytes] = {}
        self.people = {ASKER: "Uma Ono", "U2": "Ulf Two"}
        self.emails: dict[str, str] = {}
        self.said: list[Message] = []
        self.limit = limit
        self.refuses_form = False
        self.sent: list[Sent] = []
        self.plan: list[Plan | None] = []
        self.failing: Plan | None = None
        self.retry_after = 7.0
        self.delay = 0.0
        self.requests: list[tuple[str, str]] = []
        self.working: set[tuple[str, str | None]] = set()
        self.signs = 0
        self.receiver: Callable[[Any], Awaitable[None]] | None = None
        self.known: set[str] = set()
        self._now = now or (lambda: datetime.now(UTC))
        self._last = datetime(2000, 1, 1, tzinfo=UTC)
        self._ids = itertools.count(1)

    # what people do

    async def say(
        self,
        text: str,
        *,
        user_id: str = ASKER,
        conversation: Conversation | None = None,
        mentions_bot: bool = True,
        in_reply_to: MessageRef | None = None,
        standing: Standing = "member",
        **fields: Any,
    ) -> Message:
        """Write a message to the bot, in the person's DM if nowhere else; `fields` are further ones of `Message`."""
        message = self.message(text, user_id=user_id, conversation=conversation, standing=standing)
        message = replace(message, mentions_bot=mentions_bot, in_reply_to=in_reply_to, **fields)
        await self.happen(message)
        return message

    async def edit(self, message: Message, text: str, **fields: Any) -> None:
        """Change the words of a message."""
        shared = {
            name: getattr(message, name) for name in ("ref", "conversation", "user_id", "standing", "mentions_bot")
        }
        await self.happen(
            events.Edit(event_id=self.new_id("edit"), text=text, sent_at=self.tick(), **{**shared, **fields})
        )

    async def remove(self, ref: MessageRef) -> None:
        """Delete a person's message."""
        await self.happen(events.Deletion(event_id=self.new_id("deletion"), ref=ref, sent_at=self.tick()))

    async def react(
        self, ref: MessageRef, emoji: str, *, added: bool = True, user_id: str = ASKER, button: bool = False
    ) -> None:
        """Put an emoji on a message or take it off; with `button`, press 👍 or 👎 below it."""
        await self.happen(self.reaction(ref, emoji, added=added, user_id=user_id, button=button))

    async def command(
        self,
        name: str,
        args: str = "",
        *,
        user_id: str = ASKER,
        conversation: Conversation | None = None,
        **fields: Any,
    ) -> None:
        """Give a command; without `ref` it has no message of its own."""
        where = conversation or dm(user_id)
        base = {"ref": None, "standing": "member", **fields}
        await self.happen(
            events.Command(
                event_id=self.new_id("command"),
                conversation=where,
                user_id=user_id,
                name=name,
                args=args,
                sent_at=self.tick(),
                **base,
            )
        )

    async def happen(self, event: Event) -> None:
        """Deliver any event; raises NotAcknowledged when the bot did not take it."""
        if not await self.deliver(self.payload(event)):
            raise NotAcknowledged(f"{type(event).__name__} {event.event_id} was not acknowledged")

    # what the wire carries

    def payload(self, event: Event) -> dict[str, Any]:
        """Make the payload of an event: its file form, the event id as `id`."""
        raw = write_event(event)
        raw["id"] = raw.pop("event_id")
        return raw

    async def deliver(self, payload: Any) -> bool:
        """Deliver once; False when nobody receives or the receiver declined with an error of ours."""
        if self.receiver is None:
            return False
        try:
            await self.receiver(payload)
        except BotError:
            return False
        return True

    def message(
        self,
        text: str,
        *,
        user_id: str = ASKER,
        conversation: Conversation | None = None,
        standing: Standing = "member",
    ) -> Message:
        """Make a new message."""
        where = conversation or dm(user_id)
        message_id = self.new_id("m")
        self.known.add(message_id)
        message = Message(
            event_id=f"message:{message_id}",
            ref=self.ref(where, message_id),
            conversation=where,
            user_id=user_id,
            standing=standing,
            text=text,
            mentions_bot=True,
            sent_at=self.tick(),
        )
        self.said.append(message)
        return message

    def reaction(
        self, ref: MessageRef, emoji: str, *, added: bool = True, user_id: str = ASKER, button: bool = False
    ) -> events.Reaction:
        """Make a new reaction."""
        return events.Reaction(
            event_id=self.new_id("reaction"),
            target=ref,
            user_id=user_id,
            standing="member",
            emoji=emoji,
            added=added,
            button=button,
            sent_at=self.tick(),
        )

    def ref(self, conversation: Conversation, message_id: str) -> MessageRef:
        """Name a message."""
        return MessageRef(
            channel=NAME,
            account_id=ACCOUNT,
            conversation_id=conversation.conversation_id,
            message_id=message_id,
        )

    def new_id(self, kind: str) -> str:
        """Make an id."""
        return f"{kind}-{next(self._ids)}"

    def tick(self) -> datetime:
        """Tell the time, later with every call."""
        self._last = max(self._now(), self._last + timedelta(milliseconds=1))
        return self._last

    # what people see

    def visible(self) -> list[Sent]:
        """List what is there now."""
        return [message for message in self.sent if not message.deleted]

    def answers(self) -> list[Sent]:
        """List the parts of answers that are there now."""
        return [message for message in self.visible() if message.kind == "answer"]

    def notices(self, kind: str | None = None) -> list[Sent]:
        """List the notices that are there now, of one kind or all."""
        return [
            message
            for message in self.visible()
            if message.kind not in ("answer", "home") and kind in (None, message.kind)
        ]

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait until the predicate is true; fail with what was sent otherwise."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not predicate():
            if loop.time() >= deadline:
                raise AssertionError(f"not so after {timeout} s; sent: {self.sent!r}")
            await asyncio.sleep(0.005)

    # its API, one request each

    async def post(
        self, conversation: Conversation, part: FakePart, delivery_id: str, reply_to: str | None
    ) -> MessageRef:
        """Post a message; a reply to what is not known goes out as no reply."""
        how = self.plan.pop(0) if self.plan else self.failing
        self._arrive("post", delivery_id, how)
        if self.delay:
            await asyncio.sleep(self.delay)
        if len(part.raw) > self.limit:
            raise ValueError("too long")
        if how == "form" or (self.refuses_form and part.styled):
            raise ChannelError("form", self.retry_after)
        ref = self.ref(conversation, self.new_id("b"))
        answered = reply_to if reply_to in self.known else None
        self.known.add(ref.message_id)
        self.sent.append(
            Sent(
                ref,
                conversation,
                part.kind,
                part.raw,
                part.buttons,
                delivery_id,
                answered,
                at=self.tick(),
                styled=part.styled,
            )
        )
        self._depart(how)
        return ref

    async def search(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef]:
        """Find messages by the delivery id they carry."""
        self._arrive("search", delivery_id, self.failing)
        self._depart(self.failing)
        return [
            message.ref
            for message in self.visible()
            if message.delivery_id == delivery_id
            and message.conversation.conversation_id == conversation.conversation_id
        ]

    async def update(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show a rating on a message's buttons."""
        self._arrive("update", ref.message_id, self.failing)
        for message in self.sent:
            if message.ref == ref:
                message.rating = rating
        self._depart(self.failing)

    async def delete(self, ref: MessageRef) -> bool:
        """Delete a message; False when there is none."""
        self._arrive("delete", ref.message_id, self.failing)
        there = [message for message in self.visible() if message.ref == ref]
        for message in there:
            message.deleted = True
        self._depart(self.failing)
        return bool(there)

    async def status(self, conversation: Conversation, on: bool) -> None:
        """Show or hide the sign of work."""
        self._arrive("status", conversation.conversation_id, self.failing)
        key = (conversation.conversation_id, conversation.thread_id)
        if on:
            self.signs += 1
            self.working.add(key)
        else:
            self.working.discard(key)
        self._depart(self.failing)

    async def history(self, conversation: Conversation, before: MessageRef) -> list[dict[str, Any]]:
        """Tell what was said in a conversation before a message, oldest first."""
        self._arrive("history", before.message_id, self.failing)
        rows: list[dict[str, Any]] = [
            {"ref": message.ref, "user_id": message.user_id, "text": message.text, "sent_at": message.sent_at}
            for message in self.said
            if message.conversation == conversation
        ]
        rows += [
            {"ref": message.ref, "user_id": None, "by_us": True, "text": message.text, "sent_at": message.at}
            for message in self.visible()
            if message.conversation == conversation
        ]
        rows.sort(key=lambda row: row["sent_at"])
        self._depart(self.failing)
        refs = [row["ref"] for row in rows]
        return rows[: refs.index(before)] if before in refs else []

    async def download(self, file_id: str) -> AsyncIterator[bytes]:
        """Send a file in pieces."""
        self._arrive("download", file_id, self.failing)
        if file_id not in self.files:
            raise ChannelError("no_file", self.retry_after)
        content = self.files[file_id]
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
            self._depart(self.failing)

    async def name_of(self, user_id: str) -> str | None:
        """Tell a person's name; None for nobody's id."""
        self._arrive("name_of", user_id, self.failing)
        self._depart(self.failing)
        return self.people.get(user_id)

    async def whoami(self) -> str:
        """Tell the account's name."""
        self._arrive("whoami", "", self.failing)
        return "Fake Bot"

    def _arrive(self, method: str, about: str, how: Plan | None) -> None:
        if how != "refused":
            self.requests.append((method, about))
        if how is not None and how != "cut_after_write":
            raise ChannelError(how, self.retry_after)

    def _depart(self, how: Plan | None) -> None:
        if how == "cut_after_write":
            raise ChannelError(how, self.retry_after)
