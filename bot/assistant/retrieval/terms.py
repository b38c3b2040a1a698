"""What a question asks for, term by term: what may stand for each, and how much each tells."""

from __future__ import annotations

import math
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.assistant.retrieval.families import Families
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import LONGEST, Phrase, Synonyms
from bot.assistant.retrieval.text import RUN, STOP, WEAK, pairs, words
from bot.assistant.retrieval.typos import Vocabulary
from bot.documents import HAN, HANGUL, KANA

SYNONYM, MENDED, RELATIVE, PARTS, PART = 0.7, 0.85, 0.7, 0.95, 0.6
"""How much a match counts that is not the word itself; `PART` is a piece of a compound."""
WEAK_SHARE = 0.3
"""How much a weak word counts beside one with meaning."""
LEAST = 0.15
"""The weight of a word that every passage has, beside 1 for one that none has."""
FEW = 300
"""A folder with fewer passages says little about how rare a word is: it is taken for one of so many."""
_JOINED = re.compile(r"[^\W_]+(?:[-_][^\W_]+)+")
"""Words that are one thing: e-bike, part-time, max_days."""
_PARTICLES = frozenset(words("ab an auf aus ein fest fort her hin los mit nach um vor weg zu zurück zusammen"))
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}")
"""An abbreviation such as "e.g."; documents mostly write the longer ones without dots."""
_SCRIPTS = re.compile(f"[{HAN}]+|[\u30a0-\u30ff\u31f0-\u31ff]+|[\u3041-\u309f]+|[{HANGUL}]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for. `forms` are the stems that may stand for it, with how much each counts."""

    text: str
    weight: float
    forms: dict[Phrase, float] = field(hash=False)
    weak: bool = False
    spread: dict[Phrase, int] = field(default_factory=dict, hash=False)
    """How many passages have each form."""

    @property
    def passages(self) -> int:
        """How many passages have its most frequent form."""
        return max(self.spread.values(), default=0)


@dataclass(frozen=True, slots=True)
class Tools:
    """What reading a question needs."""

    stemmer: Stemmer
    synonyms: Synonyms
    vocabulary: Vocabulary
    families: Families
    counted: dict[str, int] = field(default_factory=dict)
    """How many passages have a stem, as far as it was asked before."""


def terms_of(count: Counts, text: str, language: str, tools: Tools, share: float = 1.0) -> list[Term]:
    """The terms of a question; `share` scales their weights."""
    terms: list[Term] = []
    at = 0
    text = _DOTTED.sub(lambda found: found[0].replace(".", ""), unicodedata.normalize("NFKC", text))
    for run in RUN.finditer(text):
        terms += _spaced_terms(text[at : run.start()], language, tools, count, share)
        terms += _run_terms(run[0], language, tools.synonyms, count, share)
        at = run.end()
    terms += _spaced_terms(text[at:], language, tools, count, share)
    return _merged(terms)[:24]


class Counts:
    """How many passages have a stem; `known` is what was counted before."""

    def __init__(self, c: sqlite3.Connection, known: dict[str, int]) -> None:
        self._c = c
        self._known = known
        self.total = int(c.execute("SELECT max(id) FROM passages").fetchone()[0] or 0)

    def of(self, phrase: Phrase) -> int:
        """At most so many passages have a phrase."""
        return min(map(self._stem, phrase))

    def _stem(self, stem: str) -> int:
        found = self._known.get(stem)
        if found is None:
            if len(stem) == 1 and RUN.match(stem):
                query = "SELECT max(doc) FROM search_terms WHERE term >= ? AND term < ?"
                row = self._c.execute(query, (stem, stem + "\U0010ffff")).fetchone()
            else:
                row = self._c.execute("SELECT doc FROM search_terms WHERE term = ?", (stem,)).fetchone()
            found = self._known[stem] = 0 if row is None else int(row[0] or 0)
        return found


def _spaced_terms(text: str, language: str, tools: Tools, count: Counts, share: float) -> list[Term]:
    folded = words(text)[:60]
    stems = tools.stemmer.stems(folded)
    joined = {tuple(words(pair)) for pair in _JOINED.findall(text)}
    stop = STOP[language]
    # "richte … ein": the verb may stand as one word in the documents.
    particle = folded[-1] if language == "de" and folded and folded[-1] in _PARTICLES else ""
    terms: list[Term] = []
    position = 0
    while position < len(folded):
        size, forms = _phrase(folded, stems, position, tools.synonyms, stop)
        if not size:
            size = next((n for n in (4, 3, 2) if tuple(folded[position : position + n]) in joined), 0)
            forms = {tuple(stems[position : position + size]): 1.0}
        if size:
            own = folded[position : position + size]
            weak = WEAK.union(stop).issuperset(own) and tuple(own) not in joined
            terms.append(_weighed(count, " ".join(own), forms, share, weak=weak))
            position += size
            continue
        word, stem = folded[position], stems[position]
        position += 1
        if word in stop or (len(word) == 1 and not word.isdigit()):
            continue
        terms.append(_weighed(count, word, _forms(word, stem, language, tools, particle), share, weak=word in WEAK))
    return terms


def _run_terms(run: str, language: str, synonyms: Synonyms, count: Counts, share: float) -> Iterator[Term]:
    """The terms in a run of a script without blanks: its Chinese characters, its katakana, its Korean words."""
    stop = STOP.get(language, frozenset())
    for script in _SCRIPTS.findall(run):
        if "\u3041" <= script[0] <= "\u309f":  # hiragana: endings and small words
            continue
        pieces = [script]
        if re.match(f"[{HAN}]", script):
            cut = re.sub("|".join(map(re.escape, _longest_first(stop))) or "(?!)", " ", script)
            pieces = cut.split()
        elif script in stop:
            continue
        for piece in pieces:
            for part in [piece] if len(piece) <= 4 or not re.match(f"[{HAN}]", piece) else pairs(piece):
                forms: dict[Phrase, float] = {tuple(pairs(part)): 1.0}
                forms |= {tuple(pairs(other)): SYNONYM for other in synonyms.foreign(part, language)}
                if len(part) > 2 and not re.match(f"[{KANA}]", part):
                    for pair in pairs(part):
                        forms.setdefault((pair,), PART)
                yield _weighed(count, part, forms, share, weak=len(part) == 1)


def _longest_first(stop: Iterable[str]) -> list[str]:
    return sorted((word for word in stop if re.fullmatch(f"[{HAN}]+", word)), key=len, reverse=True)


def _merged(terms: list[Term]) -> list[Term]:
    """Words of one meaning ("accessible … wheelchair") are one term, for which each of them stands fully."""
    merged: dict[frozenset[Phrase], Term] = {}
    for term in terms:
        key = frozenset(term.forms)
        if (other := merged.get(key)) is not None:
            forms = {form: max(value, other.forms[form]) for form, value in term.forms.items()}
            weak = term.weak and other.weak
            term = Term(term.text, max(term.weight, other.weight), forms, weak, term.spread)
        merged[key] = term
    return list(merged.values())


def _phrase(
    folded: list[str], stems: list[str], position: int, synonyms: Synonyms, stop: frozenset[str]
) -> tuple[int, dict[Phrase, float]]:
    """The longest phrase of several words that the synonyms know and that begins here; how many words it takes."""
    for size in range(min(LONGEST, len(stems) - position), 1, -1):
        if others := synonyms.of(folded[position : position + size]):
            return size, {tuple(stems[position : position + size]): 1.0} | dict.fromkeys(others, SYNONYM)
    apart = position + 2 < len(stems) and folded[position + 1] in stop  # "send it back"
    if apart and (others := synonyms.of((folded[position], folded[position + 2]))):
        return 3, {(stems[position], stems[position + 2]): 1.0} | dict.fromkeys(others, SYNONYM)
    return 0, {}


def _forms(word: str, stem: str, language: str, tools: Tools, particle: str = "") -> dict[Phrase, float]:
    forms: dict[Phrase, float] = {(stem,): 1.0}
    for other in tools.synonyms.of((word,)):
        forms.setdefault(other, SYNONYM)
    stemmer = tools.stemmer
    family = tools.families.of(word, language)
    if particle:
        family = [*family, particle + word, *tools.families.of(particle + word, language)]
    for member in stemmer.stems(family):
        forms.setdefault((member,), 1.0)
    for foreign in tools.synonyms.foreign(word, language):
        for member in stemmer.stems([foreign, *tools.families.of(foreign, language)]):
            forms.setdefault((member,), SYNONYM)
    for member in stemmer.stems(tools.families.compounds(word, language)):
        forms.setdefault((member,), PART)
    if word in tools.vocabulary or word.isdigit():
        return forms
    if parts := tools.vocabulary.parts(word):
        forms.setdefault(tuple(stemmer.stems(parts)), PARTS)
        if language != "en":
            for part in stemmer.stems(parts):
                forms.setdefault((part,), PART)
    elif word not in tools.synonyms.words and word not in WEAK and not family:
        mended = tools.vocabulary.mend(word) or tools.synonyms.vocabulary.mend(word)
        if mended is not None:
            forms.setdefault((stemmer.stem(mended),), MENDED)
            for other in tools.synonyms.of((mended,)):
                forms.setdefault(other, MENDED * SYNONYM)
    for relative in tools.vocabulary.relatives(word):
        forms.setdefault((stemmer.stem(relative),), RELATIVE)
    return forms


def _weighed(count: Counts, text: str, forms: dict[Phrase, float], share: float, *, weak: bool) -> Term:
    """A term with its weight: rare words tell more. What no document has counts like a rare word."""
    df = float(max((count.of(phrase) for phrase, value in forms.items() if value == 1.0), default=0))
    if df == 0:
        # Asked in other words than the documents': as telling as the rarest of theirs.
        df = min(filter(None, map(count.of, forms)), default=0)
    total = max(count.total, FEW)
    weight = max(math.log(1 + (total + 1) / (df + 0.5)) / math.log(1 + (total + 1) / 0.5), LEAST)
    if weak and not df:
        weight = LEAST
    spread = {phrase: count.of(phrase) for phrase in forms}
    return Term(text, share * weight * (WEAK_SHARE if weak else 1.0), forms, weak, spread)
