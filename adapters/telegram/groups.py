"""Groups where Telegram delivers no reactions, because the bot is no administrator there: said once, and in check.

https://core.telegram.org/bots/api#update, `message_reaction`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from telegram import ChatMember

from adapters.telegram.client import Client
from bot.errors import BotError
from bot.shared import BoundedDict

log = logging.getLogger(__name__)

ADMINISTRATORS: Final = frozenset({ChatMember.ADMINISTRATOR, ChatMember.OWNER})
GROUPS_KEPT: Final = 1000
LOOK_SECONDS: Final = 2.0
"""How long a click waits at most to be known for an anonymous administrator's."""


class Groups:
    """What is known of the groups this process has seen: id → is the bot an administrator there? None: not known."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._admin: BoundedDict[str, bool | None] = BoundedDict(GROUPS_KEPT)
        self.reactions = 0

    def note(self, chat_id: str) -> bool:
        """Remember a group; return whether it is met for the first time."""
        if chat_id in self._admin:
            return False
        self._admin[chat_id] = None
        return True

    async def look(self, chat_id: str) -> None:
        """Ask Telegram what the bot is in a group; a failure leaves it unknown."""
        try:
            async with self._client.call("getChatMember") as bot:
                member = await bot.get_chat_member(chat_id=int(chat_id), user_id=int(self._client.account_id))
        except BotError as error:
            log.debug("rights in a group are not known: %s", error)
        else:
            self.set_status(chat_id, member.status)

    async def speaks_as_group(self, chat_id: str, user_id: str, signature: str) -> bool:
        """Whether somebody is an administrator who writes anonymously, with this signature (the title they bear).

        Where Telegram does not tell, as it need not where the bot is no administrator itself, the answer is no.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                member = await self._client.raw("getChatMember", {"chat_id": int(chat_id), "user_id": int(user_id)})
        except (BotError, TimeoutError) as error:
            log.debug("whether somebody writes anonymously is not known: %s", error)
            return False
        return (
            isinstance(member, dict)
            and member.get("status") in ADMINISTRATORS
            and member.get("is_anonymous") is True
            and (member.get("custom_title") or "") == signature
        )

    def set_status(self, chat_id: str, status: str) -> None:
        """Note the bot's status in a group; warn when reactions stop or never come."""
        if status in (ChatMember.LEFT, ChatMember.BANNED):
            self._admin.pop(chat_id, None)
            return
        admin = status in ADMINISTRATORS
        before = self._admin.get(chat_id)
        self._admin[chat_id] = admin
        if not admin and before is not False:
            log.warning(
                "Telegram delivers no reactions from group %s, because the bot is no administrator there; the "
                "buttons under answers do the job. To count reactions, make the bot an administrator (no right).",
                chat_id,
            )

    def is_admin(self, chat_id: str) -> bool:
        """Whether the bot is known to be an administrator there, who is shown everything."""
        return self._admin.get(chat_id) is True

    def without_reactions(self) -> tuple[str, ...]:
        """Groups known to deliver no reactions."""
        return tuple(chat_id for chat_id, admin in self._admin.items() if admin is False)

    @property
    def known(self) -> int:
        """How many groups this process has seen."""
        return len(self._admin)
