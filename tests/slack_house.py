"""A whole bot on the loopback Slack: the real core, database and adapter, the embedded assistant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from adapters.slack import pacing
from adapters.slack.config import CHANNEL
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.config import Config, load
from bot.telemetry.metrics import Metrics
from bot.testing.slack.platform import FakeSlack
from tests.started import Bot

DOCS = {"faq.md": "# Returns\n\nYou can return a bicycle within 30 days.\n\n# Opening\n\nThe shop opens at nine.\n"}


def slack_environment(
    slack: FakeSlack, base_url: str, folder: Path, *, socket_mode: bool, **settings: str
) -> dict[str, str]:
    """The settings of the bot, as variables; `base_url` is the assistant's."""
    transport = {"SLACK_APP_TOKEN": slack.app_token} if socket_mode else {"SLACK_SIGNING_SECRET": slack.signing_secret}
    return {
        "UPPZY_BASE_URL": base_url,
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "BOT_HTTP_PORT": "0",
        "BOT_FEEDBACK__SETTLE_SECONDS": "0.2",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        **transport,
        **settings,
    }


class SlackHouse:
    """What a test holds in its hands."""

    def __init__(self, slack: FakeSlack, assistant: RunningAssistant, config: Config) -> None:
        self.slack = slack
        self.assistant = assistant
        self.config = config
        self.metrics = Metrics()
        self.bot = Bot(config, metrics=self.metrics)

    async def start(self) -> None:
        """Start the bot and wait until it hears."""
        await self.bot.start()
        if self.config.accounts["slack"][0].socket_mode:  # type: ignore[attr-defined]  # SlackSettings by its channel
            await self.slack.until(lambda: self.slack.sockets.count == 2)
        else:
            self.slack.events_url = f"{self.bot.web.url.rstrip('/')}/slack/events"
            await self.slack.until(lambda: self.slack.made("auth.test"))

    async def answers(self, count: int, channel: str | None = None) -> list[dict[str, Any]]:
        """Wait for so many answers (their last parts), and return them."""
        await self.slack.until(lambda: len(self.slack.answers(channel)) >= count, timeout=40)
        return self.slack.answers(channel)

    async def idle(self) -> None:
        """Wait until no question is open and nothing is being delivered."""
        await self.slack.until(lambda: self.bot.engine.open_questions == 0 and self.slack.nothing_under_way)

    def asked(self) -> list[str]:
        """The words of every submit that reached the API, in order."""
        return [entry.body["message"] for entry in self.assistant.requests.of("chat_async")]

    def sessions(self) -> list[str]:
        """The session of every submit, in order."""
        return [entry.body["session_id"] for entry in self.assistant.requests.of("chat_async")]

    def rated(self) -> list[str]:
        """Every rating that reached the API, in order."""
        return [entry.body["feedback"] for entry in self.assistant.requests.of("feedback")]

    def count(self, name: str, **labels: str) -> float:
        """Read a metric by the design's name without the prefix."""
        return self.metrics.registry.get_sample_value(f"uppzy_bot_{name}", labels) or 0.0

    def wire(self) -> str:
        """What went over the wire to Slack, a line per request."""
        lines = []
        for call in self.slack.calls:
            shown = {
                name: call.arguments[name]
                for name in ("channel", "thread_ts", "timestamp", "ts", "name", "status", "user_id", "text")
                if name in call.arguments
            }
            lines.append(f"{call.method} {shown} -> {call.error or 'ok'}")
        return "\n".join(lines)


@asynccontextmanager
async def slack_house(
    folder: Path,
    *,
    socket_mode: bool,
    agent: bool = False,
    delay: float = 0.05,
    pace_seconds: float = pacing.SECONDS_PER_POST,
    enterprise: str | None = None,
    **settings: str,
) -> AsyncIterator[SlackHouse]:
    """Start everything, print the wire at the end, and stop."""
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    for name, text in DOCS.items():
        (docs / name).write_text(text)
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=delay))
    try:
        async with FakeSlack(agent=agent, echo=True, pace_seconds=pace_seconds) as slack:
            slack.enterprise = enterprise
            environ = slack_environment(slack, assistant.base_url, folder, socket_mode=socket_mode, **settings)
            house = SlackHouse(slack, assistant, load([CHANNEL], environ=environ, cwd=folder))
            await house.start()
            try:
                yield house
            finally:
                print(house.wire())
                await house.bot.stop()
            assert house.slack.violations == []
    finally:
        await assistant.close()


@contextmanager
def signed_by(slack: FakeSlack, secret: str) -> Iterator[None]:
    """Let the loopback Slack sign what it delivers by another secret."""
    own, slack.signing_secret = slack.signing_secret, secret
    try:
        yield
    finally:
        slack.signing_secret = own
