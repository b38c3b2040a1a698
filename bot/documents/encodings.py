"""Bytes to text, whatever encoding they are in."""

from __future__ import annotations

import codecs
import logging
import re
from typing import Final

from bot.documents.passages import clean

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED: Final = re.compile(
    rb"""<(?:meta[^>]{0,200}|\?xml[^>]{0,100})(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I
)
_SAMPLE: Final = 60_000
"""Bytes that an encoding is guessed from; all of it is read with what was guessed."""
CANDIDATES: Final = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "iso8859_2",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "utf_16_le", "utf_16_be",
]  # fmt: skip
"""Encodings that files are still found in; the fewer are tried, the surer is the guess."""
_PAIRED: Final = frozenset(("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"))
"""Encodings of which no text is without two bytes over 0x7F side by side."""
_PAIR: Final = re.compile(rb"[\x80-\xff]{2}")


def text_of(data: bytes, *, page: bool = False) -> str | None:
    """The text, in Unicode and without control characters; None when the bytes are no text.

    A mark at the beginning decides, then UTF-8 if it fits, then what an HTML `page` says of itself, then a guess.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return clean(data.decode(encoding, errors="replace"))
    named = _NAMED.search(data[:2048]) if page else None
    for encoding in ("utf-8", named[1].decode() if named else ""):
        if encoding and b"\x00" not in data and (text := _decoded(data, encoding)) is not None:
            return clean(text)
    if b"\x00" in data and not _looks_wide(data):
        return None
    text = _guessed(data)
    return None if text is None else clean(text)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _guessed(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    logging.getLogger("charset_normalizer").setLevel(logging.CRITICAL)
    end = data.rfind(b"\n", 0, _SAMPLE) + 1 if len(data) > _SAMPLE else len(data)
    tried = CANDIDATES if _PAIR.search(data) else [name for name in CANDIDATES if name not in _PAIRED]
    best = from_bytes(data[: end or _SAMPLE], cp_isolation=tried, enable_fallback=False).best()
    if best is None:
        # Too short or too mixed for a guess: Windows-1252 is what the most such files are in.
        return data.decode("cp1252", errors="replace") if b"\x00" not in data else None
    return data.decode(best.encoding, errors="replace")


def _looks_wide(data: bytes) -> bool:
    """Whether zeros stand as they do in UTF-16 of a script that has capitals: mostly at even or at odd places."""
    sample = data[:4096]
    return (
        len(data) % 2 == 0
        and len(data) > 31
        and max(sample[::2].count(0), sample[1::2].count(0)) > 0.3 * len(sample[::2])
    )
