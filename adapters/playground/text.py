"""What a person typed → whom it addresses, the command it is, and the words that are left. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MENTION: Final = re.compile(r"(?<![\w@])@bot\b[,:]?", re.IGNORECASE)
_MENTION_AND_SPACE: Final = re.compile(rf"[ \t]*{_MENTION.pattern}[ \t]*", re.IGNORECASE)
_OTHER_MENTION: Final = re.compile(r"(?<![\w@])@(?!bot\b)\w+", re.IGNORECASE)
_COMMAND: Final = re.compile(r"/([a-z][a-z0-9_-]*)(?:\s+(.*))?\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadText:
    """A text without the mention of the bot; of a command, what follows its name. `command` is "" without one."""

    text: str
    mentions_bot: bool
    mentions_others: bool
    command: str = ""


def read(text: str) -> ReadText:
    """Read a text.

    >>> read("@bot, where is @mira?")
    ReadText(text='where is @mira?', mentions_bot=True, mentions_others=True, command='')
    >>> read("/Ask why @bot?")
    ReadText(text='why @bot?', mentions_bot=True, mentions_others=False, command='ask')
    """
    text = text.strip()
    command = _COMMAND.match(text)
    return ReadText(
        text=(command[2] or "").strip() if command else without_mention(text),
        mentions_bot=bool(_MENTION.search(text)),
        mentions_others=bool(_OTHER_MENTION.search(text)),
        command=command[1].lower() if command else "",
    )


def without_mention(text: str) -> str:
    """Take mentions of the bot out."""
    return _MENTION_AND_SPACE.sub(" ", text).strip()
