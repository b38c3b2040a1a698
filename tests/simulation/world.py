"""The world around the bot: time, disk, channels, API, people, and whoever kills and restarts the process."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sqlite3
import traceback
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from bot.config import Config
from bot.errors import Unavailable
from bot.telemetry.metrics import Metrics
from tests.simulation.api import SimApi
from tests.simulation.channel import Channel, Post
from tests.simulation.clocks import Clocks
from tests.simulation.disk import platter
from tests.simulation.earlier import take_back
from tests.simulation.lasting import FIRST_OF_EVE, draw_lasting
from tests.simulation.loop import VirtualLoop
from tests.simulation.luck import Luck
from tests.simulation.people import People
from tests.simulation.postoffice import PostOffice
from tests.simulation.process import Dead, Parts, Process
from tests.simulation.settings import settings
from tests.simulation.voters import Voters
from tests.simulation.weather import draw

T = TypeVar("T")
ONE: tuple[str, ...] = ("lookup",)


class World:
    """One run. `live` is its whole life; afterwards the logs of channels, API and people tell what happened."""

    def __init__(self, loop: VirtualLoop, luck: Luck, parts: Parts) -> None:
        self.loop = loop
        self.seed = luck.seed
        self.luck = luck
        self.parts = parts
        self.weather = draw(luck)
        channels = luck.option("channels", ONE, lambda dice: dice.choice((ONE, ("blind",), ("lookup", "blind"))))
        self.clocks = Clocks(luck, channels)
        self.lasting = draw_lasting(luck, channels, self.weather.until)
        self.eve = luck.option("Eve is there", False, lambda _: self.lasting.kind in ("lane", "key", "flood"))
        self.group_scope = luck.option("group shares", "all", lambda dice: dice.choice(("user:{user}", "all")))
        self.config: Config = settings(luck, self.group_scope, eve=self.eve)
        self.metrics = Metrics()
        self.platter: sqlite3.Connection = platter()
        self.channels = {name: Channel(self, name, name == "lookup") for name in channels}
        self.api = SimApi(
            self,
            longest=luck.option("longest answer", 6.0, lambda dice: dice.choice((6.0, 14.0, 60.0))),
            never=luck.option("never answered chance", 0.0, lambda dice: dice.choice((0.0, 0.0, 0.05))),
            bad=luck.option("bad answer chance", 0.0, lambda dice: dice.choice((0.0, 0.0, 0.1))),
        )
        self.people = People(self)
        self.voters = Voters(self)
        self.post_office = PostOffice(self)
        self.process: Process | None = None
        self.lives: list[Process] = []
        self.disk_trouble: list[tuple[float, float]] = []
        self.disk_waits: list[tuple[float, float]] = []
        self.jumped: list[float] = []
        self.crashed: list[float] = []
        self.overlaps: list[tuple[float, float]] = []
        self.history: list[tuple[float, str, tuple[Any, ...]]] = []
        self.complaints: list[str] = []
        self.commits: dict[int, int] = {}
        self.rested = False
        self._to_upgrade = self.weather.upgrade_from
        self._crashes_left = self.weather.point_crashes

    # -- time and log -----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.loop.time()

    def wall(self) -> float:
        """The bot's wall clock, which somebody may set."""
        return self.clocks.bot(self.now)

    def platform_time(self, channel: Channel) -> datetime:
        """The time stamp of an event; where the channel cannot be asked, in whole seconds."""
        at = self.clocks.platform(channel.name, self.now)
        return at if channel.can_be_asked else at.replace(microsecond=0)

    def note(self, what: str, *about: Any) -> None:
        """Write into the history."""
        self.history.append((self.loop.time(), what, about))

    def complain(self, what: str) -> None:
        """Note that a promise was broken for certain."""
        self.complaints.append(what)
        self.note("WRONG", what)

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        """Do something in so many seconds, outside every process."""
        self.spawn(self._later(seconds, act))

    async def _later(self, seconds: float, act: Callable[[], Any]) -> None:
        await asyncio.sleep(max(0.0, seconds))
        act()

    def is_shaken(self, begin: float, end: float) -> bool:
        """Whether what one process was about had to be taken over by another in this time."""
        return False

    async def on_wire(self, process: Process, seconds: float, act: Callable[[], T]) -> T:
        """Let the other side act on a call in so many seconds; a process that dies before has not written it."""
        await asyncio.sleep(seconds)
        process.must_live()
        return act()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something outside every process."""
        return self.loop.create_task(work, context=self._outside.copy())  # type: ignore[no-any-return]

    def posted(self, channel: Channel, post: Post) -> None:
        """A message of the bot has appeared."""
        self.voters.see(channel, post)

    # -- the process ------------------------------------------------------------------------------------------------

    def crash_now(self, process: Process, where: str) -> bool:
        """Whether the process dies at this point; then it is dead already."""
        if self._crashes_left and self.weather.happens(f"crash {where}", self.weather.point_chance):
            self._crashes_left -= 1
            self.kill(process, where)
            return True
        return False

    def shaken(self) -> None:
        """Something was refused for good: a moment in which a crash hurts."""
        if self.weather.happens("crash after a refusal", self.weather.shaky):
            dice = self.luck.dice("crash after")
            self.later(dice.uniform(0.0, dice.choice((0.1, 0.5))), self._crash)

    def kill(self, process: Process, where: str = "") -> None:
        """kill -9, and a start after a while."""
        if not process.alive:
            return
        self.note("CRASH", where)
        self.crashed.append(self.now)
        process.kill()
        if self.process is process:
            self.process = None
            if self._to_upgrade:
                take_back(self.platter, self._to_upgrade)
                self.note("OLD SCHEMA", self._to_upgrade)
                self._to_upgrade = 0
            self.spawn(self._start_after(self._down_for((0.01, 0.3, 2.0, 8.0, 25.0))))

    async def _start_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while self.process is None or not self.process.alive:
            process = Process(self, len(self.lives) + 1)
            self.note("START", process.number)
            self.lives.append(process)
            self.process = process
            try:
                await process.start()
            except Unavailable:
                process.kill()
                self.process = None
            except (asyncio.CancelledError, Dead):
                return
            except Exception:
                self.complain(f"start raised {traceback.format_exc()}")
                return
            else:
                return
            await asyncio.sleep(1.0)

    async def _stop_gracefully(self) -> None:
        process = self.process
        if process is None or not process.alive:
            return
        self.note("SIGTERM")
        self.process = None
        with contextlib.suppress(asyncio.CancelledError, Dead):
            await process.stop()
        self.note("stopped")
        if process.alive:
            process.kill()
        await self._start_after(self._down_for((0.1, 3.0)))

    def _crash(self) -> None:
        process = self.process
        if process is None:
            return
        if not self.weather.overlap:
            self.kill(process, "by plan")
            return
        # The old process is cut off from its lock, not dead: two work on the same database for a while.
        seconds = self.luck.dice("overlap for").uniform(1.0, 20.0)
        self.note("OVERLAP", round(seconds, 1))
        self.overlaps.append((self.now, self.now + seconds + 10.0))
        self.process = None
        self.spawn(self._start_after(self._down_for((0.01, 1.0))))
        self.later(seconds, process.kill)

    def _down_for(self, seconds: tuple[float, ...]) -> float:
        return self.luck.draw("down for", 1.0, lambda dice: dice.choice(seconds))

    def _jump(self, seconds: float) -> None:
        self.clocks.bot_is_ahead += seconds
        self.jumped.append(self.now)
        self.note("CLOCK SET", seconds)

    # -- a whole life -----------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Start, let everything happen, then see whether it comes to rest."""
        self._outside = contextvars.copy_context()
        weather = self.weather
        if weather.overlap:
            self.voters.moods = 0.0
        self.people.plan(weather.until * 0.7)
        for at in weather.crashes:
            self.later(at, self._crash)
        for at in weather.stops:
            self.later(at, lambda: self.spawn(self._stop_gracefully()))
        for at, seconds in weather.jumps:
            self.later(at, partial(self._jump, seconds))
        await self._start_after(0.0)
        await asyncio.sleep(weather.until - self.now)
        weather.over = True
        self.note("CALM")
        limit = self.now + self._longest_waits() * self.config.give_up + 200.0
        while self.now < limit:
            await asyncio.sleep(2.0)
            if self._at_rest():
                await asyncio.sleep(1.5)
                if self._at_rest():
                    self.rested = True
                    return

    def _longest_waits(self) -> int:
        """How many questions are given up one after the other, at most, until nothing is open any more.

        Those of a lane without answers, or of a key that is revoked, are due together; but whoever starts after the
        clock was set back, and cannot know how long each has waited, lets each wait once more.
        """
        if self.lasting.kind not in ("lane", "key") or not self.weather.jumps:
            return 2
        return 1 + sum(ask.number >= FIRST_OF_EVE for ask in self.people.asks)

    def _at_rest(self) -> bool:
        """Whether nothing is left to do: the one look inside, and only to know when to stop."""
        dead = self.lasting.channel if self.lasting.kind == "channel" else ""
        row = self.platter.execute(
            "SELECT (SELECT count(*) FROM turns WHERE (state='open' OR cleanup=1) AND channel<>?)"
            " + (SELECT count(*) FROM feedback JOIN turns ON turns.id=feedback.turn"
            " WHERE (due_at IS NOT NULL AND (turns.state<>'open' OR channel<>?)) OR (mark_due=1 AND channel<>?))",
            (dead, dead, dead),
        ).fetchone()
        waiting = any(vote.at > self.now - 1.0 for vote in self.voters.votes)
        return int(row[0]) == 0 and not waiting and self.post_office.idle(dead)
