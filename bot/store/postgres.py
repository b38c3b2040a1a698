"""A PostgreSQL database, which many processes may share: psycopg, one connection that writes and one that reads.

It works behind PgBouncer in any mode: no setting outlives a transaction, and where a direct address is named beside the
pooler's no statement is prepared. What a session must hold (that a bot runs here) goes by the direct address.

Transactions of other processes run at the same time and see only what is committed. So `Tx.alone` comes first where
something is decided on what is stored, and `Tx.hold` reads what nobody may change meanwhile. Nobody waits for another
process while others may wait for it: work that would have to wait is done first in the next group (`writer.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from bot.errors import ConfigError, Unavailable
from bot.store.database import Row, Tx
from bot.store.jobs import Deferred, Holder, defer
from bot.store.meta import operators_mark
from bot.store.migrations import migrate_postgresql
from bot.store.server import problems
from bot.store.writer import GroupWriter

T = TypeVar("T")
Connection = psycopg.Connection[dict[str, Any]]

BEGIN: Final = b"BEGIN; SET LOCAL lock_timeout='2s'; SET LOCAL idle_in_transaction_session_timeout='5s'; SAVEPOINT job"
"""A process that is frozen in the middle of a group must not keep the others from its rows for long. A lock is waited
for longer than the server takes to find that two wait for each other, so that it ends only one of them."""

MOST: Final = 50
"""Pieces of work in one commit: PostgreSQL keeps 64 savepoints of a transaction where all can see them quickly."""

RUNNING: Final = 0x757070_7A7902
"""The key of the advisory lock that a bot holds as long as it runs."""

CONNECTION: Final = {
    "application_name": "uppzy-bot",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
"""What a connection is opened with, unless the address says otherwise."""

PREPARED_AFTER: Final = 2
"""A statement is prepared when it comes so often: to plan it each time costs the server as much as all the rest."""

LOST_CLASSES: Final = ("08", "0A", "25", "53", "57", "58", "XX")
"""Classes of errors after which nothing of a transaction is safe; 0A: a plan was prepared before a column came."""

IN_THE_WAY: Final = {"40001", "40P01", "55P03"}
"""Errors of what another process has locked: serialisation, deadlock, a lock that was not to be had."""


class _MustWait(Exception):
    """Another process decides about the same just now."""


@functools.lru_cache(maxsize=1024)
def _placed(sql: str) -> bytes:
    """Write the placeholders as psycopg wants them."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def storable(value: object) -> object:
    """PostgreSQL's texts cannot hold the character 0, and people can send it; and it tells a truth from a number."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd") if "\0" in value else value
    return int(value) if isinstance(value, bool) else value


class PostgresTx(Tx):
    """The verbs of a query, on PostgreSQL. `may_wait`: nothing is held that others could wait for. `changed`: something
    was stored. `woken`: lanes that more has come for, `woken_now` those of the piece of work that runs."""

    __slots__ = ("_cursor", "changed", "may_wait", "woken", "woken_now")

    def __init__(self, connection: Connection) -> None:
        self.connection: Any = connection
        self._cursor = connection.cursor()
        self.may_wait = True
        self.changed = False
        self.woken: set[str] = set()
        self.woken_now: set[str] = set()

    def _execute(self, sql: str, args: tuple[Any, ...]) -> psycopg.Cursor[dict[str, Any]]:
        # With an empty list instead of none psycopg still reads %% as %.
        return self._cursor.execute(_placed(sql), [storable(value) for value in args])

    def one(self, sql: str, *args: Any) -> Row | None:
        """Return the first row, None without one."""
        return self._execute(sql, args).fetchone()

    def all(self, sql: str, *args: Any) -> list[Row]:
        """Return all rows."""
        rows: list[Row] = [*self._execute(sql, args).fetchall()]
        return rows

    def run(self, sql: str, *args: Any) -> int:
        """Execute, and return how many rows changed."""
        count = self._execute(sql, args).rowcount
        self.changed |= count > 0
        return count

    def hold(self, sql: str, *args: Any) -> Row | None:
        """Return the first row like `one`; nobody else changes it before this transaction has ended."""
        return self.one(f"{sql} FOR NO KEY UPDATE", *args)

    def alone(self, *key: str) -> None:
        """Let no other process decide about the same before this transaction has ended; see `Tx.alone`."""
        number = int.from_bytes(hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest(), signed=True)
        if self.may_wait:
            self.one("SELECT pg_advisory_xact_lock(?)", number)
            return
        row = self.one("SELECT pg_try_advisory_xact_lock(?) AS got", number)
        if row is None or not row["got"]:
            raise _MustWait

    def wake(self, lane: str) -> None:
        """Let the lane have a job when this transaction has committed; see `Tx.wake`."""
        self.woken_now.add(lane)

    def keep(self) -> None:
        """What the last piece of work did is kept, if the group is."""
        self.woken |= self.woken_now
        self.woken_now.clear()

    def give_back(self, spare: int, most: int) -> int:
        """Nothing: the server's autovacuum does it."""
        return 0


class PostgresDatabase(GroupWriter):
    """A database on a PostgreSQL server. `direct_url`: past a pooler, "" where there is none. `holder`: the queue of
    this process, where it has one."""

    most = MOST

    def __init__(self, url: str, *, direct_url: str = "") -> None:
        super().__init__()
        self._url = url
        self._direct_url = direct_url or url
        self._writing: PostgresTx | None = None
        self._reading: PostgresTx | None = None
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._mark: int | None = None
        self.holder: Holder | None = None
        self._unsure = False

    def open(self) -> None:
        """Migrate the database, start the writer. Raises `ConfigError` when it cannot be used, or is newer."""
        connection = self.connect()
        try:
            if wrong := problems(connection):
                raise ConfigError([("BOT_DATABASE_URL", wrong[0])])
            migrate_postgresql(connection)
        except psycopg.Error as error:
            connection.close()
            raise ConfigError([("BOT_DATABASE_URL", f"a database that can be used ({self._said(error)})")]) from None
        except BaseException:
            connection.close()
            raise
        self._writing = PostgresTx(connection)
        self._start_writer()

    def close(self) -> None:
        """Commit what is queued, then close."""
        self._stop_writer()
        self._readers.shutdown()
        if self._reading is not None:
            self._reading.connection.close()
            self._reading = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the database for this process alone. Raises `ConfigError` while a bot runs on it."""
        with contextlib.closing(self.connect(direct=True)) as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (RUNNING,)).fetchone()
            if row is None or not row["got"]:
                raise ConfigError(
                    [("BOT_DATABASE_URL", "a database that no other bot is running on; stop that one first")]
                )
            yield

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which only reads, on what is committed."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Callable[[Tx], T]) -> T:
        for may_try_again in (True, False):  # a connection may have died since it was used last
            try:
                if self._reading is None:
                    self._reading = PostgresTx(self._connect(self._url))
                return work(self._reading)
            except psycopg.Error as error:
                why = self._why_lost(error)
                if why is None:
                    raise
                if self._reading is not None:
                    self._reading.connection.close()
                    self._reading = None
                if not may_try_again:
                    raise self._unavailable(why) from None
        raise AssertionError("not reached")

    is_shared = True

    async def now(self) -> float:
        """Say what time it is for all processes: the server's, for the clocks of machines differ."""
        row = await self.read(
            lambda tx: tx.one("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION) AS now")
        )
        assert row is not None
        return float(row["now"])

    async def connect_queue(self) -> psycopg.AsyncConnection[Any]:
        """Open a connection for the queue of a bot, past a pooler: it listens, and says that a bot runs here.

        Raises `psycopg.OperationalError` while somebody holds the database alone.
        """
        options: dict[str, Any] = {**CONNECTION, **conninfo_to_dict(self._direct_url), "client_encoding": "UTF8"}
        connection = await psycopg.AsyncConnection.connect(autocommit=True, **options)
        try:
            cursor = await connection.execute("SELECT pg_try_advisory_lock_shared(%s)", (RUNNING,))
            if await cursor.fetchone() != (True,):
                raise psycopg.OperationalError("somebody holds the database alone")
        except BaseException:
            await connection.close()
            raise
        return connection

    async def changed_elsewhere(self) -> bool:
        """Whether an operator's command has stored something since the last call, or nobody knows."""
        mark = await self.read(operators_mark)
        changed = self._unsure or (self._mark is not None and mark != self._mark)
        self._mark, self._unsure = mark, False
        return changed

    def connect(self, *, direct: bool = False) -> Connection:
        """Open a connection; whoever asks for it closes it. Raises `ConfigError`."""
        try:
            return self._connect(self._direct_url if direct else self._url)
        except psycopg.ProgrammingError:  # it would quote the address
            raise ConfigError([("BOT_DATABASE_URL", "postgresql://user:password@host:port/database")]) from None
        except psycopg.Error as error:
            wanted = f"a database server that can be reached ({self._said(error)})"
            raise ConfigError([("BOT_DATABASE_URL", wanted)]) from None

    def _said(self, error: BaseException) -> str:
        """Write an error in one line, without a password."""
        told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        text = " ".join((told or str(error)).split())
        for url in (self._url, self._direct_url):
            password = urlsplit(url).password
            for secret in {password, unquote(password)} if password else set():
                text = text.replace(secret, "•••")
        return text

    def _connect(self, url: str) -> Connection:
        options: dict[str, Any] = {**CONNECTION, **conninfo_to_dict(url), "client_encoding": "UTF8"}
        prepared_after = PREPARED_AFTER if self._direct_url == self._url else None
        return psycopg.connect(autocommit=True, prepare_threshold=prepared_after, row_factory=dict_row, **options)

    def _begin(self) -> Tx:
        for may_try_again in (True, False):
            if self._writing is None:
                self._writing = PostgresTx(self._connect(self._url))
                may_try_again = False
            try:
                self._writing.connection.execute(BEGIN)
                break
            except psycopg.Error:
                self._give_up()
                if not may_try_again:
                    raise
        assert self._writing is not None
        self._writing.may_wait, self._writing.changed = True, False
        self._writing.woken.clear()
        self._writing.woken_now.clear()
        return self._writing

    def _next(self) -> None:
        assert self._writing is not None
        self._writing.may_wait = False
        self._writing.keep()
        self._writing.connection.execute(b"RELEASE SAVEPOINT job; SAVEPOINT job")

    def _undo(self) -> None:
        assert self._writing is not None
        self._writing.woken_now.clear()
        self._writing.connection.execute(b"ROLLBACK TO SAVEPOINT job")

    def _commit(self) -> bool:
        assert self._writing is not None
        self._writing.keep()
        deferred = Deferred()
        if self._writing.woken:
            deferred = defer(self._writing.connection, self._writing.woken, self.holder)
        try:
            self._writing.connection.execute(b"COMMIT")
        except psycopg.Error:
            self._unsure = True  # it may be stored all the same, and nobody here would know
            raise
        if self.holder is not None:
            self.holder.come(deferred)
        return self._writing.changed

    def _give_up(self) -> None:
        """Close the connection: the server undoes what was not committed, and the next group opens another."""
        if self._writing is not None:
            self._writing.connection.close()
            self._writing = None

    def _why_lost(self, error: Exception) -> str | None:
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate
        connection_lost = state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        if not connection_lost and (state is None or not state.startswith(LOST_CLASSES)):
            return None
        return self._said(error)

    def _was_in_the_way(self, error: Exception) -> bool:
        return isinstance(error, _MustWait) or (isinstance(error, psycopg.Error) and error.sqlstate in IN_THE_WAY)

    def _unavailable(self, why: object) -> Unavailable:
        return Unavailable(
            f"The database cannot be used ({why}): see whether its server runs, can be reached and has room.",
            reason="database",
        )

    def _end(self) -> None:
        self._give_up()
