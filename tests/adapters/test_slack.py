"""The Slack adapter keeps the contract, over HTTP and over Socket Mode, with and without the agent surface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import CHANNEL, SlackSettings
from bot.events import Conversation, File, MessageRef
from bot.testing.conformance import AdapterConformance, FailHow, Posted, Wire
from bot.testing.host import FakeHost
from bot.testing.slack import payloads
from bot.testing.slack.platform import FILE_SCOPES, FakeSlack, has_buttons
from bot.testing.slack.rules import alerts, strings
from tests import PAYLOADS

NAMES = {"👍": "+1", "👎": "-1", "❤": "heart"}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class SlackWire:
    """The loopback Slack as the suite needs it. The conversation is a thread of U1's DM."""

    asker_id = "U1"
    account_name = "assistant"
    person_name = "Person U1"
    limit = 12_000
    cannot_fail: Mapping[FailHow, str] = {}

    def __init__(self, *, socket_mode: bool, agent: bool = False) -> None:
        self.host = FakeHost()
        self.slack = FakeSlack(agent=agent, pace_seconds=0.001)
        self.socket_mode = socket_mode
        self.conversation = self._place("D1", "dm")
        self.thread = self._place("C1", "channel")
        root = self.conversation.thread_id
        assert root is not None
        self.question = MessageRef(channel="slack", account_id=self.slack.team, conversation_id="D1", message_id=root)

    def _place(self, channel: str, kind: str) -> Conversation:
        """Make a thread whose root is somebody's message."""
        ts = payloads.next_ts()
        self.slack.channels[channel].messages[ts] = payloads.message(channel, self.asker_id, "The root.", ts)
        return Conversation(
            channel="slack",
            account_id=self.slack.team,
            conversation_id=channel,
            thread_id=ts,
            kind=kind,
            is_direct=kind == "dm",
        )

    async def __aenter__(self) -> Self:
        await self.slack.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.slack.close()
        await self.host.close()

    def build(self) -> SlackAdapter:
        settings: dict[str, Any] = {"SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_API_URL": self.slack.api_url}
        if self.socket_mode:
            settings["SLACK_APP_TOKEN"] = self.slack.app_token
        else:
            settings["SLACK_SIGNING_SECRET"] = self.slack.signing_secret
        return SlackAdapter(SlackSettings(**settings), clock=lambda: NOW)

    async def connect(self) -> None:
        if self.socket_mode:
            await self.slack.until(lambda: self.slack.sockets.count == 2)
            return
        if self.slack.events_url is None:
            self.slack.events_url = f"{await self.host.start_http()}/slack/events"
        probe = {"type": "event_callback", "event": {"type": "probe"}}
        while await self.slack.delivery.request(probe) != 200:
            await self.slack.until(lambda: self.slack.made("auth.test"))

    async def deliver(self, payload: Any) -> bool:
        kind = {"event_callback": "events_api", "app_rate_limited": "events_api"}.get(
            str(payload.get("type")), "slash_commands" if "command" in payload else "interactive"
        )
        if not self.socket_mode:
            return await self.slack.delivery.deliver(payload, kind)
        patience = 1.0 if self.host.failure is not None else 30.0
        return await self.slack.sockets.push(payload, kind, seconds=patience)

    def message(self, text: str) -> Any:
        ts, thread = payloads.next_ts(), self.conversation.thread_id
        return payloads.event_callback(payloads.message("D1", self.asker_id, escape(text), ts, thread_ts=thread))

    def poison(self) -> Any:
        return payloads.event_callback({"type": "message", "user": "U1", "channel": "D1", "text": "no time stamp"})

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        name = NAMES[emoji]
        event = payloads.reaction(self.asker_id, ref.conversation_id, ref.message_id, name, added=added)
        return payloads.event_callback(event)

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        posted = self.slack.channels[ref.conversation_id].messages[ref.message_id]
        assert has_buttons(posted)
        return payloads.click(self.asker_id, ref.conversation_id, posted, rating, self.slack.trigger())

    def posted(self) -> list[Posted]:
        gone = {ref.message_id for ref in self.deleted()}
        return [self._shown(post) for post in self.slack.posts if post["ts"] not in gone]

    def _shown(self, post: dict[str, Any]) -> Posted:
        words = [text for block in post["blocks"] if block["type"] != "context_actions" for text in strings(block)]
        alone = unescape(post["text"])  # read only where there are no blocks
        return Posted(
            ref=self._ref(post),
            text="".join(words) if post["blocks"] else alone,
            length=sum(len(text) for text in strings(post["blocks"])) or len(post["text"]),
            thread_id=post.get("thread_ts"),
            alerts=alerts(post),
            form=[block["type"] for block in post["blocks"]],
            buttons=has_buttons(post),
        )

    def _ref(self, post: dict[str, Any]) -> MessageRef:
        return MessageRef(
            channel="slack", account_id=self.slack.team, conversation_id=post["channel"], message_id=post["ts"]
        )

    def deleted(self) -> list[MessageRef]:
        gone = {ts for channel in self.slack.channels.values() for ts in channel.deleted}
        return [self._ref(post) for post in self.slack.posts if post["ts"] in gone]

    def sends(self) -> int:
        return len(self.slack.made("chat.postMessage"))

    def signs(self) -> int:
        shown = [status for status in self.slack.statuses if status["status"] == "processing"]
        return len(shown) + len([call for call in self.slack.made("reactions.add") if not call.error])

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        self.slack.heal()
        if how is None:
            await self.slack.listen()
        elif how == "refused":
            await self.slack.refuse()
        else:
            fault = {
                "rate_limited": "rate_limited",
                "cut_after_write": "drop",
                "bad_token": "error:invalid_auth",
                "gone": "error:is_archived",
            }[how]
            self.slack.fail("*", fault, times=None, retry_after=retry_after)

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]]:
        """Make a thread in C1 with more people than the asker, who then calls the bot into it."""
        thread = self._place("C1", "channel")
        root = thread.thread_id
        assert root is not None
        texts = ["The root.", "Is <b>this</b> & that the same?", "I think so."]
        for user, text in (("U2", texts[1]), ("U3", texts[2])):
            await self.slack.say(user, "C1", escape(text), root)
        ts = await self.slack.say(self.asker_id, "C1", "<@U0BOT> is it?", root)
        ref = MessageRef(channel="slack", account_id=self.slack.team, conversation_id="C1", message_id=ts)
        return thread, ref, texts

    async def file_with(self, content: bytes, name: str) -> File:
        self.slack.scopes += [scope for scope in FILE_SCOPES if scope not in self.slack.scopes]
        file_id = self.slack.files.put(content, name)
        return File(channel="slack", account_id=self.slack.team, file_id=file_id, name=name, size=len(content))


def escape(text: str) -> str:
    """Write as Slack does in events and texts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class TestSlackOverHttp(AdapterConformance):
    spec = CHANNEL
    payloads = PAYLOADS / "slack"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with SlackWire(socket_mode=False) as wire:
            yield wire


class TestSlackOverSocketMode(AdapterConformance):
    spec = CHANNEL
    payloads = PAYLOADS / "slack"

    @pytest.fixture
    async def wire(self) -> AsyncIterator[Wire]:
        async with SlackWire(socket_mode=True, agent=False) as wire:
            yield wire
