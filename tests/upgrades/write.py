"""Write the corpus: let the real code of a version live through the cases, kill it, keep its database and the world.

    python -m tests.upgrades.write REVISION...      of this repository: a tag, or the last commit of a schema version

Done at every release, and at every change of the schema. Each revision runs in an environment of its own lock.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.assistant.faults import Fault
from bot.testing.slack import payloads
from bot.testing.slack.payloads import BOT_USER
from bot.testing.slack.platform import Channel
from tests.crash.process import ROOT, Machine, a_machine
from tests.crash.tap import Hook, Tap, nothing
from tests.upgrades.cases import EDITED, PLACES, answer, words
from tests.upgrades.world import World

ENVIRONMENTS = ROOT / ".venv" / "upgrades"


def installed(revision: str, folder: Path) -> Path:
    """Check a revision out, with what it needs; return its interpreter. Revisions of one lock share an environment."""
    code = folder / "code"
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(code, filter="data")
    locks = [path for path in (code / "requirements.lock", code / "build.lock") if path.exists()]  # once they were one
    place = ENVIRONMENTS / hashlib.sha256(b"".join(path.read_bytes() for path in locks)).hexdigest()[:16]
    python = place / "bin/python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    if not place.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        for lock in locks:
            subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
    # Linked for its entry points; what is imported is found by PYTHONPATH, whichever revision was linked last.
    subprocess.run([*pip, "--no-build-isolation", "--editable", "."], cwd=code, check=True)
    return python


class Life:
    """The cases, lived through on one machine; `questions` is the ts of each."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.slack = machine.slack
        self.questions: dict[str, str] = {}

    async def ask(self, case: str) -> None:
        """Ask in the case's place; `queued` in the thread of `polling`."""
        self.machine.assistant.script(
            contains=words(case), answer=answer(case), delay=40.0 if case == "polling" else 0.05
        )
        place = PLACES[case]
        thread = self.questions["polling"] if case == "queued" else None
        text = words(case) if place.startswith("D") else f"<@{BOT_USER}> {words(case)}"
        self.questions[case] = await self.slack.say("U1", place, text, thread)

    def post(self, case: str) -> str:
        """The ts of the last post in the place of a case."""
        return str([post for post in self.slack.posts if post["channel"] == PLACES[case]][-1]["ts"])

    async def answered(self, case: str) -> None:
        """Ask, and wait for the answer and the end of the sign of work."""
        await self.ask(case)
        place = PLACES[case]
        await self.slack.until(lambda: self.slack.answers(place))
        await self.slack.until(lambda: self.slack.channels[place].messages[self.questions[case]]["bot_reactions"] == [])

    async def held(self, tap: Tap, phase: str, path: str, act: Callable[[], Any], skip: int = 0) -> None:
        """Do something, and hold the call that comes of it for good: before it has acted, or its reply."""
        reached, left = asyncio.Event(), skip

        async def hold(_method: str, asked: str) -> None:
            nonlocal left
            if asked.endswith(path) and not reached.is_set():
                left -= 1
                if left < 0:
                    reached.set()
                    await asyncio.Event().wait()

        hook: Hook = hold
        setattr(tap, phase, hook)
        await act()
        await asyncio.wait_for(reached.wait(), 15)
        setattr(tap, phase, nothing)

    async def before(self) -> None:
        """What has come to an end, and what takes long."""
        slack, assistant = self.slack, self.machine.assistant
        await self.answered("rated")
        await slack.react("U1", PLACES["rated"], self.post("rated"), "+1")
        await slack.react("U2", PLACES["rated"], self.post("rated"), "-1")
        await assistant.requests.wait("feedback", 1)
        assistant.script(contains=words("failing"), error="it broke", times=1)
        await self.ask("failing")
        await slack.until(lambda: [post for post in slack.posts if post["channel"] == PLACES["failing"]])
        slack.event(payloads.message("C1", "U2", "nobody can read this", "no time stamp"))
        await self.answered("closing")
        await slack.click("U1", PLACES["closing"], self.post("closing"), "good")
        await assistant.requests.wait("feedback", 2)
        await self.ask("polling")
        await self.ask("queued")
        edited = payloads.message(PLACES["edited too early"], "U2", words("edited too early"), payloads.next_ts())
        self.questions["edited too early"] = edited["ts"]
        now = {**edited, "text": EDITED, "edited": {"user": "U2", "ts": payloads.next_ts()}}
        slack.event(payloads.changed(PLACES["edited too early"], now, edited))
        await slack.until(lambda: len(slack.made("chat.postMessage")) >= 5, 30)  # both that wait have been told so
        await self.answered("settling")

    async def at_once(self) -> None:
        """What is under way when the process dies."""
        slack, assistant = self.slack, self.machine.assistant
        slack_tap, api_tap = self.machine.slack_tap, self.machine.api_tap
        post, submit = "/chat.postMessage", "/chat/async"
        await self.held(api_tap, "after", submit, lambda: self.ask("asked, no word of it"))
        await self.held(slack_tap, "before", post, lambda: self.ask("intent, not sent"))
        await self.held(slack_tap, "after", post, lambda: self.ask("sent, no word of it"))
        await self.held(slack_tap, "before", post, lambda: self.ask("long, part 1 sent"), skip=1)
        await slack.react("U1", PLACES["sent, no word of it"], self.post("sent, no word of it"), "thumbsup")
        await slack.react("U1", PLACES["settling"], self.post("settling"), "thumbsup")
        await self.held(api_tap, "before", "/chat/session/close", lambda: slack.say("U1", "D1", "!new"))
        assistant.faults.add(Fault("rate_limited", retry_after="60"), endpoint="chat_async", times=1)
        asked = len(assistant.requests.of("chat_async"))
        await self.ask("refused for now")
        await assistant.requests.wait("chat_async", asked + 1)
        await self.ask("behind the gate")
        await slack.until(lambda: slack.nothing_under_way)


async def write(revision: str, folder: Path) -> World:
    """Let one revision live and die."""
    python = await asyncio.to_thread(installed, revision, folder)
    data = folder / "assistant.db"
    async with a_machine(folder, data=data) as machine:
        for place in PLACES.values():
            machine.slack.channels.setdefault(place, Channel(place, {BOT_USER, "U1", "U2", "U3"}))
        machine.settings["PYTHONPATH"] = str(folder / "code")
        machine.interpreter = str(python)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2, 60)
        life = Life(machine)
        await life.before()
        await life.at_once()
        await machine.kill(signal.SIGKILL)
        at, slack = time.time(), machine.slack
        channels = {
            name: {"members": sorted(place.members), "messages": place.messages, "deleted": place.deleted}
            for name, place in slack.channels.items()
        }
        posts = [[p["channel"], p["ts"]] for p in slack.posts if p["ts"] in slack.channels[p["channel"]].messages]
        assert slack.violations == []
    with closing(sqlite3.connect(folder / "bot.db")) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        dump = "\n".join([*db.iterdump(), f"PRAGMA user_version={version};", ""])
    with closing(sqlite3.connect(data)) as db:
        db.row_factory = sqlite3.Row
        assistant = {
            table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # constants
            for table in ("sessions", "requests")
        }
    commit = subprocess.run(["git", "rev-parse", revision], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return World(version, commit.strip(), at, dump, channels, posts, life.questions, assistant)


def main() -> None:
    """Write the worlds of the revisions that are named."""
    for revision in sys.argv[1:]:
        folder = Path(tempfile.mkdtemp(prefix="upgrade-"))
        try:
            world = asyncio.run(write(revision, folder))
            world.save()
            print(f"{revision}: schema {world.version}")
        except BaseException:
            print((folder / "bot.log").read_text()[-4000:] if (folder / "bot.log").exists() else "")
            raise
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
