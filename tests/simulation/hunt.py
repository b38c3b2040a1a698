"""`make hunt SECONDS=…`: seed after seed on all cores, for as long as wanted; what breaks is shrunk and written down.

Each hunt has a folder of its own under `hunts/`, named by its time, and begins behind the last seed of the others, so
that nothing is run twice or overwritten. Every fiftieth seed is also run beside a lasting fault (see `on_time`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proofs import record
from tests.simulation.lasting import KINDS
from tests.simulation.on_time import ALLOWED, compare
from tests.simulation.run import run
from tests.simulation.shrink import shrink

FOLDER = record.ROOT / "hunts"
FIRST = 100_001
"""The first seed of the first hunt: the tests have those before."""
TOGETHER = 50
"""Seeds that a core gets at once."""
BESIDE_EVERY = 50
"""One seed in so many is also run beside a lasting fault."""
SAVE_EVERY = 60.0
"""Seconds between two writes of the summary: a hunt that is killed has lost no more."""


@dataclass(slots=True)
class Bag:
    """What was found, as far as the hunt has come. Seeds from `first` up to but not including `after` were run."""

    first: int
    after: int
    cores: int
    commit: str
    seconds: float = 0.0
    seeds: int = 0
    beside: int = 0
    broken: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def take(self, done: Bag) -> None:
        """Add what another one has."""
        self.after = max(self.after, done.after)
        self.seeds += done.seeds
        self.beside += done.beside
        self.broken += done.broken
        for name, number in done.counts.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def figures(self) -> dict[str, Any]:
        """Make the figures of the record."""
        return {
            "first": self.first,
            "last": self.after - 1,
            "seeds": self.seeds,
            "beside": self.beside,
            "broken": len(self.broken),
            "seconds": round(self.seconds),
            "cores": self.cores,
            "counts": dict(sorted(self.counts.items())),
        }


def main() -> int:
    """Hunt; return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.hunt", description=__doc__)
    parser.add_argument("seconds", type=float, help="how long new seeds are begun")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, help="the first seed; behind those of earlier hunts when not given")
    parser.add_argument("--record", action="store_true", help="add the figures to docs/proofs.json")
    told = parser.parse_args()
    bag = hunt(told.seconds, told.cores, FOLDER, told.first)
    rate = bag.seeds / max(bag.seconds, 1e-9)
    print(f"{bag.seeds} seeds from {bag.first} on, {len(bag.broken)} broken, {rate:.1f} seeds/s: {bag.counts}")
    if told.record:
        record.add("seeds", **bag.figures())
    return 1 if bag.broken else 0


def hunt(seconds: float, cores: int, folder: Path, first: int | None = None) -> Bag:
    """Run seeds for so many seconds, and write what was found into a new folder."""
    first = first if first is not None else _behind_others(folder)
    mine = _new_folder(folder)
    bag = Bag(first, first, cores, record.commit())
    began = saved = time.monotonic()
    chunks = itertools.count(first, TOGETHER)
    # Processes begin anew, or they would share open files and threads with this one.
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        under_way = {pool.submit(_chunk, next(chunks), str(mine)) for _ in range(cores)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for one in _results(done):
                bag.take(one)
                if time.monotonic() - began < seconds:
                    under_way.add(pool.submit(_chunk, next(chunks), str(mine)))
            bag.seconds = time.monotonic() - began
            if time.monotonic() - saved > SAVE_EVERY or not under_way:
                _save(mine, bag)
                saved = time.monotonic()
    return bag


def _results(done: set[Future[Bag]]) -> Iterator[Bag]:
    for one in done:
        yield one.result()


def _chunk(first: int, folder: str) -> Bag:
    """Run some seeds, in a process of its own."""
    bag = Bag(first, first + TOGETHER, 1, "")
    for seed in range(first, first + TOGETHER):
        verdict = run(seed).verdict
        bag.seeds += 1
        for name, number in verdict.counts.items():
            bag.counts[name] = bag.counts.get(name, 0) + number
        if verdict.wrong:
            _note(bag, seed, Path(folder), _tell(seed))
        if seed % BESIDE_EVERY == 0:
            bag.beside += 1
            kind = KINDS[seed // BESIDE_EVERY % len(KINDS)]
            try:
                late = compare(kind, seed).later
                wrong = f"beside a lasting fault ({kind}), somebody else waited {late:.1f} s longer"
            except AssertionError as error:
                late, wrong = ALLOWED + 1, f"beside a lasting fault ({kind}): {error}"
            if late > ALLOWED:
                _note(bag, seed, Path(folder), f"Seed {seed}: {wrong}.\n")
    return bag


def _tell(seed: int) -> str:
    shrunk = shrink(seed)
    return f"{shrunk.summary()}\n{shrunk.after.story()}\n\n--- the whole run ---\n\n{shrunk.before.story(logs=True)}\n"


def _note(bag: Bag, seed: int, folder: Path, story: str) -> None:
    if seed not in bag.broken:
        bag.broken.append(seed)
    with (folder / f"seed-{seed}.txt").open("a", encoding="utf-8") as file:
        file.write(story)
    print(story.split("\n--- the whole run ---")[0], flush=True)


def _new_folder(folder: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for number in itertools.count(1):
        made = folder / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            made.mkdir(parents=True)
        except FileExistsError:
            continue
        return made
    raise AssertionError


def _behind_others(folder: Path) -> int:
    summaries = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/summary.json")]
    return max((int(one["last"]) + 1 for one in summaries), default=FIRST)


def _save(folder: Path, bag: Bag) -> None:
    summary = {"commit": bag.commit, **bag.figures(), "broken seeds": sorted(bag.broken)}
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
