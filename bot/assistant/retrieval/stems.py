"""Stems of words, made by SQLite's own tokenizer: exactly those that the index has."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable

_KEPT = 200_000


class Stemmer:
    """Knows the stem of every word it was asked for; may be used from any thread."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._examples: dict[str, str] = {}
        self._lock = threading.Lock()
        self._c = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._c.execute(
            "CREATE VIRTUAL TABLE word USING fts5(w, tokenize = 'porter unicode61 remove_diacritics 2', columnsize = 0)"
        )
        self._c.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, instance)")

    def stem(self, word: str) -> str:
        """The stem of one folded word."""
        return self.stems((word,))[0]

    def stems(self, words: Iterable[str]) -> list[str]:
        """The stems of folded words, one each."""
        wanted = list(words)
        with self._lock:
            if len(self._known) > _KEPT:
                self._known.clear()
                self._examples.clear()
            new = {word for word in wanted if word not in self._known}
            if new:
                self._learn(sorted(new))
            return [self._known[word] for word in wanted]

    def example(self, stem: str) -> str:
        """A word of that stem: the index stems what it is asked for, and the stem of a stem may be another one."""
        return self._examples.get(stem, stem)

    def close(self) -> None:
        """Let go of the tokenizer."""
        self._c.close()

    def _learn(self, new: list[str]) -> None:
        self._c.execute("BEGIN")
        self._c.executemany("INSERT INTO word (rowid, w) VALUES (?, ?)", list(enumerate(new, start=1)))
        found = dict(self._c.execute('SELECT doc, term FROM stem WHERE "offset" = 0').fetchall())
        self._c.execute("ROLLBACK")
        for number, word in enumerate(new, start=1):
            stem = found.get(number, word)
            self._known[word] = stem
            self._examples.setdefault(stem, word)
