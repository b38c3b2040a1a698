"""The conformance suite's wire for the channel in memory: the shortest example of one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from bot.adapter import Adapter, Capability
from bot.events import Conversation, File, Joins, MessageRef
from bot.testing.host import FakeHost
from bot.testing.wire import FailHow, Posted
from tests.fakes.adapter import FakeAdapter
from tests.fakes.channel import ACCOUNT, ASKER, NAME, FakeChannel, dm, room


class FakeWire:
    """Implements `Wire` over a `FakeChannel`; `adapter_class` may be a mutant. `tells`, `files`: whether the channel
    tells what was said and names, and whether its messages have files."""

    cannot_fail: Mapping[FailHow, str] = {}
    account_name = "Fake Bot"

    def __init__(
        self,
        *,
        lacks: Collection[Capability] = (),
        tells: bool = True,
        files: bool = True,
        adapter_class: type[FakeAdapter] = FakeAdapter,
    ) -> None:
        self.platform = FakeChannel(lacks=lacks, tells=tells)
        self.adapter_class = adapter_class
        self.files = files
        self.host = FakeHost()
        self.limit = self.platform.limit
        self.asker_id = ASKER
        self.conversation = dm()
        self.person_name = self.platform.people[ASKER] if tells else ""
        self.question = self.platform.message("A question.").ref
        self._numbers = itertools.count(1)

    @property
    def thread(self) -> Conversation | None:
        return None if "threads" in self.platform.lacks else room("t-1")

    def build(self) -> Adapter:
        return self.adapter_class(self.platform)

    async def connect(self) -> None:
        await self.platform.wait_for(lambda: self.platform.receiver is not None)

    async def deliver(self, payload: Any) -> bool:
        return await self.platform.deliver(payload)

    def message(self, text: str) -> Any:
        number = next(self._numbers)
        joins = Joins(number=number, after=number - 1, kind="paste" if len(text) >= self.limit else None)
        return self.platform.payload(replace(self.platform.message(text), joins=joins))

    def poison(self) -> Any:
        return {"type": "Message", "id": "poison-1", "user_id": ASKER, "text": None}

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        return self.platform.payload(self.platform.reaction(ref, emoji, added=added))

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        emoji = "👍" if rating == "good" else "👎"
        return self.platform.payload(self.platform.reaction(ref, emoji, button=True))

    def posted(self) -> list[Posted]:
        return [
            Posted(
                ref=message.ref,
                text=message.text,
                length=len(message.raw),
                thread_id=message.conversation.thread_id,
                reply_to=message.reply_to,
                alerts=re.findall("<[^>]*>", message.raw),
                form=["styled"] if message.styled else [],
                buttons=message.buttons,
            )
            for message in self.platform.visible()
        ]

    def deleted(self) -> list[MessageRef]:
        return [message.ref for message in self.platform.sent if message.deleted]

    def sends(self) -> int:
        return sum(1 for method, _ in self.platform.requests if method == "post")

    def signs(self) -> int:
        return self.platform.signs

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]] | None:
        if "history" in self.platform.lacks:
            return None
        fresh = self.platform.new_id("r")
        where = room(conversation_id=fresh) if self.thread is None else room(fresh)
        texts = ("Which key opens the shed?", "The red one & no other?", "No, the blue one.")
        for number, text in enumerate(texts):
            self.platform.message(text, user_id=f"U{number % 2 + 1}", conversation=where)
        return where, self.platform.message("Is that so?", conversation=where).ref, texts

    async def file_with(self, content: bytes, name: str) -> File | None:
        if not self.files:
            return None
        file_id = self.platform.new_id("file")
        self.platform.files[file_id] = content
        return File(channel=NAME, account_id=ACCOUNT, file_id=file_id, name=name, size=len(content))

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        self.platform.failing = how
        self.platform.retry_after = retry_after
