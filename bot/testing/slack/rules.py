"""What Slack accepts: arguments of each method, sizes of texts and blocks, and nothing that pings."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

PING: Final = re.compile(r"<(!|@|#|[a-z][a-z0-9+.-]*:)[^<>]*>", re.IGNORECASE)
"""A mention, a broadcast, a channel link or a masked link, as Slack reads it in mrkdwn."""

READS: Final = frozenset(
    {
        "auth.test",
        "bots.info",
        "files.info",
        "users.info",
        "usergroups.list",
        "usergroups.users.list",
        "oauth.v2.access",
        "conversations.info",
        "conversations.replies",
        "conversations.history",
    }
    | {"apps.manifest.create", "apps.manifest.update", "apps.manifest.export", "apps.connections.open"}
)
"""Methods whose arguments travel as a form; Slack does not look into a JSON body there."""

ARGUMENTS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    name: (frozenset(required.split()), frozenset(optional.split()))
    for name, required, optional in (
        ("auth.test", "", ""),
        ("oauth.v2.access", "client_id client_secret", "code grant_type refresh_token redirect_uri"),
        ("bots.info", "bot", "team_id"),
        ("files.info", "file", ""),
        ("users.info", "user", "include_locale"),
        ("usergroups.list", "", "include_disabled include_count include_users team_id"),
        ("usergroups.users.list", "usergroup", "include_disabled team_id"),
        ("conversations.info", "channel", "include_locale include_num_members"),
        ("conversations.replies", "channel ts", "cursor include_all_metadata inclusive latest limit oldest"),
        ("conversations.history", "channel", "cursor include_all_metadata inclusive latest limit oldest"),
        ("conversations.open", "", "channel users return_im prevent_creation"),
        (
            "chat.postMessage",
            "channel text unfurl_links unfurl_media metadata",
            "blocks thread_ts client_msg_id mrkdwn",
        ),
        ("chat.delete", "channel ts", "as_user"),
        ("reactions.add", "channel timestamp name", ""),
        ("reactions.remove", "name", "channel timestamp"),
        ("views.open", "trigger_id view", ""),
        ("views.publish", "user_id view", "hash"),
        ("agents.sessions.setStatus", "channel_id status thread_ts", "title initiator_user_id"),
        ("assistant.threads.setSuggestedPrompts", "channel_id prompts", "thread_ts title"),
        ("apps.connections.open", "", ""),
        ("apps.manifest.create", "manifest", ""),
        ("apps.manifest.update", "app_id manifest", ""),
        ("apps.manifest.export", "app_id", ""),
    )
}
"""Method → required and optional arguments; anything else is refused, so that a typing mistake is seen."""

BLOCK_TYPES: Final = frozenset(
    {"section", "divider", "header", "context", "actions", "context_actions", "rich_text", "table", "input", "image"}
    | {"markdown"}
)
LENGTHS: Final[Mapping[str, int]] = {"section": 3000, "header": 150, "context": 3000}


class Refused(Exception):
    """Slack's answer `ok: false`; `detail` is for whoever reads the failing test."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


def check_arguments(method: str, arguments: Mapping[str, Any]) -> None:
    """Refuse unknown methods, missing and unknown arguments."""
    if method not in ARGUMENTS:
        raise Refused("unknown_method", method)
    required, optional = ARGUMENTS[method]
    if missing := sorted(required - set(arguments)):
        raise Refused("invalid_arguments", f"{method} lacks {missing}")
    if unknown := sorted(set(arguments) - required - optional):
        raise Refused("invalid_arguments", f"{method} does not know {unknown}")


def check_post(arguments: Mapping[str, Any]) -> None:
    """Refuse what Slack would refuse, cut, unfurl or turn into a ping."""
    text = arguments["text"]
    if not isinstance(text, str) or not text.strip():
        raise Refused("no_text", "every message needs a text, for notifications and screen readers")
    if len(text) > 4000:
        raise Refused("msg_too_long", f"text has {len(text)} characters")
    if not arguments.get("blocks") and arguments.get("mrkdwn") is not False:
        raise Refused("invalid_arguments", "text alone is read as markup, so a stranger's words are to forbid it")
    if arguments["unfurl_links"] is not False or arguments["unfurl_media"] is not False:
        raise Refused("invalid_arguments", "unfurls are not off")
    refuse_pings(text, "text")
    check_blocks(arguments.get("blocks") or [], 50)
    _check_metadata(arguments["metadata"])
    if (client_id := arguments.get("client_msg_id")) is not None:
        try:
            uuid.UUID(client_id)
        except ValueError:
            raise Refused("invalid_arguments", "client_msg_id is no UUID") from None


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format", "metadata is event_type and event_payload")
    if not isinstance(metadata["event_payload"], dict) or len(json.dumps(metadata)) > 4096:
        raise Refused("metadata_too_large")


def check_view(view: Any, kind: str) -> None:
    """Refuse a view that views.open or views.publish would not take."""
    if not isinstance(view, dict) or view.get("type") != kind:
        raise Refused("invalid_arguments", f"the view is no {kind}")
    check_blocks(view.get("blocks") or [], 100)
    if kind == "modal":
        title = view.get("title") or {}
        if title.get("type") != "plain_text" or not 0 < len(title.get("text", "")) <= 24:
            raise Refused("invalid_arguments", "a modal needs a title of 24 characters at most")
        if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
            raise Refused("invalid_arguments", "a form needs a submit button")
    if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > 255:
        raise Refused("invalid_arguments", "private_metadata or callback_id is too long")


def check_blocks(blocks: Any, most: int) -> None:
    """Refuse blocks that are too many, too long, unknown, or that ping."""
    if not isinstance(blocks, list) or len(blocks) > most:
        raise Refused("invalid_blocks", f"more than {most} blocks")
    if sum(block.get("type") == "table" for block in blocks) > 1:
        raise Refused("invalid_blocks", "only one table per message")
    if sum(len(block.get("text", "")) for block in blocks if block.get("type") == "markdown") > 12000:
        raise Refused("invalid_blocks", "markdown blocks share 12,000 characters")
    for block in blocks:
        _check_block(block)
    if (size := sum(len(text) for text in strings(blocks))) > 12_000:
        raise Refused("msg_blocks_too_long", f"the blocks hold {size} characters")


def strings(value: Any) -> Iterator[str]:
    """Every text and address in blocks, in reading order."""
    for inner, _ in _walk(value, ""):
        for name in ("text", "url"):
            if isinstance(inner.get(name), str):
                yield inner[name]


def alerts(posted: Mapping[str, Any]) -> list[str]:
    """What in a message pings or leads astray; `chat.postMessage` has refused the message already if there is any."""
    try:
        refuse_pings(str(posted.get("text", "")), "text")
        check_blocks(posted.get("blocks") or [], 50)
    except Refused as refused:
        return [str(refused)]
    return []


def _check_block(block: Mapping[str, Any]) -> None:
    kind = block.get("type")
    if kind not in BLOCK_TYPES:
        raise Refused("invalid_blocks", f"unknown block type {kind!r}")
    if len(block.get("block_id", "")) > 255:
        raise Refused("invalid_blocks", "block_id is longer than 255")
    if kind == "context_actions" and len(block.get("elements", ())) > 5:
        raise Refused("invalid_blocks", "context_actions takes five elements")
    if kind == "table":
        rows = block.get("rows") or []
        if not 0 < len(rows) <= 100 or any(not 0 < len(row) <= 20 for row in rows):
            raise Refused("invalid_blocks", "a table has 100 rows and 20 columns at most")
    if kind == "rich_text" and not block.get("elements"):
        raise Refused("invalid_blocks", "a rich_text without elements")
    for value, path in _walk(block, str(kind)):
        _check_text_object(value, path, LENGTHS.get(str(kind), 3000))


def _walk(value: Any, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    if isinstance(value, dict):
        yield value, path
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{index}]")


def _check_text_object(value: Mapping[str, Any], path: str, longest: int) -> None:
    kind, text = value.get("type"), value.get("text")
    if kind in ("user", "usergroup", "channel", "broadcast", "team"):
        raise Refused("invalid_blocks", f"{path} pings by an element of type {kind}")
    if kind in ("mrkdwn", "plain_text"):
        if not isinstance(text, str) or not 0 < len(text) <= longest:
            raise Refused("invalid_blocks", f"{path} has a text of {len(text or '')} characters, at most {longest}")
        if kind == "mrkdwn":
            refuse_pings(text, path)
    if kind == "text" and text == "":
        raise Refused("invalid_blocks", f"{path} is an empty text element")
    if kind == "markdown" and isinstance(text, str):
        refuse_pings(text, path)
    if kind == "link" and not re.match(r"(https?://|mailto:)", str(value.get("url", "")), re.IGNORECASE):
        raise Refused("invalid_blocks", f"{path} links to something that is neither web nor mail")
    if value.get("link_names") or value.get("parse"):
        raise Refused("invalid_arguments", f"{path} turns names into links")


def refuse_pings(text: str, path: str) -> None:
    """Refuse mrkdwn that Slack would read as a mention or as a masked link."""
    if (token := PING.search(text)) is not None and not _is_plain_link(token[0]):
        raise Refused("ping_in_text", f"{path} holds {token[0]!r}")


def _is_plain_link(entity: str) -> bool:
    """`<https://…>` shows where it leads; `<https://…|label>` may not."""
    return "|" not in entity and re.match(r"<(https?|mailto):", entity, re.IGNORECASE) is not None
