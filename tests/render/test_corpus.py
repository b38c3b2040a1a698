"""Hard answers: nothing refused, nothing live, and next to nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import adapters.playground.render
import adapters.slack.render
import adapters.telegram.render
from bot.events import Answer
from tests.render import judges
from tests.render.answers import OWN, each_answer, read
from tests.render.found import unmeant_links
from tests.render.judges import Content, Json


def parts_of(render: Callable[[Answer], Sequence[Any]]) -> Callable[[Answer], list[Json]]:
    return lambda answer: [part.to_json() for part in render(answer)]


CHANNELS: dict[str, tuple[Callable[..., Iterable[Json]], Callable[[Json], list[str]], Callable[..., Content]]] = {
    "slack": (parts_of(adapters.slack.render.render), judges.slack_problems, judges.of_slack),
    "telegram": (parts_of(adapters.telegram.render.render), judges.telegram_problems, judges.of_telegram),
    "playground": (parts_of(adapters.playground.render.render), judges.html_problems, judges.of_playground),
}


def test_there_are_enough_hard_answers_of_our_own() -> None:
    assert len(list(OWN.glob("*.md"))) >= 90


@each_answer
def test_nothing_is_refused_and_nothing_is_live(path: Path) -> None:
    answer = Answer(text=read(path), asker_id="U1")
    for channel, (render, problems, _) in CHANNELS.items():
        for number, part in enumerate(render(answer)):
            assert problems(part) == [], f"{channel}, part {number}"
            assert not judges.hidden_controls(part), channel
            assert channel != "telegram" or unmeant_links(part) == []


def code_kept(wanted: list[str], content: Content) -> int:
    """Pieces of code that stand in the output as they are; a long one may be cut between its lines."""
    whole = "\n".join(content.code) + "\n" + content.text
    lines = {line for piece in content.code for line in piece.split("\n")}
    return sum(piece.removesuffix("\n") in whole or set(piece.strip("\n").split("\n")) <= lines for piece in wanted)


def visible(code: str) -> str:
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
