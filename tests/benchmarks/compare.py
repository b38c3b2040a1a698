"""The core's figures beside those of another checkout, in one sitting: `make bench-compare OTHER=path`.

`python -m tests.benchmarks.compare OTHER [--pairs 7] [--json FILE]`

Each run is a process of its own, started in the checkout that it measures, with that checkout's
`tests.benchmarks.load` and `.venv` (this one's where it has none). Runs are interleaved A B, B A, A B …, A this
checkout and B the other, so that a machine that drifts drifts for both. A ratio is A ÷ B of one pair; the verdict looks
at all of them: where 1 lies between the smallest and the largest, the two are equal. Statements are counted in a run
apart, for counting costs time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

ROOT: Final = Path(__file__).parents[2]
ENOUGH: Final = 7
"""Pairs. All of them on the same side by chance: once in 64 times."""
SECONDS_AT_MOST: Final = 120.0
"""For a run that takes about ten seconds on a machine that is not busy."""

Figures: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """A run: the function of `tests.benchmarks.load`, its arguments, and which of its figures are compared."""

    function: str
    options: Mapping[str, float]
    figures: tuple[str, ...]


KINDS: Final = (
    Kind(
        "paced",
        {"per_second": 10.0, "seconds": 8.0},
        (
            "cpu_ms_per_turn",
            "event_to_submit_p50_ms",
            "event_to_submit_p99_ms",
            "ready_to_posted_mean_ms",
            "told_to_posted_p50_ms",
            "told_to_posted_p99_ms",
        ),
    ),
    Kind(
        "sustained",
        {"turns": 800, "sessions": 400, "delay": 0.2},
        ("cpu_ms_per_turn", "turns_per_second", "rss_mb"),
    ),
)
COUNTED: Final = Kind("paced", {"per_second": 10.0, "seconds": 4.0}, ("statements_per_turn",))
WARMING: Final = Kind("sustained", {"turns": 100, "sessions": 50, "delay": 0.05}, ())

MORE_IS_BETTER: Final = {"turns_per_second"}

RUN: Final = """
import asyncio, json, sys, sqlite3, pathlib
function, folder, options, counted = json.loads(sys.argv[1])
statements = []
if counted:
    plain = sqlite3.connect
    ends = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "--")
    def connect(*args, **kwargs):
        connection = plain(*args, **kwargs)
        connection.set_trace_callback(
            lambda text: text.lstrip().upper().startswith(ends) or statements.append(text)
        )
        return connection
    sqlite3.connect = connect
import bot
from bot.telemetry.logging import configure
from tests.benchmarks import load
configure(level="error", style="json")
began = []
if counted:
    whole = load.cpu
    load.cpu = lambda: (began.append(len(statements)), whole())[1]  # called where the turns begin and where they end
figures = asyncio.run(getattr(load, function)(pathlib.Path(folder), **options))
if counted:
    turns = options["per_second"] * options["seconds"]
    figures["statements_per_turn"] = (began[1] - began[0]) / turns
print(json.dumps({"bot": bot.__file__, "figures": figures}))
"""
"""What a run is in either checkout: nothing here may need more than both have."""


class RunError(Exception):
    """A run did not come to its end; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both sides. `ratios` are of pairs, this checkout ÷ the other."""

    kind: str
    figure: str
    this: float
    other: float
    ratio: float
    lowest: float
    highest: float
    verdict: str


def python_of(checkout: Path) -> Path:
    """Return the checkout's own Python, or this process's where it has none."""
    own = checkout / ".venv/bin/python"
    return own if own.exists() else Path(sys.executable)


def run(checkout: Path, kind: Kind, *, counted: bool = False) -> dict[str, float]:
    """Measure once, in a process of its own and on a fresh database. Raises RunError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        task = json.dumps([kind.function, folder, dict(kind.options), counted])
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        try:
            process = subprocess.run(
                [python_of(checkout), "-c", RUN, task], cwd=checkout, env=environment,
                capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise RunError(f"{checkout}: {kind.function} took more than {SECONDS_AT_MOST:.0f} s") from error
    if process.returncode:
        raise RunError(f"{checkout}: {kind.function} failed\n{process.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    if not Path(result["bot"]).resolve().is_relative_to(checkout.resolve()):
        raise RunError(f"{checkout}: measured {result['bot']} instead")
    return {name: float(value) for name, value in result["figures"].items()}


def order(pairs: int) -> list[tuple[str, str]]:
    """Say which side runs first in each pair: A B, B A, A B …

    >>> order(3)
    [('A', 'B'), ('B', 'A'), ('A', 'B')]
    """
    return [("B", "A") if number % 2 else ("A", "B") for number in range(pairs)]


def verdict(figure: str, ratios: Sequence[float]) -> str:
    """Judge the ratios of one figure.

    >>> verdict("cpu_ms_per_turn", [0.8, 0.9]), verdict("turns_per_second", [0.8, 0.9]), verdict("rss_mb", [0.9, 1.1])
    ('better', 'worse', 'equal (inside the spread)')
    """
    if min(ratios) <= 1 <= max(ratios):
        return "equal (inside the spread)"
    return "better" if (min(ratios) > 1) == (figure in MORE_IS_BETTER) else "worse"


def rows(kind: Kind, pairs: Sequence[tuple[Figures, Figures]]) -> list[Row]:
    """Make a row of each figure that both sides have; each pair is this checkout's figures and the other's."""
    result = []
    for figure in kind.figures:
        if not all(figure in side for pair in pairs for side in pair):
            continue
        this, other = [pair[0][figure] for pair in pairs], [pair[1][figure] for pair in pairs]
        ratios = [a / b if b else (1.0 if a == b else float("inf")) for a, b in zip(this, other, strict=True)]
        spread = (statistics.median(ratios), min(ratios), max(ratios))
        medians = (statistics.median(this), statistics.median(other))
        result.append(Row(kind.function, figure, *medians, *spread, verdict(figure, ratios)))
    return result


def table(lines: Iterable[Row]) -> str:
    """Write the rows for people."""
    written = [f"{'':9} {'':22} {'this':>10} {'other':>10} {'ratio':>7}  {'min–max':13} verdict"]
    for row in lines:
        spread = f"{row.lowest:.3f}–{row.highest:.3f}"
        sides = f"{row.this:10.2f} {row.other:10.2f}"
        written.append(f"{row.kind:9} {row.figure:22} {sides} {row.ratio:7.3f}  {spread:13} {row.verdict}")
    return "\n".join(written)


def measure(kind: Kind, sides: Mapping[str, Path], pairs: int) -> list[tuple[Figures, Figures]]:
    """Run the pairs of one kind, interleaved; tell on standard error how far it is."""
    results: list[tuple[Figures, Figures]] = []
    for number, turn in enumerate(order(pairs), 1):
        figures = {}
        for side in turn:
            figures[side] = run(sides[side], kind)
        results.append((figures["A"], figures["B"]))
        print(f"{kind.function}: {number} of {pairs} pairs", file=sys.stderr, flush=True)
    return results


def same_load(sides: Mapping[str, Path]) -> bool:
    """Whether both sides are measured by the same lines; if not, a difference may be the measure's."""
    texts = {(side / "tests/benchmarks/load.py").read_text(encoding="utf-8") for side in sides.values()}
    return len(texts) == 1


def main(arguments: list[str]) -> None:
    """Measure both checkouts and print the table. Exits with 1 where a run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare")
    parser.add_argument("other", type=Path, help="another checkout of the project")
    parser.add_argument("--pairs", type=int, default=ENOUGH, help=f"of runs; fewer than {ENOUGH} say little")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store all single figures there")
    options = parser.parse_args(arguments)
    sides = {"A": ROOT, "B": options.other.resolve()}
    if options.pairs < 1 or not (sides["B"] / "tests/benchmarks/load.py").is_file():
        parser.error("the other checkout has no tests/benchmarks/load.py, or --pairs is no positive number")
    try:
        for side in sides.values():
            run(side, WARMING)
        counts = (run(sides["A"], COUNTED, counted=True), run(sides["B"], COUNTED, counted=True))
        results = {kind.function: measure(kind, sides, options.pairs) for kind in KINDS}
    except RunError as error:
        sys.exit(str(error))
    lines = [row for kind in KINDS for row in rows(kind, results[kind.function])]
    print(table(lines))
    statements = [counts[side]["statements_per_turn"] for side in (0, 1)]
    print(
        f"statements a turn (paced, one run each, with polls and idle work): {statements[0]:.1f}, {statements[1]:.1f}"
    )
    if options.pairs < ENOUGH:
        print(f"Fewer than {ENOUGH} pairs: no verdict to build on.")
    if not same_load(sides):
        print("The two checkouts differ in tests/benchmarks/load.py: see whether they measure the same.")
    if options.json:
        stored = {"pairs": results, "statements_per_turn": statements, "rows": [asdict(row) for row in lines]}
        options.json.write_text(json.dumps(stored, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
