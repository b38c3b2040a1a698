"""What may be asked of the folder's documents: headings of theirs that get an answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from bot.assistant.database import AssistantDatabase
from bot.assistant.retrieval.answers import Answers
from bot.documents.plaintext import CONTENTS

MOST, TRIES = 3, 12
"""So many are shown, and so many are asked to find them."""
SHORTEST, LONGEST, LONGEST_QUESTION = 8, 60, 100

_STATES = "SELECT id, digest, ready, error FROM documents WHERE site_id = ? AND source IS NOT NULL ORDER BY source"
_HEADINGS = """
SELECT document_id, heading FROM (
    SELECT *, row_number() OVER (PARTITION BY document_id ORDER BY asks DESC, first) AS nth FROM (
        SELECT p.document_id, p.heading, d.source, min(p.id) AS first,
            p.heading LIKE '%?' OR p.heading LIKE '%？' AS asks
        FROM passages p JOIN documents d ON d.id = p.document_id
        WHERE d.site_id = ? AND d.source IS NOT NULL AND d.status = 'active' AND d.ready = 1
            AND p.kind <> 'contents' AND p.heading <> ''
        GROUP BY p.document_id, p.heading
    )
) WHERE nth <= 40 ORDER BY asks DESC, nth, source LIMIT 2000
"""


class FolderSuggestions:
    """Keeps what may be asked; chosen anew when documents of the folder have changed and all are read."""

    def __init__(self, database: AssistantDatabase, site_id: str, answers: Answers) -> None:
        self._database = database
        self._site_id = site_id
        self._answers = answers
        self._lock = asyncio.Lock()
        self._of: list[tuple[str, ...]] = []
        self._chosen: tuple[str, ...] = ()

    async def current(self) -> tuple[str, ...]:
        """What may be asked now; while documents are being read, what could be before."""
        async with self._lock:
            there = [tuple(row) for row in await self._rows(_STATES)]
            waiting = any(not ready and error is None for _, _, ready, error in there)
            if there != self._of and not waiting:
                self._chosen = await choose([(row[0], row[1]) for row in await self._rows(_HEADINGS)], self._answered)
                self._of = there
            return self._chosen

    async def _rows(self, query: str) -> list[tuple[str, ...]]:
        return await self._database.read(lambda c: c.execute(query, (self._site_id,)).fetchall())

    async def _answered(self, question: str) -> bool:
        found = await self._answers.answer(self._site_id, "", question, None)
        return found.known and found.document_id is not None


async def choose(headings: Iterable[tuple[str, str]], answered: Callable[[str], Awaitable[bool]]) -> tuple[str, ...]:
    """Choose what is `answered` among headings, each given as its document and its path.

    Questions go before other headings, and each is of another document as far as possible.
    """
    left: dict[str, list[str]] = {}
    seen: set[str] = set()
    for document, path in headings:
        text = " ".join(path.rpartition(" › ")[2].split())
        if _fits(text) and text.casefold() not in seen:
            seen.add(text.casefold())
            left.setdefault(document, []).append(text)
    for texts in left.values():
        texts.sort(key=lambda text: not _asks(text))
    taken, tried = Counter[str](), Counter[str]()
    chosen: list[str] = []
    while len(chosen) < MOST and tried.total() < TRIES and any(left.values()):
        document = min(
            (name for name, texts in left.items() if texts),
            key=lambda name: (taken[name], tried[name], not _asks(left[name][0])),
        )
        text = left[document].pop(0)
        tried[document] += 1
        if await answered(text):
            taken[document] += 1
            chosen.append(text)
    return tuple(chosen)


def _asks(text: str) -> bool:
    return text.endswith(("?", "？"))


def _fits(text: str) -> bool:
    """Whether a heading can be asked as it stands; what begins like these would be a command or a mention."""
    if text.startswith(("/", "!", "@")) or CONTENTS.fullmatch(text):
        return False
    if _asks(text):
        return len(text) <= LONGEST_QUESTION
    words = sum(any(map(str.isalpha, word)) for word in text.split())
    return words > 1 and SHORTEST <= len(text) <= LONGEST
