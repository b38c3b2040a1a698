"""`python -m tests.simulation.shrink_bugs NAME …`: deliberate bugs, each shrunk from its first seed, for the record."""

from __future__ import annotations

import sys

from tests.proofs import record
from tests.proofs.page import known_seeds
from tests.simulation.mutants import MUTANTS
from tests.simulation.shrink import Shrunk, shrink


def shrink_bug(name: str, seed: int) -> Shrunk:
    """Shrink the seed that finds a deliberate bug."""
    with MUTANTS[name].put_in():
        return shrink(seed)


def main() -> int:
    """Shrink each, print it, and add before, after and the story to the record."""
    known = known_seeds(record.read())
    for name in sys.argv[1:]:
        seed = known[name]
        assert seed is not None
        small = shrink_bug(name, seed)
        print(f"--- {name}\n{small.summary()}\n{small.after.story()}\n", flush=True)
        story = [*small.after.story().split("\n")]
        record.add(
            "shrunk",
            bug=name,
            seed=seed,
            runs=small.runs,
            before=small.before.crowd,
            after=small.after.crowd,
            story=story[story.index("What happened:") + 1 :],
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
