"""Each kind of file to passages. Runs in the subprocess; the libraries are imported when they are needed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import NamedTuple

from bot.documents.kinds import Kind, kind_of
from bot.documents.markup import HtmlReader
from bot.documents.passages import Passage, clean, split
from bot.documents.tables import read_csv

PAGES = 5000
"""Longest PDF that is read."""
TEXT = 20_000_000
"""Most characters that are taken out of a file."""
UNPACKED = 100_000_000
"""Most bytes a DOCX file may unpack to."""
RATIO = 200
"""Most bytes a part of a DOCX file may unpack to, for each packed byte."""


class Parsed(NamedTuple):
    """What was in a file; `title` is empty when the file names none."""

    title: str
    passages: list[Passage]


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
        raise ParseError(f"no text was found in the file{hint}")
    return parsed


def decode(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with a mark, or else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        if b"\x00" in data:
            raise ParseError("the file is not a text; supported are Markdown, text, HTML, PDF, DOCX and CSV")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if len(text) > TEXT:
        raise ParseError(f"the file has more than {TEXT:,} characters of text")
    return clean(text)


def _markdown(data: bytes) -> Parsed:
    return Parsed(*split(decode(data)))


def _text(data: bytes) -> Parsed:
    text = decode(data)
    # In plain text a line of "# shopping" is a line: only what is set apart by underlines counts as a heading.
    return Parsed(*split(re.sub(r"(?m)^( {0,3})#", r"\1\\#", text)))


def _csv(data: bytes) -> Parsed:
    try:
        return Parsed("", read_csv(decode(data)))
    except ValueError as error:
        raise ParseError(str(error)) from None


def _html(data: bytes) -> Parsed:
    reader = HtmlReader()
    reader.feed(decode(data))
    reader.close()
    title, passages = split(reader.markdown())
    return Parsed(title or " ".join(reader.title.split()), passages)


def _pdf(data: bytes) -> Parsed:
    try:
        import pypdf
    except ImportError:
        raise ParseError("reading PDF needs the extra: pip install 'uppzy-bot[docs]'") from None
    import logging

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    passages: list[Passage] = []
    size = 0
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ParseError("the PDF is protected by a password")
        if len(reader.pages) > PAGES:
            raise ParseError(f"the PDF has more than {PAGES:,} pages")
        title = str((reader.metadata.title if reader.metadata else None) or "").strip()
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text()
            size += len(text)
            if size > TEXT:
                raise ParseError(f"the PDF has more than {TEXT:,} characters of text")
            found, own = split(_unwrapped(decode(text.encode("utf-8", "replace"))), page=number)
            title = title or found
            passages.extend(own)
    except (ParseError, MemoryError):
        raise
    except Exception as error:  # pypdf raises whatever the broken part of the file provokes
        raise ParseError(f"the PDF is damaged ({type(error).__name__})") from None
    return Parsed(title[:300], passages)


def _unwrapped(text: str) -> str:
    """A page's lines as paragraphs; a short line without a full stop before a longer one is taken for a heading."""
    out: list[str] = []
    lines = [line.strip() for line in text.split("\n")]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        item = re.match(r"([•◦▪‣·–-]|\d{1,2}[.)])\s+\S", line)
        if item and line[0] in "•◦▪‣·–":
            line = "- " + line[1:].strip()
        if not line:
            out.append("")
        elif not item and _heading_like(line, following, out[-1] if out else ""):
            out.extend(["", f"## {line}", ""])
        elif item:
            out.append(line)
        else:
            out.append(re.sub(r"^#", r"\\#", line))
            if line[-1:] in ".!?:" and len(line) < 60:
                out.append("")
    return "\n".join(out)


def _heading_like(line: str, following: str, before: str) -> bool:
    ended = not before or before[-1:] in ".!?:" or before.startswith("#")
    words = line.split()
    return (
        ended
        and len(line) <= 60
        and 1 <= len(words) <= 9
        and line[-1] not in ".!,;:"
        and (line[0].isupper() or line[0].isdigit())
        and len(following) > len(line)
        and not re.search(r"\d{2,}", line)
    )


def _docx(data: bytes) -> Parsed:
    try:
        import docx
        from docx.table import Table
    except ImportError:
        raise ParseError("reading DOCX needs the extra: pip install 'uppzy-bot[docs]'") from None
    _check_zip(data)
    try:
        document = docx.Document(io.BytesIO(data))
        lines: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                rows = [[" ".join(cell.text.split()).replace("|", "\\|") for cell in row.cells] for row in block.rows]
                lines.append("")
                for number, row in enumerate(rows):
                    lines.append("| " + " | ".join(row) + " |")
                    if number == 0:
                        lines.append("|" + "---|" * len(row))
                lines.append("")
            else:
                lines.extend(_paragraph(block.text, block.style.name if block.style else None))
        title = document.core_properties.title.strip()
    except (ParseError, MemoryError):
        raise
    except Exception as error:  # python-docx and lxml raise whatever the broken part of the file provokes
        raise ParseError(f"the DOCX file is damaged ({type(error).__name__})") from None
    found, passages = split(decode("\n".join(lines).encode("utf-8", "replace")))
    return Parsed((found or title)[:300], passages)


def _paragraph(text: str, style: str | None) -> list[str]:
    text = " ".join(text.split())
    style = (style or "").lower()
    if not text:
        return [""]
    if style == "title":
        return ["", f"# {text}", ""]
    if level := re.fullmatch(r"heading (\d)", style):
        return ["", "#" * min(int(level[1]) + 1, 6) + f" {text}", ""]
    return [f"- {text}"] if style.startswith("list") else ["", text, ""]


def _check_zip(data: bytes) -> None:
    """Refuse an archive that unpacks to far more than it holds, before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise ParseError("the DOCX file is damaged (not a readable archive)") from None
    if "word/document.xml" not in {part.filename for part in parts}:
        raise ParseError("the archive is not a DOCX file")
    if len(parts) > 5000 or sum(part.file_size for part in parts) > UNPACKED:
        raise ParseError(f"the DOCX file unpacks to more than {UNPACKED // 1_000_000} MB")
    if any(part.file_size > 1_000_000 and part.file_size > RATIO * part.compress_size for part in parts):
        raise ParseError("the DOCX file unpacks to far more than it holds")


_READERS: dict[Kind, Callable[[bytes], Parsed]] = {
    Kind.MARKDOWN: _markdown,
    Kind.TEXT: _text,
    Kind.HTML: _html,
    Kind.CSV: _csv,
    Kind.PDF: _pdf,
    Kind.DOCX: _docx,
}
