"""Characters that must not reach a reader as they are: controls, bidi controls, halves of surrogate pairs."""

from __future__ import annotations

import re
from typing import Final

_LINE_ENDS: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Overrides, embeddings and isolates can show a text in an order in which it is not written. The three marks cannot:
# they put a full stop or a bracket on its side in Hebrew and Arabic.
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HIDDEN_IN_CODE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def source(markdown: str) -> str:
    """Make one kind of line end, no byte order mark, no lone surrogate (it could not be sent as UTF-8)."""
    markdown = _LINE_ENDS.sub("\n", markdown.removeprefix("\ufeff"))
    if _SURROGATES.search(markdown):
        markdown = markdown.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return markdown


def prose(text: str) -> str:
    """Drop the bidi controls that can deceive, and turn other controls into spaces."""
    if text.isascii() and text.isprintable():
        return text
    return _BIDI.sub("", _CONTROLS.sub(" ", text))


def code(text: str) -> str:
    r"""Keep code as it is, but put U+FFFD where a control would hide.

    Left alone, bidi overrides show another program than the one that is copied (CVE-2021-42574).

    >>> code("if admin:" + chr(0x202E)) == "if admin:\ufffd"
    True
    """
    return _HIDDEN_IN_CODE.sub("\ufffd", text)
