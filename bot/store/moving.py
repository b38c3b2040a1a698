"""Moving all that is stored from one kind of database to the other, as one transaction: all of it, or nothing.

The rows of every table are copied as they are; what was open goes on at the other side. Both databases are held: no bot
runs on them, and nothing is written to the source meanwhile. In the end the source is marked, so that no bot starts on
it by mistake and answers what the other one answers too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from bot.errors import ConfigError, Rejected
from bot.store import open_database
from bot.store.file import connect
from bot.store.meta import MOVED
from bot.store.postgres import PostgresDatabase, storable

ROWS: Final = 1_000
"""Rows that are read at a time."""
SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True)
class MovedRows:
    """What was moved: rows by table, and how many turns among them are open."""

    rows: dict[str, int]
    open_turns: int


class CannotMove(Rejected):
    """The databases cannot be moved like this; one sentence says why."""


def move(source_url: str, target_url: str, named: str, tell: Callable[[int, int], None]) -> MovedRows:
    """Move everything; `named` is what the source keeps of where it went. `tell` hears how many rows of how many.

    Raises:
        CannotMove: they are not of different kinds, one cannot be opened or has a bot at work, there is no source, the
            target holds something.
    """
    if source_url.startswith(SQLITE) == target_url.startswith(SQLITE):
        raise CannotMove("One of the two must be sqlite:///… and the other postgresql://….")
    if source_url.startswith(SQLITE) and not Path(source_url.removeprefix(SQLITE)).exists():
        raise CannotMove("There is no file at the path of --from.")
    with ExitStack() as stack:
        for option, url in (("--from", source_url), ("--to", target_url)):
            try:
                database = open_database(url)  # brings it up to date
                database.close()
                stack.enter_context(database.alone())
            except ConfigError as error:
                wanted = "; ".join(expected for _, expected in error.problems)
                raise CannotMove(f"{option} must be {wanted}.") from None
        source, target = (stack.enter_context(closing(_side(url))) for url in (source_url, target_url))
        return _copy(source, target, named, tell)


def _copy(source: _Side, target: _Side, named: str, tell: Callable[[int, int], None]) -> MovedRows:
    tables = source.tables() if isinstance(source, _File) else target.tables()
    source.hold(tables)
    target.hold(tables)
    if source.is_marked():
        raise CannotMove("The database of --from was moved already; its mark says where to.")
    if any(target.count(table) for table in tables):
        raise CannotMove("The database of --to holds something already; name an empty one.")
    counts = {table: source.count(table) for table in tables}
    total, done = sum(counts.values()), 0
    tell(0, total)
    for table in tables:
        columns = target.columns(table)
        for rows in source.read(table, columns):
            target.fill(table, columns, rows)
            done += len(rows)
            tell(done, total)
    arrived = {table: target.count(table) for table in tables}
    if arrived != counts:
        differ = ", ".join(table for table in tables if arrived[table] != counts[table])
        raise CannotMove(f"Not all rows of {differ} arrived, so nothing was moved; please report this.")
    open_turns = target.open_turns()
    target.commit()
    source.mark(named)
    source.commit()
    return MovedRows(counts, open_turns)


class _Side(ABC):
    """One of the two databases, in one transaction that is undone unless it is committed."""

    @abstractmethod
    def hold(self, tables: Sequence[str]) -> None:
        """Begin; nobody else writes to these tables meanwhile."""

    @abstractmethod
    def one(self, statement: str) -> Any:
        """Return the first value of the first row, None without one."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """Name the columns of a table."""

    @abstractmethod
    def read(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all rows, some at a time."""

    @abstractmethod
    def fill(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Store rows."""

    @abstractmethod
    def mark(self, where: str) -> None:
        """Store that everything was moved."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Name the tables, those first that others refer to."""

    @abstractmethod
    def commit(self) -> None:
        """Make it last."""

    @abstractmethod
    def close(self) -> None:
        """Undo what is not committed."""

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        return int(self.one(f"SELECT count(*) FROM {table}"))  # noqa: S608  # a table of ours

    def open_turns(self) -> int:
        """Count what goes on."""
        return int(self.one("SELECT count(*) FROM turns WHERE state='open'"))

    def is_marked(self) -> bool:
        """Whether everything was moved before."""
        return self.one(f"SELECT 1 FROM meta WHERE key='{MOVED}'") is not None  # noqa: S608  # a constant


class _File(_Side):
    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.row_factory = None

    def hold(self, tables: Sequence[str]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def one(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return None if row is None else row[0]

    def columns(self, table: str) -> list[str]:
        return [str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})")]

    def read(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        cursor = self._connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  # our names
        while rows := cursor.fetchmany(ROWS):
            yield rows

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608

    def mark(self, where: str) -> None:
        self._connection.execute("INSERT INTO meta VALUES (?, ?)", (MOVED, where))

    def tables(self) -> list[str]:
        names = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name<>'turns', name"
        )
        return [str(row[0]) for row in names]

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class _Server(_Side):
    def __init__(self, url: str) -> None:
        self._connection: Connection[Any] = PostgresDatabase(url).connect()
        self._connection.row_factory = tuple_row  # type: ignore[assignment]  # see the line above: any rows

    def hold(self, tables: Sequence[str]) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_names(tables)))

    def one(self, statement: str) -> Any:
        row = self._connection.execute(statement.encode()).fetchone()
        return None if row is None else row[0]

    def columns(self, table: str) -> list[str]:
        cursor = self._connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table)))
        return [column.name for column in cursor.description or ()]

    def read(self, table: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        with self._connection.cursor("moving") as cursor:
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(_names(columns), sql.Identifier(table)))
            while rows := cursor.fetchmany(ROWS):
                yield rows

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row([storable(value) for value in row])

    def mark(self, where: str) -> None:
        self._connection.execute("INSERT INTO meta VALUES (%s, %s)", (MOVED, where))

    def tables(self) -> list[str]:
        raise AssertionError("a server may hold tables of others")

    def commit(self) -> None:
        following = "SELECT COALESCE(max(id), 0) + 1 FROM turns"  # the id of the next turn
        self.one(f"SELECT setval(pg_get_serial_sequence('turns', 'id'), ({following}), false)")
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _side(url: str) -> _Side:
    return _File(Path(url.removeprefix(SQLITE))) if url.startswith(SQLITE) else _Server(url)
