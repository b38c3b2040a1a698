"""What `docs push` does with one file: read it, load it unless it is loaded already, remember it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.output import note, reading
from bot.documents import FILE_BYTES, Kind, kind_by_name, pairs, split
from bot.errors import BotError, Misconfigured

if TYPE_CHECKING:
    from bot.api.client import ApiClient
    from bot.api.models import SiteDocument

TEXT = (Kind.MARKDOWN, Kind.TEXT)
"""They go to the API as text, which must be UTF-8: what a reader may guess is not stored there for good."""
PUSHED = (*TEXT, Kind.PDF, Kind.DOCX, Kind.CSV)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document to be: a file, or one row of a Q&A table. `key` tells it apart from all others, run after run."""

    key: str
    file: Path
    title: str
    digest: str
    question: str = ""
    answer: str = ""
    problem: str = ""


def sources(paths: Sequence[Path]) -> list[Source]:
    """Find the documents in files and folders (hidden ones left out), in order of their names."""
    found: dict[str, Source] = {}
    for path in paths:
        if not path.exists():
            raise Misconfigured(f"There is no file or folder {path}; mend the path.")
        files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
        for file in files:
            hidden = path.is_dir() and any(part.startswith(".") for part in file.relative_to(path).parts)
            if not hidden and (not path.is_dir() or kind_by_name(file.name) in PUSHED):
                found |= {source.key: source for source in _read(file)}
    return list(found.values())


def _read(file: Path) -> Iterator[Source]:
    kind = kind_by_name(file.name)
    key = file.resolve().as_posix()
    if kind not in PUSHED:
        problem = "this kind of file cannot be loaded; .md, .txt, .pdf, .docx and .csv can"
        yield Source(key=key, file=file, title=file.name, digest="", problem=problem)
        return
    try:
        if file.stat().st_size > FILE_BYTES:
            raise ValueError(f"the file is larger than {FILE_BYTES // 1024**2} MB")
        content = file.read_bytes()
        if kind is Kind.CSV:
            yield from _rows(file, content)
            return
        title = _title(file, content.decode("utf-8-sig") if kind in TEXT else "", kind)
    except (OSError, ValueError) as error:
        words = "the file is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        yield Source(key=key, file=file, title=file.name, digest="", problem=words)
        return
    yield Source(key=key, file=file, title=title, digest=_digest(title, content))


def _rows(file: Path, content: bytes) -> Iterator[Source]:
    rows = pairs(content.decode("utf-8-sig"))
    if rows is None:
        raise ValueError("a Q&A table needs the columns question and answer in its first line")
    for row in rows:
        key = f"{file.resolve().as_posix()}#{row.question}"
        if not row.question or not row.answer:
            problem = f"row {row.row} has no {'answer' if row.question else 'question'}"
            yield Source(key=f"{key}{row.row}", file=file, title=f"row {row.row}", digest="", problem=problem)
            continue
        yield Source(
            key=key,
            file=file,
            title=row.question[:120],
            digest=_digest(row.question, row.answer.encode()),
            question=row.question,
            answer=row.answer,
        )


def _title(file: Path, text: str, kind: Kind) -> str:
    """What a Markdown file is called in itself, else the file's name: a title is part of what tells documents apart."""
    return ((split(text)[0] if kind is Kind.MARKDOWN else "") or file.stem)[:200]


def _digest(title: str, content: bytes) -> str:
    return hashlib.sha256(title.encode() + b"\0" + content).hexdigest()


class Log:
    """Which source became which document, in a JSON file; saved after each one, so that Ctrl-C forgets nothing."""

    def __init__(self, path: Path, base_url: str, site_id: str) -> None:
        self._path = path
        self._site = f"{base_url} {site_id}"
        self._all: dict[str, dict[str, dict[str, str]]] = {}
        if path.exists():
            try:
                self._all = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                raise Misconfigured(f"{path} cannot be read; move it away, or name another file with --log.") from None

    async def push(self, client: ApiClient, source: Source, *, category: str) -> dict[str, Any]:
        """Load one source; what became of it, as `docs push --json` prints it."""
        known = self._all.setdefault(self._site, {})
        before = known.get(source.key)
        result: dict[str, Any] = {"file": str(source.file), "title": source.title, "id": None, "error": None}
        if source.problem:
            return {**result, "result": "failed", "error": source.problem}
        if before is not None and before["digest"] == source.digest:
            return {**result, "id": before["id"], "result": "unchanged"}
        try:
            made = await reading(lambda: _create(client, source, category), repeatable=False)
        except BotError as error:
            return {**result, "result": "failed", "error": str(error)}
        known[source.key] = {"id": made.id or "", "digest": source.digest}
        self._save()
        if before is not None:
            await _delete(client, before["id"])
        return {**result, "id": made.id, "result": "created" if before is None else "replaced"}

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(self._all, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
        os.replace(new, self._path)


async def _create(client: ApiClient, source: Source, category: str) -> SiteDocument:
    if source.question:
        return await client.create_qa(source.title, source.question, source.answer, category)
    content = source.file.read_bytes()
    kind = kind_by_name(source.file.name)
    assert kind is not None
    if kind in TEXT:
        return await client.create_text(source.title, content.decode("utf-8-sig"), category)
    return await client.upload_document(
        source.file.name, content, kind.media_type, title=source.title, category=category
    )


async def _delete(client: ApiClient, document_id: str) -> None:
    try:
        await reading(lambda: client.bulk_delete([document_id]))
    except BotError as error:
        note(f"The older version {document_id} is still there ({error}); docs delete {document_id} removes it.")
