"""One message as it will be sent, and as it is stored until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bot.shared import ANSWER_RANK, NOTICE_RANK, PROGRESS_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramPart:
    """Text and its entities, as the Bot API's MessageEntity: offsets and lengths in UTF-16 units.

    `buttons`: the rating buttons hang on it. `force_reply`: Telegram opens a reply to it for the person it concerns.
    `progress`: it only says that work goes on, so it has less right to be sent than an answer; `notice`: it says
    something to a person for what they did, so it waits behind answers. `anywhere`: it names nothing but a reference,
    so where its topic was closed it may stand in the group's general one.
    """

    text: str
    entities: tuple[Mapping[str, Any], ...] = ()
    buttons: bool = False
    force_reply: bool = False
    progress: bool = False
    anywhere: bool = False
    notice: bool = False

    @property
    def rank(self) -> int:
        """Of messages that wait for the same chat the lowest goes first."""
        return PROGRESS_RANK if self.progress else NOTICE_RANK if self.notice else ANSWER_RANK

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the rare flags are there only when they are set."""
        stored: dict[str, Any] = {
            "text": self.text,
            "entities": [dict(entity) for entity in self.entities],
            "buttons": self.buttons,
        }
        if self.force_reply:
            stored["force_reply"] = True
        if self.progress:
            stored["progress"] = True
        if self.anywhere:
            stored["anywhere"] = True
        if self.notice:
            stored["notice"] = True
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_json` of any version wrote: what is missing has its default, what is unknown is left out.

        >>> TelegramPart.from_json({"text": "Hi", "unheard_of": 1}) == TelegramPart(text="Hi")
        True
        """
        entities = stored.get("entities")
        known = entities if isinstance(entities, Sequence) and not isinstance(entities, str) else ()
        return cls(
            text=str(stored["text"]),
            entities=tuple(entity for entity in known if isinstance(entity, Mapping)),
            buttons=bool(stored.get("buttons")),
            force_reply=bool(stored.get("force_reply")),
            progress=bool(stored.get("progress")),
            anywhere=bool(stored.get("anywhere")),
            notice=bool(stored.get("notice")),
        )
