"""One message as it will be sent, and the JSON form in which it waits with the intent to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from bot.adapter import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class GullPart:
    """`body` is safe HTML, or text if not `html`. `buttons`: rating buttons hang on it. `asked_by`: "" for nobody."""

    body: str = ""
    html: bool = False
    buttons: bool = False
    asked_by: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Return JSON values for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, JsonValue]) -> Self:
        """Read what `to_json` of any version wrote: what is missing has its default, what is unknown is left out."""
        known: dict[str, Any] = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**known)
