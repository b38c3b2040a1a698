"""The inline content of a token to spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it.token import Token

from bot.render import clean, links
from bot.render.blocks import Span, Spans


def spans(tokens: Sequence[Token]) -> Spans:
    """The spans of inline tokens, runs of one look joined, addresses written out in plain text made links."""
    run = _Inline()
    for token in tokens:
        run.take(token)
    return run.finish()


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
            case "text":
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
                self._href = links.safe(str(token.attrs.get("href", "")))
                self._number = links.phone(str(token.attrs.get("href", "")))
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
        elif self._number and _digits(self._number) not in _digits("".join(self._label)):
            self._add(f" ({self._number})" if "".join(self._label).strip() else self._number)
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
        """Return the spans; addresses in texts that were not parsed become links, names that look like one code."""
        self._flush()
        return tuple(piece for span in self._done for linked in _linked(span) for piece in _inert(linked))


def _alt(children: Sequence[Token]) -> Iterator[str]:
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif child.type == "image":
            yield from _alt(child.children or ())
        else:
            yield child.content


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _inert(span: Span) -> Iterator[Span]:
    """Show as code what clients would make a link to somebody's domain: `deploy.sh`, `README.md`."""
    if span.code or span.href or "." not in span.text:
        yield span
        return
    at = 0
    for start, end in links.lookalikes(span.text):
        if start > at:
            yield replace(span, text=span.text[at:start])
        yield Span(span.text[start:end], code=True)
        at = end
    if at < len(span.text):
        yield replace(span, text=span.text[at:])


def _linked(span: Span) -> Iterator[Span]:
    if span.code or span.href:
        yield span
        return
    at = 0
    for start, end, href in sorted(links.bare(span.text)):
        if start > at:
            yield replace(span, text=span.text[at:start])
        yield replace(span, text=span.text[start:end], href=href)
        at = end
    if at < len(span.text):
        yield replace(span, text=span.text[at:]) if at else span
