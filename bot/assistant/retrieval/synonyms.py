"""Words that mean nearly the same, from a file that people may extend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.assistant.retrieval.families import snowball
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.text import RUN, words
from bot.assistant.retrieval.typos import Vocabulary

Phrase = tuple[str, ...]
"""Stems in their order; most are one word."""
LONGEST = 4
"""Words of the longest phrase that is looked for."""


class Synonyms:
    """Groups of phrases by each of their members. Lines below `[de]` are single words of that language."""

    def __init__(self, stemmer: Stemmer, texts: Iterable[str]) -> None:
        self._groups: dict[Phrase, set[Phrase]] = {}
        self._foreign: dict[str, dict[str, set[str]]] = {}
        self.words: set[str] = set()
        lines = [line.partition("#")[0].strip() for text in texts for line in ["[en]", *text.splitlines()]]
        stemmer.stems(word for line in lines for word in words(line))  # all at once: one by one takes long
        language = "en"
        for line in lines:
            if header := re.fullmatch(r"\[(\w+)\]", line):
                language = header[1]
            elif language == "en":
                self._take(stemmer, line)
            else:
                self._take_foreign(language, line)
        self.vocabulary = Vocabulary(self.words)

    def _take(self, stemmer: Stemmer, line: str) -> None:
        members: dict[Phrase, Phrase] = {}
        for part in line.split(","):
            folded = words(part)
            self.words.update(folded)
            if 1 <= len(folded) <= LONGEST:
                members[_key(folded)] = tuple(stemmer.stems(folded))
        for key, own in members.items():
            self._groups.setdefault(key, set()).update(phrase for phrase in members.values() if phrase != own)

    def _take_foreign(self, language: str, line: str) -> None:
        members = [part.strip().lower() for part in line.split(",") if part.strip()]
        for key in {snowball(member, language) for member in members}:
            self._foreign.setdefault(language, {}).setdefault(key, set()).update(members)

    def of(self, folded: Sequence[str]) -> frozenset[Phrase]:
        """What means nearly the same as some words, as stems. Inflected forms count as the word."""
        return frozenset(self._groups.get(_key(folded), ()))

    def foreign(self, word: str, language: str) -> set[str]:
        """Words that mean nearly the same as one of another language than English, as they stand in the file."""
        return self._foreign.get(language, {}).get(snowball(word, language), set()) - {word}


def built_in() -> str:
    """The synonyms that come with the package."""
    return (Path(__file__).parent / "synonyms.txt").read_text(encoding="utf-8")


def _key(folded: Sequence[str]) -> Phrase:
    return tuple(map(_uninflected, folded))


def _uninflected(word: str) -> str:
    """An English word without the endings of its inflection: stems would bring "allowance" and "allowed" together."""
    if len(word) < 4 or not word.isascii() or RUN.match(word):
        return word
    word = re.sub(r"ies$", "y", word) if len(word) > 4 else word
    word = re.sub(r"(?<![su])s$", "", word)
    word = re.sub(r"(?<=\w\w\w)(?:ing|ed)$", "", word)
    return re.sub(r"([^aeiouls])\1$", r"\1", word).removesuffix("e")
