"""Arguments of one call of the loopback Bot API, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from bot.testing.telegram.text import JSON


class BotApiError(Exception):
    """What the Bot API answers instead of a result."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class Arguments:
    """Reads the arguments of one call; `done` refuses what nobody has read."""

    def __init__(self, given: JSON) -> None:
        self._given = given
        self._read: set[str] = set()

    def take(self, name: str, kind: type, *, required: bool = False) -> Any:
        """Return an argument as `kind`, None without; JSON strings are parsed as a form sends them."""
        self._read.add(name)
        value = self._given.get(name)
        if value is None:
            if required:
                raise BotApiError(400, f"Bad Request: {name} is empty")
            return None
        if isinstance(value, str) and kind is not str:
            try:
                value = json.loads(value)
            except ValueError:
                raise BotApiError(400, f"Bad Request: can't parse {name}") from None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BotApiError(400, f"Bad Request: {name} is no {kind.__name__}")
        return value

    def done(self) -> None:
        """Refuse arguments that the method does not have."""
        if unknown := set(self._given) - self._read:
            raise BotApiError(400, f"Bad Request: unexpected arguments {', '.join(sorted(unknown))}")


Method: TypeAlias = Callable[[Arguments], Awaitable[Any]]
