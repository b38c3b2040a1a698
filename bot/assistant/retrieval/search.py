"""The piece of a document that answers a question best, and how well it does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from bot.assistant.retrieval.question import ParsedQuestion, Term
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.text import STOP, words
from bot.assistant.retrieval.units import Block, Cut, Cutter, Stems, Unit

CANDIDATES = 40
"""Passages that are looked at closely."""
IN_HEADING, IN_TABLE_HEAD, IN_BLOCK, IN_PASSAGE, IN_TITLE = 0.95, 0.9, 0.75, 0.5, 0.5
"""How much a term counts that stands not in the piece itself but around it."""
LACKS = 0.68
"""What is left of the score when the kind of answer asked for (a number, a time …) is nowhere near."""
GIVES = 0.05
QA = 0.15
ORDER = 0.03
DENSE = 0.08
"""What the right kind of answer, a question that is asked like a known one, the index's own order, and a
piece that says little else, add."""

_QUERY = """
SELECT p.id, p.kind, p.title, p.heading, p.body, p.page, p.document_id
FROM passage_index JOIN passages p ON p.id = passage_index.rowid JOIN documents d ON d.id = p.document_id
WHERE passage_index MATCH ? AND d.site_id = ? AND d.status = 'active' AND d.ready = 1
ORDER BY bm25(passage_index, 2.0, 2.0, 1.0) LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """The best piece. `score` is 0 to about 1.2; below the threshold of `answers` it is no answer."""

    score: float
    kind: str
    title: str
    heading: str
    body: str
    page: int | None
    document_id: str
    cut: Cut
    block: Block
    unit: Unit
    by_heading: bool
    """The heading, more than the piece, is what was asked for."""


def search(
    c: sqlite3.Connection,
    site_id: str,
    question: ParsedQuestion,
    stemmer: Stemmer,
    cutter: Cutter,
    prefer: str | None = None,
) -> Hit | None:
    """The best hit; documents named by `prefer` win a near draw."""
    if (known := _word_for_word(c, site_id, question, cutter)) is not None:
        return known
    query = _match(question, stemmer)
    if not query:
        return None
    best: Hit | None = None
    rows = c.execute(_QUERY, (query, site_id, CANDIDATES)).fetchall()
    for rank, row in enumerate(rows):
        hit = _best_of(row, question, cutter.cut(row["title"], row["heading"], row["body"]))
        if hit is None:
            continue
        extra = ORDER * (1 - rank / len(rows)) + (0.04 if row["document_id"] == prefer else 0.0)
        if best is None or hit.score + extra > best.score:
            best = replace(hit, score=hit.score + extra)
    return best


def _word_for_word(c: sqlite3.Connection, site_id: str, question: ParsedQuestion, cutter: Cutter) -> Hit | None:
    """The answer to a question that is asked exactly as a Q&A pair has it, be it of small words alone."""
    asked = words(question.text)
    if not asked:
        return None
    for row in c.execute(_QUERY, (f'heading : "{" ".join(asked)}"', site_id, 5)):
        cut = cutter.cut(row["title"], row["heading"], row["body"])
        if row["kind"] == "qa" and words(row["heading"]) == asked and cut.blocks:
            return _hit(row, cut, cut.blocks[0], cut.blocks[0].units[0], score=1.2, by_heading=True)
    return None


def _match(question: ParsedQuestion, stemmer: Stemmer) -> str:
    """The question in FTS5's words: any form of any term."""
    phrases: dict[str, None] = {}
    for term in sorted(question.terms, key=lambda term: -term.weight):
        for form in term.forms:
            quoted = " ".join(f'"{stemmer.example(stem)}"' for stem in form)
            phrases[quoted if len(form) == 1 else f"NEAR({quoted}, 5)"] = None
    # Folded words have letters and digits only: nothing in them can end a quoted string.
    return " OR ".join(list(phrases)[:120])


def _best_of(row: sqlite3.Row, question: ParsedQuestion, cut: Cut) -> Hit | None:
    best: tuple[float, Block, Unit, bool] | None = None
    qa = row["kind"] == "qa"
    for block in cut.blocks:
        for unit in block.units:
            score, by_heading = _score(question, cut, block, unit, qa=qa)
            if best is None or score > best[0]:
                best = (score, block, unit, by_heading)
    if best is None:
        return None
    score, block, unit, by_heading = best
    if qa:
        score += QA * score * _alike(question, cut.heading)
    return _hit(row, cut, block, unit, score=score, by_heading=by_heading)


def _hit(row: sqlite3.Row, cut: Cut, block: Block, unit: Unit, *, score: float, by_heading: bool) -> Hit:
    return Hit(
        score=score,
        kind=row["kind"],
        title=row["title"],
        heading=row["heading"],
        body=row["body"],
        page=row["page"],
        document_id=row["document_id"],
        cut=cut,
        block=block,
        unit=unit,
        by_heading=by_heading,
    )


def _score(question: ParsedQuestion, cut: Cut, block: Block, unit: Unit, *, qa: bool) -> tuple[float, bool]:
    """How much of the question a piece covers, and whether its heading does most of it."""
    places = (
        (unit.stems, 1.0),
        (cut.heading, 1.0 if qa else IN_HEADING),
        (block.head_stems, IN_TABLE_HEAD),
        (block.stems, IN_BLOCK if block.kind == "prose" and len(block.units) < 6 else IN_PASSAGE),
        (cut.stems, IN_PASSAGE),
        (cut.title, IN_TITLE),
    )
    covered = total = own = heading = 0.0
    for term in question.terms:
        best = 0.0
        for stems, share in places:
            value = share * _present(term, stems, best / share)
            if stems is unit.stems:
                own += term.weight * value
            elif stems is cut.heading:
                heading += term.weight * value
            best = max(best, value)
        covered += term.weight * best
        total += term.weight
    score = covered / total if total else 0.0
    score += DENSE * own / (total + 1) / (1 + len(unit.stems) / 10)
    for intent in question.intents[:1]:
        if intent.gives.search(unit.text):
            score += GIVES * score
        elif intent.needed and not intent.gives.search(block.text):
            score *= LACKS
    return score, heading > own


def _present(term: Term, stems: Stems, above: float) -> float:
    """How well a term occurs among stems; 0 when not better than `above`."""
    best = 0.0
    for form, value in term.forms.items():
        if value > best and value > above and stems.has(form):
            best = value
    return best


def _alike(question: ParsedQuestion, heading: Stems) -> float:
    """How much of a known question is asked, 0 to 1."""
    theirs = [stem for stem in heading.all() if stem not in _SMALL]
    if not theirs:
        return 0.0
    asked = {stem for term in question.terms for form in term.forms for stem in form}
    return sum(stem in asked for stem in theirs) / len(theirs)


_SMALL = frozenset(word for small in STOP.values() for word in small) | frozenset(words("s t d ll re ve"))
