"""CSV files: question and answer pairs, or any list whose rows are found by their cells."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from bot.documents.passages import LONGEST, Passage

DELIMITERS = ",;\t|"
_QUESTIONS = {
    "question",
    "questions",
    "q",
    "frage",
    "pregunta",
    "question posée",
    "soru",
    "domanda",
    "pergunta",
    "vraag",
}
_ANSWERS = {"answer", "answers", "a", "antwort", "respuesta", "réponse", "reponse", "cevap", "yanıt", "risposta"}
_ANSWERS |= {"resposta", "antwoord"}


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
    return [passage for _, row in rows[1:] for passage in _listed(head, row)]


def pairs(text: str) -> list[Pair] | None:
    """The questions and answers of a CSV file; None when its first line names no columns for them.

    Raises:
        ValueError: with the reason, when it cannot be read.
    """
    rows = _rows(text)
    return _pairs([cell.strip().casefold() for cell in rows[0][1]], rows) if rows else None


def _pairs(names: list[str], rows: list[tuple[int, list[str]]]) -> list[Pair] | None:
    question = next((i for i, name in enumerate(names) if name in _QUESTIONS), None)
    answer = next((i for i, name in enumerate(names) if name in _ANSWERS), None)
    if question is None or answer is None:
        return None
    cells = [(number, [*row, *[""] * len(names)]) for number, row in rows[1:]]
    all_pairs = [Pair(number, row[question].strip(), row[answer].strip()) for number, row in cells]
    return [pair for pair in all_pairs if pair.question or pair.answer]


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
