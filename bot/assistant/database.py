"""SQLite off the event loop: one writer thread that commits in groups, and readers beside it."""

from __future__ import annotations

import asyncio
import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bot.assistant.retrieval.text import spaced

T = TypeVar("T")

_GROUP = 256
"""At most so many waiting writes share one commit."""


class _Write:
    """One write that waits for its turn, and the future of who asked for it."""

    __slots__ = ("call", "error", "future", "loop", "value")

    def __init__(self, call: Callable[[sqlite3.Connection], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.call = call
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell the asker, who may have gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class AssistantDatabase:
    """A SQLite file; without a path a temporary one that `close` removes.

    A write is on disk (a killed process loses nothing of it) when `write` returns. Each call runs in a
    savepoint of its own: one that fails undoes itself alone. One whose asker has gone before it began is not made.
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        self._folder = None if path is not None else Path(tempfile.mkdtemp(prefix="uppzy-assistant-"))
        self.path = path if path is not None else self._temporary / "assistant.db"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A temporary database dies with the process: waiting for its disk would buy nothing.
        self._synchronous = "OFF" if path is None else "NORMAL"
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA cache_size = -16000")  # 16 MB: words of a folder come from all over the index
        self._writer.execute("PRAGMA wal_autocheckpoint = 8000")
        self._writer.executescript(schema)
        self._connections: list[sqlite3.Connection] = [self._writer]
        self._local = threading.local()
        self._lock = threading.Lock()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="assistant-read")
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="assistant-write", daemon=True)
        self._thread.start()
        self._closed = False

    @property
    def _temporary(self) -> Path:
        assert self._folder is not None
        return self._folder

    async def write(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run `call` in the writer thread and return its result once it is committed."""
        if self._closed:
            raise sqlite3.ProgrammingError("the assistant's database is closed")
        item = _Write(call, asyncio.get_running_loop())
        self._queue.put(item)
        result: T = await item.future
        return result

    async def read(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run `call` on a reader's connection, beside the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, lambda: call(self._reader()))

    async def close(self) -> None:
        """Finish what was begun and close; may be repeated."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._thread.join()
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        connection.create_function("spaced", 1, spaced, deterministic=True)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _work(self) -> None:
        open_ = True
        while open_:
            group: list[_Write] = []
            item = self._queue.get()
            while item is not None:
                group.append(item)
                if len(group) == _GROUP or self._queue.empty():
                    break
                item = self._queue.get()
            open_ = item is not None
            if group:
                self._commit(group)

    def _commit(self, group: list[_Write]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for item in group:
                self._run(item)
            self._writer.execute("COMMIT")
        except Exception as error:  # the whole group failed: a full disk, a lost file
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for item in group:
                item.error = error
        for loop in {item.loop for item in group}:
            settled = [item for item in group if item.loop is loop]
            try:
                loop.call_soon_threadsafe(_settle, settled)
            except RuntimeError:  # that loop is closed; nobody waits any more
                continue

    def _run(self, item: _Write) -> None:
        if item.future.cancelled():
            return
        self._writer.execute("SAVEPOINT one")
        try:
            item.value = item.call(self._writer)
        except Exception as error:  # handed to the asker
            self._writer.execute("ROLLBACK TO one")
            item.error = error
        self._writer.execute("RELEASE one")


def _settle(items: list[_Write]) -> None:
    for item in items:
        item.settle()
