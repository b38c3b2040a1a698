"""The root of an /ask: its words, which the others have not seen, are posted first, and answered in their thread."""

from __future__ import annotations

from dataclasses import replace

from bot.context import Context
from bot.events import Conversation, MessageRef, Notice
from bot.store import conversations, turns
from bot.store.steps import ROOT
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.send import Destination, is_sent
from bot.turns.submit import Cancelled


class Root:
    """Posts the words of an /ask as the root of a thread, once."""

    def __init__(self, attempt: TurnAttempt, delivery: Delivery) -> None:
        self._attempt = attempt
        self._delivery = delivery

    @property
    def is_posted(self) -> bool:
        """Whether it was posted before a restart."""
        return any(name.kind == ROOT.kind and is_sent(row) for name, row in self._attempt.rows.items())

    async def post(self) -> Destination:
        """Post it, if it is not; return where the answer goes, which is known by the thread's name from now on.

        Raises:
            Cancelled: the question was stopped before.
            NotDelivered: it cannot be posted.
        """
        ctx, turn = self._attempt.ctx, self._attempt.turn
        if not self.is_posted:
            now = await ctx.recall(lambda tx: turns.get(tx, turn.id))
            if now is None or now.cancelled:
                raise Cancelled
        notice = Notice(text=turn.text or "", kind="question", user_id=turn.asker)
        refs = [ref for ref in await self._delivery.notice(notice, "root", Destination(turn.conversation, None)) if ref]
        if not refs:
            raise NotDelivered("The question could not be posted.", gone=True)
        root, at = refs[0], ctx.clock()
        await self._attempt.write(lambda tx: conversations.note_thread(tx, turn.address, root, at))
        return Destination(thread_of(ctx, turn.conversation, root), root)


def thread_of(ctx: Context, conversation: Conversation, root: MessageRef) -> Conversation:
    """Return where the answer to an /ask goes: the thread of its root, or beside it where the channel has none."""
    thread_id = conversation.thread_id if ctx.lacks(conversation.channel, "threads") else root.message_id
    return replace(conversation, conversation_id=root.conversation_id, thread_id=thread_id)
