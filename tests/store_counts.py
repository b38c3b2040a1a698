"""Counts what the store is asked: statements, pieces of work for the writer, commits that change something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from bot.store.database import Tx
from bot.store.writer import GroupWriter

BY_THE_CLOCK = ("PRAGMA data_version", "SELECT count(*) AS n FROM dead")
"""What the engine asks once a second, whether there are turns or not."""


@dataclass
class StoreCounts:
    """`reads` and `writes`: the statements outside and inside of transactions that write."""

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    jobs: int = 0
    commits: int = 0
    by_the_clock: int = 0

    def per_turn(self, turns: int) -> dict[str, float]:
        """Return them as figures of a bench."""
        return {
            "statements_per_turn": (len(self.reads) + len(self.writes)) / turns,
            "reads_per_turn": len(self.reads) / turns,
            "writes_per_turn": self.jobs / turns,
            "commits_per_turn": self.commits / turns,
        }


@contextmanager
def counted() -> Iterator[StoreCounts]:
    """Count while the context lasts."""
    counts = StoreCounts()

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(tx: Tx, sql: str, *args: Any) -> Any:
            writing = threading.current_thread().name == "store-writer"
            if sql in BY_THE_CLOCK:
                counts.by_the_clock += writing
            else:
                (counts.writes if writing else counts.reads).append(sql)
            return method(tx, sql, *args)

        return run

    write_group = GroupWriter._write_group

    def counting(self: GroupWriter, group: list[Any], waiting: int) -> bool:
        others = counts.by_the_clock
        changed = write_group(self, group, waiting)
        if changed:
            counts.commits += 1
            counts.jobs += len(group) - (counts.by_the_clock - others)
        return changed

    with patch.object(GroupWriter, "_write_group", counting):
        verbs: dict[str, Any] = {name: noting(getattr(Tx, name)) for name in ("one", "all", "run")}
        with patch.multiple(Tx, **verbs):
            yield counts
