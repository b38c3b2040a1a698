"""The blocks of messages that others made → plain text with whom it mentions; tables as rows; what is code. Pure.

Blocks have many shapes, and more come: what is not known, or not shaped as documented (docs.slack.dev, Block Kit
reference), costs itself and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from adapters.slack.text import ID, read
from bot.events import Mention, unmarked

Block: TypeAlias = Mapping[str, Any]

DEEPEST: Final = 8
"""How deep elements are looked into; those of rich_text are three deep."""
MOST_CELLS: Final = 4_000
"""Cells of a table that are read; Slack takes 2,000 (100 rows of 20)."""
CELL: Final = " | "
NO_PREVIEW: Final = "[no preview available]"
"""What Slack writes as the `fallback` of an attachment that has nothing but blocks."""

_MENTIONS: Final[Mapping[str, tuple[str, Literal["person", "conversation", "group"]]]] = {
    "user": ("user_id", "person"),
    "channel": ("channel_id", "conversation"),
    "usergroup": ("usergroup_id", "group"),
}


class BlockText:
    """Plain text that is put together of pieces, with the mentions in it."""

    def __init__(self, bot_user_id: str) -> None:
        self._bot_user_id = bot_user_id
        self.lines: list[str] = []
        self.mentions: dict[Mention, None] = {}

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines).strip()

    def is_empty(self) -> bool:
        """Whether there are no words yet."""
        return not self.lines

    def add(self, text: str) -> None:
        """Add plain text as a line, if there is any."""
        if text.strip():
            self.lines.append(text.strip())

    def add_markup(self, text: str) -> None:
        """Add words in Slack's mrkdwn."""
        words = read(text, self._bot_user_id)
        self.mentions |= dict.fromkeys(words.mentions)
        self.add(words.text)

    def add_blocks(self, blocks: Any) -> None:
        """Add what the blocks say."""
        for block in objects(blocks):
            self._add_block(block)

    def _add_block(self, block: Block) -> None:
        kind = block.get("type")
        if kind == "rich_text":
            self.add(self.rich(block))
        elif kind == "table":
            self.lines += self.table(block)
        elif kind == "markdown":
            self.add(word(block, "text"))
        else:  # section, header, context, image, video, …
            for name in ("title", "text", "description", "alt_text"):
                self._add_object(block.get(name))
            for one in (*objects(block.get("fields")), *(objects(block.get("elements")) if kind == "context" else ())):
                self._add_object(one)
            if kind == "image" and not block.get("title"):
                self.add(word(block, "alt_text"))

    def _add_object(self, value: Any) -> None:
        """Add a text object: mrkdwn, or plain text."""
        if isinstance(value, Mapping):
            if value.get("type") == "mrkdwn":
                self.add_markup(word(value, "text"))
            else:
                self.add(unmarked(word(value, "text")))

    def rich(self, block: Block) -> str:
        """Write a rich_text block as plain text."""
        lines: list[str] = []
        for element in objects(block.get("elements")):
            match element.get("type"):
                case "rich_text_list":
                    ordered, indent = element.get("style") == "ordered", "  " * _count(element, "indent")
                    for number, item in enumerate(objects(element.get("elements")), _count(element, "offset") + 1):
                        lines.append(f"{indent}{f'{number}.' if ordered else '•'} {self._inline(item)}")
                case "rich_text_quote":
                    lines += [f"> {line}" for line in self._inline(element).splitlines()]
                case "rich_text_preformatted":
                    lines.append(f"```\n{self._inline(element)}\n```")
                case _:
                    lines.append(self._inline(element))
        return "\n".join(line.rstrip("\n") for line in lines)

    def _inline(self, section: Block, depth: int = 0) -> str:
        return "".join(self._piece(one, depth) for one in objects(section.get("elements")))

    def _piece(self, element: Block, depth: int) -> str:
        kind = element.get("type")
        if kind == "text":
            text = unmarked(word(element, "text"))
            return f"`{text}`" if _is_code(element) and text.strip() else text
        if kind == "link":
            url, label = word(element, "url"), unmarked(word(element, "text"))
            return url if not label or label == url else label if url.endswith("://" + label) else f"{label} ({url})"
        if kind == "emoji":
            return f":{word(element, 'name')}:"
        if kind == "broadcast":
            return f"@{word(element, 'range')}"
        if kind == "date":
            return word(element, "fallback")
        if isinstance(kind, str) and kind in _MENTIONS:
            field, what = _MENTIONS[kind]
            if ID.fullmatch(id_ := word(element, field)):
                mention = Mention(kind=what, id=id_)
                self.mentions[mention] = None
                return str(mention)
        return self._inline(element, depth + 1) if depth < DEEPEST else ""

    def table(self, block: Block) -> list[str]:
        """Write a table, a line a row."""
        lines, left = [], MOST_CELLS
        rows = block.get("rows")
        for row in rows if isinstance(rows, list) else ():
            cells = [self._cell(cell) for cell in (row if isinstance(row, list) else ())[:left]]
            left -= len(cells)
            if any(cells):
                lines.append(CELL.join(cells).strip())
        return lines

    def _cell(self, cell: Any) -> str:
        """Write a cell in one line: rich_text, raw_text, raw_number, or null for an empty one."""
        if not isinstance(cell, Mapping):
            return ""
        value = cell.get("value")
        if cell.get("type") == "rich_text":
            text = self.rich(cell)
        else:
            text = unmarked(word(cell, "text")) or (str(value) if isinstance(value, int | float | str) else "")
        return " ".join(text.split())


def codes_of(blocks: Any) -> frozenset[str] | None:
    """Return what is code in a message, as its rich_text tells; None for a message without any."""
    found = [block for block in objects(blocks) if block.get("type") == "rich_text"]
    return frozenset(code.strip() for block in found for code in _codes(block, 0)) if found else None


def _codes(element: Block, depth: int) -> Iterator[str]:
    if element.get("type") == "rich_text_preformatted":
        yield "".join(_verbatim(one) for one in objects(element.get("elements")))
    elif _is_code(element):
        yield _verbatim(element)
    elif depth < DEEPEST:
        for one in objects(element.get("elements")):
            yield from _codes(one, depth + 1)


def _verbatim(element: Block) -> str:
    return word(element, "text") or word(element, "url")


def tables_of(blocks: Any) -> list[Block]:
    """List the tables among blocks."""
    return [block for block in objects(blocks) if block.get("type") == "table"]


def objects(values: Any) -> list[Block]:
    """Return the JSON objects of a list, whatever it is."""
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def word(value: Block, name: str) -> str:
    """Return a string of an object, "" for anything else."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _is_code(element: Block) -> bool:
    style = element.get("style")
    return isinstance(style, Mapping) and bool(style.get("code"))


def _count(element: Block, name: str) -> int:
    value = element.get(name)
    return min(value, DEEPEST) if isinstance(value, int) and value > 0 else 0
