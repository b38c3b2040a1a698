"""Times, durations and shares as people read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bot.shared import long_span

UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def ago(stamp: str | None, now: float | None = None) -> str:
    """Say how long ago a time was that is written in ISO 8601; "" for none, the text itself for what is no time.

    >>> ago("2026-01-01T00:00:00Z", 1767225600 + 7500), ago("2026-01-01T00:00:00Z", 1767225600), ago(None), ago("soon")
    ('2 hours ago', 'just now', '', 'soon')
    """
    if not stamp:
        return ""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    passed = (time.time() if now is None else now) - (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    for size, name in UNITS:
        if abs(passed) >= size:
            count = int(abs(passed) // size)
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{words} ago" if passed > 0 else f"in {words}"
    return "just now"


def moment(stamp: str | None) -> str:
    """Write a time of ISO 8601 with the day and the second, in UTC; the text itself for what is no time.

    >>> moment("2026-01-01T09:08:07.123Z"), moment(None)
    ('2026-01-01 09:08:07 UTC', '–')
    """
    if not stamp:
        return "–"
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def took(begun: str | None, ended: str | None) -> str:
    """Say how long something took, from and to times of ISO 8601; "" where one is missing."""
    if not begun or not ended:
        return ""
    return duration((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())


def duration(seconds: float) -> str:
    """Write a duration as people say it.

    >>> [duration(s) for s in (0.0004, 0.1234, 4.26, 75, 3700, 200000)]
    ['under 1 ms', '123 ms', '4.3 s', '1 min 15 s', '1 h 1 min', '2 d 7 h']
    """
    if seconds < 0.001:
        return "under 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    return long_span(minutes)


def named(name: str) -> str:
    """Write the name of a field as words.

    >>> named("messages_per_month"), named("limits.maxDocuments")
    ('messages per month', 'limits: max documents')
    """
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").replace(".", ": ").strip()
