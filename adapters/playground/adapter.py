"""The playground's adapter: the platform's deliveries in, parts out."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from adapters.playground.config import PlaygroundSettings
from adapters.playground.normalize import ACCOUNT, CHANNEL_NAME, normalize, ref_of
from adapters.playground.platform import PEOPLE, Pending, Platform, Refused
from adapters.playground.render import render
from adapters.playground.site import Site
from bot.adapter import Check, Host, JsonValue, Part
from bot.errors import Rejected, Unavailable
from bot.events import Conversation, MessageRef, Outbound, Rating, Reaction

RETRY_SECONDS: Final = 0.5
"""How long the platform waits before it delivers again what was not acknowledged."""

_log = logging.getLogger(__name__)


class PlaygroundAdapter:
    """Speaks the playground.

    The panel beside the chat shows what `Host.trace` tells of a question.
    `platform` is the outside world; by default the one in the settings' file.
    """

    def __init__(
        self, settings: PlaygroundSettings, platform: Platform | None = None, *, guests_differ: bool = False
    ) -> None:
        self.platform = platform or Platform(settings.data)
        self._site = Site(settings, self.platform, self._look_into)
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
        self.platform.changes.begin()
        try:
            while True:
                self.platform.changes.wake.clear()
                if not await self._deliver_all(host):
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                await self.platform.changes.wake.wait()
        finally:
            self.platform.changes.end()
            self.platform.close()

    def render(self, outbound: Outbound) -> Sequence[Part]:
        """Render, see `render`."""
        return render(outbound)

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None
    ) -> MessageRef:
        """Send one part; the platform is in this process, so the outcome is never unknown."""
        with _platform_errors():
            message = self.platform.send(
                conversation.conversation_id,
                conversation.thread_id,
                part,
                delivery_id,
                reply_to.message_id if reply_to else None,
            )
        return ref_of(conversation.conversation_id, message)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look up what was sent under the delivery id; the platform always knows."""
        with _platform_errors():
            found = self.platform.sent(conversation.conversation_id, delivery_id)
        return [ref_of(conversation.conversation_id, message) for message in found]

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the recorded rating on the buttons."""
        with _platform_errors():
            self.platform.mark(ref.message_id, rating)

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages."""
        with _platform_errors():
            self.platform.unsend(ref.message_id)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end the sign of work. The platform keeps it, so it outlives a crash until the end is called."""
        with _platform_errors():
            self.platform.working(
                conversation.conversation_id, conversation.thread_id, question.message_id if question else None, on
            )

    async def check(self) -> Sequence[Check]:
        """Look whether the platform's file can be read and written."""
        try:
            with _platform_errors():
                self.platform.probe()
        except Unavailable as error:
            return [
                Check(check="playground", status="fail", detail=str(error), fix="Choose a folder that can be written.")
            ]
        names = " and ".join(PEOPLE.values())
        return [Check(check="playground", status="ok", detail=f"@bot ({ACCOUNT}) talks with {names}.")]

    async def _deliver_all(self, host: Host) -> bool:
        """Deliver what is pending; False when something is left and should be tried again later."""
        complete = True
        with _platform_errors():
            items = self.platform.pending()
        for item in items:
            try:
                await _finish(self._deliver(host, item))
            except Unavailable:
                return False  # nothing can be stored now; the order is kept
            except Exception as error:
                # One delivery that the core stumbles over must not hold up those behind it.
                _log.error("A delivery of the playground failed with %s; it is tried again.", type(error).__name__)
                complete = False
        return complete

    async def _deliver(self, host: Host, item: Pending) -> None:
        try:
            payload = json.loads(item.payload)
            events = normalize(payload)
        except (ValueError, KeyError, AttributeError) as error:
            reason = f"The playground's delivery cannot be read ({type(error).__name__})."
            await host.set_aside(CHANNEL_NAME, ACCOUNT, item.payload.encode(), reason)
            events = ()
        for event in events:
            handled = await host.handle(event)
            if handled.ask_why and isinstance(event, Reaction):
                self.platform.ask_why(event.target.message_id, event.user_id)
        with _platform_errors():
            self.platform.acknowledge(item)

    async def _look_into(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        return None if self._host is None else await self._host.trace(ref)


async def _finish(work: Awaitable[None]) -> None:
    """Wait for the work; when cancelled meanwhile, let it end first, within what a shutdown allows."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


@contextmanager
def _platform_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(
            "The playground's file cannot be read or written; look at its folder and the space on the disk.",
            reason="database",
        ) from error
    except OSError as error:
        raise Unavailable("The playground's folder cannot be made; choose another.", reason="database") from error
    except Refused as error:
        raise Rejected(str(error), status=error.status, reason="not_found", gone=error.status == 404) from error
