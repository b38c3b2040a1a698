"""What people did before the process died, case by case, and what must have come of it after an upgrade.

A question is `case NAME`, its answer `answer to NAME`; most cases have a channel of their own, so that none waits for
another one's held call.
"""

from __future__ import annotations

from typing import Final

PLACES: Final = {
    "rated": "C1",
    "failing": "C2",
    "closing": "D1",
    "polling": "CP",
    "queued": "CP",
    "settling": "CS",
    "asked, no word of it": "CA",
    "intent, not sent": "CI",
    "sent, no word of it": "CW",
    "long, part 1 sent": "CL",
    "refused for now": "CR",
    "behind the gate": "CG",
    "edited too early": "D2",
}
"""Where each case is asked."""

LONG: Final = "\n\n".join(f"Paragraph {n}: " + "word " * 180 + f"end-{n}." for n in range(33))
"""About 30,000 characters: three messages in Slack."""
PARAGRAPHS: Final = 33

EDITED: Final = "case edited in time"
"""The words of `edited too early` after an edit that came before its message."""
EARLY_CHANGES_SINCE: Final = 2
"""The schema from which an edit waits for a message that it has overtaken."""


def words(case: str) -> str:
    """What is asked."""
    return f"case {case}"


def answer(case: str) -> str:
    """What the API answers."""
    return LONG if case.startswith("long") else f"answer to {case}"
