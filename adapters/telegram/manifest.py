"""The bot's profile at Telegram: commands per scope and language, descriptions. Shown as YAML, compared, applied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from telegram import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)

from adapters.telegram.client import Client
from adapters.telegram.config import TelegramSettings
from bot.adapter import ManifestOptions, Want
from bot.errors import Misconfigured, Unavailable
from bot.texts import DEFAULT, say

SCOPES: Final = {
    "default": BotCommandScopeDefault,
    "all_private_chats": BotCommandScopeAllPrivateChats,
    "all_group_chats": BotCommandScopeAllGroupChats,
}
SHIPPED: Final = ("de", "es", "fr", "pt", "tr")
PRIVATE: Final = ("start", "help", "new", "stop", "ask")
GROUP: Final = ("ask", "new", "stop", "help")
TRIES: Final = 5
NO_OPTIONS: Final = ManifestOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What Telegram shows of the bot in one language; `commands` maps a command to its words."""

    description: str
    short_description: str
    commands: Mapping[str, str]


def _profile(language: str) -> Profile:
    return Profile(
        description=say("profile-about", language),
        short_description=say("profile-short", language),
        commands={name: say(f"command-{name}", language) for name in PRIVATE},
    )


PROFILES: Final[Mapping[str, Profile]] = {
    "" if language == DEFAULT else language: _profile(language) for language in (DEFAULT, *SHIPPED)
}
"""Language → profile; "" is for everybody without one of their own."""


def as_data() -> dict[str, Any]:
    """Build the profile as plain data, the shape of manifests/telegram.yaml."""
    return {
        "description": {language or "default": profile.description for language, profile in PROFILES.items()},
        "short_description": {
            language or "default": profile.short_description for language, profile in PROFILES.items()
        },
        "commands": {
            scope: {
                language or "default": {name: profile.commands[name] for name in _names(scope)}
                for language, profile in PROFILES.items()
            }
            for scope in SCOPES
        },
    }


class TelegramManifest:
    """The profile as a registration (`bot.adapter.Manifest`): it has no options, for Telegram has none to choose."""

    options: frozenset[str] = frozenset()

    def text(self, options: ManifestOptions = NO_OPTIONS) -> str:
        """Return the profile as YAML."""
        head = "# The bot's profile at Telegram. Made by `uppzy-bot manifest telegram`, applied with --apply.\n"
        return head + "\n".join(_yaml(as_data(), 0)) + "\n"

    async def apply(self, settings: object, options: ManifestOptions = NO_OPTIONS) -> list[str]:
        """Make Telegram show the profile; return what was changed, in the words of `differences`.

        Raises:
            Misconfigured, Unavailable: as calls of the Bot API do; what was changed before stays changed.
        """
        client = _client(settings)
        async with client.open():
            differences = await _compare(client)
            for difference in differences:
                await _call(client, difference.method, difference.arguments)
        return [difference.done for difference in differences]

    async def differences(self, settings: object, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        """List where Telegram shows something else than the profile; None without a token to ask with.

        Raises:
            Misconfigured, Unavailable: as calls of the Bot API do.
        """
        if not _ours(settings).enabled:
            return None
        client = _client(settings)
        async with client.open():
            return [difference.sentence for difference in await _compare(client)]


MANIFEST: Final = TelegramManifest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """Something that Telegram shows otherwise, and the call that mends it."""

    sentence: str
    done: str
    method: str
    arguments: dict[str, Any]


async def _compare(client: Client) -> list[_Difference]:
    differences = []
    for language, profile in PROFILES.items():
        for_whom = f"language {language}" if language else "every other language"
        for field in ("description", "short_description"):
            text = getattr(profile, field)
            shown = await _call(client, f"get_my_{field}", {"language_code": language})
            if getattr(shown, field) != text:
                differences.append(
                    _Difference(
                        sentence=f"{field} for {for_whom} differs",
                        done=f"{field} for {for_whom} is set",
                        method=f"set_my_{field}",
                        arguments={field: text, "language_code": language},
                    )
                )
        for scope in SCOPES:
            commands = [BotCommand(name, profile.commands[name]) for name in _names(scope)]
            where = {"scope": SCOPES[scope](), "language_code": language}
            shown = await _call(client, "get_my_commands", where)
            if list(shown) != commands:
                names = ", ".join(f"/{name}" for name in _names(scope))
                change = _change([command.command for command in shown], list(_names(scope)))
                differences.append(
                    _Difference(
                        sentence=f"commands in {scope} for {for_whom}: {change}",
                        done=f"commands in {scope} for {for_whom} are set: {names}",
                        method="set_my_commands",
                        arguments={"commands": commands, **where},
                    )
                )
    return differences


def _change(shown: list[str], names: list[str]) -> str:
    parts = [f"/{name} is missing" for name in names if name not in shown]
    parts += [f"/{name} is too many" for name in shown if name not in names]
    return ", ".join(parts) or "words or order differ"


async def _call(client: Client, method: str, arguments: dict[str, Any]) -> Any:
    """Call one method of the SDK's bot, waiting as long as Telegram asks: nobody else is waiting for it."""
    for attempt in range(1, TRIES + 1):
        try:
            async with client.call(method) as bot:
                result = await getattr(bot, method)(**arguments)
                if result is None:  # what the SDK makes of an object it cannot read
                    raise TypeError("no result")
                return result
        except Unavailable as error:
            if error.retry_after is None or attempt == TRIES:
                raise
            await asyncio.sleep(error.retry_after)
    raise AssertionError("the last attempt returns or raises")


def _client(settings: object) -> Client:
    ours = _ours(settings)
    if not ours.enabled:
        raise Misconfigured("TELEGRAM_BOT_TOKEN is not set; set it to the token BotFather gave.")
    return Client(ours)


def _ours(settings: object) -> TelegramSettings:
    if not isinstance(settings, TelegramSettings):
        raise TypeError("settings of another channel")
    return settings


def _names(scope: str) -> tuple[str, ...]:
    return GROUP if scope == "all_group_chats" else PRIVATE


def _yaml(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Write nested mappings of strings. JSON's strings are YAML's, so quoting is json's work."""
    for key, item in value.items():
        indent = "  " * depth
        if isinstance(item, Mapping):
            yield f"{indent}{key}:"
            yield from _yaml(item, depth + 1)
        else:
            yield f"{indent}{key}: {json.dumps(item, ensure_ascii=False)}"
