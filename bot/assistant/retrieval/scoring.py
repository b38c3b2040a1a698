"""How well a passage answers a question, and which piece of it does. Pure.

The figures were fitted on the tuning half of tests/benchmarks/documents and of tests/assistant/quality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.assistant.retrieval.question import ParsedQuestion
from bot.assistant.retrieval.synonyms import Phrase
from bot.assistant.retrieval.terms import Term
from bot.assistant.retrieval.text import STOP, words
from bot.assistant.retrieval.units import Block, Cut, Stems, Unit

BESIDE, BODY, HEADING, KNOWN_QUESTION, TRAIL, TITLE = 0.88, 0.6, 0.65, 1.0, 0.25, 0.65
"""How much a term counts that stands not in the piece itself: in the pieces beside it, elsewhere in its passage, in its
heading, in the question of a Q&A pair, in the headings above, in the title."""
OWN, DENSE, BEGINS, RANKED = 0.5, 0.35, 0.1, 0.4
"""What terms in the piece itself add, a piece that says little else, the first piece, the index's own order."""
ASKED_FOR, ASKED = 0.4, 0.25
"""What a heading adds that says nothing but what is asked for, and one that says some of it."""
GIVES, LACKS = 0.05, 0.17
"""What the kind of answer asked for (a number, a time …) adds in the piece, and takes when it is nowhere near."""

EVEN, SCORE, AHEAD, ALIGNED, TOLD, UNHEARD = -4.87, 2.36, 2.77, 2.63, 0.9, 2.63
"""The chance of an answer, as a logistic rule of six figures: that of nothing at all, the score, by how much it leads
the best of another section, a heading that says what is asked for and no more, how much the words of the question tell
that are in the piece, its table's head or its heading, and how much those that no document has. Fitted on the tuning
halves, on 127 questions more, and on all that have an answer once more with the sections taken away that hold it. How
much an unheard word takes is set and not fitted: a key word must be there."""
SHOWN = 0.8
"""How much a word counts that asks for a kind of answer where there is one of that kind."""
THE_QUESTION = 0.6
"""From which share on a heading is the question: what it says is asked for, and most of what is asked for it says."""
WHOLLY = 0.95
"""From which share on a heading that says all that is asked for is the question, whatever else it says."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The best piece of a passage. `score` ranks it; `fits` is what else counts for `chance`."""

    score: float
    fits: float
    block: Block
    unit: Unit
    by_heading: bool
    """The heading, more than the piece, is what was asked for."""
    heading_asks: bool
    """The heading is the question: its section answers it, from its beginning."""


def scored(question: ParsedQuestion, cut: Cut, *, order: float, qa: bool) -> Scored | None:
    """The best piece of a passage; None when nothing in it can answer.

    `order`, 0 to 1, is how high the index ranks the passage; `qa`: its heading is a question, which it answers.
    """
    terms = question.terms
    total = sum(term.weight for term in terms)
    if not total:
        return None
    shares = [term.weight / total for term in terms]
    heading = [present(term, cut.heading) for term in terms]
    around = [
        max(
            value * (KNOWN_QUESTION if qa else HEADING),
            TRAIL * present(term, cut.trail),
            TITLE * present(term, cut.title),
        )
        for term, value in zip(terms, heading, strict=True)
    ]
    there = [_forms_in(term, cut.stems) for term in terms]
    body = [forms[0][1] if forms else 0.0 for forms in there]
    pieces = [(block, unit) for block in cut.blocks for unit in block.units]
    inside = [_inside(terms, there, block, unit) for block, unit in pieces]
    best: tuple[float, int] | None = None
    for place, (block, unit) in enumerate(pieces):
        if not (block.answers or qa):
            continue
        own = _dot(shares, inside[place])
        value = _covered(shares, inside, place, around, body)
        value += OWN * own + DENSE * own / (1 + len(unit.stems) / 20) + BEGINS * (place == 0)
        value += _kind_of_answer(question, block, unit)
        if best is None or value > best[0]:
            best = value, place
    if best is None:
        return None
    value, place = best
    block, unit = pieces[place]
    asked = _dot(shares, heading)
    aligned = asked * _precise(question, cut.heading)
    return Scored(
        score=value + ASKED_FOR * aligned + ASKED * asked + RANKED * order,
        fits=_fits(question, cut, block, unit, aligned),
        block=block,
        unit=unit,
        by_heading=asked > _dot(shares, inside[place]),
        heading_asks=aligned >= THE_QUESTION or asked >= WHOLLY,
    )


def chance(score: float, fits: float, ahead: float) -> float:
    """The chance, 0 to 1, that a piece answers; `ahead` is by how much its score leads the best of another section."""
    return 1 / (1 + math.exp(-EVEN - SCORE * score - fits - AHEAD * min(max(ahead, 0.0), 0.3)))


def present(term: Term, stems: Stems) -> float:
    """How well a term occurs among stems, 0 to 1."""
    best = 0.0
    for form, value in term.forms.items():
        if value > best and stems.has(form):
            best = value
    return best


def _forms_in(term: Term, stems: Stems) -> list[tuple[Phrase, float]]:
    """The forms of a term that occur among stems, the best first."""
    return sorted(((form, value) for form, value in term.forms.items() if stems.has(form)), key=lambda form: -form[1])


def _inside(
    terms: Sequence[Term], there: Sequence[Sequence[tuple[Phrase, float]]], block: Block, unit: Unit
) -> list[float]:
    values = [next((value for form, value in forms if unit.stems.has(form)), 0.0) for forms in there]
    if not block.head:
        return values
    return [max(value, present(term, block.head_stems)) for term, value in zip(terms, values, strict=True)]


def _covered(
    shares: Sequence[float],
    inside: Sequence[Sequence[float]],
    place: int,
    around: Sequence[float],
    body: Sequence[float],
) -> float:
    nothing = [0.0] * len(shares)
    before = inside[place - 1] if place else nothing
    after = inside[place + 1] if place + 1 < len(inside) else nothing
    covered = 0.0
    for n, share in enumerate(shares):
        covered += share * max(inside[place][n], BESIDE * max(before[n], after[n]), around[n], BODY * body[n])
    return covered


def _kind_of_answer(question: ParsedQuestion, block: Block, unit: Unit) -> float:
    for intent in question.intents[:1]:
        if intent.gives.search(unit.text):
            return GIVES
        if intent.needed and not intent.gives.search(block.text):
            return -LACKS
    return 0.0


def _fits(question: ParsedQuestion, cut: Cut, block: Block, unit: Unit, aligned: float) -> float:
    """What else than the score speaks for an answer: see `ALIGNED`."""
    kinds = [intent for intent in question.intents[:1] if intent.gives.search(unit.text)]
    told = unheard = 0.0
    for term in question.terms:
        if any(intent.asks.search(term.text) for intent in kinds):  # "cost", where there is a price
            told += SHOWN * term.weight
            continue
        here = max(present(term, unit.stems), present(term, cut.heading), BESIDE * present(term, block.head_stems))
        told += term.weight * here
        unheard += term.weight * (not term.weak and not term.passages)
    return ALIGNED * aligned + TOLD * told - UNHEARD * unheard


def _precise(question: ParsedQuestion, heading: Stems) -> float:
    """How much of a heading is asked for, 0 to 1."""
    theirs = [stem for stem in heading.all() if stem not in _SMALL and not stem.isdigit()]
    if not theirs:
        return 0.0
    asked = {stem for term in question.terms for form in term.forms for stem in form}
    return sum(stem in asked for stem in theirs) / len(theirs)


def _dot(shares: Sequence[float], values: Sequence[float]) -> float:
    return sum(share * value for share, value in zip(shares, values, strict=True))


_SMALL = frozenset(word for small in STOP.values() for word in small) | frozenset(words("s t d ll re ve"))
