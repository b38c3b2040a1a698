"""The playground passes the contract of every adapter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

import pytest

from adapters.playground.adapter import PlaygroundAdapter
from adapters.playground.config import CHANNEL, PlaygroundSettings
from adapters.playground.ids import BOT, PEOPLE, ROOM, conversation_of, direct, message_ref
from adapters.playground.platform import Platform
from adapters.playground.render import PART_SIZE
from bot.adapter import Handled
from bot.events import Conversation, Event, File, MessageRef
from bot.testing.conformance import AdapterConformance, FailHow, Posted, Wire
from bot.testing.host import FakeHost
from bot.testing.html_view import HtmlView
from tests import PAYLOADS

IN_PROCESS = "the platform is in the same process and sets no limit, needs no token and loses no connection"


class CountingHost(FakeHost):
    """Counts how often it declined."""

    declined = 0

    async def handle(self, event: Event) -> Handled:
        try:
            return await super().handle(event)
        except Exception:
            self.declined += 1
            raise

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        try:
            await super().set_aside(channel, account_id, raw, reason)
        except Exception:
            self.declined += 1
            raise


class CountingPlatform(Platform):
    """The platform itself, counting what begins in it."""

    begun = 0

    def working(self, conversation: str, thread: str | None, question: str | None, on: bool) -> None:
        CountingPlatform.begun += on
        super().working(conversation, thread, question, on)


class PlaygroundWire:
    """The platform in a file. Refusing is the file out of reach; the other ways to fail it does not have."""

    account_name = "@bot"
    limit = PART_SIZE
    asker_id = "mira"
    person_name = PEOPLE["mira"]
    cannot_fail: Mapping[FailHow, str] = {
        "rate_limited": IN_PROCESS,
        "cut_after_write": IN_PROCESS,
        "bad_token": IN_PROCESS,
        "gone": "a conversation of the playground is never gone",
    }

    def __init__(self, folder: Path) -> None:
        self._host = CountingHost()
        self.host: FakeHost = self._host
        self._folder = folder / "data"
        self._world = Platform(self._folder / "playground.db")
        self._adapter: PlaygroundAdapter | None = None
        self._count = 0
        self._begun = CountingPlatform.begun
        self.conversation = conversation_of(direct(self.asker_id), None)
        asked = self._world.post(self.asker_id, self.conversation.conversation_id, None, "A question?")
        root = self._world.post(self.asker_id, ROOM, None, "A thread")
        for item in self._world.pending():
            self._world.acknowledge(item)
        self.question = message_ref(self.conversation.conversation_id, asked)
        self.thread = conversation_of(ROOM, root)

    def build(self) -> PlaygroundAdapter:
        path = self._folder / "playground.db"
        self._adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=path), platform=CountingPlatform(path))
        return self._adapter

    async def connect(self) -> None:
        await asyncio.sleep(0)

    async def deliver(self, payload: Any) -> bool:
        """It is declined when `handle` was called and raised; the platform keeps it all the same."""
        assert self._adapter is not None
        platform, tries = self._adapter.platform, self._host.declined
        key = platform.deliver(json.dumps(payload, ensure_ascii=False))
        while any(item.event == key for item in platform.pending()):
            if self._host.declined > tries:
                return False
            await asyncio.sleep(0.01)
        return True

    def _payload(self, kind: str, conversation: str, message: str | None = None, **more: object) -> dict[str, object]:
        self._count += 1
        at = f"1771000000.{self._count:06d}"
        where = {"conversation": conversation, "message": message or at, "thread": None}
        return {"type": kind, "event": f"{kind}:{at}", "at": at, "person": self.asker_id} | where | more

    def message(self, text: str) -> Any:
        return self._payload("message", self.conversation.conversation_id, text=text)

    def poison(self) -> Any:
        return self._payload("message", self.conversation.conversation_id, text=["not", "a", "text"])

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        kind = "reaction_added" if added else "reaction_removed"
        return self._payload(kind, ref.conversation_id, ref.message_id, emoji=emoji)

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        return self._payload("button_clicked", ref.conversation_id, ref.message_id, button=rating)

    def posted(self) -> list[Posted]:
        return [_posted(view) for view in self._of_bot() if not view["deleted"]]

    def deleted(self) -> list[MessageRef]:
        return [message_ref(view["conversation"], view["id"]) for view in self._of_bot() if view["deleted"]]

    def sends(self) -> int:
        return len(self._of_bot())

    def _of_bot(self) -> list[dict[str, Any]]:
        return [view for view in self._world.snapshot() if view["author"] == BOT]

    def signs(self) -> int:
        return CountingPlatform.begun - self._begun

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]]:
        root = self._world.post("mira", ROOM, None, "@bot Which key opens the shed?")
        self._world.post("jonas", ROOM, None, "Something else, at the top.")
        for person, text in (("jonas", "The red one?"), ("mira", "No, /ask says the blue one.")):
            self._world.post(person, ROOM, root, text)
        question = self._world.post("jonas", ROOM, root, "@bot is that so?")
        for item in self._world.pending():
            self._world.acknowledge(item)
        said = ("Which key opens the shed?", "The red one?", "No, /ask says the blue one.")
        return conversation_of(ROOM, root), message_ref(ROOM, question), said

    async def file_with(self, content: bytes, name: str) -> File | None:
        return None

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        aside = self._folder.with_name("aside")
        self._world.close()
        if self._adapter is not None:
            self._adapter.platform.close()
        if how == "refused":
            self._folder.rename(aside)
            self._folder.write_text("a file where the folder was")
        elif how is None and aside.exists():
            self._folder.unlink()
            aside.rename(self._folder)

    def close(self) -> None:
        self._world.close()
        if self._adapter is not None:
            self._adapter.platform.close()


def _posted(view: dict[str, Any]) -> Posted:
    """Read a message as the page shows it: its HTML, or in the plain form its text."""
    body = view["body"]
    page = HtmlView(body["html"] or escape(body["text"]))
    return Posted(
        ref=message_ref(view["conversation"], view["id"]),
        text=page.text,
        length=len(page.text),
        thread_id=view["thread"],
        reply_to=view["reply_to"],
        alerts=page.alerts,
        form=page.tags,
        buttons=body["buttons"],
    )


class TestPlayground(AdapterConformance):
    spec = CHANNEL
    payloads = PAYLOADS / "playground"

    @pytest.fixture
    def wire(self, tmp_path: Path) -> Iterator[Wire]:
        wire = PlaygroundWire(tmp_path)
        yield wire
        wire.close()
