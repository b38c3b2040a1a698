"""What `docs push` does with each document: load it unless it is loaded, never twice, and tell what became of it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from bot.cli.output import note, reading
from bot.cli.sources import Source, Sources, real
from bot.documents import kind_by_name
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable

if TYPE_CHECKING:
    from bot.api.client import ApiClient
    from bot.api.models import SiteDocument

TRIES: Final = 3
"""Times that a document is created whose creation was cut and is nowhere to be found."""
ATTEMPTS, SECONDS = 12, 60.0
"""A call of the API is tried so often, and for so long: a load of many documents sits a busy minute out."""
DOWN: Final = 3
"""After so many documents in a row for which the API was not to be had, the rest are not tried."""
BATCH: Final = 50
"""Documents in one bulk call."""
READY_SECONDS: Final = 30.0
"""How long the API is asked whether it could read what was uploaded."""
T = TypeVar("T")
Entry = dict[str, Any]
"""What is remembered of a source: `id`, `title` and `digest` of its document, its `file`; while it is being replaced
`old`, the document to be deleted; while it is created `pending`: the digest and title to be, and `others`, which had
the title before."""


class Log:
    """Which source became which document, in a JSON file; saved before and after each call that creates one."""

    def __init__(self, path: Path, base_url: str, site_id: str, *, alone: bool = True) -> None:
        """Read it; `alone` keeps it for this process, for two that load at once would load everything twice.

        Raises:
            Misconfigured: when the file is no such log.
            Rejected: when another process has it.
        """
        self._path = path
        self._lock = _held(path) if alone else None
        self._all: dict[str, dict[str, Entry]] = {}
        if path.exists():
            try:
                self._all = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self.close()
                raise Misconfigured(f"{path} cannot be read; move it away, or name another file with --log.") from None
        self.known = self._all.setdefault(f"{base_url} {site_id}", {})

    def owned(self) -> set[str]:
        """Ids of all documents that came from here."""
        return {str(entry[name]) for entry in self.known.values() for name in ("id", "old") if entry.get(name)}

    def save(self) -> None:
        """Bring it to disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(self._all, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
        os.replace(new, self._path)

    def close(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.close()

    def gone(self, paths: Sequence[Path], found: Sources) -> tuple[list[str], int]:
        """Keys recorded under the paths whose files or rows are no more, and how many are recorded there.

        A file that is still there, but was not read (it is damaged, or beyond what a folder may hold), is not gone.
        """
        roots = [real(path) for path in paths]
        under = [key for key in self.known if any(self.file(key).is_relative_to(root) for root in roots)]
        read = found.read()
        lost = [key for key in under if key not in found.sources]
        return [key for key in lost if self.file(key) in read or not os.path.lexists(self.file(key))], len(under)

    def file(self, key: str) -> Path:
        """The file that a source is in."""
        return Path(self.known[key].get("file") or key.partition("#")[0])

    def title(self, key: str) -> str:
        """The title that its document has."""
        return str(self.known[key].get("title") or self.file(key).stem)


def _held(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Rejected(f"Another docs push works with {path}; wait until it has ended.") from None
    return lock


@dataclass(slots=True)
class Pusher:
    """Loads documents one after another."""

    client: ApiClient
    log: Log
    category: str
    _listed: dict[str, SiteDocument] | None = None
    _made: list[str] = field(default_factory=list)
    _down: int = 0

    def plan(self, source: Source) -> str:
        """What would become of a source: failed, unchanged, finish, create or replace."""
        entry = self.log.known.get(source.key, {})
        if source.problem:
            return "failed"
        if entry.get("pending") or entry.get("old"):
            return "finish"
        if not entry.get("id"):
            return "create"
        return "unchanged" if entry["digest"] == source.digest else "replace"

    async def push(self, source: Source) -> dict[str, Any]:
        """Load one source; what became of it, as `docs push --json` prints it."""
        result = _result(source.file, source.title)
        if source.problem:
            return {**result, "result": "failed", "error": source.problem}
        if self._down >= DOWN:
            return {**result, "result": "failed", "error": "not tried, the API is not to be had; push again later"}
        entry = self.log.known.setdefault(source.key, {"file": str(real(source.file))})
        before = entry.get("id")
        try:
            adopted = await self._finish(entry)
            if not entry.get("id") or entry["digest"] != source.digest:
                await self._create(source, entry)
                await self._drop_old(entry)
            elif not adopted:
                return {**result, "id": entry["id"], "result": "unchanged"}
        except BotError as error:
            self._down += isinstance(error, Unavailable)
            return {**result, "result": "failed", "error": str(error)}
        self._down = 0
        return {**result, "id": entry["id"], "result": "replaced" if before else "created"}

    async def remove(self, key: str) -> dict[str, Any]:
        """Delete the document of a source that is gone."""
        entry = self.log.known[key]
        result = _result(self.log.file(key), self.log.title(key))
        try:
            await self._finish(entry)
            if document_id := entry.get("id"):
                result["id"] = document_id
                await _call(lambda: self.client.bulk_delete([document_id]))
        except BotError as error:
            return {**result, "result": "failed", "error": str(error)}
        del self.log.known[key]
        self.log.save()
        return {**result, "result": "deleted"}

    async def _finish(self, entry: Entry) -> bool:
        """Bring to its end what a killed run began; True when its document was found and adopted."""
        adopted = False
        if pending := entry.get("pending"):
            if (found := await self._unowned(pending)) is not None:
                self._record(entry, found)
                adopted = True
            else:
                del entry["pending"]
                self.log.save()
        await self._drop_old(entry)
        return adopted

    async def _create(self, source: Source, entry: Entry) -> None:
        listed = await self._documents()
        others = [document_id for document_id, document in listed.items() if document.title == source.title]
        entry["pending"] = {"digest": source.digest, "title": source.title, "others": others}
        self.log.save()
        for attempt in range(TRIES):
            try:
                made = await _call(lambda: _send(self.client, source, self.category), repeatable=False)
            except OutcomeUnknown:
                found = await self._unowned(entry["pending"])
                if found is not None:
                    self._record(entry, found)
                    return
                if attempt == TRIES - 1:
                    raise
            else:
                self._record(entry, made.id or "")
                return

    def _record(self, entry: Entry, document_id: str) -> None:
        """Remember that what was pending is this document."""
        if entry.get("id"):
            entry["old"] = entry["id"]
        pending = entry.pop("pending")
        entry.update(id=document_id, digest=pending["digest"], title=pending["title"])
        self.log.save()
        self._made.append(document_id)

    async def _drop_old(self, entry: Entry) -> None:
        """Delete the version before; when that fails it is tried again by the next run.

        What was used for answers stays so: the new version is made active before the old one goes.
        """
        if not (old := entry.get("old")):
            return
        try:
            before = (await self._documents()).get(old)
            if before is not None and before.status == "active":
                await _call(lambda: self.client.bulk_status([entry["id"]], "active"))
            await _call(lambda: self.client.bulk_delete([old]))
        except BotError as error:
            note(f"The older version {old} is still there ({error}); the next push tries again.")
            return
        del entry["old"]
        self.log.save()

    async def _unowned(self, pending: Mapping[str, Any]) -> str | None:
        """The document that an unfinished creation made: of its title, nobody's, and not there before it."""
        not_it = self.log.owned() | set(pending["others"])
        listed = await self._documents(anew=True)
        made = [i for i, document in listed.items() if document.title == pending["title"] and i not in not_it]
        return made[0] if len(made) == 1 else None

    async def _documents(self, *, anew: bool = False) -> dict[str, SiteDocument]:
        if self._listed is None or anew:
            documents = await _call(self.client.documents)
            self._listed = {document.id: document for document in documents if document.id}
        return self._listed

    async def states(self, results: Sequence[dict[str, Any]], *, active: bool) -> None:
        """Add to each result whether its document is used (status) and could be read (ready), waiting a while.

        `active` has all of them used, those too that a run before this one loaded and could not bring so far.
        """
        wanted = {str(result["id"]): result for result in results if result["id"] and result["result"] != "deleted"}
        listed = await self._documents(anew=True)
        drafts = [i for i in wanted if (d := listed.get(i)) is not None and d.status != "active"] if active else []
        for start in range(0, len(drafts), BATCH):
            batch = drafts[start : start + BATCH]
            await _call(lambda batch=batch: self.client.bulk_status(batch, "active"))  # type: ignore[misc]
        loop = asyncio.get_running_loop()
        until = loop.time() + (READY_SECONDS if self._made else 0)
        fresh = not drafts
        while not fresh or (_unread(wanted, listed) and loop.time() < until):
            await asyncio.sleep(0.5 if fresh else 0)
            listed, fresh = await self._documents(anew=True), True
        for document_id, result in wanted.items():
            document = listed.get(document_id)
            if document is None:
                result.update(status="not listed by the site", ready=None)
                continue
            result.update(status=document.status, ready=document.ready)
            if document.ready is False and document.error:
                result.update(result="unreadable", error=document.error)


def _unread(wanted: Mapping[str, Any], listed: Mapping[str, SiteDocument]) -> bool:
    """Whether the API still reads one of them."""
    return any((d := listed.get(i)) is not None and d.ready is False and not d.error for i in wanted)


def _result(file: Path, title: str) -> dict[str, Any]:
    return {"file": str(file), "title": title, "id": None, "error": None}


async def _call(what: Callable[[], Awaitable[T]], *, repeatable: bool = True) -> T:
    return await reading(what, repeatable=repeatable, attempts=ATTEMPTS, seconds=SECONDS)


async def _send(client: ApiClient, source: Source, category: str) -> SiteDocument:
    if source.question:
        return await client.create_qa(source.title, source.question, source.answer, category)
    if source.content:
        return await client.create_text(source.title, source.content, category)
    kind = kind_by_name(source.file.name)
    assert kind is not None
    data = await asyncio.to_thread(source.file.read_bytes)
    return await client.upload_document(source.file.name, data, kind.media_type, title=source.title, category=category)
