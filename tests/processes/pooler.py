"""A PgBouncer before a test's PostgreSQL, with few connections for many sessions."""

from __future__ import annotations

import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.postgres import Server, a_folder, someone


class Pooler:
    """PgBouncer with `size` connections to the server, which sessions share by transaction."""

    def __init__(self, folder: Path, server: Server, size: int) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        (folder / "pgbouncer.ini").write_text(
            textwrap.dedent(
                f"""
                [databases]
                * = host=127.0.0.1 port={server.port}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {self.port}
                unix_socket_dir =
                auth_type = trust
                auth_file = {folder}/users
                admin_users = bot
                pool_mode = transaction
                default_pool_size = {size}
                logfile = {folder}/log
                """
            ),
            encoding="utf-8",
        )
        (folder / "users").write_text('"bot" ""\n', encoding="utf-8")

    def url(self, of: str) -> str:
        """Return the address of a database by way of the pooler."""
        return f"postgresql://bot:pass-word-1@127.0.0.1:{self.port}/{of.rsplit('/', 1)[1]}"

    def start(self) -> None:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        assert program is not None
        words = [program, "-q", str(self._folder / "pgbouncer.ini")]
        self._process = subprocess.Popen(words, stderr=subprocess.DEVNULL, **someone())
        until = time.monotonic() + 30
        while True:
            try:
                self.show("VERSION")
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self._folder / "log").read_text()[-2000:]
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it at once, and with it all connections through it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def show(self, what: str) -> list[dict[str, Any]]:
        """Ask its console."""
        options: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "dbname": "pgbouncer", "user": "bot"}
        with psycopg.connect(autocommit=True, row_factory=dict_row, **options) as console:
            return psycopg.ClientCursor(console, row_factory=dict_row).execute(f"SHOW {what}".encode()).fetchall()


@contextmanager
def a_pooler(server: Server, size: int) -> Iterator[Pooler]:
    """Run one as long as it is used."""
    with a_folder("pgb-") as folder:
        pooler = Pooler(folder, server, size)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.stop()
