"""The conformance suite's wire for the channel in memory: the shortest example of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from bot.adapter import Adapter
from bot.events import MessageRef
from bot.testing.host import FakeHost
from bot.testing.wire import FailHow, Posted
from tests.fakes.adapter import FakeAdapter
from tests.fakes.channel import ASKER, FakeChannel, dm, room


class FakeWire:
    """Implements `Wire` over a `FakeChannel`; `adapter_class` may be a mutant."""

    cannot_fail: Mapping[FailHow, str] = {}
    account_name = "Fake Bot"

    def __init__(self, *, can_find: bool = True, adapter_class: type[FakeAdapter] = FakeAdapter) -> None:
        self.platform = FakeChannel(findable=can_find)
        self.adapter_class = adapter_class
        self.can_find = can_find
        self.host = FakeHost()
        self.limit = self.platform.limit
        self.asker_id = ASKER
        self.conversation = dm()
        self.thread = room("t-1")
        self.question = self.platform.message("A question.").ref

    def build(self) -> Adapter:
        return self.adapter_class(self.platform)

    async def connect(self) -> None:
        await self.platform.wait_for(lambda: self.platform.receiver is not None)

    async def deliver(self, payload: Any) -> bool:
        return await self.platform.deliver(payload)

    def message(self, text: str) -> Any:
        return self.platform.payload(self.platform.message(text))

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

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        self.platform.failing = how
        self.platform.retry_after = retry_after
