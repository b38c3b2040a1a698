"""The loopback Slack as a process of its own, driven over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackSettings
from bot.events import Answer, Conversation
from bot.testing.host import FakeHost
from bot.testing.live import new_delivery_id

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.testing.slack.platform", "--port", "0", "--pace", "0.01"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    yield (await process.stdout.readline()).decode().strip()
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    await process.communicate()


async def test_people_speak_and_posts_are_seen(base_url: str) -> None:
    async with aiohttp.ClientSession() as session, FakeHost() as host:

        async def control(name: str, **arguments: Any) -> Any:
            async with session.post(f"{base_url}/control/{name}", json=arguments) as reply:
                assert reply.status == 200, await reply.text()
                return (await reply.json()).get("result")

        async def state() -> Any:
            async with session.get(f"{base_url}/control/state") as reply:
                return await reply.json()

        tokens = (await state())["tokens"]
        given = {
            "SLACK_BOT_TOKEN": tokens["bot"],
            "SLACK_SIGNING_SECRET": tokens["signing_secret"],
            "SLACK_API_URL": f"{base_url}/api/",
        }
        adapter = SlackAdapter(SlackSettings.model_validate(given))
        running = asyncio.create_task(adapter.run(host))
        await asyncio.sleep(0)
        await control("set", events_url=f"{await host.start_http()}/slack/events", retries=[0.05] * 100)
        ts = await control("say", user="U1", channel="D1", text="Hello?")
        await host.wait_for(lambda: host.events)
        where = Conversation(
            channel="slack", account_id="T0LOOP", conversation_id="D1", thread_id=ts, kind="dm", is_direct=True
        )
        await control("fail", method="chat.postMessage", how="rate_limited", retry_after=0.01)
        for attempt in range(2):
            (part,) = adapter.render(Answer(text="Hello.", asker_id="U1"))
            with contextlib.suppress(Exception) if attempt == 0 else contextlib.nullcontext():
                await adapter.send(where, part, new_delivery_id(), None)
            await asyncio.sleep(0.05)
        seen = await state()
        assert [post["thread_ts"] for post in seen["posts"]] == [ts]
        assert [call["error"] for call in seen["calls"] if call["method"] == "chat.postMessage"] == ["rate_limited", ""]
        async with session.post(f"{base_url}/control/_main", json={}) as reply:
            assert reply.status == 404
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
