"""The status page: what an operator wants to see first, made on the server, without a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import bot
from bot.telemetry.metrics import PREFIX, Metrics
from bot.web.health import State, Word
from bot.web.rates import totals

COUNTED: Mapping[str, Mapping[str, str]] = {
    "questions": {"": f"{PREFIX}turns_total"},
    "answered": {"": f"{PREFIX}turns_total", "outcome": "answered"},
    "failed": {"": f"{PREFIX}turns_total", "outcome": "failed"},
    "calls": {"": f"{PREFIX}api_requests_total"},
    "rate_limited": {"": f"{PREFIX}api_requests_total", "status": "429"},
    "server_errors": {"": f"{PREFIX}api_requests_total", "status": "5*"},
    "resubmits": {"": f"{PREFIX}api_retries_total", "reason": "unknown"},
    "open": {"": f"{PREFIX}turns_in_flight"},
    "dead": {"": f"{PREFIX}dead_letters"},
}
OUTCOMES = ("answered", "failed", "refused", "cancelled", "superseded", "limited")
RATINGS = ("submitted", "already_rated", "retracted", "failed")

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d1c1a;--soft:#6b6862;--line:#e6e2da;
--ok:#14713f;--ok-bg:#e2f3e8;--warn:#8a5a00;--warn-bg:#fdf0d0;--bad:#a3241c;--bad-bg:#fbe4e1;--bar:#3d63c9}
@media(prefers-color-scheme:dark){:root{--paper:#161513;--card:#1f1e1b;--ink:#eeebe4;--soft:#a29e94;--line:#35332e;
--ok:#7ddba3;--ok-bg:#17331f;--warn:#f2c14e;--warn-bg:#3a2d0c;--bad:#ff9a90;--bad-bg:#43191a;--bar:#8aa8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 3rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;margin-bottom:1.5rem}
h1{font-size:1.5rem;margin:0;letter-spacing:-.01em}
h2{font-size:1rem;margin:2.25rem 0 .6rem}
p{margin:.2rem 0;color:var(--soft)}
.pill{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-size:.875rem;font-weight:600;white-space:nowrap}
.ok{color:var(--ok);background:var(--ok-bg)}.degraded{color:var(--warn);background:var(--warn-bg)}
.unavailable{color:var(--bad);background:var(--bad-bg)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem}
.figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
.figure b{display:block;font-size:1.6rem;line-height:1.25;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.figure span{color:var(--soft);font-size:.875rem}
.figure.alarm b{color:var(--bad)}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.5rem 1rem;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
tr:first-child>*{border-top:0}
th{font-weight:600;font-size:.875rem;color:var(--soft)}
th:first-child,td:first-child{text-align:left}td:first-child{color:var(--ink)}
meter{width:100%;min-width:8rem;height:.8rem;vertical-align:middle}
footer{margin-top:2.5rem;color:var(--soft);font-size:.875rem}
a{color:inherit}
""".strip()
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure on the page; `alarm` shows that somebody should look."""

    label: str
    value: str
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the app adds to what the metrics know. `channels`: (name, who it speaks as), for those turned on.

    `open_turns` and `dead_letters` None: as the gauges say.
    """

    channels: Sequence[tuple[str, str]] = ()
    open_turns: int | None = None
    dead_letters: int | None = None
    figures: Sequence[Figure] = ()


def counted(metrics: Metrics) -> dict[str, float]:
    """The totals that the page shows, and makes its rates from."""
    return totals(metrics.registry, COUNTED)


def page(
    snapshot: Snapshot,
    *,
    words: Mapping[str, Word],
    verdict: Word,
    state: State,
    seconds_up: float,
    totals: Mapping[str, float],
    rates: Mapping[str, float] | None,
    metrics: Metrics,
) -> str:
    """Make the page."""
    saying = {"ok": "all is well", "degraded": "working, not all is well", "unavailable": f"not ready ({state})"}
    body = [
        f"<header><h1>uppzy-bot</h1>{_pill(verdict, saying[verdict])}"
        f"<p>version {escape(bot.__version__)}, up for {_duration(seconds_up)}</p></header>",
        _figures(snapshot, totals, rates),
        _checks(snapshot, words),
        _table("Questions", "channel", OUTCOMES, _cells(metrics, "turns_total", "channel", "outcome")),
        _table("Feedback", "rating", RATINGS, _cells(metrics, "feedback_total", "rating", "outcome")),
        _limits(metrics),
        "<footer>Counted since the start; rates over the last 5 minutes. "
        'The same as numbers: <a href="metrics">metrics</a>, <a href="readyz">readyz</a>.</footer>',
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>uppzy-bot</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )


def _pill(word: Word, text: str) -> str:
    return f'<span class="pill {word}">{escape(text)}</span>'


def _figures(snapshot: Snapshot, totals: Mapping[str, float], rates: Mapping[str, float] | None) -> str:
    turns = totals["open"] if snapshot.open_turns is None else snapshot.open_turns
    dead = totals["dead"] if snapshot.dead_letters is None else snapshot.dead_letters
    shown = [
        Figure(label="turns open", value=_number(turns)),
        Figure(label="dead letters", value=_number(dead), alarm=dead > 0),
        Figure(label="questions a minute", value=_rate(rates, "questions")),
        Figure(label="API calls a minute", value=_rate(rates, "calls")),
        Figure(label="API calls answered 429", value=_number(totals["rate_limited"])),
        Figure(label="API calls answered 5xx", value=_number(totals["server_errors"])),
        Figure(label="questions sent once more", value=_number(totals["resubmits"])),
        *snapshot.figures,
    ]
    cards = (
        f'<div class="figure{" alarm" if figure.alarm else ""}"><b>{escape(figure.value)}</b>'
        f"<span>{escape(figure.label)}</span></div>"
        for figure in shown
    )
    return f'<section class="figures">{"".join(cards)}</section>'


def _checks(snapshot: Snapshot, words: Mapping[str, Word]) -> str:
    speaks_as = dict(snapshot.channels)
    names = list(dict.fromkeys((*words, *speaks_as)))
    if not names:
        return ""
    rows = (
        (escape(name), _pill(words[name], words[name]) if name in words else "", escape(speaks_as.get(name, "")))
        for name in names
    )
    return _rows("Parts", ("part", "state", "speaks as"), rows)


def _table(title: str, first: str, columns: Sequence[str], cells: Mapping[str, Mapping[str, float]]) -> str:
    if not cells:
        return ""
    rows = ((escape(name), *(_number(found.get(column, 0)) for column in columns)) for name, found in cells.items())
    return _rows(title, (first, *(column.replace("_", " ") for column in columns)), rows)


def _limits(metrics: Metrics) -> str:
    found = sorted(
        (sample.labels["limit"], sample.value)
        for family in metrics.api_limit_used_ratio.collect()
        for sample in family.samples
    )
    if not found:
        return ""
    rows = (
        (
            escape(name.replace("_", " ")),
            f'<meter min="0" max="1" high="0.8" optimum="0" value="{ratio:.3f}"></meter>',
            f"{ratio:.0%}",
        )
        for name, ratio in found
    )
    return _rows("Limits of the tenant", ("limit", "", "used"), rows)


def _rows(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are HTML already."""
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return f'<h2>{escape(title)}</h2><div class="wide"><table><tr>{heads}</tr>{lines}</table></div>'


def _cells(metrics: Metrics, name: str, row: str, column: str) -> dict[str, dict[str, float]]:
    cells: dict[str, dict[str, float]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.name == PREFIX + name:
                line = cells.setdefault(sample.labels[row], {})
                line[sample.labels[column]] = line.get(sample.labels[column], 0.0) + sample.value
    return dict(sorted(cells.items()))


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")


def _rate(rates: Mapping[str, float] | None, name: str) -> str:
    return "–" if rates is None else f"{rates[name]:.1f}"


def _duration(seconds: float) -> str:
    """Write a time span in its two largest units.

    >>> _duration(59), _duration(3700), _duration(200000)
    ('0 min', '1 h 1 min', '2 d 7 h')
    """
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
