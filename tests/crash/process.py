"""A real bot process between a loopback Slack and the embedded assistant, both behind taps; killed, started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.testing.slack.platform import FakeSlack
from tests.crash.tap import Tap
from tests.house import DOCS

ROOT = Path(__file__).resolve().parents[2]


RUN = ("-m", "bot", "run")


async def start_bot(
    folder: Path, program: tuple[str, ...] = RUN, interpreter: str = sys.executable, /, **settings: str
) -> asyncio.subprocess.Process:
    """Start `python -m bot run` with these settings alone, its data and its log (bot.log) in the folder."""
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "UPPZY_API_KEY": "demo",
        "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo",
        "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "BOT_HTTP_PORT": "0",
        "BOT_DRAIN_SECONDS": "5",
        **settings,
    }
    with (folder / "bot.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(interpreter, *program, cwd=folder, env=env, stdout=log, stderr=log)


@dataclass
class Machine:
    """The bot's machine. `kill` is SIGKILL and waits for the end; nothing is told to the process."""

    slack: FakeSlack
    assistant: RunningAssistant
    slack_tap: Tap
    api_tap: Tap
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = RUN
    interpreter: str = sys.executable
    process: asyncio.subprocess.Process | None = None
    kills: int = 0

    async def boot(self) -> None:
        """Start the bot; what tells that it receives is `slack.sockets.count`."""
        settings = {
            "UPPZY_BASE_URL": f"{self.api_tap.url}/api/v1",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": f"{self.slack_tap.url}/api/",
            **self.settings,
        }
        self.process = await start_bot(self.folder, self.program, self.interpreter, **settings)

    async def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None
        self.kills += 1
        self.process.send_signal(number)
        return await self.process.wait()

    async def kill_once_at(self, tap: Tap, phase: str, wanted: str, nth: int = 1) -> asyncio.Event:
        """Kill when the nth request whose path ends with `wanted` has arrived (`before`) or was acted on (`after`)."""
        seen, done = 0, asyncio.Event()

        async def hook(_method: str, path: str) -> None:
            nonlocal seen
            if done.is_set() or not (path.endswith(wanted) or wanted in path):
                return
            seen += 1
            if seen == nth:
                done.set()
                await self.kill()

        setattr(tap, phase, hook)
        return done

    def url(self) -> str:
        """Return where its pages are."""
        return str(re.findall(r'"(http://127\.0\.0\.1:\d+)/"', self.log())[-1])

    async def ready(self) -> tuple[int, dict[str, str]]:
        """Ask /readyz: the status, and the word of each check."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url()}/readyz") as reply:
            return reply.status, (await reply.json())["checks"]

    def log(self) -> str:
        """Return what the process has written so far."""
        return (self.folder / "bot.log").read_text(errors="replace")

    def asked(self) -> Counter[str]:
        """Count the submits that reached the API, by words."""
        return Counter(entry.body["message"] for entry in self.assistant.requests.of("chat_async"))

    def texts(self, channel: str) -> list[str]:
        """Return what people see from the bot in a place, in order."""
        posts = [post for post in self.slack.posts if post["channel"] == channel]
        return [post["text"] for post in posts if post["ts"] in self.slack.channels[channel].messages]


@asynccontextmanager
async def a_machine(
    folder: Path, *, delay: float = 0.3, data: Path | None = None, **settings: str
) -> AsyncIterator[Machine]:
    """Set everything up; the bot itself is started by `boot`. `data`: where the assistant keeps what it knows."""
    docs = folder / "docs"
    docs.mkdir()
    for name, text in DOCS.items():
        (docs / name).write_text(text)
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=delay, data=data))
    async with (
        FakeSlack() as slack,
        Tap(slack.base_url) as slack_tap,
        Tap(assistant.base_url.removesuffix("/api/v1")) as api_tap,
    ):
        machine = Machine(slack, assistant, slack_tap, api_tap, folder, settings)
        try:
            yield machine
        finally:
            if machine.process is not None and machine.process.returncode is None:
                await machine.kill()
            await assistant.close()
