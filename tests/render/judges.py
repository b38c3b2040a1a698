"""Who says what is right: TDLib, slack_sdk and an HTML parser, and an independent count of what an answer contains."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

import tdjson
from markdown_it import MarkdownIt
from markdown_it.token import Token
from slack_sdk.models.blocks import Block

Json = Mapping[str, Any]
# Between ASCII and another script plain text may put a space, where an address ends.
WORD: Final = re.compile(r"[A-Za-z0-9]+|[^\W_A-Za-z0-9]+")
BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS: Final = str.maketrans("", "", "*~")
HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def part_of(text: str, offset: int, length: int) -> str:
    """Characters by UTF-16 offsets; raises UnicodeDecodeError where those cut a surrogate pair."""
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")


# ---------------------------------------------------------------------------------------------------------- Telegram


def tdlib(request: Json) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    return answer


tdlib({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})

_TAGS: Final = {"bold": "b", "italic": "i", "strikethrough": "s", "code": "code", "blockquote": "blockquote"}
_KINDS: Final = {
    "Bold": "bold",
    "Italic": "italic",
    "Strikethrough": "strikethrough",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
    "TextUrl": "text_link",
    "BlockQuote": "blockquote",
}


def telegram_problems(part: Json) -> list[str]:
    """What Telegram would refuse, change, drop, or make live in a message."""
    text, entities = part["text"], part["entities"]
    problems = _counted(text, entities) + _nesting(entities)
    if not problems:
        problems += _parsed(text, entities) + _live(text, entities)
    return problems


def _counted(text: str, entities: list[Json]) -> list[str]:
    problems = []
    starts_with_code = any(entity["offset"] == 0 and entity["type"] in ("code", "pre") for entity in entities)
    if not text.strip() or text != text.rstrip() or (text != text.lstrip() and not starts_with_code):
        problems.append("empty, or white space at an end")
    if units(text) > 4096:
        problems.append(f"{units(text)} units")
    if len(entities) > 100:
        problems.append(f"{len(entities)} entities")
    for entity in entities:
        if entity["length"] <= 0 or entity["offset"] + entity["length"] > units(text):
            problems.append(f"out of range: {entity}")
            continue
        try:
            part_of(text, entity["offset"], entity["length"])
        except UnicodeDecodeError:
            problems.append(f"cuts a surrogate pair: {entity}")
    return problems


def _nesting(entities: list[Json]) -> list[str]:
    problems = []
    order = [(entity["offset"], -entity["length"]) for entity in entities]
    if order != sorted(order):
        problems.append("not sorted")
    stack: list[Json] = []
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        while stack and stack[-1]["offset"] + stack[-1]["length"] <= start:
            stack.pop()
        for outer in stack:
            both = (outer["type"], entity["type"])
            if end > outer["offset"] + outer["length"]:
                problems.append(f"overlap: {both}")
            if outer["type"] in ("code", "pre") or (
                entity["type"] in ("code", "pre") and outer["type"] != "blockquote"
            ):
                problems.append(f"code nested: {both}")
            if outer["type"] == entity["type"]:
                problems.append(f"in itself: {both}")
        stack.append(entity)
    return problems


def _parsed(text: str, entities: list[Json]) -> list[str]:
    """Give the message to TDLib's own parser as HTML: what it makes of it must be what we said."""
    answer = tdlib(
        {"@type": "parseTextEntities", "text": _as_html(text, entities), "parse_mode": {"@type": "textParseModeHTML"}}
    )
    if answer["@type"] == "error":
        return [f"TDLib: {answer['message']}"]
    if answer["text"] != text:
        return ["TDLib reads another text"]
    theirs = []
    for entity in answer["entities"]:
        kind = _KINDS[entity["type"]["@type"].removeprefix("textEntityType")]
        value = entity["type"].get("url", entity["type"].get("language", ""))
        theirs.append((kind, entity["offset"], entity["offset"] + entity["length"], value))
    ours = [
        (
            entity["type"],
            entity["offset"],
            entity["offset"] + entity["length"],
            entity.get("url", entity.get("language", "")),
        )
        for entity in entities
    ]
    mine, seen = _painted(text, ours), _painted(text, theirs)
    return [] if mine == seen else [f"TDLib sees other entities: {sorted(mine ^ seen)[:3]}"]


def _painted(text: str, entities: list[tuple[str, int, int, str]]) -> set[tuple[int, str, str]]:
    """Which marks each visible character has, whatever the way in which they are cut into entities."""
    data = text.encode("utf-16-le")
    visible = [not data[2 * at : 2 * at + 2].decode("utf-16-le", "replace").isspace() for at in range(len(data) // 2)]
    painted = set()
    for kind, start, end, value in entities:
        if kind == "text_link":
            value = re.sub(r"^(https?://[^/?#]*)/?", lambda match: match.group(1).lower() + "/", value, flags=re.I)
        painted |= {(at, kind, value) for at in range(start, end) if visible[at]}
    return painted


def _as_html(text: str, entities: list[Json]) -> str:
    opens: dict[int, list[str]] = {}
    closes: dict[int, list[str]] = {}
    for entity in entities:
        kind, start, end = entity["type"], entity["offset"], entity["offset"] + entity["length"]
        if kind == "text_link":
            before, after = f'<a href="{escape(entity["url"])}">', "</a>"
        elif kind == "pre":
            name = escape(entity.get("language", ""))
            before = f'<pre><code class="language-{name}">' if name else "<pre>"
            after = "</code></pre>" if name else "</pre>"
        else:
            before, after = f"<{_TAGS[kind]}>", f"</{_TAGS[kind]}>"
        opens.setdefault(start, []).append(before)
        closes.setdefault(end, []).insert(0, after)
    out, at = [], 0
    for edge in sorted({*opens, *closes, units(text)}):
        out.append(escape(part_of(text, at, edge - at), quote=False))
        out += closes.get(edge, []) + opens.get(edge, [])
        at = edge
    return "".join(out)


def _live(text: str, entities: list[Json]) -> list[str]:
    """Find what Telegram would link by itself outside of our code and links."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in entities
        if entity["type"] in ("code", "pre", "text_link")
    ]
    problems = [
        f"link: {entity['url']}"
        for entity in entities
        if entity["type"] == "text_link" and not entity["url"].lower().startswith(("http://", "https://"))
    ]
    for entity in tdlib({"@type": "getTextEntities", "text": text})["entities"]:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if any(start < high and low < end for low, high in taken):
            continue
        kind = entity["type"]["@type"].removeprefix("textEntityType")
        shown = part_of(text, start, end - start)
        if kind in ("Mention", "BotCommand", "MentionName") or shown.lower().startswith(("tg:", "ton:", "tonsite:")):
            problems.append(f"live {kind}: {shown}")
    return problems


# ------------------------------------------------------------------------------------------------------------- Slack

_ELEMENTS: Final = {
    *("rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "text", "link"),
    *("header", "plain_text", "table", "raw_text", "divider", "context_actions", "feedback_buttons"),
}


def slack_problems(part: Json) -> list[str]:
    """What Slack would refuse, and whatever is not literal in a message."""
    blocks = part["blocks"]
    problems = []
    for block in Block.parse_all([dict(block) for block in blocks]):
        block.validate_json()
    if len(blocks) > 50:
        problems.append(f"{len(blocks)} blocks")
    if sum(block["type"] == "table" for block in blocks) > 1:
        problems.append("two tables")
    size = sum(units(value) for key, value in _strings(blocks) if key in ("text", "url"))
    if size > 12_000:
        problems.append(f"{size} characters in blocks")
    if size + units(part["text"]) > 13_000 or not part["text"].strip():
        problems.append("fallback text too long or empty")
    if re.search(r"[<>]|&(?!amp;|lt;|gt;)", part["text"]):
        problems.append("fallback text not escaped")
    problems += [f"element {value}" for key, value in _strings(blocks) if key == "type" and value not in _ELEMENTS]
    problems += [f"link {value}" for key, value in _strings(blocks) if key == "url" and not _is_safe(value)]
    problems += ["empty text" for key, value in _strings(blocks) if key == "text" and not value]
    for block in blocks:
        problems += _block_problems(block)
    return problems


def _block_problems(block: Json) -> Iterator[str]:
    if block["type"] == "header" and units(block["text"]["text"]) > 150:
        yield "header too long"
    if block["type"] == "table":
        rows = block["rows"]
        if len(rows) > 100 or len(block["column_settings"]) > 20 or any(len(row) != len(rows[0]) for row in rows):
            yield "table too large or ragged"
        if sum(units(value) for key, value in _strings(rows) if key == "text") > 10_000:
            yield "table with more than 10,000 characters"
    if block["type"] == "rich_text":
        for element in block["elements"]:
            if not element["elements"] or element.get("offset", 1) < 1 or element.get("indent", 0) > 8:
                yield f"odd {element['type']}"


def _is_safe(url: str) -> bool:
    return urlsplit(url).scheme.lower() in ("http", "https", "mailto") and not re.search(r"[\s<>\"]", url)


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)


# -------------------------------------------------------------------------------------------------------------- HTML

_TEXTUAL: Final = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "th", "td")
_PLAIN: Final = ("strong", "em", "s", "code", "ul", "ol", "table", "thead", "tbody", "tr", "blockquote", "hr", "br")
_ALLOWED: Final[dict[str, set[str]]] = {
    **{tag: {"dir", "class"} for tag in _TEXTUAL},
    **{tag: set() for tag in _PLAIN},
    "div": {"class"},
    "pre": {"data-language", "tabindex"},
    "li": {"value", "class"},
    "a": {"href", "target", "rel"},
}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.code: list[str] = []
        self.unclosed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED or not {name for name, _ in attrs} <= _ALLOWED[tag]:
            self.problems.append(f"tag {tag} {attrs}")
        if dict(attrs).get("tabindex") not in (None, "0"):  # anything else changes the order of the keyboard
            self.problems.append(f"tag {tag} {attrs}")
        href = dict(attrs).get("href")
        if tag == "a":
            self.links.append(href or "")
            if not _is_safe(href or "") or "noopener" not in (dict(attrs).get("rel") or ""):
                self.problems.append(f"link {href}")
        if tag in ("br", "hr", "p", "li", "td", "th", "pre", "tr") or tag.startswith("h"):
            self.text.append("\n")
        if tag not in ("br", "hr"):
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.unclosed or self.unclosed.pop() != tag:
            self.problems.append(f"unbalanced {tag}")
        if tag in ("p", "li", "td", "th", "pre", "tr", "code") or tag.startswith("h"):
            self.text.append("" if tag == "code" else "\n")

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] == "code":
            self.code.append(data)
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.problems.append("comment")


def html_problems(part: Json) -> list[str]:
    """What is unsafe or broken in a part of the playground."""
    page = _Page()
    page.feed(part["html"])
    page.close()
    if page.unclosed:
        page.problems.append(f"open: {page.unclosed}")
    if not part["text"].strip():
        page.problems.append("empty")
    return page.problems


# ------------------------------------------------------------------------------------------------- what was contained


@dataclass(slots=True)
class Content:
    """Words in order, pieces of code, and addresses linked to."""

    words: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""


def _reference() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # the targets are judged below
    return md


def contained(markdown: str) -> Content:
    """What a reader of the Markdown would have, by markdown-it alone."""
    content = Content()
    shown: list[str] = []
    for token in _reference().parse(re.sub("\r\n?|[\x85\u2028\u2029]", "\n", markdown.removeprefix("\ufeff"))):
        if token.type in ("fence", "code_block"):
            content.code.append(token.content)
            shown.append(HIDDEN.sub("\ufffd", token.content))
        for child in token.children or ():
            shown.append(_inline(child, content))
        shown.append("\n")
    content.text = "".join(shown)
    visible = re.sub(r"(?m)^\s*\[[ xX]\](?=\s|$)", "", re.sub(r"(?i)</?br(\s[^<>]*)?/?>", " ", content.text))
    content.words = WORD.findall(BIDI.sub("", visible))
    return content


def _inline(token: Token, content: Content) -> str:
    target = str(token.attrs.get("href" if token.type == "link_open" else "src", ""))
    if token.type in ("link_open", "image") and _counts(target):
        content.links.append(target)
    if token.type == "code_inline":
        content.code.append(token.content)
        return HIDDEN.sub("\ufffd", token.content)
    if token.type in ("link_open", "link_close"):
        return "\u2060"  # an address may follow a label, so a word ends there
    if token.type == "image":
        return "\u2060" + "".join(_inline(child, content) for child in token.children or ()) + "\u2060"
    return "\n" if token.type in ("softbreak", "hardbreak") else token.content


def _counts(target: str) -> bool:
    """http, https or mailto, and an address at all."""
    if re.match(r"(?i)mailto:[^\s@?]+@[^\s@]+$", target):
        return True
    try:
        return target.lower().startswith(("http://", "https://")) and bool(urlsplit(target).hostname)
    except ValueError:
        return False


def of_telegram(parts: Iterable[Json]) -> Content:
    content = Content()
    texts = []
    for part in parts:
        texts.append(part["text"].replace("\u2060", ""))
        content.links += [entity["url"] for entity in part["entities"] if "url" in entity]
        content.code += [
            part_of(part["text"], entity["offset"], entity["length"])
            for entity in part["entities"]
            if entity["type"] in ("code", "pre")
        ]
    return _with_text(content, texts)


def of_slack(parts: Iterable[Json]) -> Content:
    content = Content()
    texts = []
    for part in parts:
        texts.append(
            "".join(_slack_text(block, content) for block in part["blocks"] if block["type"] != "context_actions")
        )
    return _with_text(content, texts)


def _slack_text(value: Json, content: Content) -> str:
    kind = value["type"]
    if kind == "header":
        return f"{value['text']['text']}\n"
    if kind == "table":
        return "".join(_slack_text(cell, content) + "\n" for row in value["rows"] for cell in row)
    if kind in ("text", "link", "raw_text"):
        if kind == "link":
            content.links.append(value["url"])
        if value.get("style", {}).get("code"):
            content.code.append(value["text"])
        return str(value["text"])
    inner = "".join(_slack_text(element, content) for element in value.get("elements", ()))
    if kind == "rich_text_preformatted":
        content.code.append(inner)
    return inner + ("" if kind == "rich_text" else "\n")


def of_playground(parts: Iterable[Json]) -> Content:
    content = Content()
    texts = []
    for part in parts:
        page = _Page()
        page.feed(part["html"])
        page.close()
        content.links += page.links
        content.code += page.code
        texts.append("".join(page.text))
    return _with_text(content, texts)


def _with_text(content: Content, texts: list[str]) -> Content:
    content.text = BIDI.sub("", "\n".join(texts))
    content.words = WORD.findall(content.text)
    return content


def hidden_controls(part: Json) -> bool:
    """True if anything in the part can show a text in another order than it is written."""
    return re.search("[\u202a-\u202e\u2066-\u2069]", json.dumps(part, ensure_ascii=False)) is not None


def in_order(words: Iterable[str], text: str) -> str | None:
    """The first word that does not follow the others in the text, None if all do."""
    return next(iter(missing(words, text)), None)


def missing(words: Iterable[str], text: str) -> list[str]:
    """The words that do not follow the others in the text.

    Asterisks and tildes do not count: the judge's parser takes those of arithmetic for emphasis, which we keep, and
    beside scripts without blanks it pairs them in another way (`test_literals`). A blank may part an address from the
    letters of another script that touch it.
    """
    at, text = 0, BIDI.sub("", text).translate(_MARKS)  # code may keep its right-to-left marks
    lost = []
    for word in (one.translate(_MARKS) for one in words):
        found = re.compile(re.escape(word) if word.isascii() else r" ?".join(map(re.escape, word))).search(text, at)
        if found is None:
            lost.append(word)
        else:
            at = found.end()
    return lost


def shown_in(label: str, text: str) -> bool:
    """True if an address stands in the text as it was written, with nothing of it cut off before or after."""
    return re.search(rf"(?<![A-Za-z0-9_/@]){re.escape(label)}", text) is not None


def unescaped(html_text: str) -> str:
    return unescape(html_text)
