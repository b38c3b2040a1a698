"""The same queries on both databases: the same answers, and the same rows in the end."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import store
from bot.store import open_database
from bot.store.database import Tx
from bot.store.migrations import steps_for
from tests.postgres import Server
from tests.store import asked

QUEUE = re.compile("pgqueuer")
"""What the tables of the queue's library begin with; they are there on PostgreSQL alone."""

TABLES = sorted(
    {
        word[2]
        for step in steps_for("postgresql")
        for word in (statement.split(maxsplit=3) for statement in step.statements)
        if word[:2] == ["CREATE", "TABLE"] and not QUEUE.match(word[2])
    }
)


async def told(url: str) -> tuple[list[str], dict[str, list[list[str]]]]:
    """Ask everything, each question in a transaction of its own; return the answers, and what is stored then."""
    database = open_database(url)
    try:
        answers = await database.write(
            lambda tx: [repr(answer).replace("\\x00", "�") for answer in asked.everything(tx)]
        )
        rows = {table: await database.read(lambda tx, table=table: _rows(tx, table)) for table in TABLES}  # type: ignore[misc]
    finally:
        database.close()
    return answers, rows


def _rows(tx: Tx, table: str) -> list[list[str]]:
    found = tx.all(f"SELECT * FROM {table}")
    return sorted([f"{name}={row[name]!r}".replace("\\x00", "�") for name in sorted(row.keys())] for row in found)


@pytest.mark.needs_package("postgresql")
async def test_both_databases_answer_the_same(server: Server, tmp_path: Path) -> None:
    embedded, embedded_rows = await told(f"sqlite:///{tmp_path}/bot.db")
    with server.database() as url:
        shared, shared_rows = await told(url)
    assert len(embedded) > 80
    for one, other in zip(embedded, shared, strict=True):
        assert one == other
    for table in TABLES:
        assert embedded_rows[table] == shared_rows[table], table


async def test_every_query_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of the store that no test of both databases calls could fail on one of them."""
    called: set[str] = set()
    known: set[str] = set()

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            called.add(name)
            return function(*args, **options)

        return call

    for file in sorted(Path(store.__file__).parent.glob("*.py")):
        module = importlib.import_module(f"bot.store.{file.stem}") if file.stem != "__init__" else store
        for name in _queries(file):
            full = f"{file.stem}.{name}"
            known.add(full)
            monkeypatch.setattr(module, name, noted(full, getattr(module, name)))
    database = open_database(f"sqlite:///{tmp_path}/bot.db")
    await database.write(lambda tx: list(asked.everything(tx)))
    database.close()
    assert len(known) > 80
    assert known - called == {"jobs.without_job"}  # of the library's table: tests/processes and the simulation ask it


def _queries(file: Path) -> list[str]:
    """List the functions of a file that are given a transaction first, those for its own use left out."""
    functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    return [
        node.name
        for node in functions
        if node.args.args and node.args.args[0].arg == "tx" and not node.name.startswith("_")
    ]
