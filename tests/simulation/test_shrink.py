"""A failing seed becomes small, is told so that anybody understands it, and hunts write down what they find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs import record
from tests.proofs.page import known_seeds
from tests.simulation import hunt
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run
from tests.simulation.shrink import shrink

SMALLER = 4
"""How many times fewer unusual decisions are left at least."""


def test_a_failing_seed_is_shrunk_and_told() -> None:
    seed = known_seeds(record.read())["failures_not_told"]
    assert seed is not None
    with MUTANTS["failures_not_told"].put_in():
        small = shrink(seed)
        assert small.after.kinds & small.before.kinds
        assert small.before.crowd["unusual"] >= SMALLER * small.after.crowd["unusual"]
        assert small.after.crowd["questions"] == 1
        # What is left is needed, and is all that is needed.
        kept = list(small.after.luck.unusual)
        for name in kept:
            assert not run(seed, kept=frozenset(kept) - {name}).kinds & small.before.kinds
    story = small.after.story()
    assert "asks q" in story
    assert "The bot has stored and acknowledges: q" in story
    assert story.endswith("ended with nothing to be seen.")
    assert "What has to come together:" in small.summary()


def test_a_seed_that_keeps_its_promises_is_not_shrunk() -> None:
    with pytest.raises(ValueError, match="Seed 7 breaks no promise"):
        shrink(7)


def test_a_hunt_writes_what_it_finds_and_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunt, "TOGETHER", 2)
    first = hunt.hunt(0.0, 1, tmp_path, 11)
    second = hunt.hunt(0.0, 1, tmp_path)
    assert (first.seeds, first.broken, second.first) == (first.after - 11, [], first.after)
    assert len(list(tmp_path.glob("*/summary.json"))) == 2
    bag = hunt.Bag(5, 6, 1, "")
    hunt._note(bag, 5, tmp_path, "One story.\n")
    hunt._note(bag, 5, tmp_path, "Another.\n")
    assert (tmp_path / "seed-5.txt").read_text(encoding="utf-8") == "One story.\nAnother.\n"
    assert bag.broken == [5]
