"""HTML to Markdown."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class HtmlReader(HTMLParser):
    """HTML to Markdown lines: headings, paragraphs, items and table rows; nothing of scripts, styles and menus."""

    SKIP = frozenset({"script", "style", "nav", "noscript", "template", "svg", "head", "iframe", "object", "form"})
    BLOCK = frozenset({"p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "table", "blockquote"})
    BLOCK |= frozenset({"pre", "dl", "dd", "dt", "br", "hr", "figure", "figcaption", "tbody", "thead", "aside", "body"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.title = ""
        self._text: list[str] = []
        self._prefix = ""
        self._skipped: list[str] = []
        self._cells: list[str] | None = None
        self._rows = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a piece."""
        if tag == "title":
            self._in_title = True
        elif tag in self.SKIP:
            self._skipped.append(tag)
        elif tag == "tr":
            self._flush()
            self._cells = []
        elif tag in ("td", "th"):
            self._text = []
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self._flush()
            self._prefix = "#" * int(tag[1]) + " "
        elif tag == "li":
            self._flush()
            self._prefix = "- "
        elif tag in self.BLOCK and self._cells is None:
            if tag == "table":
                self._rows = 0
            self._flush()

    def handle_endtag(self, tag: str) -> None:
        """End a piece."""
        if tag == "title":
            self._in_title = False
        elif tag in self.SKIP:
            if tag in self._skipped:
                del self._skipped[self._skipped.index(tag) :]
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append(" ".join("".join(self._text).split()).replace("|", "\\|"))
            self._text = []
        elif tag == "tr" and self._cells is not None:
            self._row(self._cells)
            self._cells = None
        elif (tag in self.BLOCK or tag == "li" or re.fullmatch("h[1-6]", tag)) and self._cells is None:
            self._flush()
            if tag in ("ul", "ol", "table"):
                self.lines.append("")

    def handle_data(self, data: str) -> None:
        """Take text in, unless it belongs to a script or a menu."""
        if self._in_title:
            self.title += data
        elif not self._skipped:
            self._text.append(data)

    def _row(self, cells: list[str]) -> None:
        if any(cells):
            self.lines.append("| " + " | ".join(cells) + " |")
            if self._rows == 0:
                self.lines.append("|" + "---|" * len(cells))
            self._rows += 1

    def _flush(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text = []
        if text:
            tight = self._prefix == "- "
            self.lines.extend([self._prefix + text] if tight else ["", self._prefix + text, ""])
        self._prefix = ""

    def markdown(self) -> str:
        """All that was read."""
        self._flush()
        return "\n".join(self.lines)
