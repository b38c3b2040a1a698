"""What traces cost a turn, in seven interleaved pairs; off they cost nothing, which `make bench-compare` shows."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from tests.benchmarks import load
from tests.benchmarks.compare import ENOUGH, ROOT, Kind, order, run

OPTIONS = {"turns": 1500, "sessions": 300, "delay": 0.2}
KINDS = {"A": Kind("traced", OPTIONS, ()), "B": Kind("sustained", OPTIONS, ())}


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_figures_of_traces() -> None:
    costs = []
    for turn in order(ENOUGH):
        used = {side: run(ROOT, KINDS[side])["cpu_ms_per_turn"] for side in turn}
        costs.append(used["A"] - used["B"])
    print("\nCPU of traces a turn, ms:", " · ".join(f"{cost:.3f}" for cost in sorted(costs)))
    print(f"median {statistics.median(costs):.3f} ms")


async def test_the_harness_traces_what_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_BSP_SCHEDULE_DELAY"):
        monkeypatch.setenv(name, "")  # put back at the end
    assert (await load.traced(tmp_path, turns=20, sessions=10, delay=0.05))["submits"] == 20
