"""What a message belongs together with: Telegram's apps make several messages of what was one to their person. Pure."""

from __future__ import annotations

from typing import Final

from telegram import Chat
from telegram import Message as TelegramMessage

from adapters.telegram.identity import Identity
from bot.events import JoinKind, Joins

FULL: Final = 4096
"""UTF-16 units of the longest text (https://core.telegram.org/bots/api#sendmessage); apps split what is longer."""
NEARLY_FULL: Final = 4000
"""UTF-16 units from which a text may be a part of a longer one: some apps split at the end of a line or a word."""


def joins_of(message: TelegramMessage, identity: Identity, *, forwarded: bool) -> Joins:
    """Say what a message may belong together with. `forwarded`: it is somebody else's, sent on.

    Supergroups number their messages for themselves; all other chats of an account share one numbering, so that
    messages of other people may be numbered in between (https://core.telegram.org/api/updates#message-related-event-sequences).
    """
    number = message.message_id
    units = len((message.text or "").encode("utf-16-le", "surrogatepass")) // 2
    kind: JoinKind | None = None
    if forwarded:
        kind = "forward"
    elif message.media_group_id:
        kind = "album"
    elif units >= NEARLY_FULL:
        kind = "paste"
    return Joins(
        number=number,
        after=number - 1 if message.chat.type == Chat.SUPERGROUP else 0,
        kind=kind,
        # Telegram cuts blanks off both ends, so only a text that is full to the last unit was cut within a word.
        glue="\n\n" if kind != "paste" else "" if units >= FULL else "\n",
        rest_hidden=kind == "paste" and message.chat.type != Chat.PRIVATE and not identity.reads_all,
    )
