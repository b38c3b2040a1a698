"""Lines of a text that was laid out for paper, made paragraphs again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final

_WIDE: Final = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"
_BETWEEN_WIDE: Final = re.compile(f"(?<=[{_WIDE}])\n(?=[{_WIDE}])")
_HYPHEN: Final = re.compile(r"(?<!\w)(\w+)[-‐\u00ad]\n(\w+)")
_WORD: Final = re.compile(r"\w+(?:[-‐]\w+)*")
NARROW: Final = 50
"""Lines that are all shorter than this were ended by whoever wrote them."""


class Joiner:
    """Joins lines. What a word looks like that was cut at the end of a line is learnt from the rest of the text.

    >>> Joiner("the long-term view").joined(["a long-", "term set-", "ting"])
    'a long-term setting'
    """

    def __init__(self, text: str) -> None:
        self._hyphenated = {
            word.replace("‐", "-").casefold() for word in _WORD.findall(text) if "-" in word or "‐" in word
        }

    def joined(self, lines: Sequence[str]) -> str:
        """The lines as one; blanks that only filled a line are taken out."""
        text = _BETWEEN_WIDE.sub("", "\n".join(lines)).replace("\ufffe", "-\n")
        return " ".join(_HYPHEN.sub(self._whole, text).replace("\u00ad", "").split())

    def paragraph(self, lines: Sequence[str], width: int = 0) -> str:
        """The lines as one where their ends were made by the width of the page, else as they are."""
        return self.joined(lines) if filled(lines, width) else "\n".join(lines)

    def _whole(self, cut: re.Match[str]) -> str:
        first, second = cut[1], cut[2]
        if not second[0].islower() or f"{first}-{second}".casefold() in self._hyphenated:
            return f"{first}-{second}"
        return first + second


def filled(lines: Sequence[str], width: int = 0) -> bool:
    """Whether lines end where the next word had no room; `width` in characters when it is known."""
    width = width or max(map(len, lines))
    wide = re.search(f"[{_WIDE}]", lines[0]) is not None
    if width < (NARROW // 2 if wide else NARROW):
        return False
    room = [
        len(line) + (1 if wide else 1 + len(following.split(maxsplit=1)[0])) > width - (3 if wide else 0)
        for line, following in itertools.pairwise(lines)
    ]
    return sum(room) >= 0.75 * len(room)
