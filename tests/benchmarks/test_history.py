"""The bench of many stored turns: its databases are what it says; a run on one has every figure."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from bot.store.file import connect
from bot.store.retention import DAY
from tests.benchmarks import history


def test_a_database_is_filled_as_said(tmp_path: Path) -> None:
    history.fill(tmp_path / "bot.db", 2_000, old=1_000)
    with contextlib.closing(connect(tmp_path / "bot.db")) as connection:

        def count(what: str) -> int:
            return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])

        assert (count("turns"), count("steps"), count("receipts"), count("events")) == (2_000, 6_000, 2_000, 2_000)
        assert count(f"turns WHERE accepted_at<{time.time() - 400 * DAY}") == 1_000
        assert count(f"turns WHERE accepted_at>{time.time() - 30 * DAY}") == 1_000
        assert count("turns WHERE asker='U-often'") == 10
        assert count("votes") == count("feedback") == 666


def test_an_empty_one_is_empty(tmp_path: Path) -> None:
    history.fill(tmp_path / "bot.db", 0, old=0)
    with contextlib.closing(connect(tmp_path / "bot.db")) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone()[0] == 0


async def test_a_run_beside_everything_that_forgets(tmp_path: Path) -> None:
    figures = await history.run(500, busy=True, seconds=1.0)
    assert set(history.FIGURES) <= figures.keys()
