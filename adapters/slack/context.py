"""What a person points at with a message: forwarded messages, pasted tables, messages that links lead to. Pure.

All of it stands in the message itself: Slack adds shared messages, tables and previews as attachments. They have no
documented shape, so what is not there, or not shaped as today, costs the context and not the question.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from adapters.slack.blocks import NO_PREVIEW, Block, BlockText, codes_of, objects, tables_of, word
from adapters.slack.identity import Identity
from adapters.slack.ids import CHANNEL_NAME, GONE_MODES, LONGEST_ID, Payload, message_ref
from adapters.slack.text import ID, ReadText, read
from bot.events import ContextItem, ContextKind, File, MessageRef

ORDER: Final[tuple[ContextKind, ...]] = ("reply", "forward", "table", "link")
MESSAGE_PATH: Final = re.compile(r"/archives/([A-Z0-9]+)/p([0-9]{10})([0-9]{6})")
STAMP: Final = re.compile(r"[0-9]{1,12}\.[0-9]{6}")


def words_of(message: Payload, identity: Identity) -> ReadText:
    """Read what a message says: a person's own text; of an app's all that it shows (blocks, attachments, fallback)."""
    text = message.get("text") or ""
    if identity.is_person(message) or not isinstance(text, str):
        return read(text, identity.user_id, codes_of(message.get("blocks")))
    words = BlockText(identity.user_id)
    words.add_blocks(message.get("blocks"))
    if words.is_empty():
        words.add_markup(text)
    for attachment in objects(message.get("attachments")):
        if _kind_of(attachment, ()) is None:
            _add_attachment(words, attachment)
    return ReadText(words.text, False, False, tuple(words.mentions))


def context_of(message: Payload, identity: Identity, addresses: Collection[str] = ()) -> tuple[ContextItem, ...]:
    """Return what the message points at, in the order in which it goes along. `addresses`: those in its words."""
    items = []
    said_by_person = identity.is_person(message)  # of an app's message tables are a part of the words
    for attachment in objects(message.get("attachments")):
        if (kind := _kind_of(attachment, addresses)) is not None:
            items.append(_shown_message(attachment, kind, identity))
        items += _tables(attachment.get("blocks"), identity) if said_by_person else []
    items += _tables(message.get("blocks"), identity) if said_by_person else []
    return tuple(sorted(items, key=lambda item: ORDER.index(item.kind)))


def awaits_context(message: Payload, identity: Identity, addresses: Collection[str]) -> bool:
    """Whether a link to a message of this workspace stands in the words that Slack has not shown yet."""
    linked = {found for address in addresses if (found := _message_of(address, identity))}
    shown = {_message_of(word(attachment, "from_url"), identity) for attachment in objects(message.get("attachments"))}
    return bool(linked - shown)


def files_of(message: Payload, identity: Identity) -> tuple[File, ...]:
    """List the files of a message that lie at Slack."""
    found = []
    for raw in objects(message.get("files")):
        if ID.fullmatch(word(raw, "id")) and not raw.get("is_external") and raw.get("mode") not in GONE_MODES:
            size = raw.get("size")
            found.append(
                File(
                    channel=CHANNEL_NAME,
                    account_id=identity.team_id,
                    file_id=word(raw, "id"),
                    name=word(raw, "name") or word(raw, "title"),
                    media_type=word(raw, "mimetype"),
                    size=size if isinstance(size, int) else None,
                )
            )
    return tuple(found)


def _kind_of(attachment: Block, addresses: Collection[str]) -> ContextKind | None:
    """Tell a forwarded message from one that a link in the words leads to; None for whatever is no message."""
    if attachment.get("is_share"):
        return "forward"
    if not attachment.get("is_msg_unfurl"):
        return None
    return "link" if word(attachment, "from_url") in addresses else "forward"


def _shown_message(attachment: Block, kind: ContextKind, identity: Identity) -> ContextItem:
    words, files = BlockText(identity.user_id), tuple(_file_names(attachment))
    words.add_markup(word(attachment, "text"))
    for inner in objects(attachment.get("message_blocks")):
        message = inner.get("message")
        blocks = message.get("blocks") if isinstance(message, dict) else None
        if words.is_empty():
            words.add_blocks(blocks)
        else:
            for table in tables_of(blocks):  # the text has none of them
                words.lines += words.table(table)
    if words.is_empty() and not tables_of(attachment.get("blocks")):
        words.add_blocks(attachment.get("blocks"))
        if words.is_empty() and not files and word(attachment, "fallback") != NO_PREVIEW:
            words.add_markup(word(attachment, "fallback"))
    author_id = word(attachment, "author_id")
    return ContextItem(
        kind=kind,
        text=words.text,
        mentions=tuple(words.mentions),
        author=word(attachment, "author_name") or word(attachment, "author_subname"),
        author_id=author_id if ID.fullmatch(author_id) else None,
        by_us=author_id == identity.user_id or bool(identity.bot_id and attachment.get("bot_id") == identity.bot_id),
        ref=_ref_of(attachment, identity),
        files=files,
    )


def _ref_of(attachment: Block, identity: Identity) -> MessageRef | None:
    channel, ts = word(attachment, "channel_id"), word(attachment, "ts")
    whole = ID.fullmatch(channel) is not None and STAMP.fullmatch(ts) is not None
    return message_ref(identity.team_id, channel, ts) if whole else None


def _file_names(attachment: Block) -> Iterator[str]:
    for file in objects(attachment.get("files")):
        yield (word(file, "name") or word(file, "title"))[:LONGEST_ID]


def _tables(blocks: object, identity: Identity) -> list[ContextItem]:
    items = []
    for block in tables_of(blocks):
        words = BlockText(identity.user_id)
        words.lines += words.table(block)
        if words.text:
            items.append(ContextItem(kind="table", text=words.text, mentions=tuple(words.mentions)))
    return items


def _add_attachment(words: BlockText, attachment: Block) -> None:
    """Add an attachment of an app: what is above it, its title with its address, its text, fields and blocks."""
    before = len(words.lines)
    words.add_markup(word(attachment, "pretext"))
    title, address = word(attachment, "title"), word(attachment, "title_link")
    words.add_markup(f"{title} ({address})" if title and address else title)
    words.add_markup(word(attachment, "text"))
    for field in objects(attachment.get("fields")):
        words.add_markup(": ".join(filter(None, (word(field, "title"), word(field, "value")))))
    words.add_blocks(attachment.get("blocks"))
    if len(words.lines) == before and word(attachment, "fallback") != NO_PREVIEW:
        words.add_markup(word(attachment, "fallback"))


def _message_of(address: str, identity: Identity) -> tuple[str, str] | None:
    """Read which message of this workspace an address leads to."""
    try:
        url, home = urlsplit(address), urlsplit(identity.workspace_url)
    except ValueError:
        return None
    organisation = identity.enterprise_id is not None and (url.hostname or "").endswith(".enterprise.slack.com")
    if not (organisation or (url.hostname and url.hostname == home.hostname)):
        return None
    path = MESSAGE_PATH.fullmatch(url.path)
    return (path[1], f"{path[2]}.{path[3]}") if path else None
