"""Misspelt and run-together words, mended by the words that the documents use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

try:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    _FAST = True
except ImportError:  # an installation that is not whole: slower and a little worse
    _FAST = False

JOINTS = ("", "s", "n", "en", "es")
"""What stands between the parts of a compound in German and Dutch, beside nothing."""


class Vocabulary:
    """The words of a site's documents."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if len(word) >= 4 and not word.isdigit():
                self._by_letter.setdefault(word[0], []).append(word)

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def mend(self, word: str) -> str | None:
        """The word that was meant, None if none is near: one slip in a word of 5 letters or more, two from 10 on.

        The first letter is taken to be right. A word of 4 letters is only given the one it lacks: others are too easily
        mistaken.
        """
        if len(word) < 4 or word.isdigit():
            return None
        slips = 1 if len(word) < 10 else 2
        lacks = slips if len(word) > 4 else -1
        near = [other for other in self._by_letter.get(word[0], ()) if -slips <= len(word) - len(other) <= lacks]
        if not near:
            return None
        if _FAST:
            found = process.extractOne(word, near, scorer=OSA.distance, score_cutoff=slips)
            return None if found is None else str(found[0])
        close = difflib.get_close_matches(word, near, n=1, cutoff=0.8)
        return close[0] if close else None

    def parts(self, word: str) -> Sequence[str]:
        """The two words that were written as one ("driptray"); empty if there are none."""
        for cut in range(3, len(word) - 2):
            if word[cut:] not in self._words:
                continue
            for joint in JOINTS:
                first = word[: cut - len(joint)] if word[:cut].endswith(joint) else ""
                if len(first) >= 3 and first in self._words:
                    return first, word[cut:]
        return ()

    def around(self, word: str) -> list[str]:
        """Words that begin or end with a word of 5 letters or more; all are looked at."""
        if len(word) < 5:
            return []
        return [
            other
            for other in self._words
            if len(other) > len(word) + 2 and (other.startswith(word) or other.endswith(word))
        ]

    def relatives(self, word: str) -> list[str]:
        """Words with the same long beginning, for languages whose endings the stemmer does not know."""
        if len(word) < 5:
            return []
        size = max(4, min(len(word) - 1, round(len(word) * 0.7)))
        near = self._by_letter.get(word[0], ())
        return [other for other in near if other.startswith(word[:size]) and abs(len(other) - len(word)) <= 3][:5]
