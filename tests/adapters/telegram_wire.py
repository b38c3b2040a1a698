"""The Wire of Telegram: the real SDK against the loopback Bot API, by polling or by webhook."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, Self

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.client import ALLOWED_UPDATES
from adapters.telegram.config import TelegramSettings
from bot.events import Conversation, File, MessageRef
from bot.shared import Backoff
from bot.testing.host import FakeHost
from bot.testing.telegram.platform import BOT_ID, USERNAME, FakeTelegram, Fault, person
from bot.testing.telegram.text import JSON, alerts, units
from bot.testing.telegram.updates import Webhook
from bot.testing.wire import FailHow, Posted

CLICKED_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""What the adapter's clock says: Telegram gives clicks no time."""
PUBLIC: Final = "https://bot.example.org"
SECRET: Final = "loopback_Secret-1"
FOUND: Final = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"})
"""Entities that the server finds by itself."""
ANNA: Final = person(7, "Anna", "anna")


def soon() -> Backoff:
    """What failed is asked for again soon."""
    return Backoff(first=0.05)


class TelegramWire:
    """See `bot.testing.wire.Wire`."""

    account_name = f"@{USERNAME}"
    limit = 4096
    cannot_fail: Mapping[FailHow, str] = {}
    person_name = ANNA["first_name"]

    def __init__(self, *, webhook: bool = False) -> None:
        self.telegram = FakeTelegram()
        self.webhook = webhook
        self.host = FakeHost()
        world = self.telegram.world
        self.chat = world.private(ANNA)
        self.forum = world.group("Forum", forum=True)
        self.topic = world.topic(self.forum)
        self.asker_id = str(ANNA["id"])
        question = world.words(self.chat, ANNA, "A question?")
        self.question = self._ref(self.chat.id, question["message_id"])
        self.conversation = Conversation(
            channel="telegram",
            account_id=str(BOT_ID),
            conversation_id=str(self.chat.id),
            kind="private",
            is_direct=True,
        )
        self.thread = Conversation(
            channel="telegram",
            account_id=str(BOT_ID),
            conversation_id=str(self.forum.id),
            thread_id=str(self.topic),
            kind="topic",
            is_direct=False,
        )
        self._poisons = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.telegram.start()
        if self.webhook:
            # Set in an earlier life of the bot, so that a check finds it before the bot starts.
            updates = self.telegram.updates
            updates.allowed = list(ALLOWED_UPDATES)
            updates.webhook = Webhook(f"{PUBLIC}/telegram/webhook", SECRET, 40)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.telegram.updates.close()
        await self.telegram.stop()
        await self.host.close()

    def settings(self) -> TelegramSettings:
        """Make the settings of a bot on this wire."""
        more = {}
        if self.webhook:
            more = {"TELEGRAM_WEBHOOK_URL": f"{PUBLIC}/telegram/webhook", "TELEGRAM_WEBHOOK_SECRET": SECRET}
        return TelegramSettings.model_validate(self.telegram.environment(**more))

    def build(self) -> TelegramAdapter:
        """Build the adapter."""
        return TelegramAdapter(self.settings(), now=lambda: CLICKED_AT, make_backoff=soon)

    async def connect(self) -> None:
        """Wait for the first getUpdates, or for the webhook to be set and served."""
        calls = len(self.telegram.calls)
        if not self.webhook:
            await self.telegram.wait_for(lambda: self._called("getUpdates", calls))
            return
        if not self.host.base_url:
            self.telegram.updates.public[PUBLIC] = await self.host.start_http()
        await self.telegram.wait_for(lambda: self._settled(calls))

    def _called(self, method: str, since: int) -> bool:
        return any(call.method == method for call in self.telegram.calls[since:])

    def _settled(self, since: int) -> bool:
        known = any(call.method == "getWebhookInfo" and call.status == 200 for call in self.telegram.calls[since:])
        return known and "telegram:4242:webhook" in getattr(self.host.vault, "values", {})

    async def deliver(self, payload: Any) -> bool:
        """Queue the update and see whether the bot confirms it."""
        return await self.telegram.updates.deliver(payload)

    def message(self, text: str) -> Any:
        """Write something in the private chat."""
        return self._update("message", self.telegram.world.words(self.chat, ANNA, text))

    def poison(self) -> Any:
        """Make an update of a good kind that is not shaped as it should."""
        return self._update("message", {"message_id": f"poison {next(self._poisons)}", "date": "yesterday"})

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        """Set or remove Anna's emoji."""
        chat = self.telegram.world.chats[int(ref.conversation_id)]
        payload = self.telegram.world.reaction(chat, int(ref.message_id), ANNA, [emoji] if added else [])
        if not added:
            payload["old_reaction"] = payload["old_reaction"] or [{"type": "emoji", "emoji": emoji}]
        return self._update("message_reaction", payload)

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        """Let Anna click, with whatever data the button has."""
        world = self.telegram.world
        row = world.messages[int(ref.conversation_id), int(ref.message_id)]["reply_markup"]["inline_keyboard"][0]
        button = row[0 if rating == "good" else 1]
        chat = world.chats[int(ref.conversation_id)]
        return self._update("callback_query", world.query(chat, int(ref.message_id), ANNA, button["callback_data"]))

    def posted(self) -> list[Posted]:
        """List what the bot has sent."""
        return [self._posted(message) for message in self.telegram.world.by_bot()]

    def deleted(self) -> list[MessageRef]:
        """List what was deleted."""
        return [self._ref(*key) for key in self.telegram.world.deleted]

    def sends(self) -> int:
        """Count calls of sendMessage."""
        return len(self.telegram.called("sendMessage"))

    def signs(self) -> int:
        """Count chat actions, and reactions set."""
        looks = [call for call in self.telegram.called("setMessageReaction") if "emoji" in str(call.arguments)]
        return len(self.telegram.called("sendChatAction")) + len(looks)

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]] | None:
        """None: the Bot API cannot tell what was said."""
        return None

    async def file_with(self, content: bytes, name: str) -> File | None:
        """Let Anna send a document."""
        document = self.telegram.world.document(self.chat, ANNA, content, name)["document"]
        return File(
            channel="telegram",
            account_id=str(BOT_ID),
            file_id=document["file_id"],
            name=document["file_name"],
            size=document["file_size"],
        )

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        """Fail, in Telegram's words."""
        self.telegram.retry_after = retry_after
        if how == "refused":
            await self.telegram.stop()
            return
        if how is None and not self.telegram.listening:
            await self.telegram.start()
        faults: dict[FailHow, Fault] = {
            "rate_limited": "rate_limited",
            "cut_after_write": "cut_after_write",
            "bad_token": "bad_token",
            "gone": "gone",
        }
        self.telegram.fail(None if how is None else faults[how])

    def _update(self, kind: str, payload: JSON) -> JSON:
        return {"update_id": self.telegram.updates.next_id(), kind: payload}

    def _ref(self, chat_id: int, message_id: int) -> MessageRef:
        return MessageRef(
            channel="telegram", account_id=str(BOT_ID), conversation_id=str(chat_id), message_id=str(message_id)
        )

    def _posted(self, message: JSON) -> Posted:
        reply, thread = message.get("reply_to_message"), message.get("message_thread_id")
        return Posted(
            ref=self._ref(message["chat"]["id"], message["message_id"]),
            text=message["text"],
            length=units(message["text"]),
            thread_id=str(thread) if thread else None,
            reply_to=str(reply["message_id"]) if reply else None,
            alerts=alerts(message),
            form=[entity["type"] for entity in message.get("entities", []) if entity["type"] not in FOUND],
            buttons="inline_keyboard" in message.get("reply_markup", {}),
        )
