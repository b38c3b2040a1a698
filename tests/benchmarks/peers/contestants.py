"""The contestants: how each is installed, in a folder of its own under `.bench`, and started."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.peers.world import BOT_TOKEN, SECRET, TOKEN, Platform, World

ROOT: Final = Path(__file__).parents[3]
BOTS: Final = Path(__file__).parent / "bots"
INSTALLED: Final = ROOT / ".bench"
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """`needs`: what pip installs, nothing for ours; `program`: the file that is run, of npm where it is a folder's."""

    name: str
    platform: Platform
    program: str = ""
    needs: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """The folder it is installed in; contestants with the same needs share one."""
        if self.program.endswith(".mjs"):
            return INSTALLED / "chat-sdk"
        return INSTALLED / ("python-telegram-bot" if self.platform == "telegram" else "slack-bolt")

    def install(self) -> None:
        """Install it from the registries, once."""
        if not self.program or (self.home / "installed").exists():
            return
        self.home.mkdir(parents=True, exist_ok=True)
        if self.program.endswith(".mjs"):
            for file in (BOTS / "chat_sdk").iterdir():
                (self.home / file.name).write_bytes(file.read_bytes())
            subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=self.home, check=True)
        else:
            subprocess.run([sys.executable, "-m", "venv", self.home], check=True)
            subprocess.run([self.home / "bin/pip", "install", "--quiet", *self.needs], check=True)
        (self.home / "installed").touch()

    def command(self) -> list[str]:
        """Return how it is started."""
        if not self.program:
            return [str(Path(sys.executable).parent / "uppzy-bot"), "run"]
        if self.program.endswith(".mjs"):
            return ["node", "bot.mjs"]
        return [str(self.home / "bin/python"), str(BOTS / self.program)]

    def versions(self) -> str:
        """Name what was installed."""
        if not self.program:
            return ""
        if self.program.endswith(".mjs"):
            listed = ["npm", "ls", "--depth", "0"]
            return subprocess.run(listed, cwd=self.home, capture_output=True, text=True, check=False).stdout
        listed = [str(self.home / "bin/pip"), "freeze"]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout


BOLT: Final = ("slack-bolt==1.30.0", "slack-sdk==3.47.0", "aiohttp>=3.14,<4")
OURS: Final = "uppzy-bot"
CONTESTANTS: Final = (
    Contestant(OURS, "slack"),
    Contestant("slack-bolt", "slack", "bolt_bare.py", BOLT),
    Contestant("slack-bolt, one session", "slack", "bolt_shared.py", BOLT),
    Contestant("Chat SDK", "slack", "bot.mjs"),
    Contestant(OURS, "telegram"),
    Contestant("python-telegram-bot, one session", "telegram", "telegram_shared.py",
               ("python-telegram-bot==22.8", "aiohttp>=3.14,<4")),
    Contestant("Chat SDK", "telegram", "bot.mjs"),
)  # fmt: skip

LEFT_OUT: Final = (
    "PraisonAI (praisonai-bot): its Slack bot makes AsyncWebClient(token=…) with no base_url, so it speaks to Slack's"
    " own address alone.",
    "chat-sdk for Python 0.4.27: its Slack adapter makes AsyncWebClient(token=…) likewise; on Telegram it could be"
    " pointed here, and is a port of the Chat SDK that is measured.",
)
"""Who is not measured, and what stood in the way."""


@dataclass(slots=True)
class Running:
    """A started contestant, seen from outside."""

    contestant: Contestant
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Return the seconds of CPU it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Return the memory it holds now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(
    contestant: Contestant, ports: tuple[int, int, int], poll_seconds: float, folder: Path
) -> dict[str, str]:
    """Make its environment. `ports`: of the API, of the platform, of its own server."""
    api, platform, own = ports
    tokens = {
        "slack": {
            "SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": f"http://127.0.0.1:{platform}/api/",
        },
        "telegram": {"TELEGRAM_BOT_TOKEN": BOT_TOKEN, "TELEGRAM_API_URL": f"http://127.0.0.1:{platform}"},
    }[contestant.platform]  # fmt: skip
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "UPPZY_BASE_URL": f"http://127.0.0.1:{api}/api/v1",
        "UPPZY_API_KEY": "demo", "UPPZY_TENANT_ID": "demo", "UPPZY_SITE_ID": "demo", "BOT_HTTP_PORT": str(own),
        "BOT_LOG_LEVEL": "error", "BENCH_POLL_SECONDS": str(poll_seconds), "BENCH_PLATFORM": contestant.platform,
        "NODE_ENV": "production", **tokens,
    }  # fmt: skip


@asynccontextmanager
async def started(
    contestant: Contestant, world: World, folder: Path, *, poll_seconds: float = 1.0
) -> AsyncIterator[Crew]:
    """Start it in that world, and end it."""
    api, platform = await world.open()
    crew = Crew(contestant, world, folder, environment(contestant, (api, platform, free_port()), poll_seconds, folder))
    try:
        await crew.start()
        yield crew
    finally:
        crew.running.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(crew.running.process.wait, 15)
        except subprocess.TimeoutExpired:
            crew.running.kill()
        world.close()


class Crew:
    """Starts a contestant, and starts it again after a kill."""

    def __init__(self, contestant: Contestant, world: World, folder: Path, environ: dict[str, str]) -> None:
        self._contestant = contestant
        self._world = world
        self._folder = folder
        self._environ = environ
        self.running: Running

    async def start(self) -> None:
        """Start it, and wait until it hears."""
        polls = self._world.calls.get("getupdates", 0)
        cwd = self._contestant.home if self._contestant.program.endswith(".mjs") else self._folder
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                self._contestant.command(), cwd=cwd, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.running = Running(self._contestant, process)
        self._world.events_port = int(self._environ["BOT_HTTP_PORT"])
        self._world.forget_connections()
        async with asyncio.timeout(START_SECONDS):
            while not await self._hears(polls):
                if process.poll() is not None:
                    raise RuntimeError(f"{self._contestant.name}: {(self._folder / 'log').read_text()[-2000:]}")
                await asyncio.sleep(0.05)

    async def _hears(self, polls: int) -> bool:
        if self._contestant.platform == "telegram":
            return self._world.calls.get("getupdates", 0) > polls
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._world.events_port)
        except OSError:
            return False
        writer.close()
        return True
