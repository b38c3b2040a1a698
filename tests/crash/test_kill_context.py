"""kill -9 while a question is being made whole: its thread and files are read, names looked up, a preview awaited."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.testing.slack import payloads
from bot.testing.slack.platform import FILE_SCOPES
from tests.crash.process import a_machine

POINTS = {
    # name: (tap, phase, path, submits at most)
    "the thread is asked for": ("slack", "before", "conversations.replies", 1),
    "the thread was read, and not stored": ("slack", "after", "conversations.replies", 1),
    "the thread is stored, a name is looked up": ("slack", "before", "users.info", 1),
    "all is there, nothing is asked": ("api", "before", "/chat/async", 2),
    "asked, and the reply not stored": ("api", "after", "/chat/async", 2),
}


@pytest.mark.parametrize("point", POINTS)
async def test_the_question_is_asked_whole_after_a_kill(point: str, tmp_path: Path) -> None:
    side, phase, path, submits = POINTS[point]
    async with a_machine(tmp_path) as machine:
        root = payloads.next_ts()
        for number in range(3):
            ts = root if number == 0 else payloads.next_ts()
            inside = {} if number == 0 else {"thread_ts": root}
            said = payloads.message("C1", "U2", f"It is number {number}.", ts, **inside)
            machine.slack.channels["C1"].messages[ts] = said
        tap = machine.slack_tap if side == "slack" else machine.api_tap
        killed = await machine.kill_once_at(tap, phase, path, 1)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "C1", "<@U0BOT> when does the shop open?", root)
        await machine.slack.until(killed.is_set)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.answers(), 60)
        await machine.slack.until(lambda: machine.slack.made("reactions.remove"), 30)
        (asked,) = machine.asked()
        assert 1 <= machine.asked()[asked] <= submits
        assert asked.endswith("[Question]\nwhen does the shop open?")
        assert asked.count("> Person U2: It is number") == 3
        assert len(machine.slack.answers()) == 1
        assert machine.slack.violations == []


async def test_a_wait_for_a_preview_survives_a_kill(tmp_path: Path) -> None:
    async with a_machine(tmp_path) as machine:
        killed = await machine.kill_once_at(machine.slack_tap, "before", "reactions.add", 1)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        shown = payloads.share("The shop moved", shared=False)
        ts = await machine.slack.say("U1", "D1", f"When does the shop open? <{shown['from_url']}>")
        await machine.slack.until(killed.is_set)
        await machine.slack.unfurl("D1", ts, shown)  # while nobody listens; Slack delivers it again
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.answers(), 60)
        await asyncio.sleep(0)
        assert sum(machine.asked().values()) == 1
        (asked,) = machine.asked()
        assert "When does the shop open?" in asked


@pytest.mark.parametrize("phase", ["before", "after"])
async def test_a_file_that_was_being_fetched_is_fetched_again_after_a_kill(phase: str, tmp_path: Path) -> None:
    async with a_machine(tmp_path, BOT_CONTEXT__FILES="true") as machine:
        machine.slack.scopes += FILE_SCOPES
        file_id = machine.slack.files.put(b"On Monday at nine.", "plan.txt")
        shown = machine.slack.files.stored[file_id].shown
        shown["url_private"] = shown["url_private"].replace(machine.slack.base_url, machine.slack_tap.url)
        killed = await machine.kill_once_at(machine.slack_tap, phase, "files-pri", 1)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "D1", "When does the shop open?", subtype="file_share", files=[shown])
        await machine.slack.until(killed.is_set)
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.answers(), 60)
        assert list(machine.asked().values()) == [1]
        (asked,) = machine.asked()
        assert "[File plan.txt]\n> On Monday at nine." in asked
        assert asked.endswith("[Question]\nWhen does the shop open?")
        assert len(machine.slack.answers()) == 1
        assert len(machine.slack.files.tokens) == 2
