"""How an answer looks on the playground's page, as safe HTML; pure."""

from __future__ import annotations

from typing import Final

from adapters.playground.parts import PlaygroundPart
from adapters.playground.render import render
from bot.events import Answer

_BUTTONS: Final = '<footer><span class="button">Helpful</span> <span class="button">Not helpful</span></footer>'


def preview(markdown: str) -> str:
    """Show what the page would show of an answer: one `article` a message."""
    return "".join(map(_article, render(Answer(text=markdown, asker_id=""))))


def _article(part: PlaygroundPart) -> str:
    return f'<article class="message">{part.html}{_BUTTONS if part.buttons else ""}</article>'
