"""A passage cut into the pieces that can answer: sentences, items of a list, rows of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import Phrase
from bot.assistant.retrieval.text import RUN, words
from bot.documents import is_table, sentences

_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")

LINE = 60
"""Characters up to which prose that is no sentence is a line, such as a heading or a term, and says nothing."""
_SAYS = re.compile(r"[.!?:…。！？]\W*$|\w[,;]?\s+\w+[,;]?\s+\w+[,;]?\s+\w+")


class Stems:
    """The stems of a text, for asking whether a phrase occurs in it."""

    __slots__ = ("_order", "_set")

    def __init__(self, order: list[str]) -> None:
        self._order = order
        self._set = frozenset(order).union(stem[0] for stem in order if len(stem) == 2 and RUN.match(stem))

    def __len__(self) -> int:
        return len(self._order)

    def has(self, phrase: Phrase) -> bool:
        """Whether the stems of a phrase stand there close together."""
        if len(phrase) == 1:
            return phrase[0] in self._set
        if not self._set.issuperset(phrase):
            return False
        wanted, reach = set(phrase), len(phrase) + 3
        starts = [i for i, stem in enumerate(self._order) if stem in wanted]
        return any(wanted.issubset(self._order[i : i + reach]) for i in starts)

    def all(self) -> frozenset[str]:
        """Each stem once."""
        return self._set

    def order(self) -> list[str]:
        """The stems as they stand there."""
        return self._order


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
    head_stems: Stems
    answers: bool
    """Whether it can answer by itself: code without words and what has no row or no sentence cannot."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage, cut. `heading` is the last of its headings, `trail` those above."""

    blocks: tuple[Block, ...]
    stems: Stems
    heading: Stems
    trail: Stems
    title: Stems


class Cutter:
    """Cuts passages and remembers the last ones."""

    def __init__(self, stemmer: Stemmer) -> None:
        self._stemmer = stemmer
        self.cut = lru_cache(maxsize=4096)(self._cut)
        self._line = lru_cache(maxsize=4096)(self._stems)

    def _cut(self, title: str, heading: str, body: str) -> Cut:
        self._stemmer.stems(words(body))  # all at once: piece by piece takes long
        blocks = tuple(self._block(block) for block in blocks_of(body))
        trail, _, last = (heading or title).rpartition(" › ")  # without headings the whole document is one section
        every = [stem for block in blocks for part in (block.head_stems, *(unit.stems for unit in block.units))
                 for stem in part.order()]  # fmt: skip
        return Cut(blocks, Stems(every), self._line(last), self._line(trail), self._line(title))

    def _block(self, text: str) -> Block:
        lines = text.split("\n")
        head = ""
        kind: Literal["prose", "list", "table", "code"]
        if is_table(text):
            kind, head, pieces = "table", "\n".join(lines[:2]), [line for line in lines[2:] if line.strip("| \t")]
        elif lines[0].lstrip().startswith(("```", "~~~")):
            kind, pieces = "code", [line for line in lines[1:] if line.strip(" `~")]
        elif _ITEM.match(lines[0]) or sum(bool(_ITEM.match(line)) for line in lines) > 1:
            kind, pieces = "list", _items(lines)
        else:
            kind, pieces = "prose", _lines_or_sentences(text)
        units = tuple(Unit(piece, self._stems(piece)) for piece in pieces)
        return Block(kind, text, head, units, self._stems(head), _answers(kind, text, units))

    def _stems(self, text: str) -> Stems:
        return Stems(self._stemmer.stems(words(text)))


def _answers(kind: str, text: str, units: tuple[Unit, ...]) -> bool:
    if kind == "code":
        return _wordy(units)
    return bool(units) and (kind != "prose" or len(text) > LINE or _SAYS.search(text) is not None)


def _wordy(lines: tuple[Unit, ...]) -> bool:
    """Whether lines that keep their form are a table or list in words rather than code."""
    found = [re.findall(r"(?<![\w<>=(.])[^\W\d_]{3,}(?![\w(=.])", line.text) for line in lines]
    return len(lines) > 1 and sum(len(row) >= 3 for row in found) >= len(lines) / 2


def blocks_of(body: str) -> list[str]:
    """The blocks of a passage; blank lines inside code do not part it."""
    blocks: list[str] = []
    for part in body.split("\n\n"):
        if blocks and blocks[-1].startswith(("```", "~~~")) and not blocks[-1].rstrip().endswith(blocks[-1][:3]):
            blocks[-1] += "\n\n" + part
        elif part.strip():
            blocks.append(part)
    return blocks


def is_prose(text: str) -> bool:
    """Whether a block is running text, whose line breaks say nothing."""
    lines = text.split("\n")
    if is_table(text) or lines[0].lstrip().startswith(("```", "~~~")) or any(map(_ITEM.match, lines)):
        return False
    return not _named_lines(lines)


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
    if _named_lines(lines):
        return lines
    return sentences(" ".join(line.strip() for line in lines))


def _named_lines(lines: list[str]) -> bool:
    """Whether lines are such as "Weight: 5 kg"."""
    named = sum(bool(re.match(r"^[^.!?:]{1,40}:\s+\S", line)) for line in lines)
    return len(lines) > 1 and named >= len(lines) / 2
