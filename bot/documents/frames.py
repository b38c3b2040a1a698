"""How the subprocess that reads files and its parent talk: a frame is four bytes of length and that much."""

from __future__ import annotations

import struct
from typing import IO


def frame(stream: IO[bytes], data: bytes) -> None:
    """Write a frame."""
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


def take(stream: IO[bytes]) -> bytes | None:
    """Read a frame; None at the end."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    (length,) = struct.unpack(">I", size)
    data = stream.read(length)
    return data if len(data) == length else None
