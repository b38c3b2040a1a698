"""The bench beside others: its world, its figures, and that ours comes through it; nobody else is installed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest

from tests.benchmarks.peers import page, report, runs
from tests.benchmarks.peers.__main__ import order, wanted
from tests.benchmarks.peers.contestants import CONTESTANTS, OURS, Contestant
from tests.benchmarks.peers.wire import Sender, fields, serve
from tests.benchmarks.peers.world import World

SIZE = runs.Size(warm=0.5, seconds=1.0, saturated=20, open_at_once=10, waiting=10)


@pytest.mark.bench
@pytest.mark.parametrize("platform", ["slack", "telegram"])
async def test_ours_answers_everything_once_and_in_order(platform: Any, tmp_path: Path) -> None:
    found = await runs.in_order(Contestant(OURS, platform), tmp_path, SIZE)
    assert found.figures == {
        "questions": 45, "lost": 0, "unanswered": 0, "doubled": 0, "asked_twice": 0, "out_of_order": 0,
    }  # fmt: skip


@pytest.mark.bench
async def test_a_paced_run_has_every_figure(tmp_path: Path) -> None:
    found = (await runs.paced(Contestant(OURS, "slack"), tmp_path, SIZE)).figures
    assert found["unanswered"] == 0
    for name in ("ack", "event_to_submit", "told_to_seen", "ready_to_seen"):
        assert 0 < found[f"{name}_p50_ms"] <= found[f"{name}_p99_ms"]
    assert found["cpu_ms_per_turn"] > 0


def test_whoever_loses_or_doubles_is_found_out() -> None:
    world = World("slack", lambda _: 1.0)
    lost, doubled, fine = (world.question()[0] for _ in range(3))
    lost.acknowledged = doubled.acknowledged = fine.acknowledged = 1.0
    doubled.answers, fine.answers, doubled.submits = 2, 1, 2
    assert runs._fates([lost, doubled, fine]) == {
        "questions": 3, "lost": 1, "unanswered": 1, "doubled": 1, "asked_twice": 1,
    }  # fmt: skip


async def test_the_wire_reads_what_the_clients_write() -> None:
    heard: list[Any] = []

    async def handler(method: str, path: str, body: dict[str, Any], _: Any) -> Any:
        heard.append((method, path, body))
        return 201, {"ok": True}

    async def chunks() -> Any:
        yield b'{"a": '
        yield b'"1"}'

    server, port = await serve(handler)
    address = f"http://127.0.0.1:{port}/x"
    async with aiohttp.ClientSession() as session:
        for options in ({"json": {"a": "1"}}, {"data": {"a": "1"}}):
            async with session.post(address, **options) as reply:  # type: ignore[arg-type]
                assert (reply.status, await reply.json()) == (201, {"ok": True})
        async with session.post(address, data=chunks(), headers={"Content-Type": "application/json"}) as reply:
            assert reply.status == 201
        parts = aiohttp.FormData({"a": "1"}, default_to_multipart=True)
        async with session.post(address, data=parts) as reply:
            assert reply.status == 201
    sender = Sender(port)
    assert await sender.post("/x", b'{"a": "1"}', {"Content-Type": "application/json"}) == 201
    sender.close()
    server.close()
    assert heard == [("POST", "/x", {"a": "1"})] * 5
    assert fields(b"", "") == {}


def test_contestants_take_turns_and_are_compared_by_round() -> None:
    slack = [one for one in CONTESTANTS if wanted(one, ["slack"])]
    assert len(slack) == 4
    assert order(slack, 1) == slack[::-1]
    rounds = [
        {OURS: {"cpu_ms_per_turn": 4.0}, "B": {"cpu_ms_per_turn": 2.0}},
        {OURS: {"cpu_ms_per_turn": 3.0}, "B": {"cpu_ms_per_turn": 3.0}},
    ]
    assert report.ratios(rounds, "cpu_ms_per_turn") == {"B": (1.5, 1.0, 2.0)}
    assert report.summary(rounds)[OURS] == {"cpu_ms_per_turn": (3.5, 3.0, 4.0)}
    drawn = report.plot({"slack": {"paced": rounds}})
    assert len(ElementTree.fromstring(drawn).findall(".//{*}rect")) == 3
    shown = report.text({"slack": {"paced": rounds}})
    assert "ours ÷ B: 1.50 (1.00-2.00)" in shown
    assert "bias: " in shown
    assert "left out: " in shown


def test_the_page_has_every_figure_with_its_spread_and_ours_against_each() -> None:
    rounds = [
        {OURS: {"cpu_ms_per_turn": ours, "ack_p50_ms": 3.0}, "other": {"cpu_ms_per_turn": 2.0}}
        for ours in (4.0, 6.0, 5.0)
    ]
    text = page.figures(
        {"slack": {"paced": rounds}}, {"cores": 2, "cpu": "C", "memory_gb": 24, "python": "3", "node": "v"}
    )
    assert "| CPU a turn, ms | 5 (4 to 6) | 2 |" in text
    assert "| ack p50, ms | 3 |  |" in text
    assert f"CPU a turn, ms, {OURS} ÷ others: other 2.50 (2.00 to 3.00)" in text
    assert all(one in text for one in report.BIAS)
