"""A passage cut into the pieces that can answer: sentences, items of a list, rows of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import Phrase
from bot.assistant.retrieval.text import words
from bot.documents import is_table, sentences

_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")


class Stems:
    """The stems of a text, for asking whether a phrase occurs in it."""

    __slots__ = ("_order", "_set")

    def __init__(self, order: list[str]) -> None:
        self._order = order
        self._set = frozenset(order)

    def __len__(self) -> int:
        return len(self._set)

    def has(self, phrase: Phrase) -> bool:
        """Whether the stems of a phrase stand there close together."""
        if len(phrase) == 1:
            return phrase[0] in self._set
        if not self._set.issuperset(phrase):
            return False
        reach = len(phrase) + 3
        starts = [i for i, stem in enumerate(self._order) if stem in phrase]
        return any(set(phrase).issubset(self._order[i : i + reach]) for i in starts)

    def all(self) -> frozenset[str]:
        """Each stem once."""
        return self._set


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest piece that can answer."""

    text: str
    stems: Stems


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, table or piece of code. `head` is a table's first two lines."""

    kind: Literal["prose", "list", "table", "code"]
    text: str
    head: str
    units: tuple[Unit, ...]
    stems: Stems
    head_stems: Stems


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage, cut."""

    blocks: tuple[Block, ...]
    stems: Stems
    heading: Stems
    title: Stems


class Cutter:
    """Cuts passages and remembers the last ones."""

    def __init__(self, stemmer: Stemmer) -> None:
        self._stemmer = stemmer
        self.cut = lru_cache(maxsize=4096)(self._cut)

    def _cut(self, title: str, heading: str, body: str) -> Cut:
        blocks = tuple(self._block(block) for block in _blocks(body))
        return Cut(blocks, self._stems(body), self._stems(heading), self._stems(title))

    def _block(self, text: str) -> Block:
        lines = text.split("\n")
        head = ""
        kind: Literal["prose", "list", "table", "code"]
        if is_table(text):
            kind, head, pieces = "table", "\n".join(lines[:2]), [line for line in lines[2:] if line.strip()]
        elif lines[0].lstrip().startswith(("```", "~~~")):
            kind, pieces = "code", [text]
        elif _ITEM.match(lines[0]) or sum(bool(_ITEM.match(line)) for line in lines) > 1:
            kind, pieces = "list", _items(lines)
        else:
            kind, pieces = "prose", _lines_or_sentences(text)
        units = tuple(Unit(piece, self._stems(piece)) for piece in pieces)
        return Block(kind, text, head, units, self._stems(text), self._stems(head))

    def _stems(self, text: str) -> Stems:
        return Stems(self._stemmer.stems(words(text)))


def _blocks(body: str) -> list[str]:
    """The blocks of a passage; blank lines inside code do not part it."""
    blocks: list[str] = []
    for part in body.split("\n\n"):
        if blocks and blocks[-1].startswith(("```", "~~~")) and not blocks[-1].rstrip().endswith(blocks[-1][:3]):
            blocks[-1] += "\n\n" + part
        elif part.strip():
            blocks.append(part)
    return blocks


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if _ITEM.match(line) or not items:
            items.append(line)
        else:
            items[-1] += "\n" + line
    return items


def _lines_or_sentences(text: str) -> list[str]:
    """Sentences; but lines such as "Weight: 5 kg" are pieces of their own."""
    lines = text.split("\n")
    if len(lines) > 1 and sum(bool(re.match(r"^[^.!?:]{1,40}:\s+\S", line)) for line in lines) >= len(lines) / 2:
        return lines
    return sentences(" ".join(line.strip() for line in lines))
