"""The benchmark's questions, and what of an answer is right.

A file `questions/COLLECTION.HALF.jsonl` has a question a line: `ask`, and `expect`, a list of alternatives, each a list
of words that a right answer holds all of; without `expect` the collection has no answer.

The halves are `tune`, to look at while the code is changed, and `held`, of which nobody sees more than totals.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

QUESTIONS: Final = Path(__file__).parent / "questions"
Half = Literal["tune", "held"]
HALVES: Final[tuple[Half, ...]] = ("tune", "held")
_PLAIN: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "−": "-", "‐": "-", **dict.fromkeys("*_`\\")})


class Verdict(StrEnum):
    """What an answer was worth."""

    RIGHT = "right"
    MISSED = "missed"
    """The collection has the answer, and the assistant said that it does not know."""
    WRONG = "wrong"
    """The collection has the answer, and the assistant said something else."""
    REFUSED = "refused"
    """The collection has no answer, and the assistant said that it does not know."""
    GUESSED = "guessed"
    """The collection has no answer, and the assistant gave one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a person types it; `expect` is empty when the collection has no answer."""

    ask: str
    expect: tuple[tuple[str, ...], ...]


def load(collection: str, half: Half) -> list[Question]:
    """Read one half of a collection's questions; the other half's file is not opened."""
    text = (QUESTIONS / f"{collection}.{half}.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [Question(line["ask"], tuple(tuple(group) for group in line.get("expect", ()))) for line in lines]


def judge(question: Question, answer: str, *, known: bool) -> Verdict:
    """Tell what an answer is worth; `known` is False for an honest "I don't know"."""
    if not question.expect:
        return Verdict.GUESSED if known else Verdict.REFUSED
    if not known:
        return Verdict.MISSED
    plain = fold(answer)
    right = any(all(holds(plain, word) for word in group) for group in question.expect)
    return Verdict.RIGHT if right else Verdict.WRONG


def fold(text: str) -> str:
    """Bring a text to the form that words are looked for in: no markup, one blank, small letters.

    >>> fold("The **Go\\\\_ahead**\\n“now”")
    'the goahead "now"'
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_PLAIN)).casefold()


def holds(folded: str, word: str) -> bool:
    """Tell whether a folded text has the word; it may not begin or end inside a Latin word or a number.

    >>> holds("stop at 1080", "top"), holds("stop at 1080", "108"), holds("debuildコマンド", "debuild")
    (False, False, True)
    >>> holds("ausführbar", "ausführ*")
    True
    """
    stem = word.endswith("*")
    bare = fold(word[:-1] if stem else word)
    letter = "[a-z0-9äöüß]"
    before = f"(?<!{letter})" if re.match(letter, bare) else ""
    after = f"(?!{letter})" if re.search(f"{letter}$", bare) and not stem else ""
    return re.search(before + re.escape(bare) + after, folded) is not None
