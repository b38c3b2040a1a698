"""A question as the search needs it: terms with weights, and what else may stand for each."""

from __future__ import annotations

import math
import re
import sqlite3
from dataclasses import dataclass, field

from bot.assistant.retrieval.intents import QuestionIntent, intents_of
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import LONGEST, Phrase, Synonyms
from bot.assistant.retrieval.text import STOP, WEAK, language_of, words
from bot.assistant.retrieval.typos import Vocabulary

SYNONYM, MENDED, RELATIVE, PARTS = 0.8, 0.85, 0.75, 0.95
"""How much a match counts that is not the word itself."""
WEAK_SHARE = 0.15
"""How much a weak word counts beside one with meaning."""
CONTEXT_SHARE = 0.5
"""How much a word of the question before counts in a follow-up."""
_GOES_ON = re.compile(r"^\s*(?:and|or|but|also|then|what about|how about|und|et|y|e|ve|en)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|that|this|those|these|he|she|his|her)\b", re.IGNORECASE)
_JOINED = re.compile(r"[^\W_]+-[^\W_]+")
"""Two words that are one thing: e-bike, part-time."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for. `forms` are the stems that may stand for it, with how much each counts."""

    text: str
    weight: float
    forms: dict[Phrase, float] = field(hash=False)
    weak: bool = False


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """What is searched for."""

    text: str
    language: str
    terms: tuple[Term, ...]
    intents: tuple[QuestionIntent, ...]

    @property
    def full(self) -> int:
        """Terms with a meaning of their own."""
        return sum(not term.weak for term in self.terms)


@dataclass(frozen=True, slots=True)
class Tools:
    """What reading a question needs."""

    stemmer: Stemmer
    synonyms: Synonyms
    vocabulary: Vocabulary


def leaning(text: str) -> str:
    """How a question leans on the one before: `goes on`, `points back`, is `short`; empty if it stands on its own."""
    if _GOES_ON.search(text):
        return "goes on"
    if _POINTS_BACK.search(text):
        return "points back"
    return "short" if len(words(text)) <= 3 else ""


def understand(c: sqlite3.Connection, text: str, tools: Tools, before: str | None = None) -> ParsedQuestion:
    """Read a question; `before` is the question it leans on."""
    language = language_of(text)
    terms = _terms(c, text, language, tools, 1.0)
    intents = intents_of(text)
    if before is not None:
        known = {form for term in terms for form in term.forms}
        earlier = _terms(c, before, language_of(before), tools, CONTEXT_SHARE)
        terms += [term for term in earlier if not term.weak and not known & term.forms.keys()]
        intents = intents or intents_of(before)
    return ParsedQuestion(text, language, tuple(terms), tuple(intents))


def _terms(c: sqlite3.Connection, text: str, language: str, tools: Tools, share: float) -> list[Term]:
    folded = words(text)[:60]
    stems = tools.stemmer.stems(folded)
    joined = {tuple(words(pair)) for pair in _JOINED.findall(text)}
    stop = STOP[language] | (STOP["en"] if language == "en" else frozenset())
    total = _passages(c)
    terms: list[Term] = []
    position = 0
    while position < len(folded):
        size, forms = _phrase(folded, stems, position, tools.synonyms, stop)
        if not size and tuple(folded[position : position + 2]) in joined:
            size, forms = 2, {tuple(stems[position : position + 2]): 1.0}
        if size:
            terms.append(_weighed(c, " ".join(folded[position : position + size]), forms, total, share, weak=False))
            position += size
            continue
        word, stem = folded[position], stems[position]
        position += 1
        if word in stop or (len(word) == 1 and not word.isdigit()):
            continue
        terms.append(_weighed(c, word, _forms(word, stem, tools), total, share, weak=word in WEAK))
    return _merged(terms)[:24]


def _merged(terms: list[Term]) -> list[Term]:
    """Words of one meaning ("accessible … wheelchair") are one term, for which each of them stands fully."""
    merged: dict[frozenset[Phrase], Term] = {}
    for term in terms:
        key = frozenset(term.forms)
        if (other := merged.get(key)) is not None:
            forms = {form: max(value, other.forms[form]) for form, value in term.forms.items()}
            term = Term(term.text, max(term.weight, other.weight), forms, term.weak and other.weak)
        merged[key] = term
    return list(merged.values())


def _phrase(
    folded: list[str], stems: list[str], position: int, synonyms: Synonyms, stop: frozenset[str]
) -> tuple[int, dict[Phrase, float]]:
    """The longest phrase of several words that the synonyms know and that begins here; how many words it takes."""
    for size in range(min(LONGEST, len(stems) - position), 1, -1):
        phrase = tuple(stems[position : position + size])
        if others := synonyms.of(phrase):
            return size, {phrase: 1.0} | dict.fromkeys(others, SYNONYM)
    if position + 2 < len(stems) and folded[position + 1] in stop:  # "send it back"
        phrase = (stems[position], stems[position + 2])
        if others := synonyms.of(phrase):
            return 3, {phrase: 1.0} | dict.fromkeys(others, SYNONYM)
    return 0, {}


def _forms(word: str, stem: str, tools: Tools) -> dict[Phrase, float]:
    forms: dict[Phrase, float] = {(stem,): 1.0}
    for other in tools.synonyms.of((stem,)):
        forms.setdefault(other, SYNONYM)
    if word in tools.vocabulary or word.isdigit():
        return forms
    stemmer = tools.stemmer
    if parts := tools.vocabulary.parts(word):
        forms.setdefault(tuple(stemmer.stems(parts)), PARTS)
    elif word not in tools.synonyms.words and word not in WEAK:
        mended = tools.vocabulary.mend(word) or tools.synonyms.vocabulary.mend(word)
        if mended is not None:
            mended_stem = stemmer.stem(mended)
            forms.setdefault((mended_stem,), MENDED)
            for other in tools.synonyms.of((mended_stem,)):
                forms.setdefault(other, MENDED * SYNONYM)
    for relative in tools.vocabulary.relatives(word):
        forms.setdefault((stemmer.stem(relative),), RELATIVE)
    return forms


def _weighed(
    c: sqlite3.Connection, text: str, forms: dict[Phrase, float], total: int, share: float, *, weak: bool
) -> Term:
    """A term with its weight: rare words tell more. What no document has counts like a rare word."""
    own = [_frequency(c, phrase[0]) for phrase, value in forms.items() if value == 1.0 and len(phrase) == 1]
    df = float(max(own, default=0))
    if df == 0:
        # Asked in other words than the documents': as telling as those are, and a little more.
        df = max((_frequency(c, phrase[0]) for phrase in forms if len(phrase) == 1), default=0) / 2
    weight = max(math.log(1 + (total + 1) / (df + 0.5)) / math.log(1 + (total + 1) / 0.5), 0.25)
    return Term(text, share * weight * (WEAK_SHARE if weak else 1.0), forms, weak)


def _frequency(c: sqlite3.Connection, stem: str) -> int:
    row = c.execute("SELECT doc FROM passage_terms WHERE term = ?", (stem,)).fetchone()
    return 0 if row is None else int(row[0])


def _passages(c: sqlite3.Connection) -> int:
    row = c.execute("SELECT max(id) FROM passages").fetchone()
    return int(row[0] or 0)
