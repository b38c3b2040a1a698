"""The sign of work: the agent session's status where the app is an agent, else 👀 on the question."""

from __future__ import annotations

from typing import Any, Final

from adapters.slack.client import Client
from adapters.slack.ids import WORKING_EMOJI
from adapters.slack.text import disarmed
from bot.errors import Misconfigured, Rejected
from bot.events import Conversation, Event, Message, MessageRef, unmarked
from bot.shared import BoundedDict

DONE_ALREADY: Final = frozenset(
    {"already_reacted", "no_reaction", "message_not_found", "not_reactable", "channel_not_found", "not_in_channel"}
    | {"is_archived", "bad_timestamp", "thread_not_found", "too_many_reactions", "too_many_emoji"}
)
"""What Slack says where there is nothing to show, or nothing left to take away: the aim is reached or moot."""

TITLE_LENGTH: Final = 200
"""Characters that Slack takes (docs.slack.dev, agents.sessions.setStatus, `title`)."""
KEEP_TITLES: Final = 1000


class WorkingSigns:
    """Shows and ends the sign of work. What it keeps in memory is only which questions of a thread are open."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open: dict[tuple[str, str], set[str]] = {}
        self._titles: BoundedDict[tuple[str, str], str] = BoundedDict(KEEP_TITLES)
        self._agent_refused = False

    def remember(self, event: Event) -> None:
        """Keep the words of a question: with the first one of a thread its agent session is titled."""
        if isinstance(event, Message) and event.text:
            self._titles[(event.ref.conversation_id, event.ref.message_id)] = disarmed(
                unmarked(event.text)[:TITLE_LENGTH]
            )

    async def show(self, conversation: Conversation, question: MessageRef | None, on: bool, *, agent: bool) -> None:
        """Begin or end it; both may be repeated. Without a message of its own the question's thread shows it."""
        if agent and not self._agent_refused and await self._session_status(conversation, question, on):
            return
        if question is None and conversation.thread_id is None:
            return
        method = "reactions.add" if on else "reactions.remove"
        arguments = {
            "channel": question.conversation_id if question else conversation.conversation_id,
            "timestamp": question.message_id if question else conversation.thread_id,
            "name": WORKING_EMOJI,
        }
        await self._call(method, arguments)

    async def _session_status(self, conversation: Conversation, question: MessageRef | None, on: bool) -> bool:
        thread = conversation.thread_id or (question.message_id if question else None)
        if thread is None:
            return False
        key = (conversation.conversation_id, thread)
        open_here = self._open.setdefault(key, set())
        name = question.message_id if question else thread
        if on:
            open_here.add(name)
        else:
            open_here.discard(name)
        arguments: dict[str, Any] = {"channel_id": key[0], "thread_ts": thread}
        if open_here:
            arguments["status"] = "processing"
            if question and (title := self._titles.get((question.conversation_id, question.message_id))):
                arguments["title"] = title
        else:
            del self._open[key]
            arguments["status"] = "active"
        try:
            await self._client.call("agents.sessions.setStatus", arguments)
        except (Rejected, Misconfigured) as error:
            # No agent here after all (an old app, a plan without AI): 👀 from now on.
            if error.reason not in DONE_ALREADY:
                self._agent_refused = True
            return False
        return True

    async def _call(self, method: str, arguments: dict[str, Any]) -> None:
        try:
            await self._client.call(method, arguments)
        except Rejected as error:
            if error.reason not in DONE_ALREADY:
                raise
