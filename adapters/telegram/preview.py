"""How an answer looks at Telegram, as safe HTML, made from what would be sent: text and entities."""

from __future__ import annotations

from html import escape
from typing import Final

from adapters.telegram.parts import TelegramPart
from adapters.telegram.render import render
from bot.events import Answer

_TAGS: Final = {
    "bold": "strong",
    "italic": "em",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}


def preview(markdown: str) -> str:
    """Show what Telegram would show of an answer: one `article` a message."""
    return "".join(map(_article, render(Answer(text=markdown, asker_id=""))))


def _article(part: TelegramPart) -> str:
    data = part.text.encode("utf-16-le")
    opens: dict[int, list[str]] = {}
    closes: dict[int, list[str]] = {}
    for entity in part.entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        tag, attributes = _TAGS.get(entity["type"], ""), ""
        if entity["type"] == "text_link":
            tag, attributes = "a", f' href="{escape(entity["url"])}" target="_blank" rel="noopener noreferrer nofollow"'
        elif tag == "pre":
            attributes = ' tabindex="0"'  # it scrolls sideways, and must be reached by the keyboard to be read
        opens.setdefault(start, []).append(f"<{tag}{attributes}>")
        closes.setdefault(end, []).insert(0, f"</{tag}>")
    out: list[str] = []
    at, after_block = 0, False
    for edge in sorted({*opens, *closes, len(data) // 2}):
        text = data[2 * at : 2 * edge].decode("utf-16-le")
        if after_block:  # a line of its own needs no line end around it
            text = text.removeprefix("\n")
        if _has_block(opens.get(edge, [])):
            text = text.removesuffix("\n")
        after_block = _has_block(closes.get(edge, []))
        out.append(escape(text))
        out += closes.get(edge, [])
        out += opens.get(edge, [])
        at = edge
    buttons = '<footer><span class="button">👍</span> <span class="button">👎</span></footer>' if part.buttons else ""
    return f'<article class="message" dir="auto"><div class="text">{"".join(out)}</div>{buttons}</article>'


def _has_block(tags: list[str]) -> bool:
    return any(tag.lstrip("</").startswith(("pre", "blockquote")) for tag in tags)
