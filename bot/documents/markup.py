"""HTML to passages: what a reader of the page reads, and none of what leads to other pages."""

from __future__ import annotations

import re
from typing import Final

from bot.documents.navigation import Element, is_contents, is_unread, names
from bot.documents.passages import Outline, is_remark

_BLOCKS: Final = names(
    "p div section article main header footer blockquote figure figcaption aside body details summary address center"
    " fieldset form caption ul ol dl table tr td th thead tbody tfoot hr html menu search hgroup legend label"
)
_HEADINGS: Final = names("h1 h2 h3 h4 h5 h6")
_CODE: Final = names("code tt kbd samp")
_TERM_LEVEL: Final = 10
"""Terms stand below all headings; a list of terms in another one a level lower."""
_SHORT: Final = 300
"""A definition up to this length is an item of a list; longer ones have their term among the headings."""
_LEADING: Final = names(
    "prev previous next up home contents index zurück weiter nachoben zumanfang inhalt précédent suivant"
    " niveausupérieur sommaire anterior siguiente 前のページ 次のページ 戻る 次へ 上に戻る ホーム 上へ 目次"
)
"""What the cells of a table say that leads to other pages."""
_BREAK: Final = "\u2028"
_WIDE: Final = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"
_WIDE_BREAK: Final = re.compile(f"(?<=[{_WIDE}])[ \\t\\r]*\\n\\s*(?=[{_WIDE}])")


class TooDeep(ValueError):
    """Elements stand in each other deeper than the parser follows."""


def read_html(text: str) -> Outline:
    """Read a page.

    Raises:
        TooDeep: when part of it would be lost.
    """
    from lxml import etree

    # Elements of lxml.html would know more, which nobody asks them, and take longer to make.
    parser = etree.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    root = etree.fromstring(text.encode("utf-8", "replace"), parser=parser)
    if root is None:  # nothing is in it
        return Outline()
    if any("depth" in error.message for error in parser.error_log):
        raise TooDeep("the elements of the page stand in each other too deeply")
    page = _Page()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if page.begin(element):
                walk.skip_subtree()
                page.skipped = element
        elif page.skipped is element:
            page.skipped = None
            page.after(element)
        else:
            page.end(element)
    page.flush()
    page.out.close()
    return page.named(root)


class _Page:
    """Where we are in a page."""

    def __init__(self) -> None:
        self.out = Outline()
        self.skipped: Element | None = None
        self._text: list[str] = []
        self._items: list[str] = []
        self._lists: list[str | int] = []  # "-" or the number of the next item
        self._prefix = ""
        self._terms: list[str] = []
        self._definitions: list[bool] = []  # a list of terms each: whether its definitions are short
        self._rows: list[list[str]] | None = None
        self._in_heading = False

    def begin(self, element: Element) -> bool:
        """Enter an element; True when nothing in it is read any more."""
        tag = element.tag
        if not isinstance(tag, str) or is_unread(element, tag):
            return True
        if self._rows is not None:
            self._in_table(element, tag)
            return False
        if tag in ("ul", "ol", "dl", "div", "table") and not self._lists and is_contents(element):
            self.flush()
            self._end_list()
            self.out.block(_lines(element), "contents")
            return True
        if tag == "pre":
            self._code(element)
            return True
        if tag in _CODE and len(element) == 0 and not self._in_heading and "`" not in (element.text or "`"):
            self._text.append(f"`{' '.join(element.text.split())}`")
            return True
        self._enter(element, tag)
        self._text.append(element.text or "")
        return False

    def _enter(self, element: Element, tag: str) -> None:
        if tag in _HEADINGS:
            self.flush()
            self._end_list()
            self._in_heading = True
        elif tag in ("ul", "ol"):
            self.flush()
            self._lists.append("-" if tag == "ul" else 1)
        elif tag == "li":
            self.flush()
            self._prefix = self._marker()
        elif tag == "dl":
            self.flush()
            short = all(len(dd) == 0 or _is_short(dd) for dd in element.iterchildren("dd"))
            self._definitions.append(short)
        elif tag in ("dt", "dd"):
            self.flush()
            if tag == "dd":
                self._define()
        elif tag == "table" and not _is_layout(element):
            self.flush()
            self._end_list()
            self._rows = []
        elif tag == "br":
            self._text.append(_BREAK)
        elif tag in _BLOCKS:
            self.flush()

    def end(self, element: Element) -> None:
        """Leave an element."""
        tag = element.tag
        if tag in _HEADINGS:
            heading = self._taken()
            self._in_heading = False
            if heading:
                self.out.head(int(tag[1]), heading)
        elif self._names_a_remark(element):
            if title := self._taken():
                self.out.block(f"**{title}**")
        elif tag == "dt" and self._definitions:
            if term := self._taken():
                self._terms.append(term)
        elif self._rows is not None:
            self._end_in_table(tag)
        elif tag in ("ul", "ol", "dl"):
            self.flush()
            self._end_of(tag)
        elif tag in _BLOCKS or tag in ("li", "dd", "dt"):
            self.flush()
        self.after(element)

    def _names_a_remark(self, element: Element) -> bool:
        """Whether an element says "Note" above a remark, where no list or table goes on."""
        free = self._rows is None and not self._lists and not self._items
        return free and element.tag == "p" and "admonition-title" in (element.get("class") or "").split()

    def _end_of(self, tag: str) -> None:
        if tag == "dl" and self._definitions:
            self._define()
            if not self._definitions.pop():
                self.out.leave(_TERM_LEVEL + len(self._definitions))
        elif tag != "dl" and self._lists:
            self._lists.pop()
        if not self._lists:
            self._end_list()

    def after(self, element: Element) -> None:
        """Take in what stands behind an element."""
        if element.tail:
            self._text.append(element.tail)

    def flush(self) -> None:
        """End a paragraph or item."""
        text = self._taken()
        if not text or self._in_heading:
            return
        if self._lists:
            indent = "  " * (len(self._lists) - 1)
            self._items.append(indent + (self._prefix or "  ") + text.replace("\n", "\n  " + indent))
            self._prefix = ""
        elif self._items and self._definitions and self._definitions[-1]:
            self._items[-1] += " " + text
        else:
            self.out.block(text)

    def named(self, root: Element) -> Outline:
        """The passages, called what the page is called in itself, else in its head."""
        title = root.find(".//title")
        if not self.out.title and title is not None:
            self.out.title = " ".join("".join(title.itertext()).split())
        return self.out

    def _taken(self) -> str:
        text = "".join(self._text)
        self._text = []
        if text.isascii():
            return " ".join(text.split())
        text = _WIDE_BREAK.sub("", text)
        return "\n".join(line for part in text.split(_BREAK) if (line := " ".join(part.split())))

    def _marker(self) -> str:
        if not self._lists:
            self._lists.append("-")
        number = self._lists[-1]
        if isinstance(number, int):
            self._lists[-1] = number + 1
            return f"{number}. "
        return "- "

    def _end_list(self) -> None:
        if self._items:
            items, self._items = self._items, []
            self.out.block("\n".join(items))

    def _define(self) -> None:
        """Put the terms that were read before what is said of them."""
        if not self._terms or not self._definitions:
            return
        terms, self._terms = ", ".join(self._terms), []
        if self._definitions[-1]:
            self._items.append("  " * len(self._lists) + f"- **{terms.replace('*', '')}**:")
        else:
            self._end_list()
            self.out.term(_TERM_LEVEL + len(self._definitions), terms)

    def _code(self, element: Element) -> None:
        text = "".join(element.itertext()).expandtabs(4).strip("\n")
        self.flush()
        self._end_list()
        if text.strip():
            fence = "```" if "```" not in text else "~~~~"
            lines = "\n".join(line.rstrip() for line in text.split("\n"))
            self.out.block(f"{fence}\n{lines}\n{fence}", "code")

    def _in_table(self, element: Element, tag: str) -> None:
        assert self._rows is not None
        if tag == "tr":
            self._rows.append([])
            self._text = []
        elif tag in ("td", "th"):
            self._text = []
        elif tag in ("br", "p", "div", "li"):
            self._text.append(" ")
        self._text.append(element.text or "")

    def _end_in_table(self, tag: str) -> None:
        assert self._rows is not None
        if tag in ("td", "th") and self._rows:
            self._rows[-1].append(self._taken().replace("\n", " ").replace("|", "\\|"))
        elif tag == "caption":
            if caption := self._taken():
                self.out.block(caption)
        elif tag == "table":
            if table := table_of(self._rows):
                self.out.block(table)
            self._rows, self._text = None, []
        else:
            self._text.append(" ")


def table_of(rows: list[list[str]]) -> str:
    """Rows of cells as a Markdown table; the first row is its head.

    A table that only leads to other pages is none, and one that only frames a remark is that remark.
    """
    rows = [row for row in rows if any(row)]
    if not rows or (len(rows) <= 3 and _leads(rows[0])):
        return ""
    first, *others = ["".join(row).strip() for row in rows]
    if len(others) == 1 and is_remark(first):
        return f"**{first}**: {others[0]}"
    width = max(map(len, rows))
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


def _leads(row: list[str]) -> bool:
    """Whether the ends of a row lead to other pages, whatever stands between them."""
    ends = {"".join(cell.casefold().split()).strip("<>«»←→") for cell in (row[0], row[-1])} - {""}
    return len(row) <= 4 and bool(ends) and _LEADING.issuperset(ends)


def _lines(element: Element) -> str:
    lines = (" ".join("".join(item.itertext()).split()) for item in element.iter("a"))
    return "\n".join(f"- {line}" for line in lines if line)


def _is_short(definition: Element) -> bool:
    kinds = {child.tag for child in definition.iter("p", "pre", "ul", "ol", "dl", "table", "div", "h4")}
    paragraphs = sum(1 for _ in definition.iter("p"))
    return kinds <= {"p"} and paragraphs < 2 and len("".join(definition.itertext())) <= _SHORT


def _is_layout(table: Element) -> bool:
    """Whether a table only places things: it holds headings, tables or code, or has a single column."""
    if next(table.iterdescendants("table", "h1", "h2", "h3", "h4", "pre", "dl"), None) is not None:
        return True
    rows = [sum(1 for cell in row if cell.tag in ("td", "th")) for row in table.iter("tr")]
    return max(rows, default=0) < 2
