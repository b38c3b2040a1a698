"""What is struck out reads as such where there are only characters: the old price must not stand beside the new one."""

from __future__ import annotations

import pytest

import adapters.slack.render
import adapters.telegram.render
from bot.events import Answer
from bot.render import parse, plain

SHOWN = {
    "At least ~~8~~ 12 characters": "At least ~8~ 12 characters",
    "~~**all** of it~~ stays": "~all of it~ stays",
    "~~See [the page](https://example.org/a)~~ now": "~See the page (https://example.org/a)~ now",
    "~~Once at https://example.org/a or~~ here": "~Once at ~https://example.org/a~ or~ here",
    "~~`rm`~~ and ~5": "rm and ~5",
    "| a | b |\n|---|---|\n| ~~8~~ | 12 |": "a    b\n───  ──\n~8~  12",
}


@pytest.mark.parametrize(("markdown", "text"), SHOWN.items())
def test_in_plain_text_it_has_its_marks(markdown: str, text: str) -> None:
    assert plain(parse(markdown)) == text


@pytest.mark.parametrize("render", [adapters.slack.render.render, adapters.telegram.render.render])
def test_on_the_channels_where_the_form_was_refused(render: object) -> None:
    assert callable(render)
    (part,) = render(Answer(text="At least ~~8~~ 12 characters", asker_id="U1"), plain=True)
    assert "At least ~8~ 12 characters" in str(part.to_json())
