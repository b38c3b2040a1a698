"""What a person points at with a message: the one it answers, the words selected of it, a forward. Pure.

Read from the raw message, for what is not there, or not shaped as today, costs the context and not the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from telegram import MessageEntity

from adapters.telegram import parse
from adapters.telegram.identity import Identity
from adapters.telegram.ids import CHANNEL_NAME, message_ref
from adapters.telegram.text import readable
from bot.events import ContextItem, File, MessageRef, unmarked

Raw = Mapping[str, Any]

FILES: Final = ("document", "audio", "video", "animation", "voice", "video_note", "photo")
"""What of a message is a file, https://core.telegram.org/bots/api#message; a photo comes as a list of its sizes."""
ENTITY_FIELDS: Final = ("type", "offset", "length", "url")


def context_of(content: Raw, identity: Identity, *, is_reply: bool) -> tuple[ContextItem, ...]:
    """Return what the message answers, then what it forwards. `is_reply`: a person chose to answer what it answers."""
    items = (_answered(content, identity, is_reply=is_reply), _forwarded(content, identity))
    return tuple(item for item in items if item is not None)


def is_forward(content: Raw) -> bool:
    """Whether somebody else's message was sent on; its words are not those of who sends it."""
    return bool(content.get("forward_origin"))


def files_of(content: Raw, identity: Identity) -> tuple[File, ...]:
    """List the files of a message; a photo is its largest size."""
    found = []
    for kind in FILES:
        raw = content.get(kind)
        if kind == "photo" and isinstance(raw, list):
            raw = raw[-1] if raw else None
        if isinstance(raw, Mapping) and isinstance(raw.get("file_id"), str):
            size = raw.get("file_size")
            found.append(
                File(
                    channel=CHANNEL_NAME,
                    account_id=str(identity.id),
                    file_id=raw["file_id"],
                    name=_word(raw, "file_name"),
                    media_type=_word(raw, "mime_type") or ("image/jpeg" if kind == "photo" else ""),
                    size=size if isinstance(size, int) else None,
                )
            )
    return tuple({file.file_id: file for file in found}.values())  # an animation is told as a document too


@dataclass(frozen=True, slots=True)
class _Author:
    """Who said something. `id` is a person's, None where nobody tells it."""

    name: str = ""
    id: str | None = None
    by_us: bool = False


def _answered(content: Raw, identity: Identity, *, is_reply: bool) -> ContextItem | None:
    """Read the message that is answered. One of another chat shows no words but those selected of it."""
    quote = _raw(content, "quote")
    selected = _text(quote, "text", "entities") if quote else ""
    replied, elsewhere = _raw(content, "reply_to_message"), _raw(content, "external_reply")
    if replied and is_reply:
        text, files = selected or _words(replied), _names(replied)
        if not text and not files:
            return None  # a service message: nobody has said anything
        author, ref = _sender(replied, identity), _ref_of(replied, identity)
    elif elsewhere:
        text, files = selected, _names(elsewhere)
        author, ref = _origin(_raw(elsewhere, "origin") or {}, identity), None
    else:
        return None
    return ContextItem(
        kind="reply",
        text=text,
        author=author.name,
        author_id=author.id,
        by_us=author.by_us,
        ref=ref,
        selected=bool(selected),
        files=files,
    )


def _forwarded(content: Raw, identity: Identity) -> ContextItem | None:
    origin = _raw(content, "forward_origin")
    if not origin:
        return None
    author = _origin(origin, identity)
    return ContextItem(
        kind="forward",
        text=_words(content),
        author=author.name,
        author_id=author.id,
        by_us=author.by_us,
        files=_names(content),
    )


def _origin(origin: Raw, identity: Identity) -> _Author:
    """Tell who wrote what was sent on (https://core.telegram.org/bots/api#messageorigin)."""
    signature, title = _word(origin, "author_signature"), ""
    match origin.get("type"):
        case "user":
            return _person(_raw(origin, "sender_user") or {}, identity)
        case "hidden_user":
            return _Author(_word(origin, "sender_user_name"))
        case "chat":
            title = _word(_raw(origin, "sender_chat") or {}, "title")
        case "channel":
            title = _word(_raw(origin, "chat") or {}, "title")
    return _Author(f"{signature}, {title}" if signature and title else title or signature)


def _sender(message: Raw, identity: Identity) -> _Author:
    chat = _raw(message, "sender_chat")
    if chat:  # an anonymous administrator, or somebody who writes as a channel
        return _Author(_word(chat, "title"))
    return _person(_raw(message, "from") or {}, identity)


def _person(user: Raw, identity: Identity) -> _Author:
    name = " ".join(f"{_word(user, 'first_name')} {_word(user, 'last_name')}".split()) or _word(user, "username")
    number, is_bot = user.get("id"), bool(user.get("is_bot"))
    return _Author(name, str(number) if isinstance(number, int) and not is_bot else None, number == identity.id)


def _words(message: Raw) -> str:
    return _text(message, "text", "entities") or _text(message, "caption", "caption_entities")


def _text(message: Raw, name: str, entities: str) -> str:
    """Read words, with the addresses behind them; entities that do not fit them cost only the addresses."""
    text, raw = _word(message, name), message.get(entities)
    try:
        return readable(text, [_entity(each) for each in raw] if isinstance(raw, list) else ())
    except (KeyError, TypeError, ValueError):
        return text


def _entity(raw: Raw) -> MessageEntity:
    return parse.parsed(MessageEntity, {name: raw[name] for name in ENTITY_FIELDS if name in raw})


def _names(message: Raw) -> tuple[str, ...]:
    """Name the files of a message; what has no name by its kind."""
    kinds = [kind for kind in FILES if message.get(kind)]
    named = [(_raw(message, kind) or {}).get("file_name") for kind in kinds]
    names = [
        name if isinstance(name, str) and name else kind.replace("_", " ")
        for kind, name in zip(kinds, named, strict=True)
    ]
    return tuple(dict.fromkeys(names))


def _ref_of(message: Raw, identity: Identity) -> MessageRef | None:
    try:
        return message_ref(str(identity.id), message["chat"]["id"], message["message_id"])
    except (KeyError, TypeError):
        return None


def _raw(content: Raw, name: str) -> Raw | None:
    value = content.get(name)
    return value if isinstance(value, Mapping) else None


def _word(content: Raw, name: str) -> str:
    value = content.get(name)
    return unmarked(value) if isinstance(value, str) else ""
