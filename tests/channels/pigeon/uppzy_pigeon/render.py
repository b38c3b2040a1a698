"""Outbounds as plain text of the length that pigeon carries; pure, and the plain form is the same."""

from __future__ import annotations

import textwrap
from typing import Final

from bot.adapter import NOTE_UNITS
from bot.events import Answer, Home, Notice, Outbound
from bot.render import is_blank, noted, parse, plain
from uppzy_pigeon.parts import PigeonPart

PART_SIZE: Final = 1_600 - NOTE_UNITS - 1
"""Characters in a message; pigeon carries 1,600, and there is room for a note."""


def render(outbound: Outbound) -> list[PigeonPart]:
    """Render into parts of at most `PART_SIZE` characters."""
    text = "Ask a question." if isinstance(outbound, Home) else outbound.text
    if not (isinstance(outbound, Notice) and outbound.kind == "question"):
        text = plain(noted(parse(text), outbound.notes if isinstance(outbound, Answer) else ()))
    pieces = textwrap.wrap(text, PART_SIZE, expand_tabs=False, replace_whitespace=False, break_on_hyphens=False)
    return [PigeonPart(text=piece) for piece in pieces if not is_blank(piece)] or [PigeonPart(text="(no text)")]
