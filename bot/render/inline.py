"""The inline content of a token to spans."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from markdown_it.token import Token

from bot.render import addresses, clean, links
from bot.render.addresses import WrittenAddress
from bot.render.blocks import Span, Spans, flat

# Where an address may stand in a text that was not parsed, or that is put together of several spans.
_HINT: Final = re.compile(r"://|@|[^\s.]\.[^\s.]")


def spans(tokens: Sequence[Token]) -> Spans:
    """The spans of inline tokens, runs of one look joined, addresses written out in plain text made links."""
    run = _Inline()
    for token in tokens:
        run.take(token)
    return run.finish()


def inert(content: Spans, *, link: bool = True) -> Spans:
    """The spans with what only looks like an address as code, over the borders of spans too.

    `link`: addresses become links; else they stay as they are, for a channel that links them itself or cannot.
    """
    if not any(_HINT.search(span.text) for span in content if not (span.code or span.href)):
        return content
    return recast(content, lambda text: [one for one in addresses.find(text) if link or not one.href])


def recast(content: Spans, find: Callable[[str], Iterable[WrittenAddress]]) -> Spans:
    """The spans with what is found in their texts, over the borders of spans too, as links or (without `href`) code."""
    result: list[Span] = []
    for is_text, group in groupby(content, key=lambda span: not (span.code or span.href)):
        run = tuple(group)
        result += _found(run, find(flat(run))) if is_text else run
    return tuple(result)


def _found(group: Spans, found: Iterable[WrittenAddress]) -> Iterator[Span]:
    at = 0
    for address in found:
        yield from _cut(group, at, address.start)
        look = next(_cut(group, address.start, address.end))
        yield replace(look, text=address.shown, href=address.href) if address.href else Span(address.shown, code=True)
        at = address.end
    yield from _cut(group, at, None)


def _cut(group: Spans, start: int, end: int | None) -> Iterator[Span]:
    """The spans from one character to another."""
    for span in group:
        text = span.text[max(start, 0) : None if end is None else max(end, 0)]
        if text:
            yield span if text == span.text else replace(span, text=text)
        start -= len(span.text)
        end = None if end is None else end - len(span.text)


class _Inline:
    """Collects spans; marks count how many of their kind are open, so nesting flattens by itself."""

    def __init__(self) -> None:
        self._done: list[Span] = []
        self._run: list[str] = []  # characters of one look, not yet a span
        self._look: tuple[bool, bool, bool, str | None] = (False, False, False, None)
        self._bold = self._italic = self._strike = 0
        self._href: str | None = None
        self._number = ""
        self._label: list[str] = []
        self._pictures: list[str] = []

    def take(self, token: Token) -> None:
        match token.type:
            case "text" | "literal":
                self._add(clean.prose(token.content))
            case "softbreak" | "hardbreak":
                self._add("\n")
            case "code_inline":
                self._code(clean.code(token.content))
            case "strong_open" | "strong_close":
                self._bold += token.nesting
            case "em_open" | "em_close":
                self._italic += token.nesting
            case "s_open" | "s_close":
                self._strike += token.nesting
            case "link_open":
                target = str(token.attrs.get("href", ""))
                self._href, self._number = links.safe(target), links.phone(target)
                self._label.clear()
            case "link_close":
                self._close_link()
            case "image":
                self._image(token)
            case _:
                self._add(clean.prose(token.content))

    def _add(self, text: str, href: str | None = None) -> None:
        if not text:
            return
        look = (self._bold > 0, self._italic > 0, self._strike > 0, href or self._href)
        if look != self._look:
            self._flush()
            self._look = look
        self._run.append(text)
        self._label.append(text)

    def _code(self, text: str) -> None:
        self._flush()
        self._done.append(Span(text, code=True, href=self._href))
        self._label.append(text)

    def _flush(self) -> None:
        if self._run:
            bold, italic, strike, href = self._look
            self._done.append(Span("".join(self._run), bold, italic, strike, href=href))
            self._run.clear()

    def _close_link(self) -> None:
        href, self._href = self._href, None
        if href is not None:
            label = "".join(self._label)
            if not label.strip():
                self._add(href.removeprefix("mailto:"), href)
            elif true_host := links.disguised(label, href):
                self._add(f" ({true_host})", href)
        elif self._number and not links.dials(label := "".join(self._label), self._number):
            number = clean.prose(self._number)
            self._add(f" ({number})" if label.strip() else number)
        for picture in self._pictures:
            self._add(" ")
            self._add("🖼", picture)
        self._pictures.clear()

    def _image(self, token: Token) -> None:
        """A picture is a link to it, labelled with what it shows."""
        href = links.safe(str(token.attrs.get("src", "")))
        alt = clean.prose("".join(_alt(token.children or ())))
        if self._href is None:
            self._add(alt if alt.strip() else href or "", href)
            return
        self._add(alt)
        if href is not None:
            self._pictures.append(href)

    def finish(self) -> Spans:
        """The spans, without line ends around them; addresses in texts that were not parsed become links."""
        self._flush()
        done = self._done
        while done and not done[-1].code and not done[-1].text.rstrip():
            done.pop()
        while done and not done[0].code and not done[0].text.lstrip():
            done.pop(0)
        if done and done[0].text.startswith("\n"):
            done[0] = replace(done[0], text=done[0].text.lstrip())
        return inert(clean.directed(tuple(done)))


def _alt(children: Sequence[Token]) -> Iterator[str]:
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif child.type == "image":
            yield from _alt(child.children or ())
        else:
            yield child.content
