"""The comparison: its order, its verdict, and that a run measures the checkout that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import compare

TINY = compare.Kind("sustained", {"turns": 20, "sessions": 10, "delay": 0.05}, ("cpu_ms_per_turn", "turns_per_second"))


def test_the_sides_take_turns() -> None:
    flat = [side for pair in compare.order(4) for side in pair]
    assert "".join(flat) == "ABBAABBA"


@pytest.mark.parametrize(
    ("figure", "ratios", "verdict"),
    [
        ("cpu_ms_per_turn", [0.97, 1.02, 0.99], "equal (inside the spread)"),
        ("cpu_ms_per_turn", [1.0, 1.2], "equal (inside the spread)"),
        ("cpu_ms_per_turn", [0.7, 0.9], "better"),
        ("cpu_ms_per_turn", [1.01, 1.2], "worse"),
        ("turns_per_second", [0.7, 0.9], "worse"),
        ("turns_per_second", [1.01, 1.2], "better"),
    ],
)
def test_the_verdict(figure: str, ratios: list[float], verdict: str) -> None:
    assert compare.verdict(figure, ratios) == verdict


def test_rows_are_medians_of_pairs() -> None:
    pairs = [({"rss_mb": 1.0}, {"rss_mb": 2.0}), ({"rss_mb": 3.0}, {"rss_mb": 3.0}), ({"rss_mb": 8.0}, {"rss_mb": 2.0})]
    (row,) = compare.rows(compare.Kind("sustained", {}, ("rss_mb", "not_there")), pairs)
    assert (row.this, row.other, row.ratio, row.lowest, row.highest) == (3.0, 2.0, 1.0, 0.5, 4.0)
    assert "rss_mb" in compare.table([row])


def test_a_run_of_this_checkout() -> None:
    figures = compare.run(compare.ROOT, TINY)
    assert figures["submits"] == 20
    assert set(TINY.figures) <= figures.keys()


def test_statements_are_counted() -> None:
    paced = compare.Kind("paced", {"per_second": 20.0, "seconds": 0.5}, ())
    assert compare.run(compare.ROOT, paced, counted=True)["statements_per_turn"] > 5


def test_a_run_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(compare.RunError, match="sustained failed"):
        compare.run(compare.ROOT, compare.Kind("sustained", {"nothing": 1}, ()))
    with pytest.raises(compare.RunError):
        compare.run(tmp_path, TINY)
