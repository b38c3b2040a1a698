"""Plain text to passages: headings as people type them, paragraphs without their hard line breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.documents.lines import NARROW, Joiner
from bot.documents.passages import Outline

_UNDERLINE: Final = re.compile(r"([=\-~*^#\"+_])\1{2,}")
_NUMBERED: Final = re.compile(
    r"(?:(?:chapter|section|part|appendix|kapitel|teil)\s+)?((?:\d{1,3}|[A-Z])(?:\.\d{1,3})*)([.):]?)\s+\S.*", re.I
)
_ITEM: Final = re.compile(r"(?:[-*+•◦▪‣·–]|\(?\d{1,3}[.)])\s+(?=\S)")
_LEADER: Final = re.compile(r"(?:\.\s*){3,}[\divxlc]+$|\S\s{3,}[\divxlc]{1,4}$", re.I)
_ENTRY: Final = 300
"""An entry of a table of contents has at most so many characters; looking for the leader takes the square of them."""
CONTENTS: Final = re.compile(
    r"\W*(?:table of contents|contents|inhalt(?:sverzeichnis)?|sommaire|índice|目次|目录)\W*", re.I
)
"""The heading of a table of contents."""
_RUNNING: Final = re.compile(r"(\S+\(\d\w*\))\s.*\s\1")
_COLUMNS: Final = re.compile(r"\s{3,}\S.*\s{3,}\S")
_CODE: Final = re.compile(r"[{}();=<>$|\\]|^[#%]\s|\w/\w")
_END: Final = ".!?:;,…。！？"
HEADING: Final = 80
"""A heading has at most so many characters."""
_SHORT: Final = 300
"""What is said of a term up to this length stays in one passage with its neighbours."""
_TERM_LEVEL: Final = 10
_MAN_BODY: Final = 7


class TextLine(NamedTuple):
    """A line and how far it is indented."""

    indent: int
    text: str


def read_text(text: str) -> Outline:
    """Read a text."""
    lines = [TextLine(len(line) - len(line.lstrip()), line.strip()) for line in _unformatted(text)]
    out = Outline()
    body = None
    if lines and (running := _RUNNING.fullmatch(lines[0].text)):  # a man page
        out.title, body = running[1], _MAN_BODY
        lines = lines[1:-1] if lines[-1].text.endswith(running[1]) else lines[1:]
    reader = _Reader(out, Joiner(text), _body(lines) if body is None else body, _width(lines))
    blocks = _blocks(lines)
    for number, block in enumerate(blocks):
        reader.block(block, blocks[number + 1] if number + 1 < len(blocks) else [])
    out.close()
    return out


def _unformatted(text: str) -> list[str]:
    """Lines without what a printer needs: overstruck letters, form feeds, empty lines around."""
    text = re.sub(".\b", "", text).replace("\f", "\n\n").expandtabs(8)
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines[next((i for i, line in enumerate(lines) if line), 0) :]


def _body(lines: Sequence[TextLine]) -> int:
    """How far most of the text is indented."""
    indents = Counter(line.indent for line in lines if line.text)
    return indents.most_common(1)[0][0] if indents else 0


def _width(lines: Sequence[TextLine]) -> int:
    """Where most lines end, in a text whose lines were all filled with blanks to end there; else 0."""
    ends = Counter(line.indent + len(line.text) for line in lines if line.text)
    end, count = ends.most_common(1)[0] if ends else (0, 0)
    return end if end > NARROW and count > 0.12 * ends.total() else 0


def _blocks(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    blocks: list[list[TextLine]] = [[]]
    for line in lines:
        if line.text:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


class _Reader:
    """Takes the blocks of a text, one after another, each with the one that follows."""

    def __init__(self, out: Outline, joiner: Joiner, body: int, width: int) -> None:
        self._out = out
        self._joiner = joiner
        self._body = body
        self._width = width
        self._announced: set[str] | None = None
        """What the table of contents names, while we are in it."""
        self._first = True

    def block(self, block: list[TextLine], following: list[TextLine]) -> None:
        """Take a block in."""
        if len(block) > 2 and _UNDERLINE.fullmatch(block[0].text) and _UNDERLINE.fullmatch(block[2].text):
            block = block[1:]
        while len(block) > 1 and _UNDERLINE.fullmatch(block[1].text) and len(block[0].text) <= 2 * HEADING:
            self._head(_UNDERLINED.get(block[1].text[0], 3), block[0].text)
            block = block[2:]
        if not block or (len(block) == 1 and _UNDERLINE.fullmatch(block[0].text)):
            return
        if self._in_contents(block):
            self._out.block("\n".join(f"- {line.text}" for line in block), "contents")
        elif (level := self._level(block, following)) is not None:
            self._head(level, block[0].text)
            if len(block) > 1:
                self.block(block[1:], following)
        else:
            self._out.leave(_TERM_LEVEL + block[0].indent)
            if _is_term(block):
                self._term(block, following)
            else:
                self._out.block(self._laid_out(block))
        self._first = False

    def _head(self, level: int, text: str) -> None:
        self._out.head(1 if self._first and not self._out.title else max(level, 2) if self._out.title else level, text)
        self._first = False
        self._announced = set() if CONTENTS.fullmatch(text) else None

    def _in_contents(self, block: list[TextLine]) -> bool:
        entries = [_entry(line.text) for line in block]
        if self._announced is not None:
            if len(block) == 1 and entries[0] in self._announced:
                return False
            if all(len(line.text) <= HEADING + 10 and line.text[-1] not in _END for line in block):
                self._announced.update(entries)
                return True
        led = sum(len(line.text) <= _ENTRY and _LEADER.search(line.text) is not None for line in block)
        numbered = [match[1] for line in block if (match := _NUMBERED.fullmatch(line.text))]
        if len(block) > 2 and (
            led >= 0.6 * len(block) or (len(numbered) == len(block) and any("." in number for number in numbered))
        ):
            self._announced = {*(self._announced or ()), *entries}
            return True
        self._announced = None
        return False

    def _level(self, block: list[TextLine], following: list[TextLine]) -> int | None:
        """The level of the heading that a block begins with; None when it begins with none."""
        line, alone = block[0], len(block) == 1
        text = line.text
        if (
            len(text) > HEADING
            or _COLUMNS.search(text)
            or text[-1] in ".!;,…。！"
            or (alone and not following)
            or _ITEM.match(text[:1] + " x")
        ):
            return None
        if line.indent < self._body and ((not alone and block[1].indent > line.indent) or alone):
            return 2 + min(line.indent, 8) // 3
        if alone and CONTENTS.fullmatch(text):
            return 2
        letters = [letter for letter in text if letter.isalpha()]
        if (
            len(letters) > 2
            and text.upper() == text
            and text.lower() != text
            and line.indent <= self._body
            and (alone or not (block[1].text.isupper() or _is_term(block)))
        ):
            return 2
        if number := _NUMBERED.fullmatch(text):
            return self._numbered(number, block, following)
        alike = alone and len(text) <= 60 and text[0].isupper() and text[-1] != ":" and line.indent <= self._body
        prose = (
            following and len(" ".join(other.text for other in following)) > len(text) and len(following[0].text) > 30
        )
        return 2 if alike and prose and len(text.split()) <= 9 else None

    def _numbered(self, number: re.Match[str], block: list[TextLine], following: list[TextLine]) -> int | None:
        depth = number[1].count(".")
        if len(block) > 1:
            return 2 + depth if depth and not _NUMBERED.fullmatch(block[1].text) else None
        other = _NUMBERED.fullmatch(following[0].text)
        if other and other[1].count(".") == depth:
            return None  # a list with empty lines between
        bare = depth == 0 and not number[2]
        return (
            None
            if bare
            and not block[0].text.lower().startswith(("chapter", "section", "part", "app", "kap", "teil"))
            and not number[1].isdigit()
            else 2 + depth
        )

    def _term(self, block: list[TextLine], following: list[TextLine]) -> None:
        deeper = next(i for i, line in enumerate(block) if line.indent > block[0].indent)
        terms, said = ", ".join(" ".join(line.text.split()) for line in block[:deeper]), block[deeper:]
        size = sum(len(line.text) for line in said)
        if size <= _SHORT and (not following or following[0].indent <= block[0].indent):
            self._out.block(f"**{terms.replace('*', '')}**: {self._laid_out(said)}")
        else:
            self._out.term(_TERM_LEVEL + block[0].indent, terms)
            self._out.block(self._laid_out(said))

    def _laid_out(self, block: list[TextLine]) -> str:
        """A block as Markdown: items, code and columns keep their lines, the rest is a paragraph."""
        texts = [line.text for line in block]
        if sum(_ITEM.match(text) is not None for text in texts) and (_ITEM.match(texts[0]) or len(texts) > 2):
            return self._list(block)
        if self._is_justified(block):
            return self._joiner.joined(texts)
        if _has_columns(block) or (
            block[0].indent > self._body and sum(_CODE.search(text) is not None for text in texts) > len(texts) / 2
        ):
            least = min(line.indent for line in block)
            return "\n".join(["```", *(" " * (line.indent - least) + line.text for line in block), "```"])
        return re.sub(r"(?m)^#", r"\\#", self._joiner.paragraph(texts))

    def _is_justified(self, block: list[TextLine]) -> bool:
        """Whether blanks between words only bring the ends of lines under each other."""
        ends = [line.indent + len(line.text) for line in block[:-1]]
        return (
            bool(ends and self._width) and all(end == self._width for end in ends) and not _columns(block, len(block))
        )

    def _list(self, block: list[TextLine]) -> str:
        items: list[list[str]] = []
        for line in block:
            if _ITEM.match(line.text) or not items:
                items.append([line.text])
            else:
                items[-1].append(line.text)
        lines = [self._joiner.joined(item) for item in items]
        lines = [re.sub(r"^[+*•◦▪‣·–](?=\s)", "-", line) for line in lines]
        lead = not _ITEM.match(block[0].text)
        return "\n".join(lines[:1] + ([""] if lead else []) + lines[1:])


_UNDERLINED: Final = {"=": 1, "#": 1, "*": 1, "-": 2, "_": 2}


def _entry(text: str) -> str:
    """What an entry of a table of contents points to."""
    if len(text) <= _ENTRY:
        text = _LEADER.sub(lambda match: match[0][:1].strip(". "), text)
    return " ".join(text.split()).casefold()


def _is_term(block: list[TextLine]) -> bool:
    """Whether the first lines are terms and the deeper ones below say what they are."""
    first = block[0].indent
    deeper = next((i for i, line in enumerate(block) if line.indent > first), 0)
    if (
        not 0 < deeper < 4
        or _ITEM.match(block[0].text)
        or _ITEM.match(block[deeper].text)
        or block[0].text[-1] in ".!?"
    ):
        return False
    return all(line.indent > first for line in block[deeper:]) and all(
        len(line.text) <= HEADING for line in block[:deeper]
    )


def _has_columns(block: list[TextLine]) -> bool:
    """Whether words stand under each other in columns."""
    return len(block) > 1 and _columns(block, max(2, 0.6 * len(block)))


def _columns(block: list[TextLine], least: float) -> bool:
    """Whether after blanks a word begins at the same place in so many lines at least."""
    starts: Counter[int] = Counter()
    for line in block:
        starts.update({line.indent + match.end() for match in re.finditer(r"\s{2,}", line.text)})
    return max(starts.values(), default=0) >= least
