"""PDF files to passages: lines in reading order, without what every page repeats, under the document's own headings."""

from __future__ import annotations

import ctypes
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bot.documents.lines import Joiner
from bot.documents.passages import Outline, clean

PAGES: Final = 5000
"""Longest PDF that is read."""
TEXT: Final = 20_000_000
"""Most characters that are taken out of a file."""
_BULLET: Final = re.compile(r"[•◦▪‣·●○■–∗]\s+(?=\S)|[•◦▪‣●○■](?=\S)")
_ITEM: Final = re.compile(r"- |\(?\d{1,2}[.)]\s+(?=\S)")
_LEADER: Final = re.compile(r"(?:\s*\.){3,}\s*[\divxlc]*$|\s\.\s\.\s")
_NUMBER: Final = re.compile(r"(?:(?:chapter|kapitel|section)\s+)?(\d{1,2}(?:\.\d{1,2})*)\.?\s*(?=\S)", re.I)
_EDGE: Final = 3
"""So many lines at the top and the bottom of a page may be repeated on others."""
_PASSWORD: Final = 4
"""pdfium's number for a missing password."""


_MONO: Final = re.compile(rb"mono|courier|cour|cmtt|typewriter|consol|sftt|lmtt|ectt|fixed", re.I)


class PageLine(NamedTuple):
    """A line of a page; `height` of its letters and `top`, its place from below, are in points."""

    text: str
    height: float
    page: int
    top: float = 0.0
    mono: bool = False


def read_pdf(data: bytes) -> Outline:
    """Read a file; `page` of its passages counts from 1.

    Raises:
        ValueError: with the reason, when it cannot be read or is beyond the bounds.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower():
            raise ValueError("the PDF is protected by a password") from None
        raise ValueError("the PDF is damaged") from None
    if len(document) > PAGES:
        raise ValueError(f"the PDF has more than {PAGES:,} pages")
    pages, failed, size = [], 0, 0
    for number in range(len(document)):
        try:
            pages.append(_lines(document[number], number + 1))
        except pypdfium2.PdfiumError:
            failed += 1
            pages.append([])
        size += sum(len(line.text) for line in pages[-1])
        if size > TEXT:
            raise ValueError(f"the PDF has more than {TEXT:,} characters of text")
    if failed == len(pages):
        raise ValueError("the PDF is damaged")
    title = clean(document.get_metadata_value("Title") or "").strip()
    return _Reader(_headings(document), _without_running(pages)).read(title)


def _lines(page: Any, number: int) -> list[PageLine]:
    from pypdfium2 import raw

    text_page = page.get_textpage()
    # U+FFFE, pdfium's sign for a word cut at the end of a line, is left to the joiner.
    text: str = text_page.get_text_range(errors="replace")
    lines, place = [], 0
    box, flags, name = raw.FS_RECTF(), ctypes.c_int(), ctypes.create_string_buffer(80)

    def mono(index: int) -> bool:
        raw.FPDFText_GetFontInfo(text_page, index, name, 80, ctypes.byref(flags))
        return bool(flags.value & 1) or _MONO.search(name.value) is not None

    for line in text.splitlines(keepends=True):
        stripped = clean(line).strip()
        if stripped:
            start = place + len(line) - len(line.lstrip())
            known = raw.FPDFText_GetLooseCharBox(text_page, start, ctypes.byref(box))
            height, top = (round(abs(box.top - box.bottom), 1), box.top) if known else (0.0, 0.0)
            fixed = mono(start) and mono(start + len(stripped) - 1)
            lines.append(PageLine(stripped if fixed else " ".join(stripped.split()), height, number, top, fixed))
        place += len(line)
    text_page.close()
    page.close()
    return lines


def _headings(document: Any) -> dict[tuple[int, str], int]:
    """Levels of the headings that the file's own outline names, by page and folded text."""
    import pypdfium2

    found: dict[tuple[int, str], int] = {}
    try:
        for mark in document.get_toc(max_depth=6):
            target = mark.get_dest() if hasattr(mark, "get_dest") else None
            index = target.get_index() if target is not None else None
            title = mark.get_title() if hasattr(mark, "get_title") else ""
            if index is not None and title:
                found.setdefault((index + 1, _folded(title)), mark.level + 2)
    except (pypdfium2.PdfiumError, RecursionError):
        return {}
    return found


def _folded(text: str) -> str:
    """A heading without its number and blanks, to be compared."""
    return re.sub(r"\W", "", _NUMBER.sub("", text.strip(), count=1)).casefold()


def _without_running(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
    """Pages without the lines at their edges that others have too, and without their numbers."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_mask(line.text) for line in (*page[:_EDGE], *page[-_EDGE:])})
    often = 3

    def runs(line: PageLine) -> bool:
        return (
            seen[_mask(line.text)] >= often
            or re.fullmatch(r"\W*(?:page |seite )?[\divxlc]{1,5}\W*", line.text, re.I) is not None
        )

    kept = []
    for page in pages:
        edge = [i < _EDGE or i >= len(page) - _EDGE for i in range(len(page))]
        kept.append([line for line, at in zip(page, edge, strict=True) if not (at and runs(line))])
    return kept


def _mask(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "0", text.casefold())


class _Reader:
    """Puts lines together again."""

    def __init__(self, headings: dict[tuple[int, str], int], pages: Sequence[Sequence[PageLine]]) -> None:
        self._headings = headings
        self._pages = pages
        self._joiner = Joiner("\n".join(line.text for page in pages for line in page))
        heights: Counter[float] = Counter()
        widths: list[int] = []
        for page in pages:
            for line in page:
                heights[line.height] += len(line.text)
                widths.append(len(line.text))
        self._body = heights.most_common(1)[0][0] if heights else 0.0
        self._width = sorted(widths)[int(0.8 * len(widths))] if widths else 0
        self._out = Outline()
        self._paragraph: list[str] = []
        self._items: list[str] = []
        self._code: list[str] = []
        self._term = ""
        self._plain = len(heights) < 2 and not headings
        self._pitch = _pitch(pages)
        self._above: PageLine | None = None

    def read(self, title: str) -> Outline:
        """All passages."""
        for page in self._pages:
            self._page(page)
        self._end()
        self._out.close()
        self._out.title = title or self._first_title()
        return self._out

    def _first_title(self) -> str:
        """The largest letters of the first page."""
        first = next((page for page in self._pages if page), [])
        largest = max((line.height for line in first), default=0.0)
        if largest <= self._body * 1.15:
            return ""
        return " ".join(line.text for line in first if line.height == largest)[:300]

    def _page(self, lines: Sequence[PageLine]) -> None:
        if not lines:
            return
        led = sum(_LEADER.search(line.text) is not None for line in lines)
        if led > 3 and led > 0.4 * len(lines):
            self._end()
            self._turn(lines[0].page)
            self._out.block("\n".join(f"- {_LEADER.sub('', line.text)}" for line in lines), "contents")
            self._out.close()
            return
        number = 0
        while number < len(lines):
            number += self._line(lines, number)

    def _line(self, lines: Sequence[PageLine], number: int) -> int:
        """Take a line in, with the next ones if a heading is in several; how many it were."""
        line = lines[number]
        following = lines[number + 1].text if number + 1 < len(lines) else ""
        for count in (1, 2, 3):
            text = " ".join(other.text for other in lines[number : number + count]).replace("\ufffe", "")
            if (level := self._level(line, text, count, following)) is not None:
                self._end()
                self._turn(line.page)
                self._out.head(level, text)
                self._above = None
                return count
        text = _BULLET.sub("- ", line.text, count=1) if _BULLET.match(line.text) else line.text
        if line.mono != bool(self._code) or (not line.mono and (_ITEM.match(text) or self._apart(line))):
            self._flush()
        if not self._paragraph and not self._code and not self._items:
            self._turn(line.page)
        (self._code if line.mono else self._paragraph).append(text)
        self._above = line
        return 1

    def _turn(self, page: int) -> None:
        if self._out.page != page:
            self._out.close()
            self._out.page = page

    def _apart(self, line: PageLine) -> bool:
        """Whether a line begins a paragraph: it stands off, or the one above ended early with a full stop."""
        above = self._above
        if above is None:
            return True
        ended = above.text[-1] in ".!?:。！？"
        gap = above.top - line.top
        if above.page != line.page or gap < 0:  # a new page or column
            return ended
        return gap > 1.35 * self._pitch or (ended and len(above.text) < 0.75 * self._width)

    def _level(self, line: PageLine, text: str, count: int, following: str) -> int | None:
        if len(text) > 200:
            return None
        folded = _folded(text)
        for page in (line.page, line.page + 1):
            if folded and (level := self._headings.get((page, folded))) is not None:
                return level
        if self._headings or count > 1 or not any(letter.isalpha() for letter in text) or text[-1] in ".!,;:":
            return None
        if self._plain:
            return 2 if _alone(text, following, self._above) else None
        large = len(text) <= 120 and line.height >= 1.15 * self._body
        return (2 if line.height >= 1.4 * self._body else 3) if large else None

    def _flush(self) -> None:
        """End a paragraph, an item or code; items that follow each other are one list."""
        if self._code:
            code, self._code = "\n".join(self._code).replace("\ufffe", "-"), []
            self._end_list()
            if re.fullmatch(r"[\w.:/+-]{1,40}", code):  # a term; what is said of it follows
                self._term = code
                return
            self._out.block(f"```\n{code}\n```", "code")
        elif self._paragraph:
            text, self._paragraph = self._term_before(self._joiner.joined(self._paragraph)), []
            if _ITEM.match(text):
                self._items.append(text)
            else:
                self._end_list()
                self._out.block(re.sub(r"^#", r"\\#", text))

    def _term_before(self, text: str) -> str:
        term, self._term = self._term, ""
        return f"`{term}`: {text}" if term else text

    def _end_list(self) -> None:
        if self._items:
            items, self._items = "\n".join(self._items), []
            self._out.block(items)

    def _end(self) -> None:
        self._flush()
        if self._term:
            self._out.block(f"`{self._term}`")
            self._term = ""
        self._end_list()


def _alone(text: str, following: str, above: PageLine | None) -> bool:
    """Whether a line reads like a heading, in a file whose letters are all of one size."""
    ended = above is None or above.text[-1] in ".!?:"
    short = len(text) <= 60 and len(text.split()) <= 9 and len(following) > len(text)
    return ended and short and (text[0].isupper() or text[0].isdigit()) and not re.search(r"\d{2,}", text)


def _pitch(pages: Sequence[Sequence[PageLine]]) -> float:
    """The usual distance of two lines, in points."""
    gaps: Counter[float] = Counter()
    for page in pages:
        gaps.update(round(a.top - b.top) for a, b in itertools.pairwise(page) if 4 < a.top - b.top < 40)
    return gaps.most_common(1)[0][0] if gaps else 12.0
