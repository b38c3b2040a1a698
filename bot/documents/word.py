"""Word documents (DOCX) to passages."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from typing import Any, Final

from bot.documents.markup import table_of
from bot.documents.passages import Outline, clean, plain
from bot.documents.plaintext import CONTENTS as _IS_CONTENTS
from bot.documents.plaintext import HEADING

UNPACKED: Final = 100_000_000
"""Most bytes a file may unpack to."""
RATIO: Final = 200
"""Most bytes a part of a file may unpack to, for each packed byte."""
OFTEN, _SHORT = 5, 20
"""What is said so often in a document, and is no short word, is said once."""
_CONTENTS: Final = re.compile(r"(?:toc|contents|inhalt|index)\b.*|toc ?heading")
_CODE: Final = re.compile(r".*\b(?:code|source|preformatted|html preformatted|plain text|verbatim)\b.*")


def read_word(data: bytes) -> Outline:
    """Read a document.

    Raises:
        ValueError: when the archive is none, or unpacks to far too much.
    """
    import docx
    from docx.table import Table

    _check(data)
    document = docx.Document(io.BytesIO(data))
    repeated = Counter(text for paragraph in document.paragraphs if len(text := paragraph.text.strip()) > _SHORT)
    reader = _Reader(Outline(), {text for text, count in repeated.items() if count >= OFTEN})
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            reader.flush()
            rows = [[_flat(cell.text) for cell in row.cells] for row in block.rows]
            if table := table_of(rows):
                reader.out.block(table)
        else:
            reader.paragraph(block)
    reader.flush()
    reader.out.close()
    reader.out.title = reader.title() or document.core_properties.title.strip()
    return reader.out


class _Reader:
    """Paragraphs in a row that belong together: items of a list, lines of code, entries of a table of contents."""

    def __init__(self, out: Outline, often: set[str]) -> None:
        self.out = out
        self._often = often
        self._said: set[str] = set()
        self._names: list[str] = []
        self._kind = ""
        self._lines: list[str] = []
        self._in_contents = False

    def title(self) -> str:
        """The title; one that names a section as well is that section's, and the first heading is the document's."""
        title, names = self.out.title, self._names
        return names[0] if title in names else title

    def paragraph(self, paragraph: Any) -> None:
        """Take a paragraph in."""
        style = (paragraph.style.name if paragraph.style else "").lower()
        text = clean(paragraph.text)
        level = re.fullmatch(r"(?:heading|überschrift) (\d)", style)
        if style == "title" or level:
            self.flush()
            self._in_contents = _IS_CONTENTS.fullmatch(text) is not None
            if _flat(text) and style == "title":
                self.out.head(1, _flat(text))
            elif _flat(text) and level:
                self._names.append(plain(_flat(text)))
                self.out.head(min(int(level[1]) + 1, 7), _flat(text))
        elif _CODE.fullmatch(style):
            self._take("code", text)
        elif not text.strip() or self._is_repeated(text.strip()):
            return
        elif self._is_entry(text.strip()):
            self._take("contents", "- " + _flat(text))
        elif _CONTENTS.fullmatch(style):
            self._take("contents", "- " + re.sub(r"\s*\t\s*\d*$", "", text))
        elif (depth := _depth(paragraph, style)) is not None:
            self._take("list", "  " * depth + "- " + _flat(text))
        else:
            self.flush()
            self.out.block("\n".join(line for part in text.split("\n") if (line := _flat(part))))

    def _is_repeated(self, text: str) -> bool:
        """Whether this was said before and is said on every other page, such as how to comment on it."""
        before = text in self._said
        if text in self._often:
            self._said.add(text)
        return before

    def _is_entry(self, text: str) -> bool:
        """Whether this is a line of a table of contents: it stands below that heading and is no sentence."""
        if _IS_CONTENTS.fullmatch(text):
            self._in_contents = True
        elif len(text) > HEADING or text[-1] in ".!。":
            self._in_contents = False
        return self._in_contents

    def flush(self) -> None:
        """End what belongs together."""
        lines, self._lines = "\n".join(self._lines), []
        if not lines.strip():
            return
        if self._kind == "code":
            self.out.block(f"```\n{lines}\n```", "code")
        else:
            self.out.block(lines, "contents" if self._kind == "contents" else None)

    def _take(self, kind: str, line: str) -> None:
        if kind != self._kind:
            self.flush()
        self._kind = kind
        self._lines.append(line)


def _depth(paragraph: Any, style: str) -> int | None:
    """How deep in lists a paragraph stands, from 0; None when in none."""
    properties = paragraph._p.pPr
    number = None if properties is None else properties.numPr
    if number is not None:
        return min(number.ilvl.val if number.ilvl is not None else 0, 8)
    return 0 if style.startswith("list") and "paragraph" not in style else None


def _flat(text: str) -> str:
    return " ".join(clean(text).split()).replace("|", "\\|") if "|" in text else " ".join(clean(text).split())


def _check(data: bytes) -> None:
    """Refuse an archive that unpacks to far more than it holds, before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise ValueError("the DOCX file is damaged (not a readable archive)") from None
    if "word/document.xml" not in {part.filename for part in parts}:
        raise ValueError("the archive is not a DOCX file")
    if len(parts) > 5000 or sum(part.file_size for part in parts) > UNPACKED:
        raise ValueError(f"the DOCX file unpacks to more than {UNPACKED // 1_000_000} MB")
    if any(part.file_size > 1_000_000 and part.file_size > RATIO * part.compress_size for part in parts):
        raise ValueError("the DOCX file unpacks to far more than it holds")
