"""The answers of `corpus/kinds.txt`, each with what a reader must have of it wherever it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tests.render.answers import OWN

_ANSWER: Final = re.compile(r"^=== (.+)\n", re.MULTILINE)
_SECTION: Final = re.compile(r"^--- (shown|code|links)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kind:
    """An answer. `shown`: its visible lines; `code`: pieces, byte for byte; `links`: all that may be opened."""

    name: str
    markdown: str
    shown: tuple[str, ...]
    code: tuple[str, ...]
    links: tuple[str, ...]


def kinds() -> list[Kind]:
    """Read the answers."""
    _, *pieces = _ANSWER.split((OWN / "kinds.txt").read_bytes().decode())
    return [_kind(name, body) for name, body in zip(pieces[::2], pieces[1::2], strict=True)]


def _kind(name: str, body: str) -> Kind:
    markdown, *rest = _SECTION.split(body)
    sections = [
        (title, text.removesuffix("\n\n").removesuffix("\n")) for title, text in zip(rest[::2], rest[1::2], strict=True)
    ]
    shown = [text for title, text in sections if title == "shown"] or [markdown.strip()]
    return Kind(
        name,
        markdown.removesuffix("\n"),
        tuple(line for text in shown for line in text.split("\n")),
        tuple(text for title, text in sections if title == "code"),
        tuple(line for title, text in sections if title == "links" for line in text.split("\n")),
    )
