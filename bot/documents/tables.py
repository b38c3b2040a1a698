"""CSV files: question and answer pairs, or any list whose rows are found by their cells."""

from __future__ import annotations

import csv
import io

from bot.assistant.parsing.passages import LONGEST, Passage

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


def read_csv(text: str) -> list[Passage]:
    """The passages of a CSV file.

    Raises:
        ValueError: with the reason, when it cannot be read.
    """
    rows = _rows(text)
    if not rows:
        return []
    head = [cell.strip() for cell in rows[0]]
    names = [cell.casefold() for cell in head]
    question = next((i for i, name in enumerate(names) if name in _QUESTIONS), None)
    answer = next((i for i, name in enumerate(names) if name in _ANSWERS), None)
    if question is not None and answer is not None:
        return [
            Passage("qa", row[question].strip(), row[answer].strip())
            for row in rows[1:]
            if len(row) > max(question, answer) and row[question].strip() and row[answer].strip()
        ]
    return [passage for row in rows[1:] for passage in _listed(head, row)]


def _rows(text: str) -> list[list[str]]:
    sample = text[:4096]
    first = sample.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count) if any(mark in first for mark in ",;\t|") else ","
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(f"the CSV file cannot be read ({error})") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


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
