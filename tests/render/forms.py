"""Every form in which a reader may have an answer: its visible text, code and links, and what is wrong with it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import adapters.playground.render
import adapters.slack.preview
import adapters.slack.render
import adapters.telegram.preview
import adapters.telegram.render
from bot.events import Answer
from bot.render import parse, plain, to_html, units
from bot.texts import say
from tests.render import judges
from tests.render.found import linked_by_telegram
from tests.render.judges import Json

JOINER: Final = "\u2060"
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# ASCII letters and digits by the word; other letters one by one, for a splitter may cut between them; signs that carry
# meaning. Brackets, points and dashes are left out: forms put an address, a label, a bullet with them.
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+|[^\W_]|[*_~\\$^+=|@#%{}<&]")
_AT_A_LINE: Final = ("p", "div", "li", "tr", "td", "th", "pre", "br", "hr", "article", "blockquote", "ul", "ol")


@dataclass(slots=True)
class View:
    """What a reader has. `links`: what can be opened; `taken`: headers of tables, which a form may say again; `struck`:
    whether something is struck out, which a form of characters alone shows by a `~` on either side."""

    text: str
    code: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    struck: bool = False
    problems: list[str] = field(default_factory=list)


Form = Callable[[str], View]


def tokens(text: str) -> list[str]:
    """Words and signs in order."""
    return _TOKEN.findall(_INVISIBLE.sub("", text))


def shown(text: str) -> str:
    """Visible text with its white space made even."""
    return " ".join(_INVISIBLE.sub("", text).split())


class Page(HTMLParser):
    """The visible text of HTML, with the numbers of its lists."""

    def __init__(self) -> None:
        super().__init__()
        self.view = View("")
        self._out: list[str] = []
        self._lists: list[int | None] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _AT_A_LINE or re.fullmatch(r"h\d", tag):
            self._out.append("\n")
        if tag in ("ul", "ol"):
            self._lists.append(int(given.get("start") or 1) if tag == "ol" else None)
        if tag == "li":
            self._number(given)
        if tag == "a" and "href" in given:
            self.view.links.append(given["href"] or "")
        if tag in ("code", "pre") and "pre" not in self._open:
            self.view.code.append("")
        self.view.struck |= tag == "s"
        if tag == "img":
            self._out.append(f" {given.get('alt') or ''} ")
        if tag not in ("br", "hr", "img"):
            self._open.append(tag)

    def _number(self, given: dict[str, str | None]) -> None:
        number = self._lists[-1] if self._lists else None
        if "value" in given:
            number = int(given["value"] or 0)
        if number is not None and given.get("class") != "bare":
            self._out.append(f"{number}. ")
            self._lists[-1] = number + 1

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _AT_A_LINE or re.fullmatch(r"h\d", tag):
            self._out.append("\n")

    def handle_data(self, data: str) -> None:
        if "footer" in self._open:
            return
        if "code" in self._open or "pre" in self._open:
            self.view.code[-1] += data
        if "th" in self._open:
            self.view.taken.append(data)
        self._out.append(data)

    def finish(self) -> View:
        """Return what was seen."""
        self.close()
        self.view.text = "".join(self._out)
        return self.view


def page(markup: str) -> View:
    """Read HTML."""
    reader = Page()
    reader.feed(markup)
    return reader.finish()


def _answer(markdown: str) -> Answer:
    return Answer(text=markdown, asker_id="U1")


def _parts(render: Callable[..., Sequence[Any]], markdown: str, *, as_text: bool = False) -> list[Json]:
    return [part.to_json() for part in render(_answer(markdown), plain=as_text)]


def slack(markdown: str) -> View:
    """Slack's blocks."""
    parts = _parts(adapters.slack.render.render, markdown)
    content = judges.of_slack(parts)
    text = "\n".join(_slack_block(block) for part in parts for block in part["blocks"])
    problems = [problem for part in parts for problem in judges.slack_problems(part)]
    return View(text, content.code, content.links, problems=problems)


def _slack_block(value: Json) -> str:
    match value["type"]:
        case "context_actions":
            return ""
        case "header":
            return f"{value['text']['text']}\n"
        case "table":
            return "".join(_slack_block(cell) + "\n" for row in value["rows"] for cell in row)
        case "rich_text_list":
            first = value.get("offset", 0) + 1
            numbers = [f"{first + at}. " if value["style"] == "ordered" else "" for at in range(len(value["elements"]))]
            items = zip(numbers, value["elements"], strict=True)
            return "".join(number + _slack_block(item) + "\n" for number, item in items)
        case "text" | "link" | "raw_text":
            return str(value["text"])
        case kind:
            inner = "".join(map(_slack_block, value.get("elements", ())))
            return inner + ("" if kind == "rich_text" else "\n")


def telegram(markdown: str) -> View:
    """Telegram's text and entities, with what the client links by itself."""
    parts = _parts(adapters.telegram.render.render, markdown)
    content = judges.of_telegram(parts)
    problems = [problem for part in parts for problem in judges.telegram_problems(part)]
    links = content.links + [link for part in parts for link in linked_by_telegram(part["text"], part["entities"])]
    return View(content.text, content.code, links, problems=problems)


def playground(markdown: str) -> View:
    """The playground's HTML, which `/preview` shows too."""
    parts = _parts(adapters.playground.render.render, markdown)
    view = page("".join(part["html"] for part in parts))
    view.problems = [problem for part in parts for problem in judges.html_problems(part)]
    return view


def slack_preview(markdown: str) -> View:
    """Slack in `/preview`."""
    return page(adapters.slack.preview.preview(markdown))


def telegram_preview(markdown: str) -> View:
    """Telegram in `/preview`."""
    return page(adapters.telegram.preview.preview(markdown))


def slack_plain(markdown: str) -> View:
    """Slack's text without blocks."""
    parts = _parts(adapters.slack.render.render, markdown, as_text=True)
    problems = [
        f"{units(part['text'])} units" for part in parts if units(part["text"]) > adapters.slack.render.MAX_TEXT
    ]
    problems += ["not escaped" for part in parts if re.search(r"[<>]|&(?!amp;|lt;|gt;)", part["text"])]
    return View("\n".join(html.unescape(part["text"]) for part in parts), problems=problems)


def telegram_plain(markdown: str) -> View:
    """Telegram's text without entities, with what the client links by itself."""
    parts = _parts(adapters.telegram.render.render, markdown, as_text=True)
    problems = [problem for part in parts for problem in judges.telegram_problems(part)]
    links = [link for part in parts for link in linked_by_telegram(part["text"], [])]
    return View("\n".join(part["text"] for part in parts), links=links, problems=problems)


def playground_plain(markdown: str) -> View:
    """The playground's text without HTML."""
    parts = _parts(adapters.playground.render.render, markdown, as_text=True)
    return View("\n".join(part["text"] for part in parts))


def plain_text(markdown: str) -> View:
    """Plain text, as in notifications, `trace` and logs of an operator."""
    return View(plain(parse(markdown)))


RICH: Final[dict[str, Form]] = {
    "slack": slack,
    "telegram": telegram,
    "playground": playground,
    "slack preview": slack_preview,
    "telegram preview": telegram_preview,
}
PLAIN: Final[dict[str, Form]] = {
    "slack plain": slack_plain,
    "telegram plain": telegram_plain,
    "playground plain": playground_plain,
    "plain text": plain_text,
}
FORMS: Final[dict[str, Form]] = RICH | PLAIN


def whole(markdown: str) -> View:
    """The answer in one piece, as HTML: what the others are compared with."""
    return page(to_html(parse(markdown).blocks))


def difference(base: View, view: View) -> str | None:
    """How a form's words differ from those of the whole; None if they are the same in the same order.

    A form may say more where it cannot show otherwise: the address of a link after its label, and a table's header
    before each cell or on each part. Without a table there is no other freedom.
    """
    written = {link.removeprefix("mailto:") for link in base.links}
    written |= {link.removeprefix("http://") for link in written if link.lower().startswith("http://www.")}
    addresses = sorted(written, key=len, reverse=True)
    texts = [_without(addresses, text) for text in (base.text, view.text)]
    # A mark beside a letter parts what is struck out from the rest of a word.
    wanted, given = (tokens(text.replace("~", "") if base.struck else text) for text in texts)
    if not wanted and given in ([], tokens(say("no-text", "en"))):
        return None
    if not base.taken:
        return None if wanted == given else _first_difference(wanted, given)
    allowed = {token for text in base.taken for token in tokens(text)}
    at = 0
    for token in given:
        if at < len(wanted) and token == wanted[at]:
            at += 1
        elif token not in allowed and not any(one.startswith(token) for one in allowed):
            return f"{token!r} is too much before {wanted[at : at + 8]}"
    return None if at == len(wanted) else f"{wanted[at]!r} is missing after {wanted[max(0, at - 8) : at]}"


def _without(addresses: list[str], text: str) -> str:
    """The text without the addresses in brackets after labels; others stand apart, for forms keep words that touch them
    from being linked too."""
    text = _INVISIBLE.sub("", text)
    for address in addresses:
        shown = _INVISIBLE.sub("", address)
        text = text.replace(f" ({shown})", "").replace(shown, f" {shown} ")
    return text


def _first_difference(wanted: list[str], given: list[str]) -> str:
    at = next(
        (at for at, (one, other) in enumerate(zip(wanted, given, strict=False)) if one != other),
        min(len(wanted), len(given)),
    )
    return f"{given[at : at + 8]} instead of {wanted[at : at + 8]} after {wanted[max(0, at - 5) : at]}"
