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
_LINK_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+\[[^\]]*\]\([^)]*\)\W*$")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_REMARKS = frozenset(
    (
        "note",
        "notes",
        "tip",
        "hint",
        "important",
        "warning",
        "caution",
        "attention",
        "danger",
        "hinweis",
        "anmerkung",
        "tipp",
        "wichtig",
        "achtung",
        "warnung",
        "vorsicht",
        "remarque",
        "astuce",
        "avertissement",
        "nota",
        "consejo",
        "importante",
        "advertencia",
        "注意",
        "警告",
        "注記",
        "ヒント",
        "重要",
    )
)
"""What stands above a remark: a heading of that name begins no section."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]?[^\W\d_a-z])|(?<=[。！？])")


PassageKind = Literal["prose", "qa", "table", "code", "term", "contents"]
"""What a passage is: running text, the answer to the question that is its heading, nothing but a table, nothing but
code, what is said of a term (the last of its headings), or a list of what stands elsewhere, which answers nothing."""


class Passage(NamedTuple):
    """A piece of a document that is found and quoted as one. `page` counts from 1, None where there are no pages."""

    kind: PassageKind
    heading: str
    body: str
    page: int | None = None


@dataclass(slots=True)
class Outline:
    """Passages in the making: headings and blocks come in as they stand in the document. Blocks are Markdown."""

    title: str = ""
    page: int | None = None
    passages: list[Passage] = field(default_factory=list)
    _path: list[tuple[int, str, bool]] = field(default_factory=list)
    _blocks: list[tuple[PassageKind, str]] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """The path of headings, as it stands now."""
        return " › ".join(text for _, text, _ in self._path if text)

    def block(self, text: str, kind: PassageKind | None = None) -> None:
        """Take a block in; close the passage when it is long enough. Without `kind` the block tells it."""
        kind = kind or _kind_of(text)
        if self._blocks and (kind == "contents") != (self._blocks[-1][0] == "contents"):
            self.close()
        for piece in _pieces(text):
            if self._blocks and self._size + len(piece) > LONGEST:
                self.close()
            self._blocks.append((kind, piece))
            if self._size >= TARGET:
                self.close()

    def close(self) -> None:
        """End the passage."""
        if self._blocks:
            body = "\n\n".join(text for _, text in self._blocks)
            self.passages.append(Passage(self._kind(), self.heading, body, self.page))
            self._blocks = []

    def head(self, level: int, text: str) -> None:
        """Begin what stands under a heading; the first of level 1 is the title."""
        text = plain(text)
        if is_remark(text):
            self.block(f"**{text}**")
            return
        self.close()
        self.leave(level)
        if level == 1 and not self.title:
            self.title = text
        else:
            self._path.append((level, text, False))

    def term(self, level: int, text: str) -> None:
        """Begin what is said of a term; `level` is below that of every heading around it."""
        self.close()
        self.leave(level)
        self._path.append((level, plain(text), True))

    def leave(self, level: int) -> None:
        """End what stands under headings and terms of this level and below."""
        if any(entry[0] >= level for entry in self._path):
            self.close()
            self._path = [entry for entry in self._path if entry[0] < level]

    @property
    def _size(self) -> int:
        return sum(len(text) for _, text in self._blocks)

    def _kind(self) -> PassageKind:
        kinds = {kind for kind, _ in self._blocks}
        if "contents" in kinds:
            return "contents"
        if self._path and self._path[-1][2]:
            return "term"
        if self._path and self._path[-1][1].endswith(("?", "？")):
            return "qa"
        return next(iter(kinds)) if len(kinds) == 1 else "prose"


def _kind_of(block: str) -> PassageKind:
    if is_table(block):
        return "table"
    if _FENCE.match(block):
        return "code"
    items = block.split("\n")
    return "contents" if len(items) > 2 and all(map(_LINK_ITEM.match, items)) else "prose"


def is_remark(text: str) -> bool:
    """Whether a text is only the name of a remark, such as "Note"."""
    return text.strip(" :!.").casefold() in _REMARKS


def clean(text: str) -> str:
    """Text without control characters: they are no text, and SQLite's tokenizer stops at NUL."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", " ", text)


def plain(text: str) -> str:
    """Inline Markdown without its marks, for titles and headings.

    >>> plain("**Opening** `hours` of [the shop](https://example.com)"), plain("_set_ max_days")
    ('Opening hours of the shop', 'set max_days')
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)", "", text)
    return re.sub(r"[*`]{1,3}(?=\S)|(?<=\S)[*`]{1,3}", "", text).strip()


def sentences(text: str) -> list[str]:
    """Cut prose into sentences; an abbreviation may cut one in two, which only makes a quotation shorter."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def split(markdown: str, *, page: int | None = None) -> tuple[str, list[Passage]]:
    """The title (empty if there is none) and the passages of a Markdown text."""
    state = Outline(page=page)
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


def _front_matter(lines: list[str], state: Outline) -> list[str]:
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
    whole = sentences(" ".join(lines))
    if not any(map(_ITEM.match, lines)) and max(map(len, whole), default=LONGEST) < LONGEST:
        return _grouped(whole, " ")
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
