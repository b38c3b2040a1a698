"""The form that asks why an answer is bad: how it is built, and which answer it is about; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from adapters.slack.ids import COMMENT_VIEW
from bot.events import MessageRef
from bot.texts import DEFAULT, say

COMMENT_LENGTH: Final = 2000
"""Characters; Slack would take 3,000 (Block Kit reference, plain-text input, `max_length`)."""


@dataclass(frozen=True, slots=True)
class CommentTarget:
    """Which answer a form is about; kept in `private_metadata`, which only Slack can change."""

    channel: str
    ts: str

    def encode(self) -> str:
        """Return it as the string that goes with the form."""
        return json.dumps([self.channel, self.ts])

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` made; ValueError for anything else."""
        channel, ts = json.loads(text)
        if not (isinstance(channel, str) and isinstance(ts, str)):
            raise ValueError("the form does not say which answer it is about")  # noqa: TRY004  # it is what was sent
        return cls(channel, ts)


def comment_view(target: MessageRef, language: str = DEFAULT) -> Mapping[str, Any]:
    """Build the form, in a language."""
    return {
        "type": "modal",
        "callback_id": COMMENT_VIEW,
        "private_metadata": CommentTarget(target.conversation_id, target.message_id).encode(),
        "title": {"type": "plain_text", "text": say("form-title", language)},
        "submit": {"type": "plain_text", "text": say("form-send", language)},
        "close": {"type": "plain_text", "text": say("form-skip", language)},
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": {"type": "plain_text", "text": say("form-why", language)},
                "element": {
                    "type": "plain_text_input",
                    "action_id": "why",
                    "multiline": True,
                    "max_length": COMMENT_LENGTH,
                    "focus_on_load": True,
                },
            }
        ],
    }
