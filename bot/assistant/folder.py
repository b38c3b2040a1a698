"""A folder of documents, read at the start and whenever a file in it changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.assistant.documents import Documents
from bot.assistant.listing import Listing, listing, load

SYNONYMS = "synonyms.txt"
SHARE = 0.005
"""Share of a processor that watching may take: the longer a look takes, the rarer they are."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """What has become of a folder's files. `unread` has the reason for each file by its path below the folder.

    `notes` are sentences about files that are not even tried.
    """

    files: int = 0
    read: int = 0
    waiting: int = 0
    unread: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For a terminal: a line a file that was not read, and a summary."""
        lines = [*(f"{name}: {reason}" for name, reason in self.unread), *self.notes]
        return [*lines, self.summary()]

    def summary(self) -> str:
        """One line for people."""
        if not self.files:
            return "There is no document in the folder."
        if self.waiting:
            return f"{self.read:,} of {self.files:,} files read so far."
        if self.unread:
            return f"{self.read:,} of {self.files:,} files read, {len(self.unread):,} not."
        return f"{self.files:,} file{'s' * (self.files != 1)} read."


class Folder:
    """Keeps the site's documents like the folder: new and changed files are read, missing ones forgotten.

    Hidden files and folders, and links that lead out of the folder, are passed over. A file `synonyms.txt` right in the
    folder is no document: its text goes to `synonyms`. What cannot be read becomes a failed document with its reason.
    """

    def __init__(self, path: Path, site_id: str, documents: Documents, synonyms: Callable[[str], None]) -> None:
        self._path = path.resolve()
        self._site_id = site_id
        self._documents = documents
        self._synonyms = synonyms
        self._seen = Listing()
        self._known: set[str] | None = None
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def watch(self, seconds: float = 0.7) -> None:
        """Look for changes every so often, until closed; rarer in a folder so large that looking takes long."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(seconds), name="watch documents")

    async def close(self) -> None:
        """Stop watching, and end a look under way."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def report(self) -> FolderReport:
        """What has become of the files, as it stands now."""
        rows = await self._documents.folder_states(self._site_id)
        unread = tuple((source, error) for source, ready, error in rows if error is not None and not ready)
        read = sum(ready for _, ready, _ in rows)
        return FolderReport(
            files=len(rows), read=read, waiting=len(rows) - read - len(unread), unread=unread, notes=self._seen.notes
        )

    async def scan(self) -> float:
        """Take in what changed since the last look; the seconds of processor that looking took."""
        async with self._lock:
            found, seconds = await asyncio.to_thread(self._look)
            if self._known is None:
                self._known = await self._documents.folder_sources(self._site_id)
            if gone := self._known - found.files.keys() - found.problems.keys():
                await self._documents.drop_from_folder(self._site_id, gone)
            if SYNONYMS in self._seen.files and SYNONYMS not in found.files:
                self._synonyms("")
            for name, reason in found.problems.items():
                if self._seen.problems.get(name) != reason:
                    await self._documents.fail_from_folder(self._site_id, name, reason)
            await self._take_in(found)
            self._known = {*found.files, *found.problems} - {SYNONYMS}
            self._seen = found
        return seconds

    def _look(self) -> tuple[Listing, float]:
        before = time.thread_time()
        found = listing(self._path, self._stop)
        return found, time.thread_time() - before

    async def _take_in(self, found: Listing) -> None:
        """Read what is new or changed."""
        for name, mark in list(found.files.items()):
            if self._seen.files.get(name) == mark:
                continue
            try:
                data = await asyncio.to_thread(load, self._path / name)
            except FileNotFoundError:
                del found.files[name]  # gone meanwhile: the next look finds out
            except OSError as error:
                reason = f"it cannot be opened ({error.strerror or type(error).__name__})"
                await self._documents.fail_from_folder(self._site_id, name, reason)
            else:
                if name == SYNONYMS:
                    await asyncio.to_thread(self._synonyms, data.decode("utf-8", "replace"))
                else:
                    again = partial(load, self._path / name)
                    await self._documents.put_from_folder(self._site_id, name, data, again)

    async def _watch(self, seconds: float) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(seconds, took / SHARE))
            try:
                took = await self.scan()
            except OSError:
                _log.warning("The documents' folder cannot be read; it is tried again.")
