"""Hard answers: nothing refused, nothing live, and next to nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import adapters.playground.render
import adapters.slack.render
import adapters.telegram.render
from bot.events import Answer
from tests.render import judges
from tests.render.answers import OWN, each_answer, paths, read
from tests.render.judges import Content, Json


def parts_of(render: Callable[[Answer], Sequence[Any]]) -> Callable[[Answer], list[Json]]:
    return lambda answer: [part.to_json() for part in render(answer)]


CHANNELS: dict[str, tuple[Callable[..., Iterable[Json]], Callable[[Json], list[str]], Callable[..., Content]]] = {
    "slack": (parts_of(adapters.slack.render.render), judges.slack_problems, judges.of_slack),
    "telegram": (parts_of(adapters.telegram.render.render), judges.telegram_problems, judges.of_telegram),
    "playground": (parts_of(adapters.playground.render.render), judges.html_problems, judges.of_playground),
}


def test_there_are_enough_hard_answers_of_our_own() -> None:
    assert len(list(OWN.glob("*.md"))) >= 25


@each_answer
def test_nothing_is_refused_and_nothing_is_live(path: Path) -> None:
    answer = Answer(text=read(path), asker_id="U1")
    for channel, (render, problems, _) in CHANNELS.items():
        for number, part in enumerate(render(answer)):
            assert problems(part) == [], f"{channel}, part {number}"
            assert not judges.hidden_controls(part), channel


def _kept(wanted: list[str], given: list[str]) -> int:
    return sum((Counter(wanted) & Counter(given)).values())


def _code_kept(wanted: list[str], content: Content) -> int:
    """Pieces of code that stand in the output as they are; a long one may be cut between its lines."""
    whole = "\n".join(content.code) + "\n" + content.text
    lines = {line for piece in content.code for line in piece.split("\n")}
    return sum(piece.removesuffix("\n") in whole or set(piece.strip("\n").split("\n")) <= lines for piece in wanted)


def _links_kept(wanted: list[str], content: Content) -> int:
    """Links that can be opened; an address written out is one where the channel links it by itself."""
    left = Counter(content.links)
    kept = 0
    for link in wanted:
        if left[link] > 0:
            left[link] -= 1
            kept += 1
        elif link.removeprefix("mailto:") in content.text:
            kept += 1
    return kept


def test_what_an_answer_says_is_kept() -> None:
    print(f"\n{'':12}{'answers':>8}{'words':>16}{'code':>14}{'links':>14}")
    answers = [read(path) for path in paths()]
    contents = [judges.contained(answer) for answer in answers]
    for channel, (render, _, read_back) in CHANNELS.items():
        totals: Counter[str] = Counter()
        for answer, wanted in zip(answers, contents, strict=True):
            given = read_back(render(Answer(text=answer, asker_id="U1")))
            totals.update(
                words=len(wanted.words),
                words_kept=_kept(wanted.words, given.words),
                code=len(wanted.code),
                code_kept=_code_kept([_visible(piece) for piece in wanted.code], given),
                links=len(wanted.links),
                links_kept=_links_kept(wanted.links, given),
            )
        shares = {what: totals[f"{what}_kept"] / totals[what] for what in ("words", "code", "links")}
        row = "".join(f"{totals[what]:>8}{share:>8.2%}" for what, share in shares.items())
        print(f"{channel:12}{len(answers):>8}{row}")
        assert shares["words"] >= 0.99
        assert shares["code"] == 1
        assert shares["links"] >= 0.99


def _visible(code: str) -> str:
    """Code is kept, but where a control would hide in it there is a sign."""
    return judges.HIDDEN.sub("\ufffd", code)


@each_answer
def test_the_words_keep_their_order(path: Path) -> None:
    answer = read(path)
    if any(len(word) > 3_000 for word in judges.contained(answer).words):
        return  # words longer than a message are cut; test_exact looks at them
    wanted = judges.contained(answer).words
    for channel, (render, _, read_back) in CHANNELS.items():
        given = read_back(render(Answer(text=answer, asker_id="U1"))).text
        assert judges.in_order(wanted, given) is None, channel
