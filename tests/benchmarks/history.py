"""What the hot path costs with many stored turns, at rest and while they are forgotten; nothing is judged by time.

`python -m tests.benchmarks.history [--turns 0,10000,100000,1000000] [--rounds 3] [--json FILE]`

Each run is a process of its own on a database of its own. `quiet`: nothing is old enough to be forgotten. `busy`:
retention finds up to 100,000 turns to delete, `sessions forget` removes a person with up to 5,000, and `feedback
report` runs, all at the same time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bot.store.file import connect
from bot.store.migrations import migrate
from bot.store.retention import DAY
from tests.benchmarks.load import paced

OLD: Final = 100_000
PERSON: Final = 5_000
SERIES: Final = "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<?)"
SECONDS: Final = 8.0
COMMAND: Final = """
import asyncio, sys
from bot.store import open_admin
async def main(url, what):
    async with open_admin(url) as admin:
        while True:
            if what == "forget":
                print(await admin.forget("fake", "A1", "U-often"), flush=True)
                return
            await admin.feedback_report(limit=100)
            print("report", flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


def fill(path: Path, turns: int, *, old: int) -> None:
    """Make a database with so many turns of the last 25 days, but for the `old` oldest ones: those are 500 days old.

    Each has its steps, a receipt and an event; every third one is rated; one person asked every 200th, 5,000 at most.
    """
    now = time.time()
    with contextlib.closing(connect(path)) as connection:
        migrate(connection)
        if turns == 0:
            return
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.execute(
            f"{SERIES} INSERT INTO turns (id, reference, kind, lane, channel, account, conversation, thread, sent_to,"
            " question, asker, text, sent_at, accepted_at, state, outcome, finished_at, attempt, intent, request_id,"
            " asked_in) SELECT i, printf('R%07d', i), 'question', 'lane'||(i%5000), 'fake', 'A1', 'D-U'||(i%5000), '',"
            " '{}', 'm'||i, CASE WHEN i%200=0 AND i/200<=? THEN 'U-often' ELSE 'U'||(i%5000) END, 'How long is this?',"
            " at, at, 'done', 'answered', at, 1, 1, 'req'||i, 'D-U'||(i%5000) FROM"
            " (SELECT i, CASE WHEN i<=? THEN ? ELSE ?-2000000.0*(?-i)/? END AS at FROM k)",
            (turns, PERSON, old, now - 500 * DAY, now, turns, turns),
        )
        for kind, result in (("submit", 200), ("intent", 900), ("send", 60)):
            connection.execute(
                "INSERT INTO steps (turn, kind, number, begun_at, done_at, result) SELECT id, ?, 0, accepted_at,"
                " accepted_at, '\"'||printf('%.*c', ?, 'x')||'\"' FROM turns",
                (kind, result),
            )
        connection.execute(
            "INSERT INTO receipts SELECT 'fake', 'A1', asked_in, 'b'||id, id, 'answer', 0, accepted_at, '{}' FROM turns"
        )
        connection.execute("INSERT INTO events SELECT 'fake', 'A1', 'message:'||question, accepted_at FROM turns")
        connection.execute(
            "INSERT INTO feedback (turn, rating, submitted, outcome, changed_at) SELECT id, 'good', 'good',"
            " 'submitted', accepted_at FROM turns WHERE id%3=0"
        )
        connection.execute(
            "INSERT INTO votes (turn, message, user_id, emoji, present, at) SELECT id, 'b'||id, asker, '👍', 1,"
            " accepted_at FROM turns WHERE id%3=0"
        )
        connection.execute("COMMIT")


async def run(turns: int, *, busy: bool, seconds: float = SECONDS) -> dict[str, float]:
    """Measure once, on a database made for it."""
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        path = Path(folder) / "bot.db"
        fill(path, turns, old=min(OLD, turns // 2) if busy else 0)
        os.sync()  # what was filled in without it; else the bot's first commit waits for all of that
        url = f"sqlite:///{path}"
        others = [
            subprocess.Popen([sys.executable, "-c", COMMAND, url, what], stdout=subprocess.DEVNULL)
            for what in (("forget", "report") if busy else ())
        ]
        try:
            return await paced(Path(folder), 10.0, seconds)
        finally:
            for other in others:
                other.kill()
                other.wait()


FIGURES: Final = ("start_seconds", "ack_p50_ms", "ack_p99_ms", "event_to_submit_p50_ms", "event_to_submit_p99_ms")


def main() -> None:
    """Measure in rounds, all sizes in turn, and print medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history")
    parser.add_argument("--turns", default="0,10000,100000,1000000", help="how many are stored, with commas between")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="store all single figures there")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        turns, kind = options.one.split(":")
        print(json.dumps(asyncio.run(run(int(turns), busy=kind == "busy"))))
        return
    kinds = [f"{turns}:{kind}" for turns in options.turns.split(",") for kind in ("quiet", "busy")]
    found: dict[str, list[dict[str, float]]] = {}
    for number in range(options.rounds):
        for kind in kinds if number % 2 == 0 else kinds[::-1]:
            if kind == "0:busy":
                continue
            command = [sys.executable, "-m", "tests.benchmarks.history", "--one", kind]
            done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
            found.setdefault(kind, []).append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(f"round {number + 1}: {kind}", file=sys.stderr, flush=True)
    print(f"{'turns stored':>16}  " + "  ".join(f"{name:>22}" for name in FIGURES))
    for kind in kinds:
        if kind in found:
            medians = (statistics.median(one[name] for one in found[kind]) for name in FIGURES)
            print(f"{kind:>16}  " + "  ".join(f"{value:22.2f}" for value in medians))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
