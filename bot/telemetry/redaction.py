"""Takes secrets out of text: those the settings know, and whatever has the shape of one.

It works on strings only and leaves numbers and the structure alone, so a redacted JSON line is still JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

MASK = "[redacted]"

SHORTEST = 5
"""Shorter values are not looked for: taking every `demo` out of a log hides the log, not a secret."""

_SHAPES = (
    # Slack: bot, user, app, refresh, configuration and service tokens; app-level tokens.
    r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{6,}",
    r"\bxapp-[A-Za-z0-9-]{6,}",
    # Telegram: the id of the bot, then 35 characters; in addresses it stands behind "bot".
    r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}",
    r"(?i:\bBearer\s+)[A-Za-z0-9._~+/=-]+",
    r"(?i:\bBasic\s+)[A-Za-z0-9+/=]{8,}",
    # A header in a repr, in JSON, in JSON inside JSON, or as it is on the wire.
    r"(?i:\b(?:x-api-key|x-telegram-bot-api-secret-token)\b)[\"'\\]*\s*[:=,]\s*[\"'\\(]*[^\s\"'\\,;)}\]]+",
    # The address of a database or a proxy: the password only.
    r"(?<=://)[^\s:/@\"']*:[^\s/@\"']+(?=@)",
)
# pydantic quotes what it refused, and that may be anybody's words.
_QUOTED = re.compile(r"input_value=.*?, input_type=", re.DOTALL)


_SECRET_KEYS = re.compile(
    r"^(x[-_]api[-_]key|api[-_]?key|authorization|proxy-authorization|cookie|set-cookie|password|secret|token"
    r"|.*[-_](token|secret|password))$",
    re.IGNORECASE,
)


def _names_a_secret(key: object) -> bool:
    return _SECRET_KEYS.match(str(key)) is not None


class Redactor:
    """A callable str → str. Secrets may be added later, such as tokens that come out of the vault.

    >>> Redactor(["hunter2!"])("the password is hunter2!, the token xoxb-123456-abcdef")
    'the password is [redacted], the token [redacted]'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._shapes = self._pattern = re.compile("|".join(_SHAPES))
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Look for these values too, as they are, in JSON and in an address."""
        before = len(self._known)
        for secret in secrets:
            if len(secret) >= SHORTEST and self._shapes.sub("", secret):  # else its shape betrays it anyway
                self._known.update((secret, json.dumps(secret)[1:-1], quote(secret, safe="")))
        if len(self._known) > before:
            longest_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join((*map(re.escape, longest_first), *_SHAPES)))

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if "input_value=" in text:
            text = _QUOTED.sub(f"input_value={MASK}, input_type=", text)
        return self._pattern.sub(MASK, text)

    def clean(self, value: Any) -> Any:
        """Redact every string in a structure; what is neither a structure nor a plain value becomes its repr."""
        if isinstance(value, str):
            return self(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, SecretStr):
            return MASK
        if isinstance(value, bytes | bytearray):
            return self(value.decode("utf-8", "backslashreplace"))
        if isinstance(value, Mapping):
            return {self(str(key)): MASK if _names_a_secret(key) else self.clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        return self(repr(value))


def secrets_of(settings: object) -> Iterator[str]:
    """Find every secret in settings: each `SecretStr`, and the password in an address such as the database's."""
    if isinstance(settings, SecretStr):
        yield settings.get_secret_value()
    elif isinstance(settings, str):
        if "://" in settings and "@" in settings:
            try:
                password = urlsplit(settings).password
            except ValueError:
                return
            if password:
                yield from {password, unquote(password)}
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            yield from secrets_of(getattr(settings, name))
    elif is_dataclass(settings) and not isinstance(settings, type):
        for field in fields(settings):
            yield from secrets_of(getattr(settings, field.name))
    elif isinstance(settings, Mapping):
        for item in settings.values():
            yield from secrets_of(item)
    elif isinstance(settings, list | tuple | set | frozenset):
        for item in settings:
            yield from secrets_of(item)
