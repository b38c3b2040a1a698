"""Reads documents: Markdown, text, HTML, PDF, Word and CSV files of anybody, within limits.

    kinds       what kinds of files there are, how they are told apart, how large one may be; pure
    passages    what a passage is; splits Markdown into passages; pure
    formats     turns each kind of file into passages; runs in the subprocess
    markup      HTML          plaintext   text          pdf   PDF          word   Word
    words       the words of passages, counted
    tables      CSV: Q&A pairs, terms, or rows of a list
    lines       lines that were laid out for paper, made paragraphs again
    encodings   bytes to text
    worker      the subprocess: limits itself, reads files, writes passages
    frames      how the subprocess and its parent talk
    parser      starts workers, and ends those that overrun

What to call: `await Parser().parse(name, load)` returns `Parsed`, a title and its `Passage`s, or raises `ParseError`
with a reason for people; `close` the parser at the end. A file has at most `FILE_BYTES`; reading one takes at most
`CPU_SECONDS` of CPU, twice that on the clock, and `MEMORY_BYTES`.
`split` takes Markdown that is at hand already, and needs no subprocess: it is linear in its length.

Nothing here knows who asks: it imports nothing else of the bot.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from bot.documents.kinds import FILE_BYTES, SUFFIXES, Kind, kind_by_name, title_from_name

if TYPE_CHECKING:
    from bot.documents.encodings import text_of
    from bot.documents.formats import FRAME, NO_TEXT, READERS, Parsed, ParseError, as_markdown
    from bot.documents.parser import CPU_SECONDS, MEMORY_BYTES, Parser
    from bot.documents.passages import Passage, PassageKind, clean, is_table, sentences, split
    from bot.documents.tables import Pair, pairs
    from bot.documents.words import HAN, HANGUL, KANA, counted

__all__ = [
    "CPU_SECONDS",
    "FILE_BYTES",
    "FRAME",
    "HAN",
    "HANGUL",
    "KANA",
    "MEMORY_BYTES",
    "NO_TEXT",
    "READERS",
    "SUFFIXES",
    "Kind",
    "Pair",
    "ParseError",
    "Parsed",
    "Parser",
    "Passage",
    "PassageKind",
    "as_markdown",
    "clean",
    "counted",
    "is_table",
    "kind_by_name",
    "pairs",
    "sentences",
    "split",
    "text_of",
    "title_from_name",
]


_HOMES: Final = {
    "encodings": ("text_of",),
    "formats": ("FRAME", "NO_TEXT", "READERS", "ParseError", "Parsed", "as_markdown"),
    "parser": ("CPU_SECONDS", "MEMORY_BYTES", "Parser"),
    "passages": ("Passage", "PassageKind", "clean", "is_table", "sentences", "split"),
    "tables": ("Pair", "pairs"),
    "words": ("HAN", "HANGUL", "KANA", "counted"),
}


def __getattr__(name: str) -> Any:
    # Loaded when it is asked for: a bot that reads no file needs none of it, nor the subprocess what starts it.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"bot.documents.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
