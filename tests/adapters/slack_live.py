"""A Slack adapter at work against the loopback Slack, for the tests of what is Slack's alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackSettings
from bot.events import Answer, Conversation, MessageRef, Notice
from bot.testing.host import FakeHost
from bot.testing.live import new_delivery_id
from bot.testing.slack import payloads
from bot.testing.slack.platform import FakeSlack


class LiveSlack:
    """A FakeSlack, a FakeHost and the adapter between them, running."""

    def __init__(self, slack: FakeSlack, host: FakeHost, adapter: SlackAdapter) -> None:
        self.slack = slack
        self.host = host
        self.adapter = adapter

    def place(self, channel: str, thread: str | None = None) -> Conversation:
        """Name a conversation of the loopback workspace."""
        direct = channel.startswith("D")
        return Conversation(
            channel="slack",
            account_id=self.slack.team,
            conversation_id=channel,
            thread_id=thread,
            kind="dm" if direct else "channel",
            is_direct=direct,
        )

    def ref(self, channel: str, ts: str) -> MessageRef:
        """Name a message."""
        return MessageRef(channel="slack", account_id=self.slack.team, conversation_id=channel, message_id=ts)

    def root(self, channel: str, text: str = "The root.") -> str:
        """Put a message of U1 into a channel without telling the bot; returns its time stamp."""
        ts = payloads.next_ts()
        self.slack.channels[channel].messages[ts] = payloads.message(channel, "U1", text, ts)
        return ts

    def answer(self, text: str) -> Answer:
        """An answer to U1."""
        return Answer(text=text, asker_id="U1")

    def question(self, text: str) -> Notice:
        """The root of an /ask of U1."""
        return Notice(text=text, kind="question", user_id="U1")

    async def post(
        self, outbound: Answer | Notice | str, where: Conversation, *, delivery_id: str | None = None
    ) -> list[MessageRef]:
        """Render and send all parts; a string is an answer to U1."""
        if isinstance(outbound, str):
            outbound = self.answer(outbound)
        parts = self.adapter.render(outbound)
        return [await self.adapter.send(where, part, delivery_id or new_delivery_id(), None) for part in parts]


@asynccontextmanager
async def live_slack(
    *,
    socket_mode: bool = True,
    agent: bool = False,
    pace_seconds: float = 0.001,
    guests_differ: bool = False,
    **settings: Any,
) -> AsyncIterator[LiveSlack]:
    """Start everything, and stop it."""
    async with FakeSlack(agent=agent, pace_seconds=pace_seconds) as slack, FakeHost() as host:
        transport = (
            {"SLACK_APP_TOKEN": slack.app_token} if socket_mode else {"SLACK_SIGNING_SECRET": slack.signing_secret}
        )
        given = SlackSettings(
            **{"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url, **transport, **settings}
        )
        adapter = SlackAdapter(given, guests_differ=guests_differ)
        running = asyncio.create_task(adapter.run(host))
        await asyncio.sleep(0)
        try:
            if socket_mode:
                # Slack counts a connection when it has said hello; the adapter, when it has heard it.
                await slack.until(lambda: adapter._sockets is not None and adapter._sockets.open == 2)
            else:
                slack.events_url = f"{await host.start_http()}/slack/events"
                while await slack.delivery.request({"type": "event_callback", "event": {"type": "probe"}}) != 200:
                    await slack.until(lambda: slack.made("auth.test"))
            yield LiveSlack(slack, host, adapter)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
