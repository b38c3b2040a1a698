"""What is sent to Slack, as typed values, and the JSON form in which it waits with the intent to send; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from bot.adapter import JsonValue
from bot.shared import ANSWER_RANK

Block: TypeAlias = Mapping[str, Any]
"""A block as Slack's Block Kit reference describes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeQuestion:
    """A question on the Home tab, and which message its link leads to; None without a link."""

    block: Block
    channel: str | None = None
    ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """A person's Home tab: what stands above, the recent questions, and what the agent view suggests to ask."""

    blocks: tuple[Block, ...]
    recent: tuple[HomeQuestion, ...] = ()
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPart:
    """One message, or with `home` one publication of a Home tab.

    `text` is escaped: it is what notifications and screen readers use or, without `blocks`, the whole message.
    `rank`: of posts that wait for the same channel the lowest goes first. `user_id`: whom it concerns, who gets it by
    direct message where the bot is no member, and whose page `home` is. `asked_by_command`: it is the root of an /ask,
    whose words nobody in the channel has seen, so a line under it says who asked. `anywhere`: it names nothing but a
    reference, so where its thread was locked it may stand outside of it. `language`: of what is added when it is sent.
    """

    text: str = ""
    blocks: tuple[Block, ...] = ()
    rank: int = ANSWER_RANK
    user_id: str | None = None
    asked_by_command: bool = False
    anywhere: bool = False
    language: str = "en"
    home: HomePage | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return JSON values for `from_json`."""
        part: dict[str, JsonValue] = {"rank": self.rank, "user": self.user_id}
        if self.language != "en":
            part["language"] = self.language
        if self.home is not None:
            return part | {"home": _page_to_json(self.home)}
        return part | {
            "text": self.text,
            "blocks": [dict(block) for block in self.blocks],
            "asked_by_command": self.asked_by_command,
            "anywhere": self.anywhere,
        }

    @classmethod
    def from_json(cls, part: Mapping[str, Any]) -> Self:
        """Read what `to_json` made, in an older version too: what is missing has its default."""
        rank, page, blocks = part.get("rank"), part.get("home"), _blocks(part.get("blocks"))
        # Before there was `asked_by_command`, a last block with this id stood for it.
        asked_by_command = bool(blocks) and str(blocks[-1].get("block_id", "")).startswith("asker:")
        return cls(
            text=str(part.get("text") or ""),
            blocks=blocks[:-1] if asked_by_command else blocks,
            rank=rank if isinstance(rank, int) else ANSWER_RANK,
            user_id=_text(part.get("user")),
            asked_by_command=asked_by_command or part.get("asked_by_command") is True,
            anywhere=part.get("anywhere") is True,
            language=_text(part.get("language")) or "en",
            home=_page_from_json(page) if isinstance(page, Mapping) else None,
        )


def _page_to_json(page: HomePage) -> dict[str, JsonValue]:
    return {
        "blocks": [dict(block) for block in page.blocks],
        "recent": [
            {"block": dict(question.block), "channel": question.channel, "ts": question.ts} for question in page.recent
        ],
        "prompts": list(page.prompts),
    }


def _page_from_json(page: Mapping[str, Any]) -> HomePage:
    questions = [
        HomeQuestion(block=entry["block"], channel=_text(entry.get("channel")), ts=_text(entry.get("ts")))
        for entry in _list(page.get("recent"))
        if isinstance(entry, Mapping) and isinstance(entry.get("block"), Mapping)
    ]
    return HomePage(
        blocks=_blocks(page.get("blocks")),
        recent=tuple(questions),
        prompts=tuple(str(prompt) for prompt in _list(page.get("prompts"))),
    )


def _blocks(value: Any) -> tuple[Block, ...]:
    return tuple(block for block in _list(value) if isinstance(block, Mapping))


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
