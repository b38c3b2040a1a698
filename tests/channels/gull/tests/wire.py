"""The loopback gull as the conformance suite needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from bot.events import Conversation, File, MessageRef
from bot.render import units
from bot.testing.host import FakeHost
from bot.testing.wire import FailHow, Posted
from uppzy_gull.adapter import GullAdapter
from uppzy_gull.config import GullSettings
from uppzy_gull.ids import CHANNEL_NAME, WEBHOOK_PATH, message_ref

from loopback import ACCOUNT, BOT, LIMIT, NAME, SECRET, TOKEN, Gull


def _place(conversation_id: str, thread_id: str | None) -> Conversation:
    direct = thread_id is None
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=ACCOUNT,
        conversation_id=conversation_id,
        thread_id=thread_id,
        kind="dm" if direct else "room",
        is_direct=direct,
    )


class GullWire:
    """One person's DM, and a thread of a room."""

    asker_id = "U1"
    person_name = "Ada Tern"
    account_name = NAME
    limit = LIMIT
    cannot_fail: Mapping[FailHow, str] = {}

    def __init__(self) -> None:
        self.host = FakeHost()
        self.gull = Gull()
        self.conversation = _place("D1", None)
        asked = self.gull.say(self.asker_id, "D1", "A question?")
        root = self.gull.say(self.asker_id, "R1", "A root.")
        self.question = message_ref(ACCOUNT, "D1", asked["message"]["id"])
        self.thread = _place("R1", root["message"]["id"])

    async def __aenter__(self) -> Self:
        await self.gull.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gull.stop()
        await self.host.close()

    def settings(self) -> GullSettings:
        """Make the settings of a bot on this wire."""
        return GullSettings.model_validate(
            {
                "GULL_TOKEN": TOKEN,
                "GULL_WEBHOOK_SECRET": SECRET,
                "GULL_API_URL": f"http://127.0.0.1:{self.gull.port}",
            }
        )

    def build(self) -> GullAdapter:
        return GullAdapter(self.settings())

    async def connect(self) -> None:
        if not self.host.base_url:
            self.gull.webhook_url = await self.host.start_http() + WEBHOOK_PATH

    async def deliver(self, payload: Any) -> bool:
        return await self.gull.deliver(payload) == 200

    def message(self, text: str) -> Any:
        return self.gull.say(self.asker_id, "D1", text)

    def poison(self) -> Any:
        return self.gull.payload("message.created", self.asker_id, "D1", message={"id": "M1", "text": ["no", "text"]})

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        return self._about(ref, "reaction.added" if added else "reaction.removed", emoji=emoji)

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        assert self.gull.messages[ref.message_id]["buttons"]
        return self._about(ref, "button.clicked", button=rating)

    def _about(self, ref: MessageRef, kind: str, **more: object) -> Any:
        message = {"id": ref.message_id}
        return self.gull.payload(kind, self.asker_id, ref.conversation_id, message=message, **more)

    def posted(self) -> list[Posted]:
        return [_posted(message) for message in self.gull.messages.values() if message["by"] == BOT]

    def deleted(self) -> list[MessageRef]:
        return [message_ref(ACCOUNT, message["conversation"], message["id"]) for message in self.gull.deleted]

    def sends(self) -> int:
        return self.gull.sends

    def signs(self) -> int:
        return self.gull.signs

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        if how == "refused":
            await self.gull.stop()
        elif self.gull.failure == "refused":
            await self.gull.start()
        self.gull.failure, self.gull.retry_after = how, retry_after

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]]:
        root = self.gull.say("U1", "R1", f"@{NAME} Which key opens the shed?")["message"]["id"]
        self.gull.say("U2", "R1", "Something else, at the top.")
        for person, text in (("U2", "The red one?"), ("U1", "No, the blue one & a < b.")):
            self.gull.say(person, "R1", text, root)
        last = self.gull.say("U2", "R1", f"@{NAME} is that so?", root)["message"]["id"]
        said = ("Which key opens the shed?", "The red one?", "No, the blue one & a < b.")
        return _place("R1", root), message_ref(ACCOUNT, "R1", last), said

    async def file_with(self, content: bytes, name: str) -> File:
        key = f"F{len(self.gull.files)}0"
        self.gull.files[key] = content
        return File(channel=CHANNEL_NAME, account_id=ACCOUNT, file_id=key, name=name, size=len(content))


def _posted(message: dict[str, Any]) -> Posted:
    text = message["text"]
    return Posted(
        ref=message_ref(ACCOUNT, message["conversation"], message["id"]),
        text=text,
        length=units(text.replace("\n", "") if message["form"] else text),
        thread_id=message["thread"],
        reply_to=message["reply_to"],
        form=message["form"],
        buttons=message["buttons"],
    )
