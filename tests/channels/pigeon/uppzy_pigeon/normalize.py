"""What pigeon delivers → events; pure. A payload is lines: id, time, from, to, and the text in all that follow."""

from __future__ import annotations

from datetime import datetime

from bot.events import Conversation, Event, Message, MessageRef


def normalize(payload: str) -> Event | None:
    """Return the message, None for an empty one. Raises ValueError when lines are missing or wrong."""
    message_id, at, sender, to, text = payload.split("\n", 4)
    sent_at = datetime.fromisoformat(at)
    if not (message_id and sender and to and sent_at.tzinfo):
        raise ValueError("An id, a number or an offset is missing.")
    if not text.strip():
        return None
    place = {"channel": "pigeon", "account_id": to, "conversation_id": sender}
    return Message(
        event_id=message_id,
        ref=MessageRef(**place, message_id=message_id),
        conversation=Conversation(**place, kind="sms", is_direct=True),
        user_id=sender,
        standing="public",
        text=text.strip(),
        mentions_bot=False,
        sent_at=sent_at,
    )
