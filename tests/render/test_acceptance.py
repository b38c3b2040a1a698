"""What must be seen of rendering, as a table over every hard answer: nothing refused, nothing lost, nothing live.

The addresses that answers of ours hold were written down by hand (`corpus/addresses.json`): what the text must show
whole, as one link.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import adapters.playground.render
import adapters.slack.render
import adapters.telegram.render
from bot.events import Answer
from bot.render import parse, plain
from tests.render import judges
from tests.render.answers import OWN, paths, read
from tests.render.found import found, unmeant_links
from tests.render.judges import Json
from tests.render.test_corpus import CHANNELS, code_kept, visible

EXPECTED: Final[dict[str, list[list[str]]]] = json.loads((OWN / "addresses.json").read_text(encoding="utf-8"))
FIELD: Final = Path(__file__).parents[3] / "shared" / "checks" / "field"
PLAIN: Final[dict[str, Callable[..., Iterable[Any]]]] = {
    "slack": adapters.slack.render.render,
    "telegram": adapters.telegram.render.render,
    "playground": adapters.playground.render.render,
}
_WRITTEN: Final = re.compile(r"(?i)(?:https?://|www\.|mailto:)\S+|[^\s@]+@[^\s@]+")


def every_answer() -> list[Path]:
    return paths() + sorted(FIELD.glob("*.md"))


def links_of_telegram(parts: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """Label and address of each link, those that Telegram makes of e-mail addresses by itself included."""
    for part in parts:
        links = [(one["offset"], one["length"], one["url"]) for one in part["entities"] if one["type"] == "text_link"]
        ours = [(one["offset"], one["length"], "") for one in part["entities"] if one["type"] in ("code", "pre")]
        for entity in found(part["text"]):
            start, length = entity["offset"], entity["length"]
            if entity["type"]["@type"] == "textEntityTypeEmailAddress" and not any(
                start < at + size and at < start + length for at, size, _ in links + ours
            ):
                links.append((start, length, f"mailto:{judges.part_of(part['text'], start, length)}"))
        for start, length, url in sorted(links):
            yield judges.part_of(part["text"], start, length).replace("\u2060", ""), url


def links_of_slack(parts: Iterable[Json]) -> Iterator[tuple[str, str]]:
    def walk(value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            if value.get("type") == "link":
                yield value["text"], value["url"]
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from walk(inner)

    for part in parts:
        yield from walk(part["blocks"])


def links_of_playground(parts: Iterable[Json]) -> Iterator[tuple[str, str]]:
    for part in parts:
        for href, label in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', part["html"]):
            yield judges.unescaped(re.sub(r"<[^>]*>", "", label)), judges.unescaped(href)


def _is_written(label: str, href: str) -> bool:
    """True of an address written out, and of a piece of one that is longer than a message."""
    return _WRITTEN.fullmatch(label) is not None or (len(label) > 1_000 and label in href)


LINKS: Final = {"slack": links_of_slack, "telegram": links_of_telegram, "playground": links_of_playground}


def wanted_addresses(channel: str, path: Path) -> list[tuple[str, str]]:
    """What must be a link there.

    Telegram links no host without a dot and no mail address with other letters than ours; those are text there, and a
    mail address behind a label stands beside it.
    """
    wanted = [(label, href) for label, href in EXPECTED.get(path.stem, ())]
    if channel != "telegram":
        return wanted
    links = [pair for pair in wanted if re.match(r"https?://[^/?#]*\.", pair[1])]
    return links + [(href[7:], href) for _, href in wanted if href.startswith("mailto:") and href.isascii()]


@pytest.mark.parametrize("path", [OWN / f"{stem}.md" for stem in EXPECTED], ids=list(EXPECTED))
def test_addresses_are_shown_whole_as_one_link(path: Path) -> None:
    for channel, (render, _, _) in CHANNELS.items():
        shown = list(LINKS[channel](render(Answer(text=read(path), asker_id="U1"))))
        for label, href in wanted_addresses(channel, path):
            assert (label, href) in shown, f"{channel}: {label}"
            shown.remove((label, href))


def test_the_table() -> None:
    """Words, code and addresses are kept whole, nothing is refused, no link is unmeant, nothing pings."""
    answers = [(path, read(path)) for path in every_answer()]
    heads = ("answers", "refused", "words", "code", "addresses", "unmeant", "pings")
    print(f"\n{'':12}" + "".join(f"{head:>16}" for head in heads))
    for channel, (render, problems, read_back) in CHANNELS.items():
        count: Counter[str] = Counter()
        for path, answer in answers:
            parts = list(render(Answer(text=answer, asker_id="U1")))
            wanted, given = judges.contained(answer), read_back(parts)
            found = [problem for part in parts for problem in problems(part)]
            live = [problem for problem in found if problem.startswith("live")]
            pings = [one for one in live if re.match("live (Mention|BotCommand)", one)]
            code = [visible(piece) for piece in wanted.code]
            links = list(LINKS[channel](parts))
            addresses = wanted_addresses(channel, path)
            meant = {href.lower() for href in (*wanted.links, *(href for _, href in addresses))}
            count.update(
                answers=1,
                refused=len(found) - len(live),
                words=len(wanted.words),
                words_kept=len(wanted.words) - len(_lost(wanted.words, given.text)),
                code=len(code),
                code_kept=code_kept(code, given),
                addresses=len(addresses),
                addresses_kept=sum(judges.shown_in(label, given.text) for label, _ in addresses),
                unmeant=sum(len(unmeant_links(part)) for part in parts if channel == "telegram")
                + sum(href.lower() not in meant and not _is_written(label, href) for label, href in links),
                pings=len(pings),
            )
        kept = {what: f"{count[f'{what}_kept']}/{count[what]}" for what in ("words", "code", "addresses")}
        print(f"{channel:12}" + "".join(f"{kept.get(head, count[head]):>16}" for head in heads))
        for what in ("words", "code", "addresses"):
            assert count[f"{what}_kept"] == count[what], (channel, what)
        assert count["refused"] == count["unmeant"] == count["pings"] == 0, channel


def _lost(words: list[str], text: str) -> list[str]:
    """The words that are not there; one longer than a message may be cut."""
    whole = text.replace("\n", "")
    return [word for word in judges.missing(words, text) if len(word) < 3_000 or word not in whole]


@pytest.mark.parametrize("path", every_answer(), ids=lambda path: path.stem)
def test_the_plain_form_keeps_the_words_too(path: Path) -> None:
    answer = read(path)
    wanted = judges.contained(answer).words
    texts = {name: "\n".join(_text(part.to_json()) for part in render(Answer(text=answer, asker_id="U1"), plain=True))
             for name, render in PLAIN.items()}  # fmt: skip
    texts["neutral"] = plain(parse(answer))
    for name, text in texts.items():
        assert not _lost(wanted, text), name


def _text(part: Json) -> str:
    text: str = part["text"].replace("\u2060", "")
    return judges.unescaped(text) if "blocks" in part else text
