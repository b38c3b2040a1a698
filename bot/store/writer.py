"""The writer of a database: one thread, which commits what has gathered meanwhile in one go (group commit).

Each piece of work has a savepoint of its own, so that one failing piece undoes only itself. What a platform waits for
is urgent: it takes turns with all the rest, and a group is short, so an event is stored soon however much waits to be
written. What came of an outside call is urgent too: an event must not overtake the receipt of the message it is about.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.errors import Unavailable
from bot.store.database import Tx

T = TypeVar("T")

GROUP_SECONDS = 0.03
"""How long one commit may gather work: about what a busy loop makes of twenty pieces."""

TRIES = 1
"""How often a piece of work is done anew that another process was in the way of."""

BEHIND = 64
"""So many pieces of work wait for the writer when it is behind: about what it does in a tenth of a second."""


@dataclass(slots=True)
class Job:
    """A piece of work and who waits for it. `tries`: how often another process was in its way."""

    work: Callable[[Tx], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    tries: int = 0


class Jobs:
    """What waits for the writer. Any thread may put, one takes."""

    def __init__(self) -> None:
        self._again: deque[Job] = deque()
        self._urgent: deque[Job] = deque()
        self._rest: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._urgent_next = True

    def put(self, job: Job, *, urgent: bool) -> bool:
        """Let the writer do it; False when it ends, and takes nothing more."""
        with self._changed:
            if not self._closed:
                (self._urgent if urgent else self._rest).append(job)
                self._changed.notify()
            return not self._closed

    def put_back(self, job: Job) -> None:
        """Let the writer do it anew, before everything else."""
        with self._changed:
            self._again.append(job)

    def close(self) -> None:
        """Let the writer end once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._again) + len(self._urgent) + len(self._rest)

    def wait(self) -> int:
        """Return how many wait, as soon as any does; 0 when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._closed)
            return len(self)

    def take(self) -> Job:
        """Take an urgent one and another in turn; there must be one."""
        with self._changed:
            if self._again:
                return self._again.popleft()
            urgent = bool(self._urgent) and (self._urgent_next or not self._rest)
            self._urgent_next = not urgent
            return (self._urgent if urgent else self._rest).popleft()


class GroupWriter(ABC):
    """Runs what is given to `write` in one thread. A database says how a transaction begins, goes on and ends."""

    def __init__(self) -> None:
        self._jobs = Jobs()
        self._thread: threading.Thread | None = None
        self._written_at = -math.inf

    @abstractmethod
    def _begin(self) -> Tx:
        """Begin a group, with a savepoint for its first piece; what raises here has done nothing."""

    @abstractmethod
    def _next(self) -> None:
        """Keep what the last piece did, with a savepoint for the next one."""

    @abstractmethod
    def _undo(self) -> None:
        """Undo what the last piece did."""

    @abstractmethod
    def _commit(self) -> bool:
        """Commit the group; return whether it changed anything."""

    def _tidy_up(self) -> None:  # noqa: B027  # a database need not have any
        """Do what can wait until it is told that the group is committed; never raises."""

    @abstractmethod
    def _give_up(self) -> None:
        """Undo the group."""

    @abstractmethod
    def _why_lost(self, error: Exception) -> str | None:
        """Say why nothing of a group is safe after this error; None when only one piece of work is wrong."""

    @abstractmethod
    def _was_in_the_way(self, error: Exception) -> bool:
        """Whether another process kept this piece of work from what it needs."""

    @abstractmethod
    def _end(self) -> None:
        """Close the writing connection."""

    @abstractmethod
    def _said(self, error: BaseException) -> str:
        """Write an error of the database in one line, nothing secret in it."""

    @abstractmethod
    def _unavailable(self, why: object) -> Unavailable:
        """Say that the database did not take it."""

    most: int = sys.maxsize
    """Pieces of work in one commit."""

    def _start_writer(self) -> None:
        self._thread = threading.Thread(target=self._write_all, name="store-writer", daemon=True)
        self._thread.start()

    def _stop_writer(self) -> None:
        """Commit what is queued, then end."""
        if self._thread is not None:
            self._jobs.close()
            self._thread.join()
            self._thread = None

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Run `work` in a transaction; see `Database.write`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._jobs.put(Job(work, loop, future), urgent=urgent):
            raise self._unavailable("it is closed")
        return await future

    @property
    def behind(self) -> bool:
        """Whether so much waits to be written that what can wait should not begin."""
        return len(self._jobs) > BEHIND

    def written_within(self, seconds: float) -> bool:
        """Whether something was written so lately, and nothing has failed since."""
        return time.monotonic() - self._written_at < seconds

    def _write_all(self) -> None:
        while waiting := self._jobs.wait():
            group: list[Job] = []
            try:
                if self._write_group(group, waiting):
                    self._written_at = time.monotonic()
            except Exception as error:
                why = self._why_lost(error)
                if why is None:  # a mistake of ours: those who wait must hear of it all the same
                    why = f"an unexpected {type(error).__name__}"
                self._written_at = -math.inf
                self._give_up()
                group += [self._jobs.take() for _ in range(waiting - len(group))]
                for job in group:
                    job.result, job.error = None, self._unavailable(why)
            _tell(group)
            self._tidy_up()
        self._end()

    def _write_group(self, group: list[Job], waiting: int) -> bool:
        """Run what waits, into `group`, and commit; what finds no time any more belongs to the next group."""
        tx = self._begin()
        end = time.monotonic() + GROUP_SECONDS
        while len(group) < min(waiting, self.most) and (not group or time.monotonic() < end):
            if group:
                self._next()
            job = self._jobs.take()
            group.append(job)
            try:
                job.result = job.work(tx)
            except Exception as error:
                if self._why_lost(error) is not None:
                    raise  # the disk, a lock, a broken file: nothing of this group is safe
                self._undo()
                if self._was_in_the_way(error):
                    if job.tries < TRIES:
                        # First in a group of its own it may wait, for then nobody waits for what this process holds.
                        job.tries += 1
                        self._jobs.put_back(group.pop())
                        break
                    error = self._unavailable(self._said(error))
                job.error = error
        return self._commit()


def _tell(group: list[Job]) -> None:
    """Hand the results over with one wake-up of each loop."""
    for loop in {id(job.loop): job.loop for job in group}.values():
        mine = [job for job in group if job.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, mine)


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
