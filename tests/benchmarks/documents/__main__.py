"""Measure the embedded assistant on documents that nobody here wrote, and show the table beside the committed one.

make bench-documents ARGS="--half tune faq man"     with every question that went wrong
make bench-documents                                totals of both halves
make bench-documents ARGS=--write                   … which become the table that later ones are shown beside
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.documents.fetch import COLLECTIONS, fetch
from tests.benchmarks.documents.measure import Judged, Totals, details, totals
from tests.benchmarks.documents.questions import HALVES, Half, Verdict

BASELINE: Final = Path(__file__).parent / "baseline.json"
"""Totals by half and collection, of the code before the work on retrieval began."""
Table = dict[str, Totals]
WIDTHS: Final = (16, 12, 12, 16, 12)


def baseline() -> dict[str, Table]:
    """Read the committed totals: half → collection → totals."""
    stored = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    return {half: {name: Totals(**counts) for name, counts in table.items()} for half, table in stored.items()}


def show(half: str, now: Table, before: Table) -> list[str]:
    """Lay a half's table out as lines; what stood before is in brackets."""
    heads = "".join(f"{verdict!s:>{width}}" for verdict, width in zip(Verdict, WIDTHS, strict=True))
    lines = [f"{half + ' half':<12}{heads}"]
    rows = [*now.items(), ("all", _sum(now.values()))]
    old = {**before, "all": _sum(before[name] for name in now if name in before)} if before else {}
    for name, counts in rows:
        cells = [
            f"{_cell(str(verdict), counts, old.get(name)):>{width}}"
            for verdict, width in zip(Verdict, WIDTHS, strict=True)
        ]
        lines.append(f"{name:<12}{''.join(cells)}")
    whole = rows[-1][1]
    lines.append(
        f"right {whole.right / max(whole.answerable, 1):.1%}, unanswerable refused "
        f"{whole.refused / max(whole.unanswerable, 1):.1%}, confidently wrong "
        f"{(whole.wrong + whole.guessed) / max(whole.answerable + whole.unanswerable, 1):.1%}"
    )
    return lines


def _sum(tables: Iterable[Totals]) -> Totals:
    return sum(tables, Totals())


def _cell(verdict: str, now: Totals, was: Totals | None) -> str:
    of = {Verdict.RIGHT: f"/{now.answerable}", Verdict.REFUSED: f"/{now.unanswerable}"}.get(Verdict(verdict), "")
    return f"{getattr(now, verdict)}{of}" + ("" if was is None else f" ({getattr(was, verdict)})")


def _explain(name: str, judged: Iterable[Judged]) -> list[str]:
    good = (Verdict.RIGHT, Verdict.REFUSED)
    return [
        f"{name}: {one.verdict}: {one.question.ask}\n"
        f"    expected {one.question.expect or 'I do not know'}\n    got {one.answer!r}"
        for one in judged
        if one.verdict not in good
    ]


async def _run(half: Half, names: list[str]) -> Table:
    return {name: await totals(name, fetch(name)[0], half) for name in names}


async def _tune(names: list[str]) -> Table:
    table = {}
    for name in names:
        judged = await details(name, fetch(name)[0])
        print("\n".join(_explain(name, judged)))
        table[name] = Totals(**{str(v): sum(one.verdict is v for one in judged) for v in Verdict})
    return table


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="make bench-documents")
    parser.add_argument("collections", nargs="*", metavar="COLLECTION", help=", ".join(COLLECTIONS))
    parser.add_argument("--half", choices=HALVES, help="both without it; tune shows what went wrong")
    parser.add_argument("--write", action="store_true", help="keep the totals as the ones to compare with")
    options = parser.parse_args()
    names = options.collections or list(COLLECTIONS)
    before = baseline()
    now: dict[str, Table] = {}
    for half in (options.half,) if options.half else HALVES:
        now[half] = asyncio.run(_tune(names) if options.half == "tune" else _run(half, names))
        print("\n".join(show(half, now[half], before.get(half, {}))))
    if options.write:
        kept = {half: before.get(half, {}) | now.get(half, {}) for half in HALVES}
        rows = {half: {name: asdict(counts) for name, counts in table.items()} for half, table in kept.items()}
        BASELINE.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
