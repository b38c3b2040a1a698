"""Words of one stem in languages other than English, by Snowball: the index itself knows English endings only."""

from __future__ import annotations

import threading
from typing import Any, Final

import Stemmer as Snowball

from bot.assistant.retrieval.typos import Vocabulary

LANGUAGES: Final = {
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "tr": "turkish",
}


COMPOUNDING: Final = frozenset({"de", "nl"})
MOST: Final = 12
"""Compounds that stand for a part of theirs; a word with more of them says too little."""
_stemmers: Final[dict[str, Any]] = {}
_lock: Final = threading.Lock()  # a stemmer of Snowball keeps state


def snowball(word: str, language: str) -> str:
    """The stem of a word of a language; itself when there is no stemmer for it."""
    return stems([word], language)[0]


def stems(words: list[str], language: str) -> list[str]:
    """The stems of words of a language; themselves when there is no stemmer for it."""
    if language not in LANGUAGES:
        return words
    with _lock:
        if language not in _stemmers:
            _stemmers[language] = Snowball.Stemmer(LANGUAGES[language])
        found: list[str] = _stemmers[language].stemWords(words)
    return found


class Families:
    """The words of a vocabulary, gathered by their stem; each language when it is first asked for."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._by_stem: dict[str, dict[str, list[str]]] = {}
        self._by_part: dict[str, dict[str, list[str]]] = {}

    def of(self, word: str, language: str) -> list[str]:
        """The other words of the documents that have a word's stem; none in English."""
        if language not in LANGUAGES:
            return []
        with self._lock:
            known = self._by_stem.get(language)
            if known is None:
                known = self._by_stem[language] = self._gather(language)
        return [other for other in known.get(snowball(word, language), ()) if other != word]

    def compounds(self, word: str, language: str) -> list[str]:
        """The compounds of the documents that a word of the same stem is a part of, in languages that write them so."""
        if language not in COMPOUNDING:
            return []
        with self._lock:
            known = self._by_part.get(language)
            if known is None:
                known = self._by_part[language] = self._part(language)
        if word in self._vocabulary:
            return known.get(snowball(word, language), [])[:MOST]
        return self._vocabulary.around(word)[:MOST]

    def _part(self, language: str) -> dict[str, list[str]]:
        long = [(word, self._vocabulary.parts(word)) for word in self._vocabulary if 9 <= len(word) <= 30]
        found: dict[str, list[str]] = {}
        for word, parts in long:
            for part in stems([part for part in parts if len(part) > 3], language):
                found.setdefault(part, []).append(word)
        return found

    def _gather(self, language: str) -> dict[str, list[str]]:
        every = [word for word in self._vocabulary if len(word) > 2 and not word.isdigit()]
        gathered: dict[str, list[str]] = {}
        for word, stem in zip(every, stems(every, language), strict=True):
            gathered.setdefault(stem, []).append(word)
        return gathered
