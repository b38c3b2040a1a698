"""The core's figures, each from a process of its own; `make bench` prints them, nothing is judged by time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import load


def measured(kind: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", kind, str(folder)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def show(kind: str, figures: dict[str, Any]) -> None:
    print(f"\n{kind}: " + " · ".join(f"{name} {value:,.2f}" for name, value in figures.items()))


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["idle", "paced", "counted", "waiting"])
def test_figures(kind: str, tmp_path: Path) -> None:
    show(kind, measured(kind, tmp_path))


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_durable_beside_bare(tmp_path: Path) -> None:
    """The same turn with and without durability, in turn, three times: the ratio holds when the machine drifts."""
    ratios = []
    for n in range(3):
        (folder := tmp_path / str(n)).mkdir()
        durable, bare = measured("sustained", folder), measured("bare", folder)
        show("sustained", durable)
        show("bare", bare)
        ratios.append(durable["cpu_ms_per_turn"] / bare["cpu_ms_per_turn"])
    print("CPU per turn, durable ÷ bare:", " · ".join(f"{ratio:.2f}" for ratio in sorted(ratios)))


async def test_the_harness_counts_every_turn(tmp_path: Path) -> None:
    figures = await load.sustained(tmp_path, turns=40, sessions=20, delay=0.05)
    assert figures["submits"] == 40
