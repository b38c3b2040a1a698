"""Each kind of file to passages. Runs in the subprocess; the libraries are imported when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from bot.documents.encodings import text_of
from bot.documents.kinds import Kind, kind_of
from bot.documents.markup import read_html
from bot.documents.passages import Outline, Passage, split
from bot.documents.pdf import read_pdf
from bot.documents.plaintext import read_text
from bot.documents.tables import read_csv
from bot.documents.word import read_word

READERS = "3"
"""Changes whenever files are read otherwise than before: what was read by older readers is read again."""
NO_TEXT = "no text was found in the file"
"""How the reason of a file without text begins, such as a scanned PDF."""
TEXT = 20_000_000
"""Most characters that are taken out of a file."""
FRAME = 200
"""Passages that go through a pipe, or are stored, in one piece: other work goes between two."""
T = TypeVar("T")


class Parsed(NamedTuple):
    """What was in a file; `title` is empty when the file names none.

    `words`, where they were counted already, has those of each `FRAME` of passages.
    """

    title: str
    passages: list[Passage]
    words: list[dict[str, int]] = []  # noqa: RUF012 - never changed


class ParseError(Exception):
    """Why a file could not be read, in words for people."""


def read(name: str, data: bytes) -> Parsed:
    """The title and passages of a file.

    Raises:
        ParseError: with the reason.
    """
    if not data:
        raise ParseError("the file is empty")
    kind = kind_of(name, data)
    parsed = _READERS[kind](data)
    if not parsed.passages:
        hint = "; a scanned PDF needs text recognition first" if kind is Kind.PDF else ""
        raise ParseError(f"{NO_TEXT}{hint}")
    return parsed


def as_markdown(parsed: Parsed) -> str:
    """What was read as one Markdown text, headings included; lists of what stands elsewhere are left out."""
    lines = [f"# {parsed.title}"] if parsed.title else []
    before: list[str] = []
    for passage in parsed.passages:
        if passage.kind == "contents":
            continue
        path = passage.heading.split(" › ") if passage.heading else []
        same = next(
            (i for i, (a, b) in enumerate(zip(path, before, strict=False)) if a != b), min(len(path), len(before))
        )
        lines.extend("#" * min(level + 2, 6) + f" {path[level]}" for level in range(same, len(path)))
        lines.append(passage.body)
        before = path
    return "\n\n".join(lines) + "\n"


def decode(data: bytes, *, page: bool = False) -> str:
    """Text in any common encoding; `page` is for HTML, which may name its own."""
    text = text_of(data, page=page)
    if text is None:
        raise ParseError("the file is not a text; supported are Markdown, text, HTML, PDF, DOCX and CSV")
    if len(text) > TEXT:
        raise ParseError(f"the file has more than {TEXT:,} characters of text")
    return text


def _markdown(data: bytes) -> Parsed:
    return Parsed(*split(decode(data)))


def _text(data: bytes) -> Parsed:
    return _parsed(read_text(decode(data)))


def _csv(data: bytes) -> Parsed:
    return Parsed("", _bounded("CSV file", lambda: read_csv(decode(data))))


def _html(data: bytes) -> Parsed:
    text = decode(data, page=True)
    return _parsed(_bounded("page", lambda: read_html(text)))


def _pdf(data: bytes) -> Parsed:
    return _parsed(_bounded("PDF", lambda: read_pdf(data)))


def _docx(data: bytes) -> Parsed:
    return _parsed(_bounded("DOCX file", lambda: read_word(data)))


def _parsed(outline: Outline) -> Parsed:
    return Parsed(outline.title[:300], outline.passages)


def _bounded(what: str, reader: Callable[[], T]) -> T:
    """What a reader gives; every error of it becomes a reason."""
    try:
        return reader()
    except (ParseError, MemoryError, RecursionError):
        raise
    except ImportError as error:
        raise ParseError(
            f"{what}s cannot be read here: the library {error.name} is missing; install uppzy-bot anew"
        ) from None
    except ValueError as error:
        raise ParseError(str(error)) from None
    except Exception as error:  # libraries raise whatever the broken part of a file provokes
        raise ParseError(f"the {what} is damaged ({type(error).__name__})") from None


_READERS: dict[Kind, Callable[[bytes], Parsed]] = {
    Kind.MARKDOWN: _markdown,
    Kind.TEXT: _text,
    Kind.HTML: _html,
    Kind.CSV: _csv,
    Kind.PDF: _pdf,
    Kind.DOCX: _docx,
}
