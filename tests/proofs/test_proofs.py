"""docs/proofs.md says what the record says, and nothing else."""

from __future__ import annotations

from tests.proofs import record
from tests.proofs.__main__ import PAGE
from tests.proofs.page import NOT_YET, known_seeds, page
from tests.simulation.mutants import MUTANTS


def test_the_page_is_what_the_record_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(record.read()), "Run: make proofs"


def test_every_deliberate_bug_is_in_the_record_and_was_found() -> None:
    found = known_seeds(record.read())
    assert set(found) == set(MUTANTS)
    assert all(seed is not None and seed <= 1000 for seed in found.values())


def test_what_has_no_figure_was_not_run() -> None:
    nothing = page([])
    for proof in ("simulated seeds", "kills", "power cuts", "attacks", "deliberate bugs"):
        assert f"| {proof} | {NOT_YET} |" in nothing
    cuts = page([{"proof": "power cuts", "date": "2026-01-01", "commit": "abc", "cuts": 200, "lost": 0}])
    assert "| power cuts | cuts 200 · lost 0 |" in cuts


def test_figures_of_runs_add_up() -> None:
    one = {
        "proof": "seeds",
        "date": "2026-01-01",
        "commit": "abc",
        "first": 1,
        "last": 100,
        "seeds": 100,
        "beside": 2,
        "broken": 0,
        "seconds": 10,
        "cores": 2,
        "counts": {"questions": 400, "crashes": 90, "calls cut": 7},
    }
    text = page([one, one | {"first": 101, "last": 200, "broken": 1}])
    assert "200 seeds, 1 complaints of the judges, in 20 s: 5.0 seeds/s a core · questions 800" in text
    assert "questions 800 · crashes 180 · calls cut 14 · calls refused 0" in text
    assert "lost 0 · asked twice 0 · answered twice 0" in text
    assert "| 2026-01-01 | abc | 101 to 200 | 1 | 10 | 2 | 10.0 | 2 |  |" in text


def test_what_parts_of_a_run_counted_is_added_up_and_times_are_not() -> None:
    parts: list[dict[str, object]] = [{"kills": 50, "restart_p50": 1.5, "note": "x"}, {"kills": 50, "restart_p50": 1.2}]
    assert record.together(parts) == {"kills": 100, "restart_p50": 1.5}


def test_the_last_run_of_each_attack_is_shown() -> None:
    figures = {"ack_p99_quiet": 6.0, "ack_p99": 23.0, "healthz_p99": 7.0, "answers_ratio": 0.9, "memory_mb": 96.0}
    entry = {"proof": "attacks", "kind": "bombs", "date": "2026-01-01", "commit": "abc", "refused": 0} | figures
    text = page([entry, entry | {"kind": "halves", "ack_p99": 30.0}, entry | {"ack_p99": 21.5}])
    assert "| attacks | 2 kinds · at most: ack p99 30 ms, healthz p99 7 ms, 96 MB |" in text
    assert "| bombs | abc | 6 | 21.5 | 7 | 0.9 | 96 | 0 |" in text
