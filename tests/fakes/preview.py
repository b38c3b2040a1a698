"""How an answer looks in the channel in memory: as text."""

from __future__ import annotations

import html


def preview(markdown: str) -> str:
    """Show it, escaped."""
    return f"<article>{html.escape(markdown)}</article>"
