"""People: what Telegram tells a bot about them."""

from __future__ import annotations

from adapters.telegram.client import Client
from bot.errors import OutcomeUnknown, Rejected
from bot.events import Person
from bot.render import is_blank


class Users:
    """Asks about people of one account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def person(self, user_id: str) -> Person | None:
        """Ask who somebody is: their name; bots are told neither a language here nor ever an address.

        None for somebody the bot has not met, and for those who write as a group or a channel
        (https://core.telegram.org/bots/api#getchat, https://core.telegram.org/bots/api#chatfullinfo).

        Raises:
            Unavailable, Misconfigured: as calls of the Bot API do.
        """
        if not (user_id.isascii() and user_id.isdigit()):
            return None
        try:
            chat = await self._client.raw("getChat", {"chat_id": int(user_id)})
        except Rejected:
            return None
        if not isinstance(chat, dict):
            raise OutcomeUnknown("Telegram's answer to getChat could not be read.", reason="garbage")
        if chat.get("type") != "private" or chat.get("id") != int(user_id):
            return None
        names = [chat.get("first_name"), chat.get("last_name")]
        name = " ".join(" ".join(part for part in names if isinstance(part, str)).split())
        return None if is_blank(name) else Person(name=name)
