"""Split Markdown into passages, each with the path of headings above it. Linear in the length of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

TARGET = 600
"""A passage closes once it has so many characters."""
LONGEST = 1200
"""A block longer than this is cut at a line or a sentence."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_RULE = re.compile(r"^ {0,3}([-*_])[ \t]*(\1[ \t]*){2,}$")
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]?[^\W\d_a-z])|(?<=[。！？])")


class Passage(NamedTuple):
    """A piece of a document that is found and quoted as one. `page` counts from 1, None where there are no pages."""

    kind: Literal["prose", "qa"]
    heading: str
    body: str
    page: int | None = None


@dataclass(slots=True)
class _State:
    title: str = ""
    path: list[tuple[int, str]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    page: int | None = None

    @property
    def heading(self) -> str:
        return " › ".join(text for _, text in self.path if text)

    def block(self, text: str) -> None:
        """Take a block in; close the passage when it is long enough."""
        for piece in _pieces(text):
            size = sum(map(len, self.blocks))
            if self.blocks and size + len(piece) > LONGEST:
                self.close()
            self.blocks.append(piece)
            if sum(map(len, self.blocks)) >= TARGET:
                self.close()

    def close(self) -> None:
        """End the passage."""
        if self.blocks:
            kind: Literal["prose", "qa"] = "qa" if self.path and self.path[-1][1].endswith("?") else "prose"
            self.passages.append(Passage(kind, self.heading, "\n\n".join(self.blocks), self.page))
            self.blocks = []

    def head(self, level: int, text: str) -> None:
        """Begin what stands under a heading; the first of level 1 is the title."""
        self.close()
        text = plain(text)
        self.path = [(other, above) for other, above in self.path if other < level]
        if level == 1 and not self.title:
            self.title = text
        else:
            self.path.append((level, text))


def clean(text: str) -> str:
    """Text without control characters: they are no text, and SQLite's tokenizer stops at NUL."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", " ", text)


def plain(text: str) -> str:
    """Inline Markdown without its marks, for titles and headings.

    >>> plain("**Opening** `hours` of [the shop](https://example.com)")
    'Opening hours of the shop'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", text).strip()


def sentences(text: str) -> list[str]:
    """Cut prose into sentences; an abbreviation may cut one in two, which only makes a quotation shorter."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def split(markdown: str, *, page: int | None = None) -> tuple[str, list[Passage]]:
    """The title (empty if there is none) and the passages of a Markdown text."""
    state = _State(page=page)
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = _front_matter(lines, state)
    paragraph: list[str] = []
    fence: str | None = None

    def flush() -> None:
        if paragraph:
            state.block("\n".join(paragraph))
            paragraph.clear()

    for line in lines:
        mark = _FENCE.match(line)
        if fence is not None:
            paragraph.append(line)
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = None
                flush()
            continue
        if mark:
            flush()
            fence = mark[1]
            paragraph.append(line)
        elif heading := _HEADING.match(line):
            flush()
            state.head(len(heading[1]), heading[2])
        elif len(paragraph) == 1 and (under := _UNDERLINE.match(line)) and "|" not in paragraph[0]:
            text = paragraph.pop()
            state.head(1 if under[1][0] == "=" else 2, text)
        elif not line.strip() or _RULE.match(line):
            flush()
        else:
            paragraph.append(line.rstrip())
    if fence is not None:
        paragraph.append(fence)
    flush()
    state.close()
    return state.title, state.passages


def is_table(block: str) -> bool:
    """Whether a block is a Markdown table with its rule as second line."""
    lines = block.split("\n", 2)
    return len(lines) > 1 and "|" in lines[0] and bool(_TABLE_RULE.match(lines[1]))


def _front_matter(lines: list[str], state: _State) -> list[str]:
    """Drop a YAML front matter, keeping its title."""
    if not lines or lines[0].strip() != "---":
        return lines
    for number, line in enumerate(lines[1:60], start=1):
        if line.strip() == "---":
            return lines[number + 1 :]
        name, _, value = line.partition(":")
        if name.strip().lower() == "title":
            state.title = value.strip().strip("\"'")
    state.title = ""
    return lines


def _pieces(block: str) -> list[str]:
    """A block, cut if it is too long: tables keep their head, code its fence, prose whole sentences."""
    if len(block) <= LONGEST:
        return [block]
    lines = block.split("\n")
    if is_table(block):
        return _grouped(lines[2:], "\n", head="\n".join(lines[:2]) + "\n")
    if mark := _FENCE.match(lines[0]):
        return _grouped(lines[1:-1], "\n", head=lines[0] + "\n", tail="\n" + mark[1])
    if len(lines) > 1 and max(map(len, lines)) <= LONGEST:
        return _grouped(lines, "\n")
    return _grouped([part for line in lines for part in sentences(line) or [line]], " ")


def _grouped(parts: list[str], joint: str, *, head: str = "", tail: str = "") -> list[str]:
    room = LONGEST - len(head) - len(tail)
    if room < TARGET // 2:
        head, tail, room = "", "", LONGEST
    pieces: list[str] = []
    current = ""
    for part in parts:
        for piece in [part[i : i + room] for i in range(0, len(part), room)] or [""]:
            if current and len(current) + len(joint) + len(piece) > room:
                pieces.append(head + current + tail)
                current = piece
            else:
                current = f"{current}{joint}{piece}" if current else piece
    if current.strip():
        pieces.append(head + current + tail)
    return pieces
