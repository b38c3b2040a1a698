"""What lies in a folder: files that may be documents, and why others are none. Nothing is opened but regular files."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bot.documents import FILE_BYTES, kind_by_name

FILES = 5000
"""Files that are read at most."""
ENTRIES = 200_000
"""Entries of folders that are looked at, at most."""
NAMELESS = "its name is not in UTF-8; rename it"
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


@dataclass(slots=True)
class Listing:
    """Time and size of each file that may be a document, by path below the folder, and what is wrong with others."""

    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    """Files of kinds that are not read, by the end of their names."""
    left_out: int = 0
    first_left_out: str = ""
    cut: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not even tried, in sentences."""
        notes = []
        if self.left_out:
            notes.append(
                f"{self.left_out:,} further files are left out, from {self.first_left_out} on:"
                f" at most {FILES:,} are read."
            )
        if self.cut:
            notes.append(f"The folder holds more than {ENTRIES:,} entries; what comes after them is left out.")
        if self.others:
            kinds = ", ".join(f"{end or 'without an ending'} {n:,}" for end, n in self.others.most_common(6))
            notes.append(f"Files of kinds that are not read: {kinds}.")
        return tuple(notes)


def listing(root: Path, stop: threading.Event | None = None) -> Listing:
    """Look through a folder, hidden files and folders and links out of it left out; `stop` ends the look early."""
    found = Listing()

    def refused(error: OSError) -> None:
        if error.filename and Path(error.filename) != root:
            name = shown(Path(error.filename).relative_to(root))
            found.problems[f"{name}/"] = f"the folder cannot be opened ({error.strerror})"

    entries = 0
    for folder, folders, names in os.walk(root, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        entries += len(names) + 1
        if entries > ENTRIES:
            found.cut = True
            break
        if stop is not None and stop.is_set():
            break
        for name in sorted(names):
            if not name.startswith((".", "~$")):
                _add(found, root, Path(folder) / name)
    return found


def _add(found: Listing, root: Path, path: Path) -> None:
    if kind_by_name(path.name) is None:
        found.others[path.suffix.lower()[:12]] += 1
        return
    name = shown(path.relative_to(root))
    if name != path.relative_to(root).as_posix():
        found.problems[name] = NAMELESS
        return
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return
        state = path.stat()
    except (OSError, RuntimeError) as error:
        found.problems[name] = _trouble(path, error)
        return
    if problem := problem_of(state):
        found.problems[name] = problem
    elif len(found.files) >= FILES:
        found.left_out += 1
        found.first_left_out = found.first_left_out or name
    else:
        found.files[name] = (state.st_mtime_ns, state.st_size)


def shown(path: Path) -> str:
    """A path as a text that can be stored and printed: bytes that are no UTF-8 become `\\xff`."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _trouble(path: Path, error: OSError | RuntimeError) -> str:
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:  # the first is pathlib's word for it before 3.13
        return "the link leads in a circle"
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return "the link leads nowhere"
    return f"it cannot be looked at ({error.strerror})"


def problem_of(state: os.stat_result) -> str:
    """Why a file is not opened; empty when it may be."""
    if not stat.S_ISREG(state.st_mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(state.st_mode)), "no file")
        return f"it is {kind}, not a file"
    if state.st_size > FILE_BYTES:
        return f"the file is larger than {FILE_BYTES // 1024**2} MB"
    return ""


def load(path: Path) -> bytes:
    """The bytes of a regular file, one more than is allowed at most; what became something else is not waited for.

    Raises:
        OSError: when it cannot be read.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if problem := problem_of(os.fstat(number)):
            raise OSError(0, problem)
        return file.read(FILE_BYTES + 1)
