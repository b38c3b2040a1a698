"""One short message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bot.adapter import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PigeonPart:
    """Its text is all there is of it."""

    text: str

    def to_json(self) -> dict[str, JsonValue]:
        """Return JSON values for `from_json`."""
        return {"text": self.text}

    @classmethod
    def from_json(cls, stored: Mapping[str, JsonValue]) -> Self:
        """Read what `to_json` of any version wrote."""
        return cls(text=str(stored.get("text", "")))
