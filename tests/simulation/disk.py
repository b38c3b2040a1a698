"""A database of nothing but memory, with a disk's ways: slow, failing, and a crash before or after the commit.

The world owns the connection, as it owns the disk; a process reaches it through a `Disk` of its own. What a
process has not committed when it dies never happened.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from bot.errors import Unavailable
from bot.store.database import Tx
from bot.store.migrations import STEPS, migrate
from tests.simulation.earlier import upgrade, version_of

if TYPE_CHECKING:
    from tests.simulation.process import Process

T = TypeVar("T")
LONG_WAIT = 6.0
"""Seconds after which what waits for a slow disk has waited longer than anything does in a run without a flood."""
DOWN = "The database cannot be used (simulated)."


@functools.cache
def _empty() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        return connection.serialize()


def platter() -> sqlite3.Connection:
    """Make an empty database with the schema."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(_empty())
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


class Disk:
    """`bot.store.database.Database` for one process: each write is committed by itself, the urgent ones in their order
    and the others in theirs."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._tx = Tx(process.world.platter)
        self._free_at = {True: 0.0, False: 0.0}
        self._told_at = 0.0
        self._elsewhere = -1

    async def open(self) -> None:
        """Bring an older database up to date, as the real one does at its start; a crash may come between two steps."""
        platter = self._world.platter
        for version in range(version_of(platter) + 1, len(STEPS) + 1):
            await self._process.point("between two steps of the upgrade")
            upgrade(platter, version)

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Commit, or raise `Unavailable` and have nothing committed."""
        world, loop = self._world, asyncio.get_running_loop()
        await self._process.point("disk: before a commit")
        now = loop.time()
        slow = world.weather.happens("disk slow", world.weather.disk_slow)
        if slow:
            world.disk_trouble.append((now, now + 3.0))
        at = max(now, self._free_at[urgent]) + (world.luck.dice("disk takes").uniform(0.2, 2.5) if slow else 0.0)
        self._free_at[urgent] = at
        if at - now > LONG_WAIT:
            world.disk_trouble.append((now, at))
            world.disk_waits.append((now, at))
        await asyncio.sleep(at - now if at > now else 0)
        self._process.must_live()
        if world.weather.disk_is_down(loop.time()):
            world.disk_trouble.append((loop.time() - 0.1, loop.time() + 6.0))
            raise Unavailable(DOWN, reason="database")
        result = self._commit(work)
        await self._process.point("disk: after a commit")
        # The writer is another thread: what it did is known a moment later, and much later while it has no time.
        late = world.luck.dice("disk tells after").uniform(0.0, 1.0) if slow else 0.0
        now = loop.time()
        self._told_at = max(self._told_at, now + late)
        await asyncio.sleep(self._told_at - now if self._told_at > now else 0)
        self._process.must_live()
        return result

    def _commit(self, work: Callable[[Tx], T]) -> T:
        connection = self._world.platter
        connection.execute("BEGIN")
        try:
            result = work(self._tx)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        self._world.commits[self._process.number] = self._world.commits.get(self._process.number, 0) + 1
        return result

    @property
    def behind(self) -> bool:
        """Never: each write is committed by itself."""
        return False

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Read what is committed, at once."""
        self._process.must_live()
        if self._world.weather.disk_is_down(asyncio.get_running_loop().time()) and self._world.luck.happens(
            "disk cannot be read", 0.3
        ):
            raise Unavailable(DOWN, reason="database")
        return work(self._tx)

    async def changed_elsewhere(self) -> bool:
        """Whether somebody else, an operator or a second process, has written."""
        self._process.must_live()
        others = sum(number for who, number in self._world.commits.items() if who != self._process.number)
        changed, self._elsewhere = self._elsewhere not in (-1, others), others
        return changed
