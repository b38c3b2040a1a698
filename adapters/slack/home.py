"""The Home tab, published for one person, and the questions that the agent view suggests."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from adapters.slack.client import Client
from adapters.slack.identity import Identity
from adapters.slack.ids import message_ref, permalink
from adapters.slack.parts import Block, HomePage, HomeQuestion, SlackPart
from adapters.slack.text import disarmed
from bot.errors import BotError
from bot.events import MessageRef
from bot.texts import DEFAULT, say

log = logging.getLogger(__name__)

MOST_PROMPTS: Final = 4
"""Slack takes so many (assistant.threads.setSuggestedPrompts, `prompts`)."""
PROMPT_TITLE: Final = 75
"""Characters; what a button's text may have (Block Kit reference), for that is how a prompt is shown."""


async def publish(client: Client, identity: Identity, part: SlackPart, direct: str, page: HomePage) -> MessageRef:
    """Show a person their page; `direct` is their conversation with the bot, where prompts are suggested."""
    user_id, shown = part.user_id or "", view(page, identity.workspace_url, part.language)
    await client.call("views.publish", {"user_id": user_id, "view": shown})
    if identity.is_agent and page.prompts:
        await _suggest(client, direct, page.prompts[:MOST_PROMPTS])
    return message_ref(identity.team_id, direct, f"home:{user_id}")


def view(page: HomePage, workspace_url: str, language: str = DEFAULT) -> dict[str, Any]:
    """Build the view, with a link from each recent question to its message; without an address there are none."""
    blocks = [*page.blocks, *(_linked(question, workspace_url, language) for question in page.recent)]
    return {"type": "home", "blocks": blocks}


def _linked(question: HomeQuestion, workspace_url: str, language: str) -> Block:
    if question.channel is None or question.ts is None or not workspace_url:
        return question.block
    address = permalink(workspace_url, question.channel, question.ts)
    link = {"type": "link", "url": address, "text": say("home-open", language)}
    section = {"type": "rich_text_section", "elements": [link]}
    return {**question.block, "elements": [*question.block["elements"], section]}


async def _suggest(client: Client, direct: str, prompts: Sequence[str]) -> None:
    """Offer questions in the agent view; without it (an old app, a plan without AI) there are none."""
    offered = [{"title": disarmed(prompt[:PROMPT_TITLE]), "message": disarmed(prompt)} for prompt in prompts]
    try:
        await client.call("assistant.threads.setSuggestedPrompts", {"channel_id": direct, "prompts": offered})
    except BotError as error:
        log.info("suggested prompts were not set: %s", error)
