"""The disk that loses its power, by itself: what it keeps, what it forgets, and that nothing escapes it."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.migrations import STEPS
from tests.power.disk import FATES, Disk, Entry, Node, sectors, survive

pytestmark = [
    pytest.mark.needs_package("gcc", "libc6-dev"),
    pytest.mark.skipif(sys.platform != "linux", reason="the shim is preloaded as Linux does it"),
]

INSERT = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in sys.argv[2:]:
    db.execute("PRAGMA " + pragma)
db.execute("CREATE TABLE IF NOT EXISTS t (n)")
for n in range(40):
    db.execute("INSERT INTO t VALUES (?)", (n,))
    print(n, flush=True)
"""


def run(disk: Disk, script: str, *arguments: str) -> list[str]:
    """Run a script with the disk; return the lines it printed before it ended."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env={**os.environ, **disk.environment}, stdout=subprocess.PIPE, check=False)
    assert done.returncode in (0, -9)
    return done.stdout.decode().split()


class Always(random.Random):
    """Chance that always gives one fate, and keeps as many of what may be kept as it is told."""

    def __init__(self, fate: str, kept: int = 0) -> None:
        super().__init__(0)
        self.fate = fate
        self.kept = kept

    def choice(self, _: object) -> str:  # type: ignore[override]
        return self.fate

    def randint(self, _: int, most: int) -> int:
        return min(self.kept, most)


def found(disk: Disk) -> Iterator[tuple[str, bytes]]:
    for path in sorted(disk.root.rglob("*")):
        yield str(path.relative_to(disk.root)), path.read_bytes() if path.is_file() else b"(folder)"


def test_what_was_synced_stays_and_what_was_written_after_it_is_lost(tmp_path: Path) -> None:
    script = """
import os, sys
os.chdir(sys.argv[1])
for name, synced in (("both", 2), ("file alone", 1), ("neither", 0)):
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    os.write(fd, b"safe")
    if synced:
        os.fsync(fd)
    os.pwrite(fd, b"later", 4)
    if synced == 2:
        folder = os.open(".", os.O_RDONLY)
        os.fsync(folder)
"""
    disk = Disk(tmp_path)
    run(disk, script, str(disk.root))
    assert {path.name: path.read_bytes() for path in disk.root.iterdir()} == dict.fromkeys(
        ("both", "file alone", "neither"), b"safelater"
    )
    disk.cut(Always("nothing"))
    assert list(found(disk)) == [("both", b"safe")], "a file whose folder was not synced is forgotten"


def test_names_come_back_as_they_were_when_the_folder_was_last_synced(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    make = """
import os, sys
os.chdir(sys.argv[1])
def sync(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
os.mkdir("known")
os.mkdir("new")
for name in ("known/a", "known/b", "new/c"):
    open(name, "w").write(name)
    sync(name)
sync("known")
if sys.argv[2] == "all":
    sync(".")
os.rename("known/a", "known/d")
os.unlink("known/b")
"""
    run(disk, make, str(disk.root), "")
    disk.cut(Always("nothing"))
    assert list(found(disk)) == [], "of a folder that was not synced in its own nothing is left"
    run(disk, make, str(disk.root), "all")
    disk.cut(Always("nothing"))
    assert list(found(disk)) == [
        ("known", b"(folder)"),
        ("known/a", b"known/a"),
        ("known/b", b"known/b"),
        ("new", b"(folder)"),
    ]
    run(disk, "import os, sys; os.chdir(sys.argv[1]); os.replace('known/a', 'new/e')", str(disk.root))
    disk.cut(Always("the first", kept=9))
    assert list(found(disk)) == [
        ("known", b"(folder)"),
        ("known/b", b"known/b"),
        ("new", b"(folder)"),
        ("new/e", b"known/a"),
    ]


def test_a_write_is_torn_where_a_sector_ends() -> None:
    write = Entry(0, "W", 1, 500, b"x" * 1100)
    assert [(piece.start, piece.stop) for piece in sectors(write)] == [
        (500, 512),
        (512, 1024),
        (1024, 1536),
        (1536, 1600),
    ]
    lengths = {
        len(survive(Node(is_folder=False, safe=bytearray(500), later=[write]), "the first", random.Random(seed)))
        for seed in range(60)
    }
    assert lengths == {500, 512, 1024, 1536, 1600}
    left = survive(Node(is_folder=False, safe=bytearray(500), later=[write]), "any sectors", random.Random(2))
    assert 0 < left.count(b"x") < 1100
    assert left.count(b"x") + left.count(b"\0") == len(left)


def test_a_length_that_was_not_synced_is_lost_too() -> None:
    node = Node(
        is_folder=False, safe=bytearray(b"0123456789"), later=[Entry(0, "T", 1, 3, b""), Entry(1, "T", 1, 5, b"")]
    )
    assert node.now() == b"012\0\0"
    assert survive(node, "nothing", random.Random(0)) == b"0123456789"
    node.synced(1)
    assert survive(node, "nothing", random.Random(0)) == b"012"


def test_a_sync_counts_for_what_was_written_before_it_began() -> None:
    node = Node(is_folder=False, later=[Entry(4, "W", 1, 0, b"early"), Entry(6, "W", 1, 0, b"LATER")])
    node.synced(5)
    assert survive(node, "nothing", random.Random(0)) == b"early"


@pytest.mark.parametrize("script", ["open", "mmap"])
def test_what_the_shim_cannot_see_is_no_proof(script: str, tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    scripts = {
        "open": "import os, sys; os.symlink('a', sys.argv[1] + '/b')",
        "mmap": "import mmap, sys; f = open(sys.argv[1] + '/a', 'w+b'); f.truncate(9); mmap.mmap(f.fileno(), 9)[0] = 1",
    }
    run(disk, scripts[script], str(disk.root))
    with pytest.raises(AssertionError, match=r"nobody saw|through memory"):
        disk.cut(random.Random(0))


@pytest.mark.parametrize("made", ["", "a", "a/b"])
def test_a_database_is_there_after_a_cut_whoever_made_its_folders(made: str, tmp_path: Path) -> None:
    script = """
import os, sys
from bot.store import open_database
if sys.argv[2]:
    os.makedirs(sys.argv[1] + "/" + sys.argv[2])
open_database("sqlite:///" + sys.argv[1] + "/a/b/bot.db").close()
"""
    disk = Disk(tmp_path)
    run(disk, script, str(disk.root), made)
    disk.cut(Always("nothing"))
    with closing(sqlite3.connect(disk.root / "a" / "b" / "bot.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


@pytest.mark.parametrize("seed", range(8))
def test_sqlite_keeps_every_commit_with_full_and_loses_some_without(seed: int, tmp_path: Path) -> None:
    """What everything here stands on; the cut falls into the last inserts, long after the file was made."""
    lost = {}
    for synchronous in ("FULL", "NORMAL", "OFF"):
        folder = tmp_path / synchronous
        folder.mkdir()
        disk = Disk(folder, sync_seconds=0, hold_seconds=0)
        path = disk.root / "t.db"
        run(disk, INSERT, str(path), "journal_mode=WAL", "synchronous=FULL")
        disk.cut(random.Random(seed))
        disk.cut_after(60 + 3 * seed)
        told = run(disk, INSERT, str(path), "journal_mode=WAL", f"synchronous={synchronous}")
        fate = disk.cut(Always("nothing") if synchronous != "FULL" else random.Random(seed))
        assert fate in FATES
        with closing(sqlite3.connect(path)) as db:
            (kept,) = db.execute("SELECT count(*) FROM t").fetchone()
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",) or synchronous == "OFF"
        lost[synchronous] = 40 + len(told) - kept
        assert 0 < len(told) < 40
    assert lost["FULL"] <= 0
    assert lost["NORMAL"] > 0
    assert lost["OFF"] > 0
