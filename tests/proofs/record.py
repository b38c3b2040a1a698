"""The record of runs: docs/proofs.json, one entry a run. What makes a run adds its entry, nobody writes one by hand."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "proofs.json"

OF_TESTS = (
    "kills",
    "power cuts",
    "attacks",
    "objects walked",
    "seeds of several processes",
    "scenarios on PostgreSQL",
    "kills of several processes",
)
"""Proofs that are tests: what they pass to `record_property` under this name is added with BOT_RECORD=1; a name such as
`attacks: bombs` says which kind it was too."""

TIMED = ("p50", "p99", "most", "ratio", "memory")
"""What stands in the name of a figure that is not a count."""

Entry: TypeAlias = dict[str, Any]
"""A run: `proof` names what it is one of, `date` and `commit` when and of what; the rest are its figures."""


def read() -> list[Entry]:
    """Read all entries, oldest first."""
    entries: list[Entry] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []
    return entries


def add(proof: str, **figures: Any) -> None:
    """Add the entry of a run that has just been made."""
    entry = {"proof": proof, "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": commit(), **figures}
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in [*read(), entry])
    RECORD.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def together(figures: Iterable[Mapping[str, object]]) -> dict[str, float]:
    """Add up figures whatever their names; of those of time the largest counts, for they cannot be added."""
    sums: dict[str, float] = {}
    for one in figures:
        for name, number in one.items():
            if isinstance(number, int | float):
                timed = any(word in name for word in TIMED)
                sums[name] = round(max(sums.get(name, 0), number) if timed else sums.get(name, 0) + number, 1)
    return sums


def latest(proof: str) -> Entry | None:
    """Return the last run of a proof, None when there was none."""
    return next((one for one in reversed(read()) if one["proof"] == proof), None)


def commit() -> str:
    """Name the commit that is checked out, with a + when files differ from it."""
    head = _git("rev-parse", "--short=7", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no", "bot", "adapters", "tests") else "")


def _git(*words: str) -> str:
    told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip()
