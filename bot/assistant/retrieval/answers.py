"""From a question to an answer out of the documents, or an honest "I don't know"."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from bot.assistant.chats import Found
from bot.assistant.database import AssistantDatabase
from bot.assistant.retrieval.conversation import REASON, Lean, leaning, questions_in
from bot.assistant.retrieval.families import Families
from bot.assistant.retrieval.phrases import Phrases, phrases
from bot.assistant.retrieval.question import ParsedQuestion, understand
from bot.assistant.retrieval.search import Hit, search
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import Synonyms, built_in
from bot.assistant.retrieval.talk import small_talk, wants_a_person
from bot.assistant.retrieval.terms import Tools
from bot.assistant.retrieval.text import language_of, parted
from bot.assistant.retrieval.typos import Vocabulary
from bot.assistant.retrieval.units import Cutter
from bot.assistant.retrieval.wording import worded

ENOUGH, CERTAIN = 0.62, 0.85
"""How sure a hit must be to be an answer, and to be one although the question may lean on the one before."""
AT_ONCE, SHARE = 0.02, 0.05
"""A vocabulary read in so many seconds is always the newest; others are read for this share of the time at most."""
NEAR = 0.5
"""An answer whose heading is not the question is followed by that of another section if that scores nearly as well."""
_CONTACT = ("contact", "kontakt", "contacto", "contatti", "contato", "iletişim")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a session was about, back to a question that stood on its own, and its last answer."""

    questions: str
    document_id: str | None
    answer: str
    quoted: bool = False
    """The message quotes it: then it is this that the words may lean on."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Where a question is asked, and in which words the answer's own sentences are."""

    c: sqlite3.Connection
    site_id: str
    session_id: str
    says: Phrases


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
        self._vocabularies: dict[str, SiteWords] = {}
        self._counted: dict[str, int] = {}

    def changed(self, site_id: str) -> None:
        """Documents of a site changed: its vocabulary is read again."""
        if (known := self._vocabularies.get(site_id)) is not None:
            known.old = True
        self._counted = {}

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
        place = Talk(c, site_id, session_id, phrases(language or _language(c, site_id, asked)))
        if talk := small_talk(c, site_id, asked, place.says):
            return Found(talk, known=True, score=0.9)
        if wants_a_person(asked):
            return self._person(place)
        earlier = Earlier(quoted, None, "", quoted=True) if quoted else _earlier(c, site_id, session_id)
        parts = questions_in(asked)
        if len(parts) > 1:
            return self._several(place, parts, earlier)
        return self._one(place, asked, earlier)

    def _one(self, place: Talk, message: str, earlier: Earlier | None) -> Found:
        lean = leaning(message)
        if lean in ("why", "no") and not (earlier is not None and earlier.quoted):
            return self._more(place, lean, earlier)
        hits, question = self._find(place, message, lean, earlier)
        hit = hits[0] if hits else None
        if hit is None or hit.sure < ENOUGH:
            nothing = question.full == 0 and lean in ("bare", "points back")
            leans = earlier is None and (nothing or (lean == "goes on" and question.full < 2))
            text = place.says.ask_back if leans else place.says.unknown
            return Found(text, known=False, score=0.0 if hit is None else hit.sure / 2)
        near = [other for other in hits[1:] if not hit.heading_asks and hit.score - other.score <= NEAR]
        return _found(place, hit, question, *near)

    def _several(self, place: Talk, parts: list[str], earlier: Earlier | None) -> Found:
        """The answers to several questions, each by itself; a later one may lean on those before it."""
        answers: list[Found] = []
        for part in parts:
            found = self._one(place, part, earlier)
            answers.append(found)
            if earlier is None or not earlier.quoted:
                earlier = Earlier(part, found.document_id, found.text)
        known = [found for found in answers if found.known]
        if not known:
            return Found(place.says.unknown, known=False, score=max(found.score for found in answers))
        texts = [
            found.text if found.known else place.says.lacks.format(question=part)
            for part, found in zip(parts, answers, strict=True)
        ]
        return Found(
            "\n\n".join(dict.fromkeys(texts)),
            known=True,
            score=min(found.score for found in known),
            document_id=known[0].document_id,
        )

    def _more(self, place: Talk, lean: Lean, earlier: Earlier | None) -> Found:
        """To "why?" the reason, to "no" the next best answer; asked back when there is neither."""
        if earlier is not None and earlier.document_id is not None:
            question = understand(place.c, earlier.questions, self._tools(place))
            for hit in search(place.c, place.site_id, question, self._stemmer, self._cutter):
                found = _found(place, hit, question)
                new = hit.unit.text not in earlier.answer and found.text != earlier.answer
                if new and hit.sure >= ENOUGH and (lean == "no" or REASON.search(found.text)):
                    return found
            if lean == "why":
                return Found(place.says.unknown, known=False, score=0.0)
        return Found(place.says.ask_back, known=False, score=0.0)

    def _person(self, place: Talk) -> Found:
        """That this is no person; and how to reach one, where the documents say so under such a heading."""
        for word in _CONTACT:
            question = understand(place.c, word, self._tools(place))
            for hit in search(place.c, place.site_id, question, self._stemmer, self._cutter)[:1]:
                if hit.heading_asks:
                    found = _found(place, hit, question)
                    return Found(f"{place.says.person}\n\n{found.text}", True, 0.9, hit.document_id)
        return Found(place.says.person, known=True, score=0.9)

    def _find(self, place: Talk, message: str, lean: Lean, earlier: Earlier | None) -> tuple[list[Hit], ParsedQuestion]:
        c, site_id, tools = place.c, place.site_id, self._tools(place)
        question = understand(c, message, tools)
        alone = search(c, site_id, question, self._stemmer, self._cutter)
        sure = alone[0].sure if alone else 0.0
        if not lean and sure < ENOUGH and earlier is not None and earlier.quoted:
            lean = "points back"
        if not lean or (sure >= ENOUGH and lean == "short") or (sure >= CERTAIN and question.full >= 2):
            return alone, question
        if earlier is None:
            return alone, question
        together = understand(c, message, tools, earlier.questions)
        hits = search(c, site_id, together, self._stemmer, self._cutter, prefer=earlier.document_id)
        # What stood before decides while it leads to an answer: "and on Sundays?" alone would find any Sunday.
        if not hits or hits[0].sure < min(ENOUGH, sure):
            return alone, question
        return hits, together

    def _tools(self, place: Talk) -> Tools:
        return Tools(self._stemmer, self._synonyms, *self._vocabulary(place.c, place.site_id), self._counted)

    def _vocabulary(self, c: sqlite3.Connection, site_id: str) -> tuple[Vocabulary, Families]:
        known = self._vocabularies.get(site_id)
        if known is None or known.due():
            began = time.thread_time()
            query = "SELECT word FROM words WHERE site_id = ?"
            vocabulary = Vocabulary(row[0] for row in c.execute(query, (site_id,)))
            known = SiteWords(vocabulary, Families(vocabulary), time.thread_time() - began, time.monotonic())
            self._vocabularies[site_id] = known
        return known.vocabulary, known.families


@dataclass(slots=True)
class SiteWords:
    """A site's vocabulary, the seconds it took to read it, and when that was."""

    vocabulary: Vocabulary
    families: Families
    took: float
    at: float
    old: bool = False

    def due(self) -> bool:
        """Whether to read it anew. A large one is not for each document of a folder, only for a share of the time."""
        return self.old and (self.took <= AT_ONCE or time.monotonic() - self.at >= self.took / SHARE)


def _language(c: sqlite3.Connection, site_id: str, message: str) -> str:
    """The language of the fixed phrases: the site's if it forces one, else the question's."""
    row = c.execute("SELECT config FROM widgets WHERE site_id = ?", (site_id,)).fetchone()
    config = {} if row is None else json.loads(row["config"])
    default = str(config.get("defaultLanguage", "en"))
    if config.get("responseLanguageMode") == "forced":
        return default
    return language_of(message, default.lower().partition("-")[0])


def _found(place: Talk, hit: Hit, question: ParsedQuestion, *near: Hit) -> Found:
    text = worded(place.c, hit, question, place.says)
    for other in near:
        text += f"\n\n{place.says.also}\n\n{worded(place.c, other, question, place.says)}"
    return Found(text, known=True, score=hit.sure, document_id=hit.document_id)


def _earlier(c: sqlite3.Connection, site_id: str, session_id: str) -> Earlier | None:
    query = (
        "SELECT message, document_id, answer FROM requests"
        " WHERE site_id = ? AND session_id = ? AND status = 'completed' ORDER BY number DESC LIMIT 3"
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
    last = next((row["document_id"] for row in rows if row["document_id"] is not None), None)
    return Earlier(" ".join(messages), last, rows[0]["answer"] or "")
