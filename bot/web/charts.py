"""Small charts as SVG, made on the server: no script, colours from the page's style, a sentence for who cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 300, 80
DOT = 3
"""How long a line of a single value is."""


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One line of a chart: its name and a value for each minute, None for none."""

    name: str
    values: Sequence[float | None]


def chart(title: str, lines: Sequence[ChartLine], unit: str) -> str:
    """Draw lines over the last hour; the newest value is at the right."""
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return (
            f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
            '<p class="none">Nothing yet; a point a minute.</p></figure>'
        )
    top = max(known) or 1.0
    drawn = "".join(
        f'<polyline class="line{number}" points="{points}"/>'
        for number, line in enumerate(lines)
        for points in _pieces(line.values, top)
    )
    said = "; ".join(f"{line.name} {_newest(line.values)}{unit}" for line in lines)
    legend = "".join(
        f'<span class="key{number}">{escape(line.name)} <b>{_newest(line.values)}{unit}</b></span>'
        for number, line in enumerate(lines)
    )
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}, last hour. Now: {escape(said)}; at most {_written(top)}{unit}.">{drawn}</svg>'
        f'<p class="legend">{legend}<span>at most {_written(top)}{unit}</span></p></figure>'
    )


def _pieces(values: Sequence[float | None], top: float) -> list[str]:
    """The points of a line; where there is no value it is broken. A single value is drawn as a short line."""
    step = WIDTH / 59
    start = WIDTH - step * (len(values) - 1)
    pieces: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        x, y = start + number * step, HEIGHT - 3 - value / top * (HEIGHT - 8)
        pieces[-1].append(f"{x:.1f},{y:.1f}")
        if len(pieces[-1]) == 1:
            pieces[-1] = [f"{min(x, WIDTH - DOT):.1f},{y:.1f}", f"{min(x + DOT, WIDTH):.1f},{y:.1f}"]
    return [" ".join(piece) for piece in pieces if piece]


def _newest(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return _written(known[-1]) if known else "–"


def _written(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"
