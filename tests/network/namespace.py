"""A network namespace of its own: nothing in it but loopback. Linux, and the right to make one, are needed."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")

CLONE_NEWNET: Final = 0x40000000
_UP: Final = """
import ctypes, fcntl, socket, struct, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):
    sys.exit(f"unshare: errno {ctypes.get_errno()}")
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
print("up", flush=True)
sys.stdin.read()
"""
"""Makes the namespace, brings its loopback up, and holds it until its input ends."""


class Impossible(Exception):
    """No namespace can be made here; says why."""


class Namespace:
    """`enter` is what a new process does before it becomes another program."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise Impossible("network namespaces are of Linux")
        self._holder = subprocess.Popen(
            [sys.executable, "-c", _UP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "up\n":
            _, said = self._holder.communicate()
            raise Impossible(f"a network namespace cannot be made here ({said.strip() or 'no right'})")
        self._file = os.open(f"/proc/{self._holder.pid}/ns/net", os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._file)
        self._holder.communicate()

    def enter(self) -> None:
        """Move this thread, or a process that has only one, into it."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(self._file, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def inside(self, act: Callable[[], T]) -> T:
        """Do something in it, in a thread that is used for nothing else; sockets made so stay in it."""
        done: list[Any] = []

        def run() -> None:
            try:
                self.enter()
                done.append(act())
            except BaseException as error:
                done.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if isinstance(done[0], BaseException):
            raise done[0]
        result: T = done[0]
        return result

    def listening(self, port: int = 0) -> socket.socket:
        """Open a listening socket on its loopback."""
        return self.inside(lambda: socket.create_server(("127.0.0.1", port)))

    async def bring_out(self, port: int) -> asyncio.Server:
        """Serve out here what listens on this port in there."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                there = self.inside(lambda: socket.create_connection(("127.0.0.1", port), timeout=5))
            except OSError:
                writer.close()
                return
            there.setblocking(False)
            back, to = await asyncio.open_connection(sock=there)
            await asyncio.gather(_copy(reader, to), _copy(back, writer))

        return await asyncio.start_server(serve, "127.0.0.1", 0)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    target.close()
