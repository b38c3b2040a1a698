"""The make-believe platform keeps what it was told, delivers until acknowledged, and tells only what happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.playground.adapter import PlaygroundAdapter
from adapters.playground.config import PlaygroundSettings
from adapters.playground.errors import PlatformRefusal
from adapters.playground.normalize import normalize
from adapters.playground.platform import Platform
from bot.adapter import Handled
from bot.events import Event, Message
from bot.testing.host import FakeHost
from bot.testing.payload_files import load
from tests import PAYLOADS

PART: dict[str, Any] = {"html": "<p>So.</p>", "text": "So.", "buttons": True, "kind": "answer"}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path / "playground.db", clock())
    yield platform
    platform.close()


def clock(now: int = 1_771_000_000_000_000_000) -> Callable[[], int]:
    """A clock that stands still."""
    return lambda: now


def told(platform: Platform) -> list[dict[str, Any]]:
    return [json.loads(item.payload) for item in platform.pending()]


def test_payloads_have_the_form_of_the_recorded_ones(platform: Platform) -> None:
    recorded = {case.payload["type"]: set(case.payload) for case in load(PAYLOADS / "playground") if case.events}
    question = platform.post("mira", "dm-mira", None, "one")
    answer = platform.send("dm-mira", None, PART, "a" * 32, question)
    platform.edit("mira", question, "two")
    platform.react("mira", answer, "👍", True)
    platform.react("mira", answer, "👍", False)
    platform.click("mira", answer, "bad")
    platform.ask_why(answer, "mira")
    platform.give_reason("mira", answer, "because")
    platform.click("mira", answer, "bad", added=False)
    platform.stop("mira", "dm-mira", None)
    platform.remove("mira", question)
    assert {payload["type"]: set(payload) for payload in told(platform)} == recorded
    assert all(len(normalize(payload)) == 1 for payload in told(platform))


def test_each_person_has_a_click_of_their_own(platform: Platform) -> None:
    answer = platform.send("room", None, PART, "a" * 32, None)
    platform.click("mira", answer, "good")
    platform.click("jonas", answer, "bad")
    platform.click("mira", answer, "bad")
    assert platform.view(answer)["clicks"] == {"mira": "bad", "jonas": "bad"}
    platform.click("mira", answer, "bad", added=False)
    assert platform.view(answer)["clicks"] == {"jonas": "bad"}
    platform.unsend(answer)
    assert platform.view(answer)["clicks"] == {}


def test_time_never_stands_still_nor_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    first = Platform(path, clock())
    ids = [first.post("mira", "room", None, "again") for _ in range(3)]
    first.close()
    second = Platform(path, clock(1_770_000_000_000_000_000))
    ids.append(second.post("mira", "room", None, "after the clock was set back"))
    second.close()
    assert ids == sorted(set(ids))
    assert ids[0] == "1771000000.000000"


def test_a_tone_replaces_the_other_and_nothing_is_told_twice(platform: Platform) -> None:
    message = platform.send("dm-mira", None, PART, "a" * 32, None)
    for emoji, added in (("👍", True), ("👍", True), ("👍🏽", True), ("👎", False), ("🎉", True), ("👍🏽", False)):
        platform.react("mira", message, emoji, added)
    assert [(p["type"], p["emoji"]) for p in told(platform)] == [
        ("reaction_added", "👍"),
        ("reaction_removed", "👍"),
        ("reaction_added", "👍🏽"),
        ("reaction_added", "🎉"),
        ("reaction_removed", "👍🏽"),
    ]
    assert platform.view(message)["reactions"] == [{"emoji": "🎉", "people": ["mira"]}]


def test_the_same_words_are_no_edit(platform: Platform) -> None:
    message = platform.post("mira", "dm-mira", None, "one")
    platform.edit("mira", message, "one")
    assert [payload["type"] for payload in told(platform)] == ["message"]


def test_what_was_deleted_is_gone(platform: Platform) -> None:
    message = platform.post("mira", "room", None, "a secret")
    platform.react("jonas", message, "👀", True)
    platform.remove("mira", message)
    view = platform.view(message)
    assert (view["deleted"], view["body"], view["reactions"]) == (True, None, [])
    with pytest.raises(PlatformRefusal):
        platform.edit("mira", message, "x")
    with pytest.raises(PlatformRefusal):
        platform.react("mira", message, "👍", True)
    with pytest.raises(PlatformRefusal):
        platform.remove("mira", message)


def test_the_sign_of_work_outlives_a_crash_until_it_is_ended(tmp_path: Path) -> None:
    first = Platform(tmp_path / "playground.db")
    first.working("room", "1.0", "1.0", True)
    first.working("dm-mira", None, "2.0", True)
    first.close()
    second = Platform(tmp_path / "playground.db")
    second.working("room", "1.0", None, False)
    assert second.signs() == [{"conversation": "dm-mira", "thread": "", "question": "2.0"}]
    second.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from adapters.playground.platform import Platform
platform = Platform(Path(sys.argv[1]))
question = platform.post("mira", "dm-mira", None, "Is it kept?")
part = {"html": "<p>Yes.</p>", "text": "Yes.", "buttons": True, "kind": "answer"}
platform.send("dm-mira", None, part, "b" * 32, question)
platform.react("mira", question, "👍", True)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, env=os.environ | {"PYTHONUTF8": "1"})
    assert ended.returncode == -signal.SIGKILL
    adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=path))
    async with FakeHost() as host:
        running = asyncio.create_task(adapter.run(host))
        await host.wait_for(lambda: len(host.events) == 2)
        await host.wait_for(lambda: not adapter.platform.pending())
        question, answer = adapter.platform.snapshot()
        assert (question["body"], question["waiting"]) == ({"text": "Is it kept?"}, False)
        assert answer["reply_to"] == question["id"]
        assert adapter.platform.sent("dm-mira", "b" * 32) == [answer["id"]]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Stumbling(FakeHost):
    """Stumbles over one text until it is mended."""

    stumbles = True

    async def handle(self, event: Event) -> Handled:
        if self.stumbles and isinstance(event, Message) and event.text == "stone":
            raise RuntimeError("stumbled")
        return await super().handle(event)


async def test_one_that_the_core_stumbles_over_does_not_hold_up_the_others(tmp_path: Path) -> None:
    adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=tmp_path / "playground.db"))
    async with Stumbling() as host:
        for text in ("stone", "water"):
            adapter.platform.post("mira", "dm-mira", None, text)
        running = asyncio.create_task(adapter.run(host))
        await host.wait_for(lambda: host.events)
        assert [view["waiting"] for view in adapter.platform.snapshot()] == [True, False]
        host.stumbles = False
        await host.wait_for(lambda: len(host.events) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_while_nothing_can_be_stored_the_order_is_kept(tmp_path: Path) -> None:
    adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=tmp_path / "playground.db"))
    async with FakeHost() as host:
        host.fail()
        running = asyncio.create_task(adapter.run(host))
        for text in ("one", "two", "three"):
            adapter.platform.post("mira", "dm-mira", None, text)
        await host.wait_for(lambda: len(host.deliveries) >= 2)
        assert {d.text for d in host.deliveries if isinstance(d, Message)} == {"one"}
        host.recover()
        await host.wait_for(lambda: len(host.events) == 3)
        assert [e.text for e in host.events if isinstance(e, Message)] == ["one", "two", "three"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_cancelled_run_lets_the_call_under_way_end(tmp_path: Path) -> None:
    adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=tmp_path / "playground.db"))
    async with FakeHost() as host:
        host.hold = asyncio.Event()
        running = asyncio.create_task(adapter.run(host))
        adapter.platform.post("mira", "dm-mira", None, "one")
        await host.wait_for(lambda: host.deliveries)
        running.cancel()
        await asyncio.sleep(0)
        assert not running.done()
        host.recover()
        await asyncio.gather(running, return_exceptions=True)
        assert len(host.events) == 1
        assert adapter.platform.pending() == []
        adapter.platform.close()
