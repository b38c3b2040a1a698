"""A question as the search needs it: terms with weights, and what else may stand for each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from bot.assistant.retrieval.intents import QuestionIntent, intents_of
from bot.assistant.retrieval.terms import Counts, Term, Tools, terms_of
from bot.assistant.retrieval.text import language_of

CONTEXT_SHARE = 0.5
"""How much a word of the question before counts in a follow-up."""


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """What is searched for."""

    text: str
    language: str
    terms: tuple[Term, ...]
    intents: tuple[QuestionIntent, ...]
    passages: int
    """How many there are in all."""

    @property
    def full(self) -> int:
        """Terms with a meaning of their own."""
        return sum(not term.weak for term in self.terms)


def understand(c: sqlite3.Connection, text: str, tools: Tools, before: str | None = None) -> ParsedQuestion:
    """Read a question; `before` is the question it leans on."""
    language = language_of(text)
    count = Counts(c, tools.counted)
    terms = terms_of(count, text, language, tools)
    intents = intents_of(text)
    if before is not None:
        known = {form for term in terms for form in term.forms}
        earlier = terms_of(count, before, language_of(before), tools, CONTEXT_SHARE)
        terms += [term for term in earlier if not term.weak and not known & term.forms.keys()]
        intents = intents or intents_of(before)
    return ParsedQuestion(text, language, tuple(terms), tuple(intents), count.total)
