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
