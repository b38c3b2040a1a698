"""Words that mean nearly the same, from a file that people may extend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.text import words
from bot.assistant.retrieval.typos import Vocabulary

Phrase = tuple[str, ...]
"""Stems in their order; most are one word."""
LONGEST = 4
"""Words of the longest phrase that is looked for."""


class Synonyms:
    """Groups of phrases by each of their members."""

    def __init__(self, stemmer: Stemmer, texts: Iterable[str]) -> None:
        self._groups: dict[Phrase, set[Phrase]] = {}
        self.words: set[str] = set()
        lines = [line.partition("#")[0] for text in texts for line in text.splitlines()]
        stemmer.stems(word for line in lines for word in words(line))  # all at once: one by one takes long
        for line in lines:
            self._take(stemmer, line)
        self.vocabulary = Vocabulary(self.words)

    def _take(self, stemmer: Stemmer, line: str) -> None:
        members: set[Phrase] = set()
        for part in line.split(","):
            folded = words(part)
            self.words.update(folded)
            phrase = tuple(stemmer.stems(folded))
            if 1 <= len(phrase) <= LONGEST:
                members.add(phrase)
        for phrase in members:
            self._groups.setdefault(phrase, set()).update(members - {phrase})

    def of(self, phrase: Phrase) -> frozenset[Phrase]:
        """What means nearly the same as a phrase of stems."""
        return frozenset(self._groups.get(phrase, ()))


def built_in() -> str:
    """The synonyms that come with the package."""
    return (Path(__file__).parent / "synonyms.txt").read_text(encoding="utf-8")
