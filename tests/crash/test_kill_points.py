"""kill -9 at each point of a turn, in a real process on the real Slack adapter: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crash.process import Machine, a_machine

LONG = "\n\n".join(f"Paragraph {n}: " + "word " * 180 + f"end-{n}." for n in range(33))
"""About 30,000 characters: three messages in Slack."""

POINTS = {
    # name: (tap, phase, path, nth, submits at most)
    "event stored": ("slack", "before", "reactions.add", 1, 2),
    "submit sent, reply not stored": ("api", "after", "/chat/async", 1, 2),
    "request_id stored": ("api", "before", "/chat/requests/", 1, 1),
    "polling": ("api", "after", "/chat/requests/", 2, 1),
    "answer seen": ("slack", "before", "chat.postMessage", 1, 1),
    "part 1 sent, receipt not stored": ("slack", "after", "chat.postMessage", 1, 1),
    "receipt of part 1 stored": ("slack", "before", "chat.postMessage", 2, 1),
    "part 3 sent, receipt not stored": ("slack", "after", "chat.postMessage", 3, 1),
}


def whole(machine: Machine) -> bool:
    return "end-32." in "".join(str(post["blocks"]) for post in machine.slack.posts) and bool(machine.slack.answers())


@pytest.mark.parametrize("half", ["asking", "answering"])
async def test_every_part_is_there_once_after_a_kill(half: str, tmp_path: Path) -> None:
    """Four machines at a time: most of it is waiting for what became of a send."""
    points = list(POINTS)[:4] if half == "asking" else list(POINTS)[4:]
    async with asyncio.TaskGroup() as together:
        for point in points:
            folder = tmp_path / point.replace(" ", "-")
            folder.mkdir()
            together.create_task(killed_at(point, folder), name=point)


async def killed_at(point: str, folder: Path) -> None:
    side, phase, path, nth, submits = POINTS[point]
    async with a_machine(folder) as machine:
        machine.assistant.script(contains="long", answer=LONG)
        tap = machine.slack_tap if side == "slack" else machine.api_tap
        killed = await machine.kill_once_at(tap, phase, path, nth)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "D1", "A long answer please")
        # The two may come over two connections, in no order, and what was submitted is not put behind an older one.
        await machine.slack.until(lambda: machine.slack.counts["acknowledged"] >= 1 or killed.is_set())
        await machine.slack.say("U1", "D1", "When does the shop open?")
        await machine.slack.until(killed.is_set)
        await machine.boot()
        await machine.slack.until(lambda: len(machine.slack.answers()) >= 2, 60)
        await machine.slack.until(lambda: machine.slack.made("reactions.remove"), 30)

        marks = [n for n in range(33) for post in machine.slack.posts if f"end-{n}." in str(post["blocks"])]
        assert marks == list(range(33)), f"{point}: every paragraph once, in order"
        assert len(machine.slack.answers()) == 2
        assert "nine" in str(machine.slack.answers()[-1]["blocks"]), f"{point}: the second answer is the last"
        asked = machine.asked()
        assert asked["When does the shop open?"] == 1
        assert 1 <= asked["A long answer please"] <= submits
        assert machine.slack.violations == []
