"""The queue library's way to the database: connections that are made anew when they are lost.

The library's own driver has one connection for all: a query waits up to a second while that listens for notices
(measured: p99 0.9 s from acceptance to start), and an error of the connection ends the library's loop. Here one
connection asks and another listens, and what is asked is asked again until the database is back. That may be done with
every query of the library: a claim whose reply was lost is taken over like a dead process's, all else may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeAlias

import psycopg
import structlog
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import NotifyCallback
from psycopg import AsyncConnection, AsyncRawCursor, sql
from psycopg.rows import dict_row

from bot.shared import since_boot

Connect: TypeAlias = Callable[[], Awaitable[AsyncConnection[Any]]]

AGAIN = 0.2
LONGEST = 2.0
"""Seconds between two tries to reach the database, at first and at most."""

AWAY = 2.0
"""Seconds without an answer after which the database was away: others may not have reached it either."""

log = structlog.get_logger(__name__)


class Closed(Exception):
    """The process ends, and the database cannot be reached any more."""


class ReconnectingDriver:
    """A `pgqueuer.ports.driver.Driver`. `close` lets go of whatever still waits for the database.

    `reached_at`: the moment since boot from which on the database has never been away. `heard`: channels on which
    something was told; whoever looks takes them out.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._asking: AsyncConnection[Any] | None = None
        self._lock = asyncio.Lock()
        self._callbacks: dict[str, list[NotifyCallback]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.heard: set[str] = set()
        self.reached_at = math.inf
        self._answered_at = -math.inf
        self._fails = True
        self.shutdown = asyncio.Event()
        self.tm = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of a query with placeholders $1, $2 …"""
        rows: list[dict[str, object]] = await self._ask(query, args, lambda cursor: cursor.fetchall())
        return rows

    async def execute(self, query: str, *args: object) -> str:
        """Execute a statement and return what the database says of it."""

        async def said(cursor: AsyncRawCursor[Any]) -> str:
            return cursor.statusmessage or ""

        return str(await self._ask(query, args, said))

    async def notify(self, channel: str, payload: str) -> None:
        """Tell all that listen on a channel."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call back for every notice on a channel; those that came while the connection was lost are not repeated."""
        self._callbacks.setdefault(channel, []).append(callback)
        if self._listening is not None:
            self._listening.cancel()  # begins anew, with this channel too
        self._listening = asyncio.get_running_loop().create_task(self._listen(), name="queue listener")

    def hear(self, channel: str, payload: str) -> None:
        """A notice has come; or this process tells itself something."""
        self.heard.add(channel)
        for callback in self._callbacks.get(channel, ()):
            callback(payload)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None  # what the library stores at its end comes after this

    async def close(self) -> None:
        """Stop listening, and let go of whoever waits; what is asked from now on raises `Closed`."""
        self._closing.set()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        # Whoever holds the lock asks just now, and lets go of the connection itself: closed under it, it would end the
        # process, for the library's generators go on with memory that is free.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AWAY), self._lock:
                await self._forget()

    async def _ask(self, query: str, args: tuple[object, ...], result: Callable[[Any], Awaitable[Any]]) -> Any:
        wait = AGAIN
        while not self._closing.is_set():
            async with self._lock:
                try:
                    if self._asking is None or self._asking.closed:
                        self._asking = await self._connect()
                    cursor = AsyncRawCursor(self._asking, row_factory=dict_row)
                    await cursor.execute(query, args or None)
                    self._answered()
                    return await result(cursor)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    self._fails = True
                    log.warning("queue.database_unavailable", error=type(error).__name__)
                    await self._forget()
                finally:
                    if self._closing.is_set():  # the connection may have been made since
                        await self._forget()
            await self._pause(wait)
            wait = min(wait * 2, LONGEST)
        raise Closed

    def _answered(self) -> None:
        now = since_boot()
        if self._fails and now - self._answered_at > AWAY:
            self.reached_at = now
        self._answered_at, self._fails = now, False

    async def _forget(self) -> None:
        """Close the connection; only with the lock."""
        connection, self._asking = self._asking, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    async def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                async with await self._connect() as connection:
                    for channel in self._callbacks:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    async for notice in connection.notifies():
                        self.hear(notice.channel, notice.payload)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await self._pause(AGAIN)
            except Exception:  # of one who is called back; what it did not hear is found by its sweep
                log.exception("queue.notice_failed")
                await self._pause(AGAIN)
