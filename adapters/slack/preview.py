"""How an answer looks in Slack, as safe HTML made from the blocks that would be sent; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from adapters.slack.render import render
from bot.events import Answer

_MARKS: Final = (("code", "code"), ("strike", "s"), ("italic", "em"), ("bold", "strong"))


def preview(markdown: str) -> str:
    """Show what Slack would show of an answer: one `article` a message."""
    return "".join(_message(part.blocks) for part in render(Answer(text=markdown, asker_id="")))


def _message(blocks: Iterable[Mapping[str, Any]]) -> str:
    return f'<article class="message" dir="auto">{"".join(map(_block, blocks))}</article>'


def _block(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h3>{escape(block['text']['text'])}</h3>"
        case "divider":
            return "<hr>"
        case "table":
            return _table(block)
        case "context_actions":
            return '<footer><span class="button">👍</span> <span class="button">👎</span></footer>'
        case "rich_text":
            return "".join(map(_element, block["elements"]))
        case _:
            return f"<p>{escape(' '.join(str(item.get('text', '')) for item in block.get('elements', ())))}</p>"


def _element(element: Mapping[str, Any]) -> str:
    match element["type"]:
        case "rich_text_section":
            return f'<div class="text">{_inline(element["elements"])}</div>'
        case "rich_text_quote":
            return f'<blockquote class="text">{_inline(element["elements"])}</blockquote>'
        case "rich_text_preformatted":
            text = _inline(element["elements"])
            return _bordered(f'<pre tabindex="0">{text}</pre>', element)
        case _:
            return _bordered(_list(element), element)


def _list(element: Mapping[str, Any]) -> str:
    """The list at its depth; an outer list per level stands for the indentation."""
    first = int(element.get("offset", 0)) + 1
    depth = int(element.get("indent", 0))
    tag, start = ("ol", f' start="{first}"') if element["style"] == "ordered" else ("ul", "")
    items = "".join(f'<li class="text">{_inline(item["elements"])}</li>' for item in element["elements"])
    return '<div class="indent">' * depth + f"<{tag}{start}>{items}</{tag}>" + "</div>" * depth


def _bordered(html: str, element: Mapping[str, Any]) -> str:
    return f"<blockquote>{html}</blockquote>" if element.get("border") else html


def _inline(elements: Iterable[Mapping[str, Any]]) -> str:
    out = []
    for element in elements:
        shown = escape(element["text"])
        style = element.get("style", {})
        for mark, tag in _MARKS:
            shown = f"<{tag}>{shown}</{tag}>" if style.get(mark) else shown
        if element["type"] == "link":
            shown = f'<a href="{escape(element["url"])}" target="_blank" rel="noopener noreferrer nofollow">{shown}</a>'
        out.append(shown)
    return "".join(out)


def _table(block: Mapping[str, Any]) -> str:
    rows = []
    classes = [f' class="{setting.get("align", "left")}"' for setting in block["column_settings"]]
    for number, row in enumerate(block["rows"]):
        tag = "td" if number else "th"
        rows.append(
            "<tr>"
            + "".join(f"<{tag}{name}>{_cell(cell)}</{tag}>" for cell, name in zip(row, classes, strict=True))
            + "</tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _cell(cell: Mapping[str, Any]) -> str:
    return escape(cell["text"]) if cell["type"] == "raw_text" else _inline(cell["elements"][0]["elements"])
