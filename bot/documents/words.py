"""The words of passages as people write them, with how often each occurs. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

KANA: Final = "\u3041-\u309f\u30a0-\u30ff\u31f0-\u31ff"
HAN: Final = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
HANGUL: Final = "\u1100-\u11ff\uac00-\ud7af"
_WORD: Final = re.compile(rf"[^\W_{KANA}{HAN}{HANGUL}]+")
"""Scripts without blanks have no words that could be misspelt."""
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
"""The same where nothing else occurs, in half the time."""


def counted(texts: Iterable[str]) -> dict[str, int]:
    """How often each word of 2 to 40 letters and digits occurs.

    >>> counted(["A ferry to Föhr.", "The ferry!"])
    {'ferry': 2, 'to': 1, 'föhr': 1, 'the': 1}
    """
    text = "\n".join(texts).lower()
    counts = Counter((_ASCII_WORD if text.isascii() else _WORD).findall(text))
    return {word: n for word, n in counts.items() if 2 <= len(word) <= 40}
