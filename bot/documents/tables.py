"""CSV files: question and answer pairs, or any list whose rows are found by their cells."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from bot.documents.passages import LONGEST, Passage

DELIMITERS = ",;\t|"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_QUESTIONS = _set(
    "question questions q frage fragen pregunta soru domanda pergunta vraag pytanie otázka spørgsmål fråga prompt"
    " вопрос 質問 问题 問題 질문"
)
_ANSWERS = _set(
    "answer answers a antwort antworten respuesta réponse reponse cevap yanıt risposta resposta antwoord odpowiedź"
    " odpověď svar response reply ответ 回答 答え 答案 답변"
)
_ASKS = ("?", "？", "؟", "か", "か。", "吗", "吗？")
"""How a question ends."""
_EXPLAINED = 40
"""Where cells have so many characters on average, they explain what stands before them."""


class Pair(NamedTuple):
    """A row with a question and an answer, one of which may be empty; `row` counts from 1, the head included."""

    row: int
    question: str
    answer: str


def read_csv(text: str) -> list[Passage]:
    """The passages of a CSV file.

    Raises:
        ValueError: with the reason, when it cannot be read.
    """
    rows = _rows(text)
    if not rows:
        return []
    head = [cell.strip() for cell in rows[0][1]]
    names = [cell.casefold() for cell in head]
    known = _pairs(names, rows)
    if known is not None:
        return [Passage("qa", pair.question, pair.answer) for pair in known if pair.question and pair.answer]
    if _is_glossary(rows):
        return [Passage("term", row[0].strip(), row[1].strip()) for _, row in _without_head(rows)]
    return [passage for _, row in rows[1:] for passage in _listed(head, row)]


def pairs(text: str) -> list[Pair] | None:
    """The questions and answers of a CSV file; None when it has none.

    Raises:
        ValueError: with the reason, when it cannot be read.
    """
    rows = _rows(text)
    return _pairs([cell.strip().casefold() for cell in rows[0][1]], rows) if rows else None


def _pairs(names: list[str], rows: list[tuple[int, list[str]]]) -> list[Pair] | None:
    question = next((i for i, name in enumerate(names) if name in _QUESTIONS), None)
    answer = next((i for i, name in enumerate(names) if name in _ANSWERS), None)
    if question is None or answer is None:
        return _unnamed_pairs(rows)
    cells = [(number, [*row, *[""] * len(names)]) for number, row in rows[1:]]
    all_pairs = [Pair(number, row[question].strip(), row[answer].strip()) for number, row in cells]
    return [pair for pair in all_pairs if pair.question or pair.answer]


def _unnamed_pairs(rows: list[tuple[int, list[str]]]) -> list[Pair] | None:
    """Pairs of a table of two columns, one of which asks, whatever they are called or if they are called nothing."""
    if not _two_columns(rows):
        return None
    for question in (0, 1):
        asking = [row[question].strip().endswith(_ASKS) for _, row in rows]
        if sum(asking) > len(rows) / 2 and (len(rows) > 1 or asking[0]):
            told = rows if asking[0] else rows[1:]
            return [Pair(number, row[question].strip(), row[1 - question].strip()) for number, row in told]
    return None


def _two_columns(rows: list[tuple[int, list[str]]]) -> bool:
    return all(len(row) >= 2 and not any(cell.strip() for cell in row[2:]) for _, row in rows)


def _is_glossary(rows: list[tuple[int, list[str]]]) -> bool:
    """Whether the second of two columns explains the first."""
    if not _two_columns(rows):
        return False
    rows = _without_head(rows)
    size = sum(len(row[1]) for _, row in rows) / len(rows)
    return size >= _EXPLAINED and size > 2 * sum(len(row[0]) for _, row in rows) / len(rows)


def _without_head(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The rows without a first one that only names the columns."""
    return rows[1:] if len(rows) > 1 and len(rows[0][1][1]) < _EXPLAINED / 2 else rows


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with its number."""
    csv.field_size_limit(1_000_000)
    delimiter = _delimiter(text[:4096])
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(f"the CSV file cannot be read ({error})") from None
    return [(number, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]


def _delimiter(sample: str) -> str:
    """The mark that parts the first line into a question and an answer, else the one that stands there most often."""
    first = sample.split("\n", 1)[0]
    for delimiter in DELIMITERS:
        head = next(csv.reader([first], delimiter=delimiter), [])
        if _pairs([cell.strip().casefold() for cell in head], [(1, head)]) is not None:
            return delimiter
    return max(DELIMITERS, key=first.count)  # the first of them when none is there


def _listed(head: list[str], row: list[str]) -> list[Passage]:
    """A row of a list: its first cell is the heading, the row as a table the body."""
    cells = [cell.strip().replace("|", "\\|").replace("\n", " ") for cell in row]
    named = [(name or f"column {i + 1}", cell) for i, (name, cell) in enumerate(zip(head, cells, strict=False)) if cell]
    if not named:
        return []
    body = "\n".join(
        [
            "| " + " | ".join(name for name, _ in named) + " |",
            "|" + "---|" * len(named),
            "| " + " | ".join(cell for _, cell in named) + " |",
        ]
    )
    return [Passage("prose", named[0][1][:200], body[: 4 * LONGEST])]
