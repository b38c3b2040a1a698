"""How values of the boundary stand in a column: as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from bot.events import Conversation, MessageRef


def pack(value: object) -> str:
    """Encode a JSON value, as short as it gets."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_json(value: Any) -> dict[str, Any]:
    """Make JSON of a dataclass. A field added later has a default, and is left out while it has it: a bot of the
    version before, which does not know the field, can then read the value."""
    kept = asdict(value)
    return {field.name: kept[field.name] for field in fields(value) if getattr(value, field.name) != field.default}


def pack_conversation(conversation: Conversation) -> str:
    """Encode where to send."""
    return pack(asdict(conversation))


@lru_cache(maxsize=256)
def unpack_conversation(text: str) -> Conversation:
    """Decode what `pack_conversation` encoded; one value for what is read several times in a row, as for each turn."""
    return Conversation(**json.loads(text))


def ref_to_json(ref: MessageRef) -> list[str]:
    """Make JSON of a MessageRef: its four ids."""
    return [ref.channel, ref.account_id, ref.conversation_id, ref.message_id]


def ref_from_json(ids: Sequence[Any]) -> MessageRef:
    """Make a MessageRef of its four ids."""
    channel, account, conversation, message = ids
    return MessageRef(channel=channel, account_id=account, conversation_id=conversation, message_id=message)
