"""Reads files in subprocesses that are limited in time, memory and size, and are ended when they overrun."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orjson

from bot.documents.formats import Parsed, ParseError
from bot.documents.frames import frame, take
from bot.documents.kinds import FILE_BYTES
from bot.documents.passages import Passage

CPU_SECONDS = 60
"""CPU that reading a file may take; twice that on the clock."""
MEMORY_BYTES = 1 << 30
"""Address space of a process that reads."""
_RENEW_AFTER = 50
_RENEW_SIZE = 1_000_000


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    files: int = 0
    overran: bool = False
    spent: bool = False
    """It ends by itself and takes no further file."""

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.wait()


class Parser:
    """Reads files, two at a time, each in a process that is kept for the next one.

    `seconds` limits the CPU of one file; twice that the time on the clock. `memory` is in bytes.
    """

    def __init__(self, *, seconds: int = CPU_SECONDS, memory: int = MEMORY_BYTES, workers: int = 2) -> None:
        self._seconds = seconds
        self._memory = memory
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="read-documents")
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    async def parse(self, name: str, load: Callable[[], bytes]) -> Parsed:
        """Read a file; `load` is called in a thread.

        Raises:
            ParseError: with the reason, for people.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._parse, name, load)

    async def close(self) -> None:
        """End all workers, busy ones too; may be repeated."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.process.kill()
        for worker in idle:
            worker.end()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    @property
    def processes(self) -> list[int]:
        """The workers' process ids."""
        with self._lock:
            return [worker.process.pid for worker in (*self._idle, *self._busy)]

    def _parse(self, name: str, load: Callable[[], bytes]) -> Parsed:
        try:
            data = load()
        except OSError as error:
            raise ParseError(f"the file cannot be opened ({error.strerror or type(error).__name__})") from None
        if len(data) > FILE_BYTES:
            raise ParseError(f"the file is larger than {FILE_BYTES // 1024 // 1024} MB")
        worker = self._take()
        keep = False
        try:
            parsed = self._ask(worker, name, data)
            keep = worker.files < _RENEW_AFTER and len(data) < _RENEW_SIZE
        except ParseError:
            keep = worker.process.poll() is None and not worker.overran and not worker.spent
            raise
        finally:
            self._give_back(worker, keep=keep)
        return parsed

    def _ask(self, worker: _Worker, name: str, data: bytes) -> Parsed:
        def overrun() -> None:
            worker.overran = True
            worker.process.kill()

        timer = threading.Timer(2 * self._seconds, overrun)
        timer.daemon = True
        timer.start()
        worker.files += 1
        passages: list[Passage] = []
        words: list[dict[str, int]] = []
        stdin, stdout = worker.process.stdin, worker.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            frame(stdin, orjson.dumps({"name": name}))
            frame(stdin, data)
            while (answer := take(stdout)) is not None:
                reply = orjson.loads(answer)
                if "error" in reply:
                    worker.spent = reply.get("spent", False)
                    raise ParseError(reply["error"])
                if "title" in reply:
                    return Parsed(reply["title"], passages, words)
                passages.extend(Passage(*passage) for passage in reply["passages"])
                words.append(reply["words"])
        except OSError:
            pass  # it died while it was written to: said below
        finally:
            timer.cancel()
            timer.join()
        raise ParseError(self._why(worker))

    def _why(self, worker: _Worker) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(5)
        if self._closed:
            return "reading was interrupted"
        if worker.overran or worker.process.returncode == -24:  # SIGXCPU
            return f"reading the file took longer than {self._seconds} seconds"
        return "reading the file needs more memory than is allowed or crashed the reader"

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise ParseError("reading was interrupted")
            idle = self._idle.pop() if self._idle else None
            if idle is not None and idle.process.poll() is not None:  # somebody ended it while it rested
                idle.end()
                idle = None
            worker = idle or _Worker(self._spawn())
            self._busy.append(worker)
        return worker

    def _give_back(self, worker: _Worker, *, keep: bool) -> None:
        with self._lock:
            self._busy.remove(worker)
            keep = keep and not self._closed
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.end()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # Nothing of our environment but what Python needs: no key may be within reach of a document.
        home = str(Path(__file__).resolve().parents[2])
        environment = {
            name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ
        }
        environment |= {"PYTHONPATH": home, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
            [sys.executable, "-m", "bot.documents.worker", str(self._memory), str(self._seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
