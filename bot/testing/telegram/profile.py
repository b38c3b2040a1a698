"""The bot's own profile at the loopback Telegram: commands and descriptions, by scope and language."""

from __future__ import annotations

import re

from bot.testing.telegram.arguments import Arguments, BotApiError, Method
from bot.testing.telegram.text import JSON
from bot.testing.telegram.world import World

SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators"})


class ProfileMethods:
    """The methods that read and set it. `table`: by their names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.table: dict[str, Method] = {
            "getMyCommands": self._get_my_commands,
            "setMyCommands": self._set_my_commands,
            "getMyDescription": self._get_text("description"),
            "setMyDescription": self._set_text("description", 512),
            "getMyShortDescription": self._get_text("short_description"),
            "setMyShortDescription": self._set_text("short_description", 120),
        }

    async def _get_my_commands(self, arguments: Arguments) -> list[JSON]:
        where = self._where(arguments)
        arguments.done()
        return self.world.commands.get(where, [])

    async def _set_my_commands(self, arguments: Arguments) -> bool:
        commands: list[JSON] = arguments.take("commands", list, required=True)
        where = self._where(arguments)
        arguments.done()
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise BotApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise BotApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.world.commands[where] = commands
        return True

    def _where(self, arguments: Arguments) -> tuple[str, str]:
        scope = (arguments.take("scope", dict) or {"type": "default"})["type"]
        if scope not in SCOPES:
            raise BotApiError(400, "Bad Request: can't parse bot command scope")
        return scope, self._language(arguments)

    def _language(self, arguments: Arguments) -> str:
        language = arguments.take("language_code", str) or ""
        if not re.fullmatch(r"([a-z]{2})?", language):
            raise BotApiError(400, "Bad Request: language_code is invalid")
        return language

    def _get_text(self, name: str) -> Method:
        async def method(arguments: Arguments) -> JSON:
            language = self._language(arguments)
            arguments.done()
            return {name: self.world.profile.get((name, language), "")}

        return method

    def _set_text(self, name: str, limit: int) -> Method:
        async def method(arguments: Arguments) -> bool:
            text = arguments.take(name, str) or ""
            language = self._language(arguments)
            arguments.done()
            if len(text) > limit:
                raise BotApiError(400, f"Bad Request: {name} is too long")
            self.world.profile[name, language] = text
            return True

        return method
