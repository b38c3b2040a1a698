"""Messages out: chat.postMessage with our delivery id, and how to find what became of one."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from adapters.slack.client import Client, cursor_of, messages_of
from adapters.slack.ids import delivery_id_of, delivery_metadata, message_ref
from adapters.slack.pacing import Pacer
from adapters.slack.parts import SlackPart
from bot.errors import OutcomeUnknown, Rejected
from bot.events import Conversation, MessageRef
from bot.shared import BoundedDict

Pace = Callable[[str, float], Awaitable[None]]

NO_MEMBER: Final = frozenset({"not_in_channel", "channel_not_found"})
LOCKED: Final = "restricted_action_thread_locked"
NO_ROOT: Final = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message", "invalid_thread_ts"})

PAGE: Final = 200
"""Messages asked for at once; Slack recommends no more (conversations.replies, "Pagination")."""
MOST_PAGES: Final = 20
KEEP_PLACES: Final = 2000


class Sender:
    """Posts parts and looks them up. Keeps in memory where a part went if not where it was meant to go."""

    def __init__(self, client: Client, account: Callable[[], Awaitable[str]]) -> None:
        self._client = client
        self._account = account
        self._pacer = Pacer()
        self._went_to: BoundedDict[str, tuple[str, str | None]] = BoundedDict(KEEP_PLACES)

    async def post(
        self,
        conversation: Conversation,
        part: SlackPart,
        delivery_id: str,
        reply_to: MessageRef | None,
        pace: Pace,
    ) -> MessageRef:
        """Post one part as a new message; errors as `Adapter.send` says.

        A refusal is certain, so trying another place after one is no second attempt at the same: outside a
        thread that is gone, and by DM where the bot is no member; what says no more than a reference also outside one
        that was locked.
        """
        thread = conversation.thread_id or (reply_to.message_id if reply_to is not None else None)
        channel, thread = self._went_to.get(delivery_id, (conversation.conversation_id, thread))
        while True:
            try:
                return await self._post(channel, thread, part, delivery_id, pace)
            except Rejected as error:
                if thread is not None and (error.reason in NO_ROOT or (error.reason == LOCKED and part.anywhere)):
                    thread = None
                elif error.reason in NO_MEMBER and part.user_id and channel == conversation.conversation_id:
                    channel, thread = await self._direct(part.user_id), None
                    if channel == conversation.conversation_id:
                        raise
                else:
                    raise
                self._went_to[delivery_id] = (channel, thread)

    async def _post(
        self, channel: str, thread: str | None, part: SlackPart, delivery_id: str, pace: Pace
    ) -> MessageRef:
        account = await self._account()
        await self._pacer.enter(f"slack:{account}:{channel}", part.rank, pace)
        # Text alone is no markup: the words are a stranger's. Escaping disarms what pings, this the rest.
        form: dict[str, Any] = {"blocks": list(part.blocks)} if part.blocks else {"mrkdwn": False}
        arguments = form | {
            "channel": channel,
            "text": part.text,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": delivery_metadata(delivery_id),
            "client_msg_id": str(uuid.UUID(delivery_id)),
        }
        if thread is not None:
            arguments["thread_ts"] = thread
        try:
            answer = await self._client.call("chat.postMessage", arguments)
        except OutcomeUnknown as error:
            if error.reason == "duplicate_message" and (refs := await self._search(channel, thread, delivery_id)):
                return refs[0]
            raise
        if "ts" not in answer:
            raise OutcomeUnknown("Slack did not say which message it posted.", reason="garbage")
        return message_ref(account, str(answer.get("channel") or channel), str(answer["ts"]))

    async def find(self, conversation: Conversation, delivery_id: str) -> tuple[MessageRef, ...] | None:
        """Look a part up by its delivery id; None where Slack cannot tell."""
        channel, thread = self._went_to.get(delivery_id, (conversation.conversation_id, conversation.thread_id))
        try:
            return await self._search(channel, thread, delivery_id)
        except Rejected:
            # Not in the channel, or the thread is gone: wherever it went, it cannot be looked for here.
            return None

    async def _search(self, channel: str, thread: str | None, delivery_id: str) -> tuple[MessageRef, ...] | None:
        method = "conversations.replies" if thread is not None else "conversations.history"
        arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": PAGE}
        if thread is not None:
            arguments["ts"] = thread
        account = await self._account()
        refs: dict[str, MessageRef] = {}
        for _ in range(MOST_PAGES):
            answer = await self._client.call(method, arguments, read=True)
            for message in messages_of(answer):
                if delivery_id_of(message) == delivery_id:
                    refs[message["ts"]] = message_ref(account, channel, message["ts"])
            cursor = cursor_of(answer)
            if refs or not cursor:
                return tuple(refs.values())
            arguments["cursor"] = cursor
        return None

    async def _direct(self, user_id: str) -> str:
        answer = await self._client.call("conversations.open", {"users": user_id})
        return str(answer["channel"]["id"])
