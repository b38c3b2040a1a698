"""The status page: what an operator wants to see first, made on the server, without a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import bot
from bot.telemetry.metrics import PREFIX, Metrics
from bot.web.charts import ChartLine, chart
from bot.web.health import State, Word
from bot.web.history import Minute
from bot.web.pieces import duration, number, pill, rows_of
from bot.web.processes import Process, processes_table
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
LATE = 300.0
"""Seconds after which an open question is shown as an alarm."""
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
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:.75rem}
.chart{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem;margin:0}
.chart figcaption{font-size:.875rem;color:var(--soft)}.chart .none{font-size:.875rem}
.chart svg{display:block;width:100%;height:5rem;margin:.4rem 0;border-bottom:1px solid var(--line)}
polyline{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.line0{stroke:var(--bar)}.line1{stroke:var(--warn)}
.legend{display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:.875rem}.legend b{color:var(--ink)}
.key0::before,.key1::before{content:"";display:inline-block;width:.7rem;height:.2rem;margin-right:.35rem;
vertical-align:middle;background:var(--bar)}.key1::before{background:var(--warn)}
ul{margin:0;padding-left:1.2rem}li{margin:.35rem 0;overflow-wrap:anywhere}li span{color:var(--soft);font-size:.875rem}
code{font-size:.875rem;background:var(--paper);border:1px solid var(--line);border-radius:.3rem;padding:.05rem .35rem}
.over{margin-bottom:1.25rem}
.troubles{background:var(--bad-bg);border-radius:.6rem;padding:.1rem 1rem .6rem;margin-bottom:1.25rem}
.troubles h2{margin:.7rem 0 .3rem;color:var(--bad)}.troubles li span{color:var(--ink)}
.wide:focus-visible,a:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.5rem 1rem;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
thead th{border-top:0}
th{font-weight:600;font-size:.875rem;color:var(--soft)}
.words{white-space:normal;text-align:left;min-width:8rem;overflow-wrap:anywhere}
@media(max-width:30rem){th,td{padding:.4rem .6rem}}
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


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is, or was, wrong: a sentence, what to run, and when it began (seconds ago) and for how long."""

    sentence: str
    command: str
    ago: float
    lasted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the app adds to what the metrics know. `channels`: (name, what is wrong there), for those turned on.

    `troubles`: what is wrong now, the worst first; `over`: what was wrong lately. `warnings`: what to look at, and what
    to do. `oldest`: the reference of the oldest open question, and its age in seconds. `processes`: all of them, where
    there are several. `open_turns` and `dead_letters` None: as the gauges say.
    """

    channels: Sequence[tuple[str, str]] = ()
    troubles: Sequence[Trouble] = ()
    over: Sequence[Trouble] = ()
    warnings: Sequence[tuple[str, str]] = ()
    oldest: tuple[str, float] | None = None
    processes: Sequence[Process] = ()
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
    minutes: Sequence[Minute] = (),
) -> str:
    """Make the page. `minutes`: the last hour."""
    saying = {"ok": "all is well", "degraded": "working, not all is well", "unavailable": f"not ready ({state})"}
    body = [
        f"<header><h1>uppzy-bot</h1>{pill(verdict, saying[verdict])}"
        f"<p>version {escape(bot.__version__)}, up for {duration(seconds_up)}</p></header>",
        _troubles(snapshot),
        _figures(snapshot, totals, rates),
        _charts(minutes),
        _checks(snapshot, words, metrics),
        _warnings(snapshot),
        processes_table(snapshot.processes),
        _table("Questions", "channel", OUTCOMES, _cells(metrics, "turns_total", "channel", "outcome")),
        _table("Questions by route", "route", OUTCOMES, _cells(metrics, "route_turns_total", "route", "outcome")),
        _ratings(metrics),
        _limits(metrics),
        "<footer>Counted since the start; rates over the last 5 minutes. "
        'The same as numbers: <a href="metrics">metrics</a>, <a href="readyz">readyz</a>.</footer>',
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>uppzy-bot</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )


def _troubles(snapshot: Snapshot) -> str:
    """What is wrong, with what to run; then what was."""
    found = []
    if snapshot.troubles:
        lines = "".join(
            f"<li>{escape(one.sentence)} <span>since {duration(one.ago)}</span> <code>{escape(one.command)}</code></li>"
            for one in snapshot.troubles
        )
        found.append(f'<section class="troubles"><h2>What needs you</h2><ul>{lines}</ul></section>')
    if snapshot.over:
        lines = "".join(
            f"<li>{escape(one.sentence)} <span>{duration(one.ago)} ago, for {duration(one.lasted)}</span></li>"
            for one in snapshot.over
        )
        found.append(f'<section class="over"><h2>Over</h2><ul>{lines}</ul></section>')
    return "".join(found)


def _warnings(snapshot: Snapshot) -> str:
    """What checks warn of: no trouble yet, or somebody waits for the operator."""
    cells = [tuple(map(escape, one)) for one in snapshot.warnings]
    return rows_of("To look at", ("what is wrong", "what to do"), cells) if cells else ""


def _charts(minutes: Sequence[Minute]) -> str:
    drawn = [
        chart(
            "From question to answer",
            [
                ChartLine("half", [None if one.turn is None else one.turn[0] for one in minutes]),
                ChartLine("95 of 100", [None if one.turn is None else one.turn[1] for one in minutes]),
            ],
            " s",
        ),
        chart(
            "The API's own time",
            [
                ChartLine("half", [None if one.completion is None else one.completion[0] for one in minutes]),
                ChartLine("95 of 100", [None if one.completion is None else one.completion[1] for one in minutes]),
            ],
            " s",
        ),
        chart(
            "Calls refused or failed, a minute",
            [ChartLine("429", [one.limited for one in minutes]), ChartLine("5xx", [one.failed for one in minutes])],
            "",
        ),
        chart("Questions ended, a minute", [ChartLine("questions", [one.questions for one in minutes])], ""),
    ]
    return f'<h2>The last hour</h2><section class="charts">{"".join(drawn)}</section>'


def _ratings(metrics: Metrics) -> str:
    """Ratings that reached the API, by channel, and the share of good ones."""
    found: dict[str, dict[str, float]] = {}
    for family in metrics.feedback_total.collect():
        for sample in family.samples:
            if sample.labels["outcome"] in ("submitted", "already_rated"):
                line = found.setdefault(sample.labels["channel"], {"good": 0.0, "bad": 0.0})
                line[sample.labels["rating"]] = line.get(sample.labels["rating"], 0.0) + sample.value
    rated = {name: line for name, line in found.items() if line["good"] + line["bad"]}
    if not rated:
        return ""
    rows = (
        (
            escape(name),
            number(line["good"]),
            number(line["bad"]),
            f"{line['good'] / (line['good'] + line['bad']):.0%}",
        )
        for name, line in sorted(rated.items())
    )
    return rows_of("Feedback", ("channel", "good", "bad", "good of all"), rows)


def _figures(snapshot: Snapshot, totals: Mapping[str, float], rates: Mapping[str, float] | None) -> str:
    turns = totals["open"] if snapshot.open_turns is None else snapshot.open_turns
    dead = totals["dead"] if snapshot.dead_letters is None else snapshot.dead_letters
    shown = [
        Figure(label="turns open", value=number(turns)),
        Figure(
            label="age of the oldest" if snapshot.oldest is None else f"age of the oldest, {snapshot.oldest[0]}",
            value="–" if snapshot.oldest is None else duration(snapshot.oldest[1]),
            alarm=snapshot.oldest is not None and snapshot.oldest[1] > LATE,
        ),
        Figure(label="dead letters", value=number(dead), alarm=dead > 0),
        Figure(label="questions a minute", value=_rate(rates, "questions")),
        Figure(label="API calls a minute", value=_rate(rates, "calls")),
        Figure(label="API calls answered 429", value=number(totals["rate_limited"])),
        Figure(label="API calls answered 5xx", value=number(totals["server_errors"])),
        Figure(label="questions sent once more", value=number(totals["resubmits"])),
        *snapshot.figures,
    ]
    cards = (
        f'<div class="figure{" alarm" if figure.alarm else ""}"><b>{escape(figure.value)}</b>'
        f"<span>{escape(figure.label)}</span></div>"
        for figure in shown
    )
    return f'<section class="figures">{"".join(cards)}</section>'


def _checks(snapshot: Snapshot, words: Mapping[str, Word], metrics: Metrics) -> str:
    engine, why = _engine(snapshot, metrics)
    words = {**words, "engine": engine}
    said = {**dict(snapshot.channels), "engine": why}
    names = list(dict.fromkeys((*words, *said)))
    rows = (
        (escape(name), pill(words[name], words[name]) if name in words else "", escape(said.get(name, "")))
        for name in names
    )
    return rows_of("Parts", ("part", "state", "what is wrong"), rows)


def _engine(snapshot: Snapshot, metrics: Metrics) -> tuple[Word, str]:
    """Say whether the engine keeps up with the questions, and why not."""
    full = metrics.registry.get_sample_value(f"{PREFIX}lanes_waiting", {"reason": "admission"}) or 0.0
    if full:
        return "degraded", f"More is asked than can be worked on at a time: {number(full)} wait for a place."
    if snapshot.oldest is not None and snapshot.oldest[1] > LATE:
        return "degraded", f"{snapshot.oldest[0]} is open for {duration(snapshot.oldest[1])}."
    return "ok", ""


def _table(title: str, first: str, columns: Sequence[str], cells: Mapping[str, Mapping[str, float]]) -> str:
    if not cells:
        return ""
    rows = ((escape(name), *(number(found.get(column, 0)) for column in columns)) for name, found in cells.items())
    return rows_of(title, (first, *(column.replace("_", " ") for column in columns)), rows)


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
    return rows_of("Limits of the tenant", ("limit", "share", "used"), rows)


def _cells(metrics: Metrics, name: str, row: str, column: str) -> dict[str, dict[str, float]]:
    cells: dict[str, dict[str, float]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.name == PREFIX + name:
                line = cells.setdefault(sample.labels[row], {})
                line[sample.labels[column]] = line.get(sample.labels[column], 0.0) + sample.value
    return dict(sorted(cells.items()))


def _rate(rates: Mapping[str, float] | None, name: str) -> str:
    return "–" if rates is None else f"{rates[name]:.1f}"
