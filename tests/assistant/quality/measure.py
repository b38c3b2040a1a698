"""Ask the questions of one half and count what was right, what was honestly refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.assistant import server
from bot.assistant.database import AssistantDatabase
from bot.assistant.documents import Documents
from bot.assistant.retrieval.answers import Answers
from bot.documents import Parser

HERE = Path(__file__).parent
SCHEMA = Path(server.__file__).parent / "schema.sql"


@dataclass(slots=True)
class Measured:
    """What a half gave; `wrong` and `guessed` name the questions that went wrong."""

    asked: int = 0
    right: int = 0
    unanswerable: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    @property
    def top1(self) -> float:
        """Share of answerable questions whose first answer holds the fact."""
        return self.right / self.asked

    @property
    def honest(self) -> float:
        """Share of unanswerable questions that were refused."""
        return self.refused / self.unanswerable


def questions() -> dict[str, list[dict[str, Any]]]:
    """All questions by document set."""
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "questions.yaml").read_text(encoding="utf-8"))
    return loaded


async def measure(half: str) -> Measured:
    """Measure `tune` (the first, third … question of each set) or `test` (the second, fourth …)."""
    database, parser = AssistantDatabase(None, SCHEMA.read_text()), Parser()
    answers = Answers(database)
    documents = Documents(database, parser, answers.changed)
    measured = Measured()
    try:
        for site in questions():
            for file in sorted((HERE / site).iterdir()):
                await documents.put_from_folder(site, file.name, file.read_bytes())
        await documents.settled()
        for site, asked in questions().items():
            for number, question in enumerate(asked):
                if ("tune", "test")[number % 2] == half:
                    found = await answers.answer(site, f"s{number}", question["q"], None)
                    _count(measured, question, found.text, known=found.known)
    finally:
        await documents.close()
        await parser.close()
        await database.close()
        answers.close()
    return measured


def _count(measured: Measured, question: dict[str, Any], text: str, *, known: bool) -> None:
    if "expect" not in question:
        measured.unanswerable += 1
        measured.refused += not known
        if known:
            measured.guessed.append(question["q"])
        return
    measured.asked += 1
    if known and all(fact.lower() in text.lower() for fact in question["expect"]):
        measured.right += 1
    else:
        measured.wrong.append(question["q"])
