"""Pieces of HTML that the status page is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from bot.shared import long_span
from bot.web.health import Word


def pill(word: Word, text: str) -> str:
    """Make a word with its colour."""
    return f'<span class="pill {word}">{escape(text)}</span>'


def rows_of(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are HTML already."""
    kinds = [' class="words"' if name in ("what is wrong", "what to do") else "" for name in head]
    lines = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    heads = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for kind, name in zip(kinds, head, strict=True))
    return (
        f'<h2>{escape(title)}</h2><div class="wide" role="region" aria-label="{escape(title)}" tabindex="0">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def duration(seconds: float) -> str:
    """Write a time span in its two largest units.

    >>> duration(59), duration(100), duration(3700), duration(200000)
    ('59 s', '1 min', '1 h 1 min', '2 d 7 h')
    """
    minutes = int(seconds // 60)
    if not minutes:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return long_span(minutes)


def number(value: float) -> str:
    """Write a whole number."""
    return f"{value:,.0f}".replace(",", "\u202f")
