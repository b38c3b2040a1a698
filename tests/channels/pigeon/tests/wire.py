"""The loopback pigeon as the conformance suite needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from bot.events import Conversation, File, MessageRef
from bot.testing.host import FakeHost
from bot.testing.wire import FailHow, Posted
from uppzy_pigeon.adapter import PigeonAdapter
from uppzy_pigeon.config import PigeonSettings

from loopback import LIMIT, NUMBER, PERSON, TOKEN, Pigeon


def _ref(message_id: str) -> MessageRef:
    return MessageRef(channel="pigeon", account_id=NUMBER, conversation_id=PERSON, message_id=message_id)


class PigeonWire:
    """One person's number."""

    asker_id = PERSON
    person_name = ""
    account_name = NUMBER
    limit = LIMIT
    cannot_fail: Mapping[FailHow, str] = {}
    thread = None
    conversation = Conversation(channel="pigeon", account_id=NUMBER, conversation_id=PERSON, kind="sms", is_direct=True)
    question = _ref("P999")

    def __init__(self) -> None:
        self.host = FakeHost()
        self.pigeon = Pigeon()

    async def __aenter__(self) -> Self:
        await self.pigeon.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.pigeon.stop()
        await self.host.close()

    def build(self) -> PigeonAdapter:
        url = f"http://127.0.0.1:{self.pigeon.port}"
        return PigeonAdapter(PigeonSettings.model_validate({"PIGEON_TOKEN": TOKEN, "PIGEON_API_URL": url}))

    async def connect(self) -> None:
        if not self.host.base_url:
            self.pigeon.webhook_url = await self.host.start_http() + "/pigeon/inbound"

    async def deliver(self, payload: Any) -> bool:
        return await self.pigeon.deliver(payload) == 200

    def message(self, text: str) -> Any:
        return self.pigeon.write(text)

    def poison(self) -> Any:
        return f"P1\nyesterday\n{PERSON}\n{NUMBER}\nHello"

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        raise NotImplementedError

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        raise NotImplementedError

    def posted(self) -> list[Posted]:
        return [Posted(ref=_ref(key), text=text, length=len(text)) for key, _, text in self.pigeon.posted]

    def deleted(self) -> list[MessageRef]:
        return []

    def sends(self) -> int:
        return self.pigeon.sends

    def signs(self) -> int:
        return 0

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        if how == "refused":
            await self.pigeon.stop()
        elif self.pigeon.failure == "refused":
            await self.pigeon.start()
        self.pigeon.failure, self.pigeon.retry_after = how, retry_after

    async def thread_with_history(self) -> None:
        return None

    async def file_with(self, content: bytes, name: str) -> File | None:
        return None
