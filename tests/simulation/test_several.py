"""Several processes on one store, simulated: every promise holds, whoever dies, freezes or hears nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.several import run_several


@pytest.mark.timeout(600)
def test_several_processes_keep_every_promise() -> None:
    for seed in range(15):
        report = run_several(seed)
        assert not report.verdict.wrong, report.story()


@pytest.mark.prove
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("part", range(10))
def test_several_processes_keep_every_promise_in_ten_thousand_seeds(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    figures: Counter[str] = Counter()
    broken = {}
    for seed in range(part * 1_000, part * 1_000 + 1_000):
        report = run_several(seed)
        figures += Counter(report.verdict.counts)
        figures["freezes"] += sum(len(one.frozen) for one in report.world.lives)
        if report.verdict.wrong:
            broken[seed] = report.verdict.wrong
    record_property(
        "seeds of several processes", {"seeds": 1_000, "broken": len(broken), **dict(sorted(figures.items()))}
    )
    assert not broken
