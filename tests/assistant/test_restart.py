"""What was accepted survives: a clean stop, and kill -9."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from pathlib import Path

import aiohttp

from bot.assistant.database import AssistantDatabase
from tests.assistant.conftest import Client, Start

SERVE = """
import asyncio, sys
from pathlib import Path
from bot.assistant.server import AssistantOptions, start

async def main():
    running = await start(AssistantOptions(port=0, data=Path(sys.argv[1]), delay=float(sys.argv[2])))
    print(running.base_url, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_everything_survives_a_restart(begin: Start, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    data = tmp_path / "deep" / "assistant.db"
    first = await begin(data=data)
    client = Client(http, first.base_url)
    await client.post(f"{client.site}/documents/qa", {"title": "F", "question": "Where is it?", "answer": "In Rome."})
    done = await client.submit("Where is it?", "a")
    await client.ended(done)
    rating = {"session_id": "a", "request_id": done, "feedback": "good"}
    assert "feedback_submitted_at" in (await client.post(f"{client.site}/chat/feedback", rating)).body
    await client.post(f"{client.site}/chat/session/close", {"session_id": "gone"})
    await client.patch(f"{client.site}/widget-config", {"displayName": "Bo"})
    first.set_delay(0.5)
    waiting = await client.submit("Where is it?", "b")
    used = (await client.get("/m2m/tenants/demo/usage")).body["requests"]
    await first.close()

    second = await begin(data=data)
    client = Client(http, second.base_url)
    assert (await client.ended(done))["answer"].startswith("In Rome.")
    assert (await client.ended(waiting))["answer"].startswith("In Rome.")
    assert "feedback_submitted_at" not in (await client.post(f"{client.site}/chat/feedback", rating)).body
    closed = {"session_id": "gone", "message": "Hello?"}
    assert (await client.post(f"{client.site}/chat/async", closed)).status == 409
    assert (await client.get(client.site)).body["name"] == "Bo"
    assert (await client.get("/m2m/tenants/demo/usage")).body["requests"] > used


async def test_a_killed_service_finishes_what_it_accepted(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    data = str(tmp_path / "assistant.db")

    async def serve(delay: str) -> tuple[asyncio.subprocess.Process, Client]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, data, delay, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        return process, Client(http, url)

    async def kill(process: asyncio.subprocess.Process) -> None:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert process.stdout is not None
        await process.stdout.read()

    process, client = await serve("3600")
    ids = await asyncio.gather(*(client.submit(f"Question {n}?", f"s{n}") for n in range(10)))
    document = (await client.upload("note.md", b"# Note\n\nThe vault code is 4417.", status="active")).body
    await kill(process)
    process, client = await serve("0")
    try:
        for request_id in ids:
            assert (await client.status(request_id)).body["status"] in ("pending", "processing")
        async with asyncio.timeout(60):
            while not (found := (await client.documents())["note"])["ready"]:
                await asyncio.sleep(0.05)
        assert found["id"] == document["id"]
        assert "4417" in (await client.ended(await client.submit("What is the vault code?", "new")))["answer"]
    finally:
        await kill(process)


async def test_a_write_nobody_waits_for_is_not_made(tmp_path: Path) -> None:
    database = AssistantDatabase(tmp_path / "a.db", "CREATE TABLE t (n INTEGER)")
    free = threading.Event()
    try:
        first = asyncio.create_task(database.write(lambda c: (free.wait(), c.execute("INSERT INTO t VALUES (1)"))))
        gone = asyncio.create_task(database.write(lambda c: c.execute("INSERT INTO t VALUES (2)")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        free.set()
        await first
        rows = await database.read(lambda c: c.execute("SELECT n FROM t").fetchall())
    finally:
        free.set()
        await database.close()
    assert [row["n"] for row in rows] == [1]
