"""Characters that must not reach a reader as they are: controls, bidi controls, halves of surrogate pairs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from bot.render.blocks import Spans

_LINE_ENDS: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Unicode's property Bidi_Control without its three marks: overrides, embeddings and isolates can show a text in an
# order in which it is not written.
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# The marks put a full stop or a bracket on its side in Hebrew and Arabic; in other scripts they have nothing to do.
_MARKS: Final = re.compile("[\u061c\u200e\u200f]")
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
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


def directed(spans: Spans) -> Spans:
    """Keep the direction marks of a text that has right-to-left letters, drop those of any other.

    >>> from bot.render.blocks import Span
    >>> [directed((Span(text + chr(0x200F)),))[0].text == text for text in ("abc", "\u05d0\u05d1")]
    [True, False]
    """
    if not any(_MARKS.search(span.text) for span in spans if not (span.code or span.text.isascii())):
        return spans
    if any(_RIGHT_TO_LEFT.search(_MARKS.sub("", span.text)) for span in spans):
        return spans
    return tuple(span if span.code else replace(span, text=_MARKS.sub("", span.text)) for span in spans)


def code(text: str) -> str:
    r"""Keep code as it is, but put U+FFFD where a control would hide.

    Left alone, bidi overrides show another program than the one that is copied (CVE-2021-42574).

    >>> code("if admin:" + chr(0x202E)) == "if admin:\ufffd"
    True
    """
    return _HIDDEN_IN_CODE.sub("\ufffd", text)
