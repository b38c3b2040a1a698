"""`feedback report` as a table of cells for a spreadsheet, and as a page with charts. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

COLUMNS: Final = (
    *("reference", "at", "channel", "route", "rating", "submitted", "held", "outcome", "session_id", "request_id"),
    *("question", "reasons"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""


def as_csv(entries: Sequence[Mapping[str, Any]]) -> str:
    """Write rated answers a row each; no cell can become a formula.

    >>> as_csv([{"reference": "A", "question": "=1+1", "reasons": ["-x", "y"]}]).splitlines()[1]
    "A,,,,,,,,,,'=1+1,'-x / y"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([safe(entry.get(column)) for column in COLUMNS])
    return out.getvalue()


def safe(value: object) -> str:
    """Write a cell; one that begins like a formula is quoted, so that it stays what people wrote.

    >>> safe("@SUM(A1)"), safe(" =1"), safe(None), safe(["a", "b"]), safe("5 - 3")
    ("'@SUM(A1)", "' =1", '', 'a / b', '5 - 3')
    """
    text = " / ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text


_STYLE = """
:root{color-scheme:light dark;--ink:#1d1c1a;--soft:#5f5c56;--line:#ddd8ce;--good:#14713f;--bad:#a3241c;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#eeebe4;--soft:#b0aca2;--line:#45423c;--good:#7ddba3;--bad:#ff9a90;
--paper:#1a1917}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1.25rem;color:var(--ink);
background:var(--paper)}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p,td span{color:var(--soft)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-top:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere}svg{width:100%;height:10rem}.good{fill:var(--good)}.bad{fill:var(--bad)}
.wide{overflow-x:auto}
""".strip()


def as_html(report: Mapping[str, Any], *, made_at: str) -> str:
    """Write a page that needs nothing else: ratings by week as bars, by channel and route, the worst questions."""
    weeks = "".join(
        f"<tr><td>{escape(one['week'])}</td><td>{escape(one['channel'])}</td><td>{escape(one['route'] or '–')}</td>"
        f"<td>{one['good']}</td><td>{one['bad']}</td><td>{_share(one)}</td></tr>"
        for one in report["weeks"]
    )
    worst = "".join(
        f"<tr><td>{escape(one['reference'])}</td><td>{escape(one['question'] or 'no longer kept')}</td>"
        f"<td>{'<br>'.join(escape(reason) for reason in one['reasons']) or '–'}</td></tr>"
        for one in report["worst"]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>How answers were rated</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>How answers were rated</h1>"
        f"<p>{report['answers']} rated answers; written {escape(made_at)}. This page holds people's words.</p>"
        f"<h2>By week</h2>{_bars(report['weeks'])}"
        + _table(("week", "channel", "route", "good", "bad", "good of all"), weeks, "By week")
        + "<h2>Rated bad, the newest first</h2>"
        + _table(("reference", "question", "why"), worst, "Rated bad")
        + "</main></body></html>"
    )


def _table(head: Sequence[str], rows: str, label: str) -> str:
    if not rows:
        return "<p>Nothing yet.</p>"
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _bars(weeks: Sequence[Mapping[str, Any]]) -> str:
    """Two bars a week, all channels together: good above, bad below the middle."""
    summed: dict[str, list[int]] = {}
    for one in weeks:
        line = summed.setdefault(one["week"], [0, 0])
        line[0] += one["good"]
        line[1] += one["bad"]
    if not summed:
        return ""
    top = max(max(line) for line in summed.values()) or 1
    width = 300 / len(summed)
    drawn, said = [], []
    for number, (week, (good, bad)) in enumerate(sorted(summed.items())):
        x, wide = number * width + width * 0.1, width * 0.8
        up, down = good / top * 48, bad / top * 48
        at = f'x="{x:.1f}" width="{wide:.1f}"'
        drawn.append(f'<rect class="good" {at} y="{50 - up:.1f}" height="{up:.1f}"/>')
        drawn.append(f'<rect class="bad" {at} y="50" height="{down:.1f}"/>')
        said.append(f"{week}: {good} good, {bad} bad")
    return (
        '<svg viewBox="0 0 300 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Ratings by week. {escape("; ".join(said))}.">{"".join(drawn)}</svg>'
    )


def _share(one: Mapping[str, Any]) -> str:
    return f"{one['good'] / (one['good'] + one['bad']):.0%}" if one["good"] + one["bad"] else "–"
