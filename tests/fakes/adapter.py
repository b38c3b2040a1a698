"""An adapter for `FakeChannel` that keeps the contract; the conformance suite proves it, the core's tests use it.

channel = FakeChannel()
task = asyncio.create_task(FakeAdapter(channel).run(host))        # or let the app run it, by `FAKE`
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SkipValidation

from bot.adapter import FILE_BYTES, NOTE_UNITS, AccessRule, ChannelSpec, Check, Host, Part, Want
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import (
    Answer,
    Conversation,
    EarlierMessage,
    Edit,
    Event,
    File,
    Home,
    Mention,
    MessageRef,
    Outbound,
    Person,
    Rating,
    Reaction,
)
from bot.testing.payload_files import read_event
from tests.fakes.channel import ACCOUNT, NAME, ChannelError, FakeChannel
from tests.fakes.parts import FakePart

USED: Final = (
    "Message",
    "Edit",
    "Deletion",
    "Reaction",
    "Command",
    "Comment",
    "Stop",
    "Moved",
    "Added",
    "Gone",
    "HomeOpened",
)


class FakeSettings(BaseModel):
    """The platform takes the place of a token."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    channel: SkipValidation[FakeChannel] | None = None

    @property
    def enabled(self) -> bool:
        """Whether there is a platform."""
        return self.channel is not None


FAKE: Final = ChannelSpec(
    name=NAME,
    settings=FakeSettings,
    scopes={"dm": ("user", "thread"), "room": ("thread", "user", "conversation")},
    access=(
        AccessRule(key="fake_guests", standing="guest", values={True: True, False: False}, default=True),
        AccessRule(key="fake_external", standing="external", values={True: True, False: False}, default=False),
    ),
    adapter="tests.fakes.adapter:FakeAdapter",
    preview="tests.fakes.preview:preview",
)


class FakeAdapter:
    """Implements `bot.adapter.Adapter`; takes its settings, or the platform itself."""

    channel = NAME

    def __init__(self, settings: FakeSettings | FakeChannel, *, guests_differ: bool = False) -> None:
        platform = settings.channel if isinstance(settings, FakeSettings) else settings
        assert platform is not None, "the fake channel is not set"
        self.platform: FakeChannel = platform
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, host: Host) -> None:
        """Receive until cancelled; the deliverer's own task carries each payload through."""

        async def receive(payload: Any) -> None:
            self._under_way += 1
            self._idle.clear()
            try:
                await self.take_in(host, payload)
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._idle.set()

        self.platform.receiver = receive
        try:
            await asyncio.Event().wait()
        finally:
            if self.platform.receiver is receive:
                self.platform.receiver = None
            await self._idle.wait()

    async def take_in(self, host: Host, payload: Any) -> None:
        """Hand a payload's events to the core, or set it aside."""
        try:
            found = self.normalize(payload)
        except (KeyError, TypeError, ValueError):
            raw = json.dumps(payload, sort_keys=True).encode()
            await host.set_aside(NAME, ACCOUNT, raw, "The payload has not the form of its type.")
            return
        for event in found:
            await host.handle(event)

    def normalize(self, payload: Any) -> list[Event]:
        """Make the events of a payload; what the bot did itself, and unused types, are none."""
        if payload["type"] not in USED or payload.get("user_id") == "BOT":
            return []
        rest = {name: value for name, value in payload.items() if name != "id"}
        event = read_event({**rest, "event_id": payload["id"]})
        return [] if self.lacking(event) else [event]

    def lacking(self, event: Event) -> bool:
        """Say whether an event is of a kind that the channel lacks."""
        if isinstance(event, Reaction):
            return ("buttons" if event.button else "reactions") in self.platform.lacks
        return isinstance(event, Edit) and "edits" in self.platform.lacks

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Escape and split; the buttons hang on the last part."""
        if isinstance(outbound, Home):
            recent = ", ".join(question.text for question in outbound.recent)
            raw = self.escape(f"Recent: {recent}")[: self.platform.limit]
            return [self.part("home", raw, buttons=False, styled=not plain)]
        rated = isinstance(outbound, Answer) and "buttons" not in self.platform.lacks
        kind = "answer" if isinstance(outbound, Answer) else outbound.kind
        notes = outbound.notes if isinstance(outbound, Answer) else ()
        pieces = self.split("\n\n".join((outbound.text, *notes)))
        pieces = pieces[after:]  # both forms are split alike
        return [
            self.part(kind, piece, buttons=rated and n == len(pieces), styled=not plain)
            for n, piece in enumerate(pieces, 1)
        ]

    def part(self, kind: str, raw: str, *, buttons: bool, styled: bool) -> Part:
        """Make one part."""
        return FakePart(kind=kind, raw=raw, buttons=buttons, styled=styled).to_json()

    def escape(self, text: str) -> str:
        """Take the meaning from the characters of the markup."""
        return html.escape(text, quote=False)

    def split(self, text: str) -> list[str]:
        """Cut before words, and words that are too long anywhere but inside an escape."""
        limit = self.platform.limit - NOTE_UNITS - 2
        pieces = [""]
        for word in re.findall(r"\s*\S+\s*", text) or [text]:
            escaped = self.escape(word)
            if len(pieces[-1]) + len(escaped) > limit and pieces[-1]:
                pieces.append("")
            if len(escaped) <= limit:
                pieces[-1] += escaped
                continue
            for character in word:
                if len(pieces[-1]) + len(self.escape(character)) > limit:
                    pieces.append("")
                pieces[-1] += self.escape(character)
        return pieces

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Post it, once."""
        with self.errors():
            stored = FakePart.from_json(part)
            if note:
                stored = replace(stored, raw=f"{stored.raw}\n\n{self.escape(note)}")
            return await self.platform.post(
                conversation, stored, delivery_id, reply_to.message_id if reply_to else None
            )

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Search, where the platform can."""
        if "look_ups" in self.platform.lacks:
            return None
        with self.errors():
            return await self.platform.search(conversation, delivery_id)

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the rating."""
        with self.errors():
            await self.platform.update(ref, rating)

    async def delete(self, ref: MessageRef) -> None:
        """Delete it, if it is there and the channel can."""
        if "deletions" in self.platform.lacks:
            return
        with self.errors():
            await self.platform.delete(ref)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Show or hide the sign, if there is one; the platform keeps it by itself."""
        if "signs" in self.platform.lacks:
            return
        with self.errors():
            await self.platform.status(conversation, on)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read the history, where the platform tells it."""
        if "history" in self.platform.lacks:
            return None
        with self.errors():
            rows = await self.platform.history(conversation, before)
        return [EarlierMessage(**row) for row in rows][-limit:]

    async def open(self, file: File) -> bytes:
        """Download it, as far as it may go."""
        content = b""
        with self.errors():
            async for chunk in self.platform.download(file.file_id):
                content += chunk
                if len(content) > FILE_BYTES:
                    raise Rejected("The file is too large.", reason="too_large")
        return content

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Ask for the name, where the platform tells it."""
        if not self.platform.tells:
            return None
        with self.errors():
            name = await self.platform.name_of(user_id)
        return None if name is None else Person(name=name, email=self.platform.emails.get(user_id))

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Ask for the name, where the platform tells it."""
        if not self.platform.tells:
            return None
        with self.errors():
            return await self.platform.name_of(mention.id)

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Ask who we are."""
        try:
            with self.errors():
                name = await self.platform.whoami()
        except BotError as error:
            fix = "Look at the token and the network."
            return [Check(check=f"{NAME} account", status="fail", detail=str(error), fix=fix)]
        return [Check(check=f"{NAME} account", status="ok", detail=f"speaks as {name}")]

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Map the platform's errors to ours."""
        try:
            yield
        except ChannelError as error:
            raise self.mapped(error) from None

    def mapped(self, error: ChannelError) -> BotError:
        """Sort one error of the platform."""
        if error.how == "rate_limited":
            return Unavailable("The channel is busy.", status=429, reason="rate_limited", retry_after=error.retry_after)
        if error.how == "refused":
            return Unavailable("The channel cannot be reached.", reason="connection")
        if error.how == "bad_token":
            return Misconfigured("The channel does not know the token; set another.", status=401)
        if error.how == "form":
            return Rejected("The channel refuses the styles of the message.", reason="styles", form=True)
        if error.how == "no_file":
            return Rejected("There is no such file.", reason="file_gone")
        if error.how == "gone":
            return Rejected("The conversation is out of reach.", reason="gone", gone=True)
        return OutcomeUnknown("The channel cut the connection.", reason="connection")
