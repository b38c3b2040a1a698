"""Random Markdown through everything: no crash, limits kept, nothing live, every word there and in order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings

from bot.events import Answer
from bot.render import parse, plain
from tests.render import judges
from tests.render.mixes import mixes
from tests.render.test_corpus import CHANNELS

_LONGEST = 2_000
COMMON = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


def check(markdown: str) -> None:
    answer = Answer(text=markdown, asker_id="U1")
    wanted = judges.contained(markdown).words
    cut = any(len(word) > _LONGEST for word in wanted)
    for channel, (render, problems, read_back) in CHANNELS.items():
        parts = list(render(answer))
        assert parts, channel
        for number, part in enumerate(parts):
            assert problems(part) == [], f"{channel}, part {number}"
            assert not judges.hidden_controls(part), channel
        if not cut:
            text = read_back(parts).text
            assert judges.in_order(wanted, text) is None, channel
    assert judges.in_order(wanted, plain(parse(markdown))) is None


@settings(COMMON, max_examples=500)
@given(mixes)
@example("http://localhost/x¹໐")
def test_any_mix_of_markdown(markdown: str) -> None:
    check(markdown)


@pytest.mark.prove
@pytest.mark.timeout(3_600)
@settings(COMMON, max_examples=20_000, derandomize=False)
@given(mixes)
def test_any_mix_of_markdown_proved(markdown: str) -> None:
    check(markdown)
