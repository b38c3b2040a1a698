"""How much formatting one answer may have, so that none takes long, whoever wrote it.

What is counted is what costs: marks of emphasis, cells of tables, levels of nesting. Two hundred thousand characters of
an ordinary answer have a fraction of each; beyond it an answer is shown as it was written (`TooMuch`).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

DELIMITERS: Final = 20_000
"""Marks of emphasis; a million tokens otherwise."""
CELLS: Final = 20_000
"""Cells of all tables together; some microseconds and half a kilobyte each."""
NESTING: Final = 100
"""Levels of quotes, lists and their items. Each costs some frames of Python's stack of a thousand."""
LIMITS: Final = {"delimiters": DELIMITERS, "cells": CELLS}


class TooMuch(Exception):  # not an error: how the parser is left
    """The answer has more of something than is worth formatting."""


def spend(env: MutableMapping[str, Any], what: str, amount: int) -> None:
    """Count something of an answer that is being parsed.

    Raises:
        TooMuch: there were too many of it.
    """
    env[what] = spent = env.get(what, 0) + amount
    if spent > LIMITS[what]:
        raise TooMuch(what)
