"""The Home tab between the renderer, which knows no workspace, and the call that publishes it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.slack.ids import permalink
from bot.adapter import Part
from bot.events import Home


def extras(home: Home) -> dict[str, Any]:
    """Say what `send` needs beside the view: whose page it is, the prompts, where each question leads."""
    links = {
        f"recent:{number}": [question.ref.conversation_id, question.ref.message_id]
        for number, question in enumerate(home.recent)
        if question.ref is not None
    }
    return {"user": home.user_id, "prompts": list(home.suggestions), "links": links}


def with_links(part: Part, workspace_url: str) -> Mapping[str, Any]:
    """Add to each recent question the link to its answer, built as Slack builds its permalinks."""
    view: Any = part["home"]
    links = part.get("links")
    blocks = view.get("blocks")
    if not (isinstance(links, Mapping) and isinstance(blocks, Sequence) and workspace_url):
        return dict(view)
    return {**view, "blocks": [_linked(block, links, workspace_url) for block in blocks]}


def _linked(block: Any, links: Mapping[str, Any], workspace_url: str) -> Any:
    place = links.get(str(block.get("block_id", "")))
    if place is None:
        return block
    link = {"type": "link", "url": permalink(workspace_url, *place), "text": "Open"}
    section = {"type": "rich_text_section", "elements": [link]}
    return {**block, "elements": [*block["elements"], section]}
