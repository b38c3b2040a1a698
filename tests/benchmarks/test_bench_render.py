"""What rendering costs: CPU per answer and channel, and how that grows with the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import adapters.playground.render
import adapters.slack.render
import adapters.telegram.render
from bot.events import Answer

SOURCE: Final = Path(__file__).parents[1] / "render" / "corpus" / "01_recipe_of_everything.md"
MAX_MS: Final = 4.0
MAX_RATIO: Final = 120

CHANNELS: Final[dict[str, Callable[[Answer], Any]]] = {
    "slack": adapters.slack.render.render,
    "telegram": adapters.telegram.render.render,
    "playground": adapters.playground.render.render,
}


def answer(size: int) -> Answer:
    """An answer with everything in it, of so many characters."""
    source = SOURCE.read_text(encoding="utf-8") + "\n"
    return Answer(text=(source * (size // len(source) + 1))[:size], asker_id="U1")


def cpu_ms(render: Callable[[Answer], Any], outbound: Answer, times: int, rounds: int) -> float:
    """The least of several rounds: other work on the machine only ever adds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            render(outbound)
        best = min(best, (time.process_time() - start) / times)
    return best * 1_000


@pytest.mark.bench
@pytest.mark.parametrize("channel", CHANNELS)
def test_cpu_of_an_answer(channel: str) -> None:
    render = CHANNELS[channel]
    small = cpu_ms(render, answer(2_000), times=20, rounds=10)
    large = cpu_ms(render, answer(200_000), times=1, rounds=5)
    print(f"\n{channel:12} 2 kB {small:6.2f} ms   200 kB {large:8.1f} ms   ratio {large / small:6.1f}")
    assert small <= MAX_MS
    assert large <= MAX_RATIO * small
