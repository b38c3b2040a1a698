"""Whom a text addresses, what is left of it without that, and the addresses behind its words.

Telegram counts offsets in UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from telegram import MessageEntity

from adapters.telegram.identity import Identity
from bot.events import unmarked

CODE: Final = frozenset({MessageEntity.CODE, MessageEntity.PRE})

_Change: TypeAlias = tuple[int, int, str]
"""From and to which byte of UTF-16 something is replaced, and what stands there then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadText:
    """A text without the mention of the bot.

    `is_for_others`: it begins with the mention of somebody else, or tags another bot.
    `command` and `target`: the bot command it begins with and, after an @, whom that is for; "" without.
    """

    text: str
    mentions_bot: bool
    mentions_others: bool
    is_for_others: bool = False
    command: str = ""
    target: str = ""


def read(text: str, entities: Sequence[MessageEntity], identity: Identity) -> ReadText:
    """Take the command and mentions of the bot off the text, tell who else is mentioned, and write addresses out.

    >>> mention = MessageEntity("mention", offset=3, length=5)
    >>> read("😀 @Test what is this?", [mention], Identity(id=1, username="test")).text
    '😀 what is this?'

    Raises:
        ValueError: an entity lies outside of the text.
    """
    data = text.encode("utf-16-le", "surrogatepass")
    ours: list[_Change] = []
    others = for_others = False
    command = target = ""
    code = [_span(entity, data) for entity in entities if entity.type in CODE]
    for entity in entities:
        start, end = _span(entity, data)
        if any(first < end and start < last for first, last in code):
            continue  # what stands in code is no mention
        words = data[start:end].decode("utf-16-le", "replace")
        if entity.type == MessageEntity.BOT_COMMAND and start == 0:
            name, _, target = words[1:].partition("@")
            command = name.lower()
            ours.append((start, end, ""))
        elif entity.type in (MessageEntity.MENTION, MessageEntity.TEXT_MENTION):
            if _is_us(entity, words[1:], identity):
                ours.append((start, end, ""))
            else:
                others = True
                is_first = not data[:start].decode("utf-16-le", "replace").strip()
                for_others = for_others or is_first or _is_a_bot(entity, words[1:])
    mentions_bot = len(ours) > bool(command)
    return ReadText(
        text=_changed(data, [*ours, *_addresses(data, entities)]),
        mentions_bot=mentions_bot,
        mentions_others=others,
        is_for_others=for_others,
        command=command,
        target=target.lower(),
    )


def readable(text: str, entities: Sequence[MessageEntity]) -> str:
    """Return somebody's words as they are, with the addresses behind them written out.

    >>> readable("🙂 See here.", [MessageEntity("text_link", offset=7, length=4, url="https://example.com/a")])
    '🙂 See here (https://example.com/a).'
    """
    data = text.encode("utf-16-le", "surrogatepass")
    return _changed(data, _addresses(data, entities))


def _addresses(data: bytes, entities: Sequence[MessageEntity]) -> list[_Change]:
    """List what is to be written behind linked words, unless they are the address themselves."""
    added: list[_Change] = []
    for entity in entities:
        if entity.type != MessageEntity.TEXT_LINK or not entity.url:
            continue
        start, end = _span(entity, data)
        words = data[start:end].decode("utf-16-le", "replace")
        end -= 2 * (len(words) - len(words.rstrip()))  # blanks are one unit each
        if _bare(words) != _bare(entity.url):
            added.append((end, end, f" ({entity.url})"))
    return added


def _bare(address: str) -> str:
    return address.strip().casefold().removeprefix("https://").removeprefix("http://").rstrip("/")


def _span(entity: MessageEntity, data: bytes) -> tuple[int, int]:
    """Return where an entity begins and ends in UTF-16, in bytes."""
    start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
    if not 0 <= start < end <= len(data):
        raise ValueError("an entity lies outside of its text")
    return start, end


def _is_a_bot(entity: MessageEntity, name: str) -> bool:
    """Whether a mention names a bot: the names of bots end in "bot" (https://core.telegram.org/bots/features#botfather)."""
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.is_bot
    return name.lower().endswith("bot")


def _is_us(entity: MessageEntity, name: str, identity: Identity) -> bool:
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == identity.id
    return name.lower() == identity.username.lower()


def _changed(data: bytes, changes: Sequence[_Change]) -> str:
    """Make changes in UTF-16; what is cut out goes with the gap or the comma that it would leave."""
    left, end, was_cut = "", 0, False
    for start, stop, new in [*sorted(changes), (len(data), len(data), "")]:
        piece = data[end : max(end, start)].decode("utf-16-le", "replace")
        if was_cut and not left.strip():
            piece = piece.lstrip(" \n\t,:;")
        elif was_cut and (piece[:1].isspace() or piece[:1] in set(",.:;!?")):
            left = left.rstrip(" ")
        left, end, was_cut = left + piece + new, max(end, stop), stop > start
    return unmarked(left.strip())
