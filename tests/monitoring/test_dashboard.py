"""Every query of the dashboard, asked of a real Prometheus that has watched a bot at work."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bot.assistant.faults import Fault
from tests.house import House, a_house

FOLDER = Path(__file__).parents[2] / "manifests" / "monitoring"
QUERIES = [
    target["expr"]
    for panel in json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    for target in panel["targets"]
]
MAY_BE_EMPTY = ("refused_deliveries", "process_")
"""What a healthy run has none of, and what the metrics of a test leave out."""


@pytest.mark.needs_package("prometheus")
async def test_every_query_has_an_answer(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        port = _free_port()
        (tmp_path / "prometheus.yaml").write_text(
            "global: {scrape_interval: 1s}\n"
            f"rule_files: ['{FOLDER / 'rules.yaml'}']\n"
            "scrape_configs:\n  - job_name: bot\n    static_configs:\n"
            f"      - targets: ['127.0.0.1:{house.bot.web.port}']\n"
        )
        prometheus = subprocess.Popen(
            [
                str(shutil.which("prometheus")),
                f"--config.file={tmp_path / 'prometheus.yaml'}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await _at_work(house, port)
            await _all_answered(port)
        finally:
            prometheus.terminate()
            prometheus.wait(30)


async def _at_work(house: House, port: int) -> None:
    """Ask until Prometheus has seen enough to make rates of it."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(_ask, port, "up == 1"):
            await asyncio.sleep(0.2)
        for number in range(8):
            if number == 4:
                house.assistant.faults.add(Fault("status", status=503), endpoint="chat_async", times=1)
            await house.channel.say("When does the shop open?", user_id=f"U{number}")
            await house.answers(number + 1)
            await house.channel.react(house.channel.answers()[-1].ref, "👍", user_id=f"U{number}")
            await house.bot.watch.look()
            await asyncio.sleep(1.0)


async def _all_answered(port: int) -> None:
    missing = list(QUERIES)
    until = asyncio.get_running_loop().time() + 60
    while missing and asyncio.get_running_loop().time() < until:
        for query in list(missing):
            asked = query.replace("$__rate_interval", "30s")
            if await asyncio.to_thread(_ask, port, asked) or any(name in query for name in MAY_BE_EMPTY):
                missing.remove(query)
        await asyncio.sleep(0.5)
    assert not missing


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _ask(port: int, query: str) -> list[Any]:
    """The result of a query; [] for none yet. An error of the query itself is an error."""
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(address, timeout=10) as reply:
            return list(json.loads(reply.read())["data"]["result"])
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return []  # it is starting
        raise AssertionError(f"{query}: {error.read().decode()}") from None
    except OSError:
        return []
