"""How an answer looks in gull, as safe HTML; pure."""

from __future__ import annotations

from bot.events import Answer
from uppzy_gull.render import render


def preview(markdown: str) -> str:
    """Show what gull would show of an answer: one `article` a message."""
    buttons = '<footer><span class="button">👍</span> <span class="button">👎</span></footer>'
    parts = render(Answer(text=markdown, asker_id=""))
    return "".join(f'<article class="message">{part.body}{buttons if part.buttons else ""}</article>' for part in parts)
