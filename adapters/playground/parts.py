"""One message as it will be sent, and the JSON form in which it waits with the intent to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bot.adapter import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundPart:
    """`html` is safe HTML; "" in the plain form, of which the page shows the `text`. `text` is the same as plain text.

    `buttons`: the rating buttons hang on it. `kind`: `answer`, or the notice's kind.
    """

    text: str
    html: str = ""
    buttons: bool = False
    kind: str = "answer"

    def to_json(self) -> dict[str, JsonValue]:
        """Return JSON values for `from_json`, and for the page."""
        return {"html": self.html, "text": self.text, "buttons": self.buttons, "kind": self.kind}

    @classmethod
    def from_json(cls, stored: Mapping[str, JsonValue]) -> Self:
        """Read what `to_json` of any version wrote: what is missing has its default, what is unknown is left out.

        >>> PlaygroundPart.from_json({"text": "Hi", "unheard_of": 1}) == PlaygroundPart(text="Hi")
        True
        """
        return cls(
            text=str(stored.get("text", "")),
            html=str(stored.get("html", "")),
            buttons=stored.get("buttons") is True,
            kind=str(stored.get("kind", "answer")),
        )
