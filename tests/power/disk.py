"""A folder on a disk that can lose its power. What was not synced is lost at the cut, as the seed says.

The rules are the strictest that POSIX allows, so what holds here holds on any file system:
- a file's bytes are safe once its fsync or fdatasync has returned, up to what was written before that call;
- its name is safe once its folder was synced after it was made, renamed or unlinked; a file's sync is not enough;
- of all else any part may be on the disk, in any order, torn between two sectors. Never inside one, and never beside
  what was written (SQLite relies on that, "powersafe overwrite").
"""

from __future__ import annotations

import functools
import random
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

SECTOR: Final = 512
HEADER: Final = struct.Struct("=qqqq")
Fate = Literal["nothing", "the first", "any sectors"]
FATES: Final[tuple[Fate, ...]] = ("nothing", "the first", "any sectors")
"""What a cut keeps of the writes that were not synced: none; the first ones and a piece of the next; any sectors."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the journal; `number` counts from 0. What the fields mean depends on the kind, see shim.c."""

    number: int
    kind: str
    handle: int
    offset: int
    data: bytes


def entries(journal: bytes) -> Iterator[Entry]:
    """Read a journal; an entry that was being written when the process died is left out."""
    at = number = 0
    while at + HEADER.size <= len(journal):
        kind, handle, offset, length = HEADER.unpack_from(journal, at)
        at += HEADER.size
        if at + length > len(journal):
            return
        yield Entry(number, chr(kind), handle, offset, journal[at : at + length])
        at += length
        number += 1


@dataclass
class Node:
    """A file or a folder: `safe` (bytes, names) is on the disk; `later` was done since, in order."""

    is_folder: bool
    safe: bytearray = field(default_factory=bytearray)
    names: dict[str, Node] = field(default_factory=dict)
    safe_names: dict[str, Node] = field(default_factory=dict)
    later: list[Entry] = field(default_factory=list)
    later_names: list[tuple[int, str, Node | None]] = field(default_factory=list)
    mapped: bool = False

    def synced(self, upto: int) -> None:
        """What was done before that entry is on the disk."""
        for entry in [entry for entry in self.later if entry.number < upto]:
            apply(self.safe, entry)
        self.later = [entry for entry in self.later if entry.number >= upto]
        for number, name, node in self.later_names:
            if number < upto:
                _name(self.safe_names, name, node)
        self.later_names = [change for change in self.later_names if change[0] >= upto]

    def now(self) -> bytes:
        """What a process reads: everything written so far."""
        content = bytearray(self.safe)
        for entry in self.later:
            apply(content, entry)
        return bytes(content)


def _name(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def apply(content: bytearray, entry: Entry, kept: range | None = None) -> None:
    """Do a write (or only these offsets of it) or a change of the length."""
    if entry.kind == "T":
        del content[entry.offset :]
        content.extend(bytes(entry.offset - len(content)))
        return
    kept = range(entry.offset, entry.offset + len(entry.data)) if kept is None else kept
    content.extend(bytes(max(0, kept.stop - len(content))))
    content[kept.start : kept.stop] = entry.data[kept.start - entry.offset : kept.stop - entry.offset]


def sectors(entry: Entry) -> Iterator[range]:
    """The offsets of a write, cut where a sector ends."""
    at, end = entry.offset, entry.offset + len(entry.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        yield range(at, stop)
        at = stop


def survive(node: Node, fate: Fate, chance: random.Random) -> bytes:
    """Return what is left of a file."""
    content = bytearray(node.safe)
    if fate == "the first":
        number = chance.randint(0, len(node.later))
        for entry in node.later[:number]:
            apply(content, entry)
        for torn in node.later[number : number + 1]:
            whole = list(sectors(torn))
            for piece in whole[: chance.randrange(len(whole))] if whole else ():
                apply(content, torn, piece)
    elif fate == "any sectors":
        for entry in node.later:
            pieces: Iterable[range | None] = sectors(entry) if entry.kind == "W" else (None,)
            for any_piece in pieces:
                if chance.random() < 0.5:
                    apply(content, entry, any_piece)
    return bytes(content)


@functools.cache
def shim() -> Path:
    """Compile the shim, once a run."""
    folder = Path(tempfile.mkdtemp(prefix="power-shim-"))
    source = Path(__file__).with_name("shim.c")
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", "shim.so", str(source)]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "shim.so"


class Disk:
    """The folder `root`, made empty; a process that is started with `environment` has it for its disk."""

    def __init__(self, folder: Path, *, sync_seconds: float = 0.002, hold_seconds: float = 0.03) -> None:
        self.root = folder.resolve() / "disk"
        self.root.mkdir()
        self._journal = folder.resolve() / "journal"
        self._control = folder.resolve() / "control"
        self._top = Node(is_folder=True)
        self.counts = {"writes": 0, "syncs": 0, "bytes_lost": 0, "names_lost": 0}
        self.environment = {
            "LD_PRELOAD": str(shim()),
            "POWER_FOLDER": str(self.root),
            "POWER_JOURNAL": str(self._journal),
            "POWER_CONTROL": str(self._control),
            "POWER_SYNC_US": str(round(sync_seconds * 1e6)),
            "POWER_HOLD_US": str(round(hold_seconds * 1e6)),
        }
        self._journal.write_bytes(b"")
        self.cut_after(None)

    def cut_after(self, operations: int | None) -> None:
        """Cut the power so many operations from now, 0 at the next; None for never. Its process dies of it."""
        number = struct.pack("=q", -1 if operations is None else operations)
        if self._control.exists():
            with self._control.open("r+b") as control:  # in place: the process has it mapped
                control.write(number)
        else:
            self._control.write_bytes(number)

    def cut(self, chance: random.Random) -> Fate:
        """Put on the disk what has survived, once its process is dead; return what the seed did to the rest."""
        self._read()
        self._compare(self._top, self.root)
        fate = chance.choice(FATES)
        shutil.rmtree(self.root)
        self.root.mkdir()
        self._top = self._survive(self._top, self.root, fate, chance)
        self._journal.write_bytes(b"")
        self.cut_after(None)
        return fate

    def _read(self) -> None:
        """Follow the journal."""
        opened: dict[int, Node] = {}
        for entry in entries(self._journal.read_bytes()):
            if entry.kind in "OMUR":
                self._rename(entry, opened)
                continue
            node = opened[entry.handle]
            if entry.kind == "S":
                self.counts["syncs"] += 1
                node.synced(entry.offset)
            elif entry.kind == "A":
                node.mapped = True
            else:
                self.counts["writes"] += 1
                node.later.append(entry)

    def _rename(self, entry: Entry, opened: dict[int, Node]) -> None:
        """Follow a change of names, or an open, which may be one."""
        path, _, target = entry.data.decode().partition("\0")
        folder, name = self._place(path)
        if entry.kind == "O":
            if entry.offset:
                self._change(entry, folder, name, Node(is_folder=False))
            opened[entry.handle] = folder.names[name] if name else folder
        elif entry.kind == "M":
            self._change(entry, folder, name, Node(is_folder=True))
        elif entry.kind == "U":
            self._change(entry, folder, name, None)
        else:
            moved = folder.names[name]
            self._change(entry, folder, name, None)
            self._change(entry, *self._place(target), moved)

    @staticmethod
    def _change(entry: Entry, folder: Node, name: str, node: Node | None) -> None:
        _name(folder.names, name, node)
        folder.later_names.append((entry.number, name, node))

    def _place(self, path: str) -> tuple[Node, str]:
        """The folder of a path, and its name in there; the root has none."""
        parts = Path(path).relative_to(self.root).parts
        node = self._top
        for part in parts[:-1]:
            node = node.names[part]
        return node, parts[-1] if parts else ""

    def _compare(self, node: Node, path: Path) -> None:
        """What the journal says must be what is there, or the shim has not seen everything."""
        assert set(node.names) == {found.name for found in path.iterdir()}, f"names nobody saw change in {path.name}"
        for name, inner in node.names.items():
            if inner.is_folder:
                self._compare(inner, path / name)
            elif inner.mapped:
                assert name.endswith("-shm"), f"{name} is written to through memory"
            else:
                assert inner.now() == (path / name).read_bytes(), f"writes to {name} that nobody saw"

    def _survive(self, node: Node, path: Path, fate: Fate, chance: random.Random) -> Node:
        """Write a folder as it is after the cut; return it."""
        names = dict(node.safe_names)
        kept = 0 if fate == "nothing" else chance.randint(0, len(node.later_names))
        for _, name, inner in node.later_names[:kept]:
            _name(names, name, inner)
        for lost in [inner for name, inner in node.names.items() if name not in names]:
            self.counts["names_lost"] += 1
            self.counts["bytes_lost"] += 0 if lost.is_folder or lost.mapped else len(lost.now())
        after = Node(is_folder=True)
        for name, inner in names.items():
            if inner.is_folder:
                (path / name).mkdir()
                after.names[name] = self._survive(inner, path / name, fate, chance)
            else:
                content = survive(inner, fate, chance)
                if not inner.mapped:
                    self.counts["bytes_lost"] += sum(old != new for old, new in zip(inner.now(), content, strict=False))
                    self.counts["bytes_lost"] += max(0, len(inner.now()) - len(content))
                (path / name).write_bytes(content)
                after.names[name] = Node(is_folder=False, safe=bytearray(content))
        after.safe_names = dict(after.names)
        return after
