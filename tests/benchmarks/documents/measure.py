"""Start the embedded assistant on a folder, ask it one half of the questions, count."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.assistant.accounts import Plan
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from tests.benchmarks.documents.questions import Half, Question, Verdict, judge, load


@dataclass(frozen=True, slots=True)
class Totals:
    """How many of a half's questions went which way."""

    right: int = 0
    missed: int = 0
    wrong: int = 0
    refused: int = 0
    guessed: int = 0

    @property
    def answerable(self) -> int:
        """Questions that the collection answers."""
        return self.right + self.missed + self.wrong

    @property
    def unanswerable(self) -> int:
        """Questions that it does not."""
        return self.refused + self.guessed

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its answer, to learn from."""

    question: Question
    answer: str
    verdict: Verdict


async def totals(collection: str, folder: Path, half: Half) -> Totals:
    """Measure a half and keep nothing but its totals."""
    counts = Counter(judged.verdict for judged in await _judged(folder, load(collection, half)))
    return Totals(**{str(verdict): counts[verdict] for verdict in Verdict})


async def details(collection: str, folder: Path) -> list[Judged]:
    """Measure the half that may be looked at, with every answer."""
    return await _judged(folder, load(collection, "tune"))


async def _judged(folder: Path, questions: Sequence[Question]) -> list[Judged]:
    with tempfile.TemporaryDirectory() as space:
        data = Path(space) / "assistant.db"
        assistant = await start(AssistantOptions(docs=folder, port=0, delay=0.0, data=data, plan=Plan()))
        try:
            await assistant.settled()
            answers = await _ask(assistant, [question.ask for question in questions])
        finally:
            await assistant.close()
        with closing(sqlite3.connect(data)) as database:
            # The API's answer does not say "I don't know" in a field of its own; the assistant's own record does.
            known = dict(database.execute("SELECT request_id, known FROM requests").fetchall())
    return [
        Judged(question, answer, judge(question, answer, known=bool(known[request])))
        for question, (request, answer) in zip(questions, answers, strict=True)
    ]


async def _ask(assistant: RunningAssistant, questions: Sequence[str]) -> list[tuple[str, str]]:
    """Ask each question in a session of its own; return the id of each request and the answer."""
    answers = []
    async with aiohttp.ClientSession(
        headers={"X-API-Key": "demo"}, raise_for_status=True, timeout=aiohttp.ClientTimeout(60)
    ) as session:
        for number, question in enumerate(questions):
            body = {"session_id": f"q{number}", "message": question}
            async with (
                asyncio.timeout(90),
                session.post(f"{assistant.base_url}/m2m/sites/demo/chat", json=body) as reply,
            ):
                answered = await reply.json()
            answers.append((answered["request_id"], answered["answer"]))
    return answers
