"""What Telegram's server does to text: checks entities, finds mentions. By TDLib itself (PyPI tdjson), offline."""

from __future__ import annotations

import json
from typing import Any

import tdjson

JSON = dict[str, Any]

SIMPLE = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
    "mention": "Mention",
    "hashtag": "Hashtag",
    "cashtag": "Cashtag",
    "bot_command": "BotCommand",
    "url": "Url",
    "email": "EmailAddress",
    "phone_number": "PhoneNumber",
}
NAMES = {td: name for name, td in SIMPLE.items()}
OWN = frozenset({"code", "pre", "text_link", "text_mention", "custom_emoji"})
"""Entities inside of which the server finds nothing by itself."""
LIVE_SCHEMES = ("http://", "https://", "mailto:", "tel:")


class EntityError(ValueError):
    """The server refuses the entities; its words."""


def _execute(request: JSON) -> JSON:
    answer: JSON = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    return answer


_execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def units(text: str) -> int:
    """Length as Telegram counts offsets: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def check(text: str, entities: list[JSON]) -> None:
    """Raise EntityError where TDLib refuses entities of that text, or where the Bot API would not know them."""
    for entity in entities:
        if not isinstance(entity.get("offset"), int) or not isinstance(entity.get("length"), int):
            raise EntityError("can't parse entities: an entity has no offset or length")
        if entity["length"] <= 0:
            raise EntityError("can't parse entities: an entity is empty")
    formatted = {"@type": "formattedText", "text": text, "entities": [_td(entity) for entity in entities]}
    answer = _execute({"@type": "getMarkdownText", "text": formatted})
    if answer.get("@type") == "error":
        raise EntityError(f"can't parse entities: {answer['message']}")


def _td(entity: JSON) -> JSON:
    kind = entity.get("type")
    if kind == "text_link":
        inner: JSON = {"@type": "textEntityTypeTextUrl", "url": entity.get("url", "")}
    elif kind == "text_mention":
        inner = {"@type": "textEntityTypeMentionName", "user_id": entity["user"]["id"]}
    elif kind == "custom_emoji":
        inner = {"@type": "textEntityTypeCustomEmoji", "custom_emoji_id": entity["custom_emoji_id"]}
    elif kind == "pre" and entity.get("language"):
        inner = {"@type": "textEntityTypePreCode", "language": entity["language"]}
    elif kind in SIMPLE:
        inner = {"@type": f"textEntityType{SIMPLE[kind]}"}
    else:
        raise EntityError(f"can't parse entities: unsupported type {kind}")
    return {"@type": "textEntity", "offset": entity["offset"], "length": entity["length"], "type": inner}


def found(text: str, entities: list[JSON] | None = None) -> list[JSON]:
    """List what the server finds by itself in a text: mentions, commands, links, outside of `entities` of its own."""
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities or [] if e["type"] in OWN]
    answer = _execute({"@type": "getTextEntities", "text": text})
    seen = []
    for entity in answer.get("entities", []):
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if all(end <= low or start >= high for low, high in taken):
            kind = NAMES.get(entity["type"]["@type"].removeprefix("textEntityType"), "other")
            seen.append({"type": kind, "offset": start, "length": entity["length"]})
    return seen


def alerts(message: JSON) -> list[str]:
    """List what is live in a sent message: pings, commands, links that are no plain web or mail address."""
    text, entities = message["text"], message.get("entities", [])
    live = []
    for entity in entities:
        start = 2 * entity["offset"]
        words = text.encode("utf-16-le")[start : start + 2 * entity["length"]].decode("utf-16-le", "replace")
        if entity["type"] in ("mention", "text_mention", "bot_command"):
            live.append(f"{entity['type']}: {words}")
        elif entity["type"] == "text_link" and not entity["url"].lower().startswith(LIVE_SCHEMES):
            live.append(f"link: {entity['url']}")
        elif entity["type"] == "url" and words.lower().startswith(("tg:", "ton:", "tonsite:", "javascript:")):
            live.append(f"link: {words}")
    return live
