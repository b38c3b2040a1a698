"""What `docs push` will load: each file read here first, as the demo reads it, and made what the API takes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.assistant.folder import SYNONYMS
from bot.assistant.listing import NAMELESS, listing, load, problem_of, shown
from bot.cli.screening import secret_in
from bot.documents import (
    NO_TEXT,
    Kind,
    Pair,
    Parsed,
    ParseError,
    Parser,
    as_markdown,
    kind_by_name,
    pairs,
    text_of,
    title_from_name,
)
from bot.errors import Misconfigured

_UPLOADED = (Kind.PDF, Kind.DOCX)
"""They go to the API as they are; all other kinds go as text in UTF-8."""
_ALLOW = "take it out, or let the file through with --allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document to be: a file, or one row of a Q&A table. `key` tells it apart from all others, run after run."""

    key: str
    file: Path
    title: str
    digest: str = ""
    content: str = ""
    question: str = ""
    answer: str = ""
    problem: str = ""


@dataclass(slots=True)
class Sources:
    """What lies at the paths given. Of `unread` paths it is not known which documents they hold now."""

    sources: dict[str, Source] = field(default_factory=dict)
    unread: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, source: Source) -> None:
        """Take a document in."""
        self.sources[source.key] = source
        if source.problem:
            self.unread.append(real(source.file))

    def read(self) -> set[Path]:
        """The files all of whose documents are known."""
        return {real(source.file) for source in self.sources.values()} - set(self.unread)


async def find(paths: Sequence[Path], allowed: Sequence[Path], *, missing: bool = False) -> Sources:
    """Find and read the documents in files and folders; `allowed` files may hold what looks secret.

    Raises:
        Misconfigured: for a path that is not there, unless `missing` ones stand for nothing.
    """
    found = Sources()
    files = await asyncio.to_thread(_all_files, paths, found, missing)
    free = await asyncio.to_thread(lambda: {real(path) for path in allowed})
    parser = Parser()
    try:
        for file in files:
            for source in await _read(file, parser, free):
                found.add(source)
    finally:
        await parser.close()
    return found


def _all_files(paths: Sequence[Path], found: Sources, missing: bool) -> list[Path]:
    for path in paths:
        if not path.exists():
            if not missing:
                raise Misconfigured(f"There is no file or folder {path}; mend the path.")
            found.unread.append(real(path))
    return [file for path in paths for file in _files(path, found)]


def _files(path: Path, found: Sources) -> Iterator[Path]:
    if not path.is_dir():
        if path.exists():
            yield path
        return
    root = real(path)
    there = listing(root)
    found.notes.extend(there.notes)
    for name, problem in there.problems.items():
        found.add(Source(key=(root / name).as_posix(), file=path / name, title=name, problem=problem))
    for name in there.files:
        if name != SYNONYMS:  # it is about words, not a document; the demo knows it too
            yield path / name


async def _read(file: Path, parser: Parser, free: set[Path]) -> list[Source]:
    try:
        here, data = await asyncio.to_thread(_opened, file)
        screened = here not in free
        kind = kind_by_name(file.name)
        text = (text_of(data) or "") if kind in (Kind.MARKDOWN, Kind.TEXT, Kind.CSV) else ""
        if kind is Kind.CSV and (rows := pairs(text)) is not None:
            return list(_rows(file, here, rows, screened=screened))
        parsed = await _parsed(file, data, parser)
        if screened and (secret := secret_in(text) or _secret_on_a_page(parsed)):
            # A page is text too: there the line is known, of what is not thrown away.
            line = secret_in(text_of(data, page=True) or "") if kind is Kind.HTML else ""
            raise ParseError(f"{line or secret}; {_ALLOW}")
    except (OSError, ValueError, ParseError) as error:
        return [_unread(file, error)]
    if kind in _UPLOADED:
        title = file.stem[:200]
        return [Source(key=here.as_posix(), file=file, title=title, digest=_digest(title, data))]
    title = (parsed.title if kind in (Kind.MARKDOWN, Kind.HTML) else "") or _name(file, kind)
    content = text if kind in (Kind.MARKDOWN, Kind.TEXT) else as_markdown(parsed)
    digest = _digest(title[:200], content.encode())
    return [Source(key=here.as_posix(), file=file, title=title[:200], digest=digest, content=content)]


def _unread(file: Path, error: Exception) -> Source:
    reason = f"it cannot be opened ({error.strerror or error})" if isinstance(error, OSError) else str(error)
    named = Path(shown(file))
    return Source(key=os.path.abspath(named), file=named, title=named.name, problem=reason)


def _name(file: Path, kind: Kind | None) -> str:
    return title_from_name(file.name) if kind is Kind.CSV else file.stem


def _opened(file: Path) -> tuple[Path, bytes]:
    if kind_by_name(file.name) is None:
        raise ParseError("this kind of file cannot be loaded; Markdown, text, HTML, PDF, DOCX and CSV can")
    if shown(file) != file.as_posix():
        raise ParseError(NAMELESS)
    if problem := problem_of(file.stat()):
        raise ParseError(problem)
    return real(file), load(file)


async def _parsed(file: Path, data: bytes, parser: Parser) -> Parsed:
    """What is in a file. A scanned page is left to the API, which may recognise text."""
    try:
        return await parser.parse(file.name, lambda: data)
    except ParseError as error:
        if kind_by_name(file.name) in _UPLOADED and str(error).startswith(NO_TEXT):
            return Parsed("", [])
        raise


def _secret_on_a_page(parsed: Parsed) -> str:
    for passage in parsed.passages:
        if secret := secret_in(f"{passage.heading}\n{passage.body}"):
            where = f"page {passage.page}" if passage.page else f"what stands under {passage.heading or parsed.title!r}"
            return where + secret[secret.index(" looks ") :]
    return ""


def _rows(file: Path, here: Path, rows: Sequence[Pair], *, screened: bool) -> Iterator[Source]:
    asked: dict[str, int] = {}
    for row in rows:
        key, problem = f"{here.as_posix()}#{row.question}", ""
        if not row.question or not row.answer:
            problem = f"row {row.row} has no {'answer' if row.question else 'question'}"
        elif (first := asked.setdefault(row.question, row.row)) != row.row:
            problem = f"row {row.row} asks the same as row {first}"
        elif screened and (secret := secret_in(f"{row.question} {row.answer}")):
            problem = f"row {row.row}{secret[secret.index(' looks ') :]}; {_ALLOW}"
        if problem:
            yield Source(key=f"{key}#{row.row}", file=file, title=f"row {row.row}", problem=problem)
            continue
        yield Source(
            key=key, file=file, title=row.question[:120], digest=_digest(row.question, row.answer.encode()),
            question=row.question, answer=row.answer,
        )  # fmt: skip


def real(path: Path) -> Path:
    """The path without links; unlike Path.resolve it takes a loop of links as it is."""
    return Path(os.path.realpath(path))


def _digest(title: str, content: bytes) -> str:
    return hashlib.sha256(title.encode() + b"\0" + content).hexdigest()
