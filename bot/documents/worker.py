"""The subprocess that reads files: frames in on stdin, frames out on stdout, its own limits set first.

In: JSON `{"name": …}`, then the file. Out: JSON frames with
`passages` and their `words`, then one with `title` or `error`. It ends when stdin does, so it never outlives its
parent for long: while it reads a file the limit of CPU seconds ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys

from bot.documents.formats import FRAME, ParseError, read
from bot.documents.frames import frame, take
from bot.documents.words import counted


def limit(memory: int) -> None:
    """Take away what a reader of files does not need."""
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        # macOS knows no limit of address space; what it refuses it has not got.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (value, value))


def allow(seconds: int) -> None:
    """Grant the next file so many seconds of CPU; the kernel ends the process after them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def serve(memory: int, seconds: int) -> None:
    """Read files until stdin ends."""
    source = sys.stdin.buffer
    # What a library prints must not end up among the frames.
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit(memory)
    while (head := take(source)) is not None and (data := take(source)) is not None:
        allow(seconds)
        try:
            parsed = read(json.loads(head)["name"], data)
            for start in range(0, len(parsed.passages), FRAME):
                passages = parsed.passages[start : start + FRAME]
                words = counted(text for passage in passages for text in (passage.heading, passage.body))
                frame(target, json.dumps({"passages": passages, "words": words}).encode())
            frame(target, json.dumps({"title": parsed.title}).encode())
        except ParseError as error:
            frame(target, json.dumps({"error": str(error)}).encode())
        except (MemoryError, RecursionError):
            reason = "reading the file needs more memory than is allowed"
            frame(target, json.dumps({"error": reason, "spent": True}).encode())
            return
        del data


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
