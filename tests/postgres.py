"""A PostgreSQL server for tests: one for the whole run, a database of its own for each test."""

from __future__ import annotations

import atexit
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

BINARIES = "/usr/lib/postgresql/*/bin"


def binary(name: str) -> str:
    """Find a program of the newest version that is installed."""
    return sorted(glob.glob(f"{BINARIES}/{name}"))[-1]


class Server:
    """A server in a folder, reached by a port of this machine; every setting that keeps promises is on."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data = folder / "data"
        self.log = folder / "log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        make = [binary("initdb"), "-D", self.data, "-U", "bot", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run([str(word) for word in make], check=True, capture_output=True, **someone())

    @property
    def pid(self) -> int:
        """The server's own process; those of its connections are its children."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://bot:pass-word-1@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        words = [binary("postgres"), "-D", str(self.data), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        for option in ("shared_buffers=32MB", "max_connections=60", *self._options):
            words += ["-c", option]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, **someone())
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise AssertionError(self.log.read_text()[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: str = "immediate") -> None:
        """Stop it: `immediate` is a crash of the server, `fast` an orderly end."""
        words = [binary("pg_ctl"), "stop", "-D", str(self.data), "-m", how]
        subprocess.run(words, check=True, capture_output=True, **someone())
        assert self._process is not None
        self._process.wait(60)

    def execute(self, sql: str, name: str = "postgres") -> None:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(sql.encode())

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, yield its address, and drop it."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def someone() -> dict[str, Any]:
    """Who runs it: root must not."""
    if os.getuid():
        return {}
    return {"user": pwd.getpwnam("postgres").pw_uid, "group": pwd.getpwnam("postgres").pw_gid, "cwd": "/"}


@contextmanager
def a_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that `someone` may write, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if (who := someone()).get("user") is not None:
        shutil.chown(folder, who["user"], who["group"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_server(*options: str) -> Iterator[Server]:
    """Make and start a server in a folder of its own, and stop it."""
    with a_folder("pg-") as folder:
        server = Server(folder, *options)
        try:
            server.start()
            yield server
        finally:
            server.stop()


about_sqlite = pytest.mark.skipif(
    os.environ.get("BOT_TEST_DATABASE") == "postgresql", reason="looks into SQLite's own file or machine"
)
"""Marks tests of the core that mean nothing on PostgreSQL."""

_databases: dict[Path, str] = {}
_kept = ExitStack()
atexit.register(_kept.close)


def url_for(folder: Path) -> str:
    """Return the address of the database of a test's folder: a SQLite file in it, or, where the environment says
    BOT_TEST_DATABASE=postgresql, a database of a server that runs as long as this process."""
    if os.environ.get("BOT_TEST_DATABASE") != "postgresql":
        return f"sqlite:///{folder}/bot.db"
    if not _databases:
        _databases[Path()] = _kept.enter_context(a_server()).url()
    if folder not in _databases:
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(_databases[Path()], autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        _databases[folder] = _databases[Path()].replace("/postgres", f"/{name}")
    return _databases[folder]
