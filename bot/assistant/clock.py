"""Times as the wire and the database have them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Now, as the database stores it: ISO 8601 in UTC with milliseconds."""
    return stamp(datetime.now(UTC).timestamp())


def stamp(seconds: float) -> str:
    """Seconds since the epoch in the same form."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(text: str) -> datetime:
    """A stored time."""
    return datetime.fromisoformat(text)


def day() -> str:
    """Today in UTC."""
    return now()[:10]
