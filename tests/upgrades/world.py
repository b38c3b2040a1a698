"""A bot's database with the world around it, at the moment its process died: written to files, and put up again.

Times in the files are as they were. When it is put up again everything has happened just now: all times of both
databases are moved by the same seconds, Slack's own stay, for they are names.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bot.assistant
from bot.testing.slack.platform import Channel, FakeSlack

CORPUS: Final = Path(__file__).parent / "corpus"
AGO: Final = 10.0
"""Seconds since the process died, when the world is put up: settle windows have passed, nothing has been given up."""


@dataclass(frozen=True)
class World:
    """`at`: when the process died, seconds since the epoch. `database`: SQL. `questions`: the ts by case."""

    version: int
    commit: str
    at: float
    database: str
    channels: dict[str, dict[str, Any]]
    posts: list[list[str]]
    questions: dict[str, str]
    assistant: dict[str, list[dict[str, Any]]]

    def save(self) -> None:
        """Write both files."""
        rest = {name: value for name, value in vars(self).items() if name != "database"}
        CORPUS.joinpath(f"v{self.version}.sql").write_text(self.database)
        CORPUS.joinpath(f"v{self.version}.json").write_text(json.dumps(rest, indent=1, ensure_ascii=False) + "\n")

    def requests(self, words: str) -> list[dict[str, Any]]:
        """The API's requests for these words."""
        return [row for row in self.assistant["requests"] if row["message"] == words]

    def put_up(self, slack: FakeSlack) -> None:
        """Let Slack be as it was."""
        for name, kept in self.channels.items():
            slack.channels[name] = Channel(name, set(kept["members"]), kept["messages"], kept["deleted"])
        slack.posts.extend(slack.channels[channel].messages[ts] for channel, ts in self.posts)

    def databases(self, bot_db: Path, assistant_db: Path, now: float) -> None:
        """Write both databases, as of `AGO` seconds before now."""
        later = now - AGO - self.at
        with closing(sqlite3.connect(bot_db)) as db:
            db.executescript(self.database)
            _move(db, later)
        with closing(sqlite3.connect(assistant_db)) as db:
            db.executescript(Path(bot.assistant.__file__).with_name("schema.sql").read_text())
            for table, rows in self.assistant.items():
                for row in rows:
                    columns = ", ".join(row)
                    db.execute(
                        f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})",  # names of ours
                        tuple(row.values()),
                    )
            _move(db, later)


def _move(db: sqlite3.Connection, seconds: float) -> None:
    """Move every time of a database."""
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND sql LIKE '%_at %'").fetchall():
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            if kind == "REAL" and (column == "at" or column.endswith("_at")):
                since_2001 = f"{column} BETWEEN 1e9 AND 1e10"  # other numbers are none: the last one, never
                db.execute(f"UPDATE {table} SET {column} = {column} + ? WHERE {since_2001}", (seconds,))
    db.commit()


def load(path: Path) -> World:
    """Read a world from its two files; `path` is that of the SQL."""
    return World(database=path.read_text(), **json.loads(path.with_suffix(".json").read_text()))
