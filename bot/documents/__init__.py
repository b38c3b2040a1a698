"""Reads documents: Markdown, text, HTML, PDF, Word and CSV files of anybody, within limits.

    kinds       what kinds of files there are, how they are told apart, how large one may be; pure
    passages    splits Markdown into passages; pure
    formats     turns each kind of file into passages; runs in the subprocess
    markup      HTML to Markdown
    tables      CSV: Q&A pairs, or rows of a list
    worker      the subprocess: limits itself, reads files, writes passages
    frames      how the subprocess and its parent talk
    parser      starts workers, and ends those that overrun

What to call: `await Parser().parse(name, load)` returns `Parsed`, a title and its `Passage`s, or raises `ParseError`
with a reason for people; `close` the parser at the end. A file has at most `FILE_BYTES`; reading one takes at most
`CPU_SECONDS` of CPU, twice that on the clock, and `MEMORY_BYTES`. PDF and Word need the extra `docs`.
`split` takes Markdown that is at hand already, and needs no subprocess: it is linear in its length.

Nothing here knows who asks: it imports nothing else of the bot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.documents.formats import Parsed, ParseError
from bot.documents.kinds import FILE_BYTES, SUFFIXES, Kind, kind_by_name, title_from_name
from bot.documents.passages import Passage, clean, is_table, sentences, split
from bot.documents.tables import Pair, pairs

if TYPE_CHECKING:
    from bot.documents.parser import CPU_SECONDS, MEMORY_BYTES, Parser

__all__ = [
    "CPU_SECONDS",
    "FILE_BYTES",
    "MEMORY_BYTES",
    "SUFFIXES",
    "Kind",
    "Pair",
    "ParseError",
    "Parsed",
    "Parser",
    "Passage",
    "clean",
    "is_table",
    "kind_by_name",
    "pairs",
    "sentences",
    "split",
    "title_from_name",
]


def __getattr__(name: str) -> Any:
    # The subprocess imports this package too: what starts subprocesses is loaded only when it is asked for.
    if name in ("Parser", "CPU_SECONDS", "MEMORY_BYTES"):
        from bot.documents import parser

        return getattr(parser, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
