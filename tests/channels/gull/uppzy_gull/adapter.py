"""Gull's adapter: deliveries of the webhook in, HTTP calls out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapter import Check, Host, Part, Want
from bot.errors import BotError, Rejected
from bot.events import Conversation, EarlierMessage, File, Mention, MessageRef, Outbound, Person, Rating
from uppzy_gull.client import GullClient, our_errors
from uppzy_gull.config import GullSettings
from uppzy_gull.ids import CHANNEL_NAME, WEBHOOK_PATH, message_ref, time_of, without_mention
from uppzy_gull.parts import GullPart
from uppzy_gull.receive import Webhook
from uppzy_gull.render import render, with_note


class GullAdapter:
    """Speaks gull. Payloads say who is a guest, so whether guests differ changes nothing."""

    channel = CHANNEL_NAME

    def __init__(self, settings: GullSettings, *, guests_differ: bool = False) -> None:
        self._client = GullClient(settings)
        self._webhook = Webhook(settings.webhook_secret.get_secret_value() if settings.webhook_secret else "")

    async def run(self, host: Host) -> None:
        """Serve the webhook until cancelled."""
        host.serve("POST", WEBHOOK_PATH, self._webhook.handle)
        self._webhook.open(host)
        try:
            await asyncio.Event().wait()
        finally:
            await self._webhook.close()

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render as HTML, or as text alone."""
        return [part.to_json() for part in render(outbound, plain=plain, after=after)]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Post one message; gull leaves a lost `reply_to` out."""
        message = GullPart.from_json(part)
        if note:
            message = with_note(message, note)
        body = {
            "format": "html" if message.html else "text",
            "body": message.body,
            "buttons": message.buttons,
            "asked_by": message.asked_by or None,
            "thread": _thread(conversation),
            "reply_to": reply_to.message_id if reply_to else None,
            "delivery_id": delivery_id,
        }
        posted = await self._client.call("POST", *_messages(conversation), body=body)
        with our_errors():
            return _ref(conversation, posted)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look up what was sent under the delivery id."""
        answer = await self._client.call("GET", *_messages(conversation), query={"delivery_id": delivery_id})
        with our_errors():
            return [_ref(conversation, message) for message in answer["messages"]]

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the recorded rating on the buttons."""
        await self._client.call("PUT", *_messages(ref), ref.message_id, "rating", body={"rating": rating})

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages."""
        try:
            await self._client.call("DELETE", *_messages(ref), ref.message_id)
        except Rejected as error:
            if error.status != 404:
                raise

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end the sign of work; gull keeps it until its end."""
        body = {"thread": _thread(conversation), "on": on}
        await self._client.call("PUT", "conversations", conversation.conversation_id, "working", body=body)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read what was said in a thread of a room; a direct conversation has none."""
        if (thread := _thread(conversation)) is None:
            return []
        query = {"thread": thread, "before": before.message_id, "limit": str(limit)}
        answer = await self._client.call("GET", *_messages(conversation), query=query)
        with our_errors():
            return [_earlier(conversation, message, answer["bot"]) for message in answer["messages"]]

    async def open(self, file: File) -> bytes:
        """Return the bytes of a file."""
        return await self._client.download(file.file_id)

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Tell who somebody is."""
        try:
            answer = await self._client.call("GET", "people", user_id)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        with our_errors():
            return Person(name=answer["name"], locale=answer["locale"], email=answer.get("email"))

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Gull names everybody by name."""
        return None

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look whether gull knows the token."""
        try:
            me = await self._client.call("GET", "me")
            with our_errors():
                return [Check(check="gull", status="ok", detail=f"@{me['name']} of the account {me['account']}.")]
        except BotError as error:
            fix = "Set GULL_TOKEN to a valid token and GULL_API_URL to an address that can be reached."
            return [Check(check="gull", status="fail", detail=str(error), fix=fix)]


def _thread(where: Conversation) -> str | None:
    """Name the thread; the core answers an ask in the thread of its root, also in a DM, where gull has none."""
    return None if where.is_direct else where.thread_id


def _messages(where: Conversation | MessageRef) -> tuple[str, str, str]:
    return "conversations", where.conversation_id, "messages"


def _ref(where: Conversation, message: Mapping[str, Any]) -> MessageRef:
    return message_ref(where.account_id, where.conversation_id, message["id"])


def _earlier(where: Conversation, message: Mapping[str, Any], bot_id: str) -> EarlierMessage:
    by_us = message["by"] == bot_id
    return EarlierMessage(
        ref=_ref(where, message),
        user_id=None if by_us else message["by"],
        by_us=by_us,
        text=without_mention(message["text"], message["mentions"], bot_id),
        sent_at=time_of(message["at"]),
    )
