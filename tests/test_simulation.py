"""The core in a world where everything goes wrong: 200 seeds in `make test`, 10,000 in `make prove`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.run import run

ROOT = Path(__file__).parents[1]
RecordProperty = Callable[[str, object], None]


def _keep_promises(first: int, last: int, record: RecordProperty) -> None:
    """Run the seeds; a broken promise names the seed that replays it."""
    counts = {"seeds": 0, "lost": 0, "asked twice": 0, "answered twice": 0}
    began, broken = time.perf_counter(), []
    for seed in range(first, last):
        verdict = run(seed).verdict
        counts["seeds"] += 1
        for name, number in verdict.counts.items():
            counts[name] = counts.get(name, 0) + number
        if verdict.wrong:
            broken.append(f"python -m tests.simulation {seed}  # {verdict.wrong[0]}")
    record("simulation", counts | {"seconds of work": round(time.perf_counter() - began, 1)})
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("first", range(1, 201, 25))
def test_seeds(first: int, record_property: RecordProperty) -> None:
    _keep_promises(first, first + 25, record_property)


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(1, 10001, 500))
def test_ten_thousand_seeds(first: int, record_property: RecordProperty) -> None:
    _keep_promises(first, first + 500, record_property)


def test_a_seed_runs_the_same_way_each_time_and_tells_its_history() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "7"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert "asks" in told[0]
    assert "Every promise was kept." in told[0]
