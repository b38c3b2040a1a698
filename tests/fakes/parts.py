"""A part of the channel in memory, as it is sent and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.adapter import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePart:
    """`kind` is `answer`, the kind of a notice, or `home`; `raw` is escaped; `styled` is all the form there is."""

    kind: str
    raw: str
    buttons: bool = False
    styled: bool = False

    def to_json(self) -> Part:
        """Return JSON values for `from_json`."""
        return {"kind": self.kind, "raw": self.raw, "buttons": self.buttons, "styled": self.styled}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read them; what is unknown is left out."""
        return cls(
            kind=str(stored["kind"]),
            raw=str(stored["raw"]),
            buttons=bool(stored.get("buttons")),
            styled=bool(stored.get("styled")),
        )
