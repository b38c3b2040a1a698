"""The piece of a site's documents that answers a question best, and how well it does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from bot.assistant.retrieval.question import ParsedQuestion
from bot.assistant.retrieval.scoring import Scored, chance, scored
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.text import RUN, words
from bot.assistant.retrieval.units import Block, Cut, Cutter, Unit

CANDIDATES = 20
"""Passages that are looked at closely."""
FIRST = 200
"""Of so many best passages of all sites those of one site are taken; if they are too few, only its own are ranked."""
MATCHED = 4000
"""About so many passages are ranked: the rarest forms of what is asked for are searched by until they have so many."""

_PASSAGE = "p.id, p.kind, p.title, p.heading, p.body, p.page, p.document_id, d.kind AS origin"
_MINE = "d.site_id = ? AND d.status = 'active' AND d.ready = 1 AND p.kind <> 'contents'"
_BEST = f"""
SELECT {_PASSAGE}, found.value
FROM (
    SELECT rowid AS id, bm25(passage_search, 1.0, 3.0, 1.0) AS value FROM passage_search
    WHERE passage_search MATCH ? ORDER BY value LIMIT {FIRST}
) found JOIN passages p ON p.id = found.id JOIN documents d ON d.id = p.document_id
WHERE {_MINE} ORDER BY found.value LIMIT ?
"""  # noqa: S608 - constants
_OWN = f"""
SELECT {_PASSAGE}, bm25(passage_search, 1.0, 3.0, 1.0) AS value
FROM passage_search JOIN passages p ON p.id = passage_search.rowid JOIN documents d ON d.id = p.document_id
WHERE passage_search MATCH ? AND {_MINE} ORDER BY value LIMIT ?
"""  # noqa: S608 - constants
_SOME = f"SELECT 1 FROM passage_search WHERE passage_search MATCH ? LIMIT {FIRST}"  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Hit:
    """The best piece. `score` ranks; `sure`, the chance of an answer, is held against the threshold of `answers`."""

    score: float
    fits: float
    sure: float
    id: int
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
    heading_asks: bool
    origin: str
    """The kind of its document: file, text, qa."""


def search(
    c: sqlite3.Connection,
    site_id: str,
    question: ParsedQuestion,
    stemmer: Stemmer,
    cutter: Cutter,
    prefer: str | None = None,
) -> list[Hit]:
    """The best hit, and the best of another section, if there is one; documents named by `prefer` win a near draw."""
    if (known := _word_for_word(c, site_id, question, cutter)) is not None:
        return [known]
    hits: list[Hit] = []
    for row, order in candidates(c, site_id, question, stemmer):
        cut = cutter.cut(row["title"], row["heading"], row["body"])
        found = scored(question, cut, order=order, qa=row["kind"] == "qa")
        if found is not None:
            extra = 0.1 if row["document_id"] == prefer else 0.0
            hits.append(replace(_hit(row, cut, found), score=found.score + extra))
    hits.sort(key=lambda hit: -hit.score)
    others = [hit for hit in hits[1:] if not _same_section(hit, hits[0])][:1]
    ahead = hits[0].score - (others[0].score if others else 0.0) if hits else 0.0
    return [
        replace(hit, sure=chance(hit.score, hit.fits, ahead if hit is hits[0] else 0.0)) for hit in [*hits[:1], *others]
    ]


def _same_section(one: Hit, other: Hit) -> bool:
    return one.document_id == other.document_id and (one.heading == other.heading and abs(one.id - other.id) < 10)


def candidates(
    c: sqlite3.Connection, site_id: str, question: ParsedQuestion, stemmer: Stemmer
) -> list[tuple[sqlite3.Row, float]]:
    """The passages that the index ranks highest, each with its rank value as a share of the best one's."""
    query = _match(question, stemmer)
    if not query:
        return []
    rows = c.execute(_BEST, (query, site_id, CANDIDATES)).fetchall()
    if len(rows) < CANDIDATES and len(c.execute(_SOME, (query,)).fetchall()) == FIRST:
        rows = c.execute(_OWN, (query, site_id, CANDIDATES)).fetchall()
    return [(row, row["value"] / (rows[0]["value"] or -1.0)) for row in rows]


def _word_for_word(c: sqlite3.Connection, site_id: str, question: ParsedQuestion, cutter: Cutter) -> Hit | None:
    """The answer to a question that is asked exactly as a Q&A pair has it, be it of small words alone."""
    asked = words(question.text)
    if not asked:
        return None
    for row in c.execute(_OWN, (f'heading : "{" ".join(asked)}"', site_id, 5)):
        cut = cutter.cut(row["title"], row["heading"], row["body"])
        if row["kind"] == "qa" and words(row["heading"]) == asked and cut.blocks:
            block = cut.blocks[0]
            return _hit(row, cut, Scored(1.2, 9.0, block, block.units[0], by_heading=True, heading_asks=True))
    return None


def _match(question: ParsedQuestion, stemmer: Stemmer) -> str:
    """The question in FTS5's words: any form of its terms, the rarest first."""
    spread = {form: passages for term in question.terms for form, passages in term.spread.items()}
    phrases: list[str] = []
    matched = 0
    for form, passages in sorted(spread.items(), key=lambda form: form[1]):
        if phrases and matched + passages > MATCHED:
            break
        if not passages:
            continue
        matched += passages
        phrases.append(_quoted(form, stemmer))
    # Folded words have letters and digits only: nothing in them can end a quoted string.
    return " OR ".join(phrases[:120])


def _quoted(form: tuple[str, ...], stemmer: Stemmer) -> str:
    if RUN.match(form[0]):  # pairs of characters, one after another; a single character begins its pair
        return f'"{" ".join(form)}"' + (" *" if len(form[0]) == 1 else "")
    quoted = " ".join(f'"{stemmer.example(stem)}"' for stem in form)
    return quoted if len(form) == 1 else f"NEAR({quoted}, 5)"


def _hit(row: sqlite3.Row, cut: Cut, found: Scored) -> Hit:
    return Hit(
        score=found.score,
        fits=found.fits,
        sure=1.0,
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        heading=row["heading"],
        body=row["body"],
        page=row["page"],
        document_id=row["document_id"],
        cut=cut,
        block=found.block,
        unit=found.unit,
        by_heading=found.by_heading,
        heading_asks=found.heading_asks,
        origin=row["origin"],
    )
