"""A database that is locked, full or lost under a running bot: not ready, nothing acknowledged, nothing half-done."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.crash.process import Machine, a_machine

FIRST, SECOND = "When does the shop open?", "How long do I have to return a bicycle?"
Trouble = Callable[[Machine], Iterator[None]]


def locked(machine: Machine) -> Iterator[None]:
    """Another process writes and does not come to an end."""
    lock = sqlite3.connect(machine.folder / "bot.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    yield
    lock.execute("ROLLBACK")
    lock.close()


def full(machine: Machine) -> Iterator[None]:
    """The limit on a file's size stands for the disk: the database's writes fail the same way."""
    assert machine.process is not None
    pid, unlimited = machine.process.pid, resource.RLIM_INFINITY
    size = (machine.folder / "bot.db-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, unlimited))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))


def lost(machine: Machine) -> Iterator[None]:
    """Somebody moves the files away; SQLite itself would go on writing where nobody finds it."""
    away = machine.folder / "away"
    away.mkdir()
    names = [path.name for path in machine.folder.glob("bot.db*")]
    for name in names:
        (machine.folder / name).rename(away / name)
    yield
    for name in names:
        (away / name).rename(machine.folder / name)


@asynccontextmanager
async def a_receiving_machine(folder: Path) -> AsyncIterator[Machine]:
    async with a_machine(folder) as machine:
        machine.slack.retries = (0.3,) * 40
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        yield machine


async def test_nothing_is_taken_until_the_database_is_there_again(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as together:
        for trouble in (locked, full, lost):
            folder = tmp_path / trouble.__name__
            folder.mkdir()
            together.create_task(troubled(trouble, folder), name=trouble.__name__)


async def troubled(trouble: Trouble, folder: Path) -> None:
    async with a_receiving_machine(folder) as machine:
        await machine.slack.say("U1", "D1", FIRST)
        await machine.slack.until(lambda: machine.slack.answers() and machine.slack.made("reactions.remove"), 60)
        taken = machine.slack.counts["acknowledged"]
        with contextmanager(trouble)(machine):
            await machine.slack.say("U2", "D2", SECOND)
            # The first delivery has waited in vain, and the question has come again.
            await machine.slack.until(lambda: machine.slack.counts["deliveries"] >= taken + 2, 60)
            assert machine.slack.counts["acknowledged"] == taken
            assert machine.asked() == {FIRST: 1}
            status, checks = await machine.ready()
            assert (status, checks["database"]) == (503, "unavailable")
        await machine.slack.until(lambda: len(machine.slack.answers()) == 2, 60)
        await machine.slack.until(lambda: machine.slack.nothing_under_way, 60)
        assert len(machine.slack.answers()) == 2
        assert machine.asked() == {FIRST: 1, SECOND: 1}
        assert (await machine.ready())[0] == 200
        assert machine.process is not None
        assert machine.process.returncode is None
        assert machine.slack.violations == []
