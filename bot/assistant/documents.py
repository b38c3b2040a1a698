"""Documents: stored, read, switched and deleted. What is stored is read even if the service was killed between."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bot.assistant import clock
from bot.assistant.database import AssistantDatabase
from bot.assistant.errors import ApiError
from bot.assistant.indexing import clear, fail, refresh, remove, store
from bot.assistant.models import BulkStatusBody, PatchBody, QaBody, TextBody
from bot.documents import FRAME, READERS, Parsed, ParseError, Parser, Passage, clean, split, title_from_name

TOGETHER = 4
"""Documents in memory at a time, to be read or stored: nobody who writes or ends the service waits for more."""
_SELECT = "SELECT id, title, kind, category, status, ready, error, created_at, updated_at FROM documents"


@dataclass(frozen=True, slots=True)
class _Version:
    """What is to be read of a document: the file's name, its digest (None of an upload) and how its bytes are got.

    Without `load` they are in the database.
    """

    name: str
    digest: str | None
    load: Callable[[], bytes] | None


class Documents:
    """The documents of all sites."""

    def __init__(self, database: AssistantDatabase, parser: Parser, changed: Callable[[str], None]) -> None:
        self._database = database
        self._parser = parser
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._versions: dict[str, str | None] = {}
        """The newest version of each document that is being read or waits for it."""
        self._room = asyncio.Semaphore(TOGETHER)

    async def resume(self) -> None:
        """Read uploads that were stored but not read when the service ended."""
        query = "SELECT id, site_id, filename FROM documents WHERE ready = 0 AND raw IS NOT NULL AND source IS NULL"
        for row in await self._database.read(lambda c: c.execute(query).fetchall()):
            self._begin(row["id"], row["site_id"], _Version(row["filename"], None, None))

    async def settled(self) -> None:
        """Wait until nothing is being read any more."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self) -> None:
        """Stop reading; what is unfinished is read at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listed(self, site_id: str) -> list[dict[str, Any]]:
        """All of a site, oldest first."""
        query = f"{_SELECT} WHERE site_id = ? ORDER BY created_at, rowid"
        rows = await self._database.read(lambda c: c.execute(query, (site_id,)).fetchall())
        return [wire(row) for row in rows]

    async def add_text(self, site_id: str, body: TextBody, limit: int | None) -> dict[str, Any]:
        """Store Markdown or plain text; it is used at once unless it is a draft."""
        passages = await asyncio.to_thread(lambda: split(clean(body.content))[1])
        return await self._add(
            site_id, limit, passages, kind="text", status=body.status or "active", content=body.content,
            title=body.title, category=body.category,
        )  # fmt: skip

    async def add_qa(self, site_id: str, body: QaBody, limit: int | None) -> dict[str, Any]:
        """Store a question with its answer; it is used at once unless it is a draft."""
        passages = [Passage("qa", clean(body.question), clean(body.answer))]
        return await self._add(
            site_id, limit, passages, kind="qa", status=body.status or "active", question=body.question,
            answer=body.answer, title=body.title, category=body.category,
        )  # fmt: skip

    async def add_file(
        self, site_id: str, limit: int | None, *, name: str, data: bytes, title: str | None, **fields: str | None
    ) -> dict[str, Any]:
        """Store an upload and begin to read it; a draft unless the upload says otherwise."""
        status = fields.get("status") or "draft"
        document = await self._add(
            site_id, limit, None, kind="file", status=status, filename=name, raw=data,
            title=title or Path(name).stem[:300] or "document", category=fields.get("category"),
        )  # fmt: skip
        self._begin(document["id"], site_id, _Version(name, None, None))
        return document

    async def put_from_folder(
        self, site_id: str, source: str, data: bytes, load: Callable[[], bytes] | None = None
    ) -> None:
        """Take a file of the watched folder in, active, in the place of its last version, and begin to read it.

        `load` gets its bytes once more when its turn comes; without it they are kept until then. They are not stored:
        a version has its digest in the database once it is read, and one that has not is read at the next look.
        """
        digest = hashlib.sha256(READERS.encode() + data).hexdigest()

        def put(c: sqlite3.Connection) -> str | None:
            query = "SELECT id, digest FROM documents WHERE site_id = ? AND source = ?"
            old = c.execute(query, (site_id, source)).fetchone()
            now = clock.now()
            if old is not None:
                if digest in (old["digest"], self._versions.get(old["id"])):
                    return None
                c.execute("UPDATE documents SET updated_at = ?, error = NULL WHERE id = ?", (now, old["id"]))
                return str(old["id"])
            new = _new_id()
            c.execute(
                "INSERT INTO documents (id, site_id, title, kind, status, ready, source, filename, created_at,"
                " updated_at) VALUES (?, ?, ?, 'file', 'active', 0, ?, ?, ?, ?)",
                (new, site_id, title_from_name(source), source, Path(source).name, now, now),
            )
            return new

        document_id = await self._database.write(put)
        if document_id is not None:
            self._begin(document_id, site_id, _Version(Path(source).name, digest, load or (lambda: data)))

    async def folder_sources(self, site_id: str) -> set[str]:
        """Which files of the folder are known."""
        query = "SELECT source FROM documents WHERE site_id = ? AND source IS NOT NULL"
        return set(await self._database.read(lambda c: [row[0] for row in c.execute(query, (site_id,))]))

    async def folder_states(self, site_id: str) -> list[tuple[str, bool, str | None]]:
        """Path, whether it is ready, and what is wrong, of each file of the folder."""
        query = "SELECT source, ready, error FROM documents WHERE site_id = ? AND source IS NOT NULL ORDER BY source"
        rows = await self._database.read(lambda c: c.execute(query, (site_id,)).fetchall())
        return [(row["source"], bool(row["ready"]), row["error"]) for row in rows]

    async def fail_from_folder(self, site_id: str, source: str, reason: str) -> None:
        """Note a file of the folder that cannot even be opened; its last version answers no more."""

        def note(c: sqlite3.Connection) -> None:
            query = "SELECT id FROM documents WHERE site_id = ? AND source = ?"
            old = c.execute(query, (site_id, source)).fetchone()
            if old is not None:
                remove(c, site_id, old["id"])
            now = clock.now()
            c.execute(
                "INSERT INTO documents (id, site_id, title, kind, status, ready, source, filename, error, created_at,"
                " updated_at) VALUES (?, ?, ?, 'file', 'active', 0, ?, ?, ?, ?, ?)",
                (_new_id(), site_id, title_from_name(source), source, Path(source).name, reason, now, now),
            )

        await self._database.write(note)
        self._changed(site_id)

    async def drop_from_folder(self, site_id: str, sources: Iterable[str]) -> None:
        """Forget files that are gone from the folder."""

        def drop(c: sqlite3.Connection) -> None:
            for source in sources:
                row = c.execute(
                    "SELECT id FROM documents WHERE site_id = ? AND source = ?", (site_id, source)
                ).fetchone()
                if row is not None:
                    remove(c, site_id, row["id"])

        await self._database.write(drop)
        self._changed(site_id)

    async def patch(self, site_id: str, document_id: str, body: PatchBody) -> dict[str, Any]:
        """Change a document; new content is used at once.

        Raises:
            ApiError: 404 for a document of another site, 409 for content that its kind does not have.
        """
        passages = None
        if body.content is not None:
            content = clean(body.content)
            passages = await asyncio.to_thread(lambda: split(content)[1])

        def change(c: sqlite3.Connection) -> dict[str, Any]:
            row = c.execute("SELECT * FROM documents WHERE id = ? AND site_id = ?", (document_id, site_id)).fetchone()
            if row is None:
                raise ApiError(404, "document not found")
            if body.content is not None and row["kind"] != "text":
                raise ApiError(409, "content can only be changed in text documents")
            if (body.question is not None or body.answer is not None) and row["kind"] != "qa":
                raise ApiError(409, "question and answer can only be changed in Q&A documents")
            values = {name: value for name, value in body.model_dump().items() if value is not None}
            sets = "".join(f"{name} = ?, " for name in values)
            c.execute(
                f"UPDATE documents SET {sets}updated_at = ? WHERE id = ?",  # noqa: S608 - names are the model's
                (*values.values(), clock.now(), document_id),
            )
            refresh(c, site_id, document_id, passages)
            return wire(c.execute(f"{_SELECT} WHERE id = ?", (document_id,)).fetchone())

        changed = await self._database.write(change)
        self._changed(site_id)
        return changed

    async def set_status(self, site_id: str, body: BulkStatusBody) -> int:
        """Switch several; ids that are not of this site are passed over."""

        def switch(c: sqlite3.Connection) -> int:
            query = "UPDATE documents SET status = ?, updated_at = ? WHERE id = ? AND site_id = ?"
            now = clock.now()
            return sum(c.execute(query, (body.status, now, i, site_id)).rowcount for i in set(body.document_ids))

        count = await self._database.write(switch)
        self._changed(site_id)
        return count

    async def delete(self, site_id: str, document_ids: Sequence[str]) -> int:
        """Delete several; ids that are not of this site are passed over."""
        count = await self._database.write(lambda c: sum(remove(c, site_id, i) for i in set(document_ids)))
        self._changed(site_id)
        return count

    async def _add(
        self, site_id: str, limit: int | None, passages: list[Passage] | None, **values: Any
    ) -> dict[str, Any]:
        def add(c: sqlite3.Connection) -> dict[str, Any]:
            (count,) = c.execute("SELECT count(*) FROM documents WHERE site_id = ?", (site_id,)).fetchone()
            if limit is not None and count >= limit:
                raise ApiError(403, "document_limit_reached")
            now = clock.now()
            row = values | {"id": _new_id(), "site_id": site_id, "created_at": now, "updated_at": now}
            row["ready"] = int(passages is not None)
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            c.execute(f"INSERT INTO documents ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
            if passages is not None:
                store(c, site_id, row["id"], row["title"], passages)
            return wire(c.execute(f"{_SELECT} WHERE id = ?", (row["id"],)).fetchone())

        document = await self._database.write(add)
        self._changed(site_id)
        return document

    def _begin(self, document_id: str, site_id: str, version: _Version) -> None:
        self._versions[document_id] = version.digest
        task = asyncio.create_task(self._read_in_turn(document_id, site_id, version), name=f"read {document_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_in_turn(self, document_id: str, site_id: str, version: _Version) -> None:
        async with self._room:
            if self._is_newest(document_id, version):
                await self._read(document_id, site_id, version)
            if self._is_newest(document_id, version):
                del self._versions[document_id]

    def _is_newest(self, document_id: str, version: _Version) -> bool:
        """Whether it was not saved again meanwhile: that version is read by its own task."""
        return document_id in self._versions and self._versions[document_id] == version.digest

    async def _read(self, document_id: str, site_id: str, version: _Version) -> None:
        load = version.load
        if load is None:
            query = "SELECT raw FROM documents WHERE id = ?"
            row = await self._database.read(lambda c: c.execute(query, (document_id,)).fetchone())
            if row is None or row["raw"] is None:
                return
            load = partial(bytes, row["raw"])
        try:
            parsed = await self._parser.parse(version.name, load)
        except ParseError as error:
            reason = str(error)

            def failed(c: sqlite3.Connection) -> None:
                if self._is_newest(document_id, version):
                    fail(c, site_id, document_id, version.digest, reason)

            await self._database.write(failed)
        else:
            await self._replace(document_id, site_id, version, parsed)
        self._changed(site_id)

    async def _replace(self, document_id: str, site_id: str, version: _Version, parsed: Parsed) -> None:
        """Put new passages in the place of old ones, in pieces that let other writes in between."""
        for start in range(0, len(parsed.passages), FRAME):
            last = start + FRAME >= len(parsed.passages)

            def piece(c: sqlite3.Connection, start: int = start, last: bool = last) -> bool:
                row = c.execute("SELECT title, source FROM documents WHERE id = ?", (document_id,)).fetchone()
                if row is None or not self._is_newest(document_id, version):
                    return False
                title = parsed.title[:300] if parsed.title and row["source"] is not None else row["title"]
                if start == 0:
                    clear(c, site_id, document_id)
                passages, words = parsed.passages[start : start + FRAME], parsed.words[start // FRAME]
                store(c, site_id, document_id, title, passages, words, more=start > 0)
                c.execute(
                    "UPDATE documents SET title = ?, ready = ?, error = NULL WHERE id = ?", (title, last, document_id)
                )
                if last:
                    c.execute("UPDATE documents SET digest = ?, raw = NULL WHERE id = ?", (version.digest, document_id))
                return True

            if not await self._database.write(piece):
                return


def wire(row: sqlite3.Row) -> dict[str, Any]:
    """A document as the API shows it."""
    values = {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a Row iterates values
    return values | {"ready": bool(row["ready"])}


def _new_id() -> str:
    return f"doc_{secrets.token_hex(12)}"
