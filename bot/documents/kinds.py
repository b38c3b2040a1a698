"""The kinds of files that can be read, and what their names say of them."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath
from typing import Final

FILE_BYTES: Final = 20 * 1024 * 1024
"""Largest file in bytes."""


class Kind(StrEnum):
    """A kind of file."""

    MARKDOWN = "md"
    TEXT = "txt"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"
    DOCX = "docx"

    @property
    def media_type(self) -> str:
        """What a request calls it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    Kind.MARKDOWN: "text/markdown",
    Kind.TEXT: "text/plain",
    Kind.HTML: "text/html",
    Kind.CSV: "text/csv",
    Kind.PDF: "application/pdf",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SUFFIXES: Final = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
}
"""The ends of names, in small letters, that tell a kind."""


def kind_by_name(name: str) -> Kind | None:
    """What kind a name promises; None for a name that promises none we read.

    >>> str(kind_by_name("Prices.TSV")), kind_by_name("holiday.mp4")
    ('csv', None)
    """
    return SUFFIXES.get(PurePath(name).suffix.lower())


def kind_of(name: str, data: bytes) -> Kind:
    """The kind of a file, by its content where that is plain, else by its name, else text."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return Kind.PDF
    if data.startswith(b"PK\x03\x04"):
        return Kind.DOCX
    kind = kind_by_name(name)
    if kind is None or kind is Kind.TEXT:
        return Kind.HTML if re.match(rb"\s*(<!doctype html|<html)", data[:200], re.IGNORECASE) else Kind.TEXT
    return kind


def title_from_name(name: str) -> str:
    """A title for a file that names none, at most 300 characters.

    >>> title_from_name("guides/price_list-2025.csv"), title_from_name("faq.md")
    ('Price list 2025', 'FAQ')
    """
    words = re.sub(r"[-_\s]+", " ", PurePath(name).stem).strip()[:300] or name[:300]
    return words.upper() if words in ("faq", "faqs") else words[:1].upper() + words[1:]
