"""A folder of documents, read at the start and whenever a file in it changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from bot.assistant.documents import Documents
from bot.documents import FILE_BYTES, kind_by_name

SYNONYMS = "synonyms.txt"
FILES = 5000
"""Files that are read at most."""
_log = logging.getLogger(__name__)
_Seen = dict[str, tuple[int, int]]


class Folder:
    """Keeps the site's documents like the folder: new and changed files are read, missing ones forgotten.

    Hidden files and folders, and links that lead out of the folder, are passed over. A file `synonyms.txt` right in the
    folder is no document: its text goes to `synonyms`.
    """

    def __init__(self, path: Path, site_id: str, documents: Documents, synonyms: Callable[[str], None]) -> None:
        self._path = path.resolve()
        self._site_id = site_id
        self._documents = documents
        self._synonyms = synonyms
        self._seen: _Seen = {}
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def watch(self, seconds: float = 0.7) -> None:
        """Look for changes every so often, until closed."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(seconds), name="watch documents")

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def scan(self) -> None:
        """Take in what changed since the last look."""
        async with self._lock:
            files = await asyncio.to_thread(_listing, self._path)
            gone = await self._documents.folder_sources(self._site_id) - files.keys()
            if gone:
                await self._documents.drop_from_folder(self._site_id, gone)
            for name, mark in files.items():
                if self._seen.get(name) == mark:
                    continue
                try:
                    data = await asyncio.to_thread(_load, self._path / name)
                except OSError:
                    files = {other: kept for other, kept in files.items() if other != name}
                    continue  # gone or locked: the next look finds out
                if name == SYNONYMS:
                    await asyncio.to_thread(self._synonyms, data.decode("utf-8", "replace"))
                else:
                    await self._documents.put_from_folder(self._site_id, name, data)
            if SYNONYMS in self._seen and SYNONYMS not in files:
                self._synonyms("")
            self._seen = files

    async def _watch(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.scan()
            except OSError:
                _log.warning("The documents' folder cannot be read; it is tried again.")


def _listing(root: Path) -> _Seen:
    """Size and time of each file that may be a document, by its path below the folder."""
    found: _Seen = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if name.startswith((".", "~$")) or kind_by_name(name) is None:
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                continue
            try:
                state = path.stat()
            except OSError:
                continue
            found[path.relative_to(root).as_posix()] = (state.st_mtime_ns, state.st_size)
            if len(found) == FILES:
                _log.warning("The documents' folder holds more files than are read (%d).", FILES)
                return found
    return found


def _load(path: Path) -> bytes:
    # One byte more than is allowed is enough to be refused with the right reason.
    with path.open("rb") as file:
        return file.read(FILE_BYTES + 1)
