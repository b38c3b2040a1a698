"""From a question to an answer out of the documents, or an honest "I don't know"."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

from bot.assistant.chats import Found
from bot.assistant.database import AssistantDatabase
from bot.assistant.retrieval.phrases import Phrases, phrases
from bot.assistant.retrieval.question import ParsedQuestion, Tools, leaning, understand
from bot.assistant.retrieval.search import Hit, search
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import Synonyms, built_in
from bot.assistant.retrieval.text import GREETINGS, THANKS, language_of, parted, words
from bot.assistant.retrieval.typos import Vocabulary
from bot.assistant.retrieval.units import Cutter
from bot.assistant.retrieval.wording import worded

ENOUGH = 0.6
"""The score from which on a hit is an answer; calibrated on the tuning half of tests/assistant/quality."""
_ABOUT = re.compile(
    r"^\W*(?:help|what can (?:you|i)\b.*|what do you know\b.*|which documents\b.*|what documents\b.*|hilfe)\W*$",
    re.IGNORECASE,
)


class Answers:
    """Finds and words answers; may be used from any thread."""

    def __init__(self, database: AssistantDatabase, synonyms: Path | None = None) -> None:
        self._database = database
        self._stemmer = Stemmer()
        self._cutter = Cutter(self._stemmer)
        self._own = [built_in()]
        if synonyms is not None:
            self._own.append(synonyms.read_text(encoding="utf-8"))
        self._synonyms = Synonyms(self._stemmer, self._own)
        self._vocabularies: dict[str, Vocabulary] = {}

    def changed(self, site_id: str) -> None:
        """Documents of a site changed: its vocabulary is read again."""
        self._vocabularies.pop(site_id, None)

    def use_synonyms(self, text: str) -> None:
        """Take further synonyms (a file's content) beside the built-in ones, in the place of earlier ones."""
        self._synonyms = Synonyms(self._stemmer, [*self._own, text])

    def close(self) -> None:
        """Let go of the stemmer."""
        self._stemmer.close()

    async def answer(self, site_id: str, session_id: str, message: str, language: str | None) -> Found:
        """Answer a question; earlier ones of its session complete it where it leans on them."""
        return await self._database.read(lambda c: self._answer(c, site_id, session_id, message, language))

    def _answer(
        self, c: sqlite3.Connection, site_id: str, session_id: str, message: str, language: str | None
    ) -> Found:
        asked, quoted = parted(message)
        says = phrases(language or _language(c, site_id, asked))
        if talk := _small_talk(c, site_id, asked, says):
            return Found(talk, known=True, score=0.9)
        hit, question = self._find(c, site_id, session_id, asked, quoted)
        if hit is None or hit.score < ENOUGH:
            return Found(says.unknown, known=False, score=0.0 if hit is None else min(hit.score / 2, 0.45))
        return Found(worded(hit, question, says), known=True, score=min(hit.score, 1.0), document_id=hit.document_id)

    def _find(
        self, c: sqlite3.Connection, site_id: str, session_id: str, message: str, quoted: str
    ) -> tuple[Hit | None, ParsedQuestion]:
        tools = Tools(self._stemmer, self._synonyms, self._vocabulary(c, site_id))
        question = understand(c, message, tools)
        alone = search(c, site_id, question, self._stemmer, self._cutter)
        known = alone is not None and alone.score >= ENOUGH
        lean = leaning(message) or ("points back" if quoted and not known else "")
        if not lean or (
            known and (lean == "short" or (alone is not None and alone.score >= 0.9 and question.full >= 2))
        ):
            return alone, question
        earlier = (quoted, None) if quoted else _before(c, site_id, session_id)
        if earlier is None:
            return alone, question
        before, document_id = earlier
        together = understand(c, message, tools, before)
        hit = search(c, site_id, together, self._stemmer, self._cutter, prefer=document_id)
        # What stood before decides while it leads to an answer: "and on Sundays?" alone would find any Sunday.
        if hit is None or (hit.score < ENOUGH and alone is not None and alone.score > hit.score):
            return alone, question
        return hit, together

    def _vocabulary(self, c: sqlite3.Connection, site_id: str) -> Vocabulary:
        found = self._vocabularies.get(site_id)
        if found is None:
            query = "SELECT word FROM words WHERE site_id = ?"
            found = Vocabulary(row[0] for row in c.execute(query, (site_id,)))
            self._vocabularies[site_id] = found
        return found


def _language(c: sqlite3.Connection, site_id: str, message: str) -> str:
    """The language of the fixed phrases: the site's if it forces one, else the question's."""
    row = c.execute("SELECT config FROM widgets WHERE site_id = ?", (site_id,)).fetchone()
    config = {} if row is None else json.loads(row["config"])
    default = str(config.get("defaultLanguage", "en"))
    if config.get("responseLanguageMode") == "forced":
        return default
    return language_of(message, default.lower().partition("-")[0])


def _small_talk(c: sqlite3.Connection, site_id: str, message: str, says: Phrases) -> str | None:
    """What to say to a greeting, or to somebody who asks what can be asked."""
    said = words(message)
    greeting = bool(said) and GREETINGS.issuperset(said)
    if said and not greeting and THANKS.issuperset(said):
        return says.welcome
    if not greeting and not _ABOUT.match(message):
        return None
    query = (
        "SELECT title FROM documents WHERE site_id = ? AND status = 'active' AND ready = 1 ORDER BY created_at LIMIT 9"
    )
    titles = [row["title"] for row in c.execute(query, (site_id,))]
    if not titles:
        return says.empty
    shown = ", ".join(f"*{title}*" for title in titles[:8]) + (" …" if len(titles) > 8 else "")
    return (says.hello if greeting else says.topics).format(titles=shown)


def _before(c: sqlite3.Connection, site_id: str, session_id: str) -> tuple[str, str | None] | None:
    """What a session's last questions were about, back to one that stood on its own, and the last answer's document."""
    query = (
        "SELECT message, document_id FROM requests WHERE site_id = ? AND session_id = ? AND status = 'completed'"
        " ORDER BY number DESC LIMIT 3"
    )
    rows = c.execute(query, (site_id, session_id)).fetchall()
    if not rows:
        return None
    messages: list[str] = []
    for row in rows:
        asked, quoted = parted(row["message"])
        messages += [asked, quoted]
        if quoted or not leaning(asked):
            break
    return " ".join(messages), next((row["document_id"] for row in rows if row["document_id"] is not None), None)
