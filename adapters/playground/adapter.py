"""The playground's adapter: the platform's deliveries in, parts out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.playground.checks import check_account
from adapters.playground.config import PlaygroundSettings
from adapters.playground.errors import our_errors
from adapters.playground.history import earlier
from adapters.playground.ids import ACCOUNT, CHANNEL_NAME, PEOPLE, message_ref
from adapters.playground.parts import PlaygroundPart
from adapters.playground.platform import Platform
from adapters.playground.receive import Inbox
from adapters.playground.render import render, with_note
from adapters.playground.site import PlaygroundSite
from bot.adapter import Check, Host, JsonValue, Part, Want
from bot.errors import Rejected
from bot.events import Conversation, EarlierMessage, File, Mention, MessageRef, Outbound, Person, Rating

RETRY_SECONDS: Final = 0.5
"""How long the platform waits before it delivers again what was not acknowledged."""


class PlaygroundAdapter:
    """Speaks the playground. It knows no guests: whether they differ changes nothing.

    `platform` is the outside world; by default the one in the settings' file.
    """

    def __init__(
        self, settings: PlaygroundSettings, *, guests_differ: bool = False, platform: Platform | None = None
    ) -> None:
        self.platform = platform or Platform(settings.data)
        self._site = PlaygroundSite(settings, self.platform, self._trace)
        self._host: Host | None = None

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return CHANNEL_NAME

    async def run(self, host: Host) -> None:
        """Serve the page and hand the platform's deliveries to the core, in order, until cancelled."""
        if self._host is not host:  # the same host after an error has the routes already
            for method, path, handler in self._site.routes():
                host.serve(method, path, handler)
            self._host = host
        inbox = Inbox(self.platform, host)
        self.platform.changes.begin()
        try:
            while True:
                self.platform.changes.wake.clear()
                if not await inbox.take_all():
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                await self.platform.changes.wake.wait()
        finally:
            self.platform.changes.end()
            self.platform.close()

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render as HTML, or as text alone."""
        return [part.to_json() for part in render(outbound, plain=plain, after=after)]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Send one part; the platform is in this process, so the outcome is never unknown."""
        message_part = PlaygroundPart.from_json(part)
        with our_errors():
            message = self.platform.send(
                conversation.conversation_id,
                conversation.thread_id,
                (with_note(message_part, note) if note else message_part).to_json(),
                delivery_id,
                reply_to.message_id if reply_to else None,
            )
        return message_ref(conversation.conversation_id, message)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look up what was sent under the delivery id; the platform always knows."""
        with our_errors():
            sent = self.platform.sent(conversation.conversation_id, delivery_id)
        return [message_ref(conversation.conversation_id, message) for message in sent]

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the recorded rating on the buttons."""
        with our_errors():
            self.platform.mark(ref.message_id, rating)

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages."""
        with our_errors():
            self.platform.unsend(ref.message_id)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end the sign of work. The platform keeps it, so it outlives a crash until the end is called."""
        with our_errors():
            self.platform.working(
                conversation.conversation_id, conversation.thread_id, question.message_id if question else None, on
            )

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read what was said in a thread of the room; a direct conversation has none."""
        with our_errors():
            return earlier(self.platform, conversation, before, limit)

    async def open(self, file: File) -> bytes:
        """Refuse: no message of the playground has files, so whatever is asked for is none."""
        raise Rejected("Messages of the playground have no files.", reason="file_gone")

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Name one of the people of the page."""
        name = PEOPLE.get(user_id) if account_id == ACCOUNT else None
        return None if name is None else Person(name=name)

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Answer None: what people write here names everybody by name."""
        return None

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look whether the platform's file can be read and written."""
        return check_account(self.platform)

    async def _trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Tell the panel beside the chat what became of a message; the page is served by the host of `run` alone."""
        return None if self._host is None else await self._host.trace(ref)
