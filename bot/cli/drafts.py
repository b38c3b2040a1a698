"""Drafts of Q&A documents, made of questions that were answered badly or not at all. Pure."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.store.wanting import Asked

COLUMNS: Final = ("question", "answer", "asked", "rated bad", "not known", "reasons", "also asked as")
"""The first two are what `docs push` reads; the rest is for who fills the answers in."""
ALIKE: Final = 0.6
"""Share of their words that two questions have in common at least to be one."""
MOST: Final = 5
"""Reasons, and other wordings, that one draft has."""
_NOT_KNOWN: Final = re.compile(
    r"\b(?:I (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t) (?:know|find|answer|tell)"
    r"|I(?:['’]m| am) (?:not sure|unable|sorry,? but I)|(?:no|not enough|any) information (?:about|on|in|to|available)"
    r"|(?:das )?weiß ich (?:leider )?nicht|ich weiß (?:es |das )?(?:leider )?nicht|keine (?:Informationen|Angaben)"
    r"|je ne (?:le )?sais pas|no lo sé|non lo so|não sei|dat weet ik niet|nie wiem|bilmiyorum)"
    r"|不知道|分かりません|わかりません|知りません|모르겠습니다|알 수 없습니다|Я не знаю",
    re.IGNORECASE,
)
_OPENING: Final = 200
"""Characters of an answer in which it says that it has none; further on, the words are about something else."""
_FORMULA: Final = ("=", "+", "-", "@")


@dataclass(slots=True)
class Draft:
    """A question, worded as it was asked last, and what is known of its answers."""

    question: str
    asked: int = 0
    bad: int = 0
    unknown: int = 0
    reasons: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The values by column, the answer empty."""
        values = (self.question, "", self.asked, self.bad, self.unknown, self.reasons, self.others)
        return dict(zip(COLUMNS, values, strict=True))


def not_known(answer: str) -> bool:
    """Whether an answer says that it has none.

    >>> not_known("I don't know. The documents I have do not answer this question.")
    True
    >>> not_known("At ten. Whoever does not know the way asks at the desk.")
    False
    """
    return bool(_NOT_KNOWN.search(answer[:_OPENING]))


def wants_better(one: Asked) -> bool:
    """Whether an answer was rated bad, or was none."""
    return one.bad or not_known(one.answer)


def drafts(asked: Iterable[Asked]) -> list[Draft]:
    """Group what wants a better answer by question, what is asked most often first; `asked` begins with the newest."""
    made: list[tuple[frozenset[str], Draft]] = []
    by_word: dict[str, list[int]] = {}
    for one in asked:
        question = " ".join(one.question.split())
        words = _words(question)
        if not words or not wants_better(one):
            continue
        draft = _first_alike(words, made, by_word)
        if draft is None:
            draft = Draft(question)
            for word in words:
                by_word.setdefault(word, []).append(len(made))
            made.append((words, draft))
        draft.asked += 1
        draft.bad += one.bad
        draft.unknown += not_known(one.answer)
        _add(draft.reasons, one.reasons)
        _add(draft.others, [question] if question != draft.question else [])
    return sorted((draft for _, draft in made), key=lambda draft: -draft.asked)


def _first_alike(
    words: frozenset[str], made: Sequence[tuple[frozenset[str], Draft]], by_word: Mapping[str, Sequence[int]]
) -> Draft | None:
    """Find the first draft that is alike. Two that are share so many words that one of the rarest is among them."""
    shared = math.ceil(ALIKE * len(words) - 1e-9)
    rarest = sorted(words, key=lambda word: len(by_word.get(word, ())))[: len(words) - shared + 1]
    near = sorted({number for word in rarest for number in by_word.get(word, ())})
    return next((made[number][1] for number in near if _alike(words, made[number][0])), None)


def _add(shown: list[str], said: Iterable[str]) -> None:
    """Add what is new, as long as there is room."""
    for text in said:
        if len(shown) < MOST and text not in shown:
            shown.append(text)


def as_csv(rows: Sequence[Draft]) -> str:
    """A table that a spreadsheet opens and `docs push` loads, once the answers are filled in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for draft in rows:
        cells = draft.to_json().values()
        writer.writerow([_cell(" / ".join(cell) if isinstance(cell, list) else cell) for cell in cells])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """What people wrote must not become a formula in a spreadsheet; the blank goes when the table is loaded."""
    return f" {value}" if isinstance(value, str) and value.lstrip().startswith(_FORMULA) else value


def _words(question: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", question.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * len(one | other)
