"""HTML as people would see it, for wires and clauses of channels that make some: its words, and what could act."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

ACTIVE: Final = frozenset(
    {"script", "img", "iframe", "form", "svg", "style", "object", "embed", "link", "base", "meta"}
)
"""Elements that run, load or send something by themselves."""
HARMLESS_LINKS: Final = ("https://", "http://", "mailto:")
LINES: Final = frozenset({"p", "li", "br", "tr", "td", "th", "pre", "article"})


class HtmlView(HTMLParser):
    """Reads HTML. `text`: its words. `alerts`: everything in it that could act. `tags`: its elements, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.alerts: list[str] = []
        self.tags: list[str] = []
        self._words: list[str] = []
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return "".join(self._words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._words.append("\n" if tag in LINES else "")
        for name, value in attrs:
            live_link = name == "href" and not (value or "").lower().startswith(HARMLESS_LINKS)
            if live_link or name.startswith("on") or name in ("src", "style", "srcdoc", "action", "formaction"):
                self.alerts.append(f"{tag} {name}={value}")
        if tag in ACTIVE:
            self.alerts.append(tag)

    def handle_data(self, data: str) -> None:
        self._words.append(data)
