"""slack-bolt as its documentation shows it: an AsyncApp, a listener, an HTTP session where one is needed."""

import asyncio
import os
import re
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp, AsyncSay

API = os.environ["UPPZY_BASE_URL"] + "/m2m/sites/demo/chat"
HEADERS = {"X-API-Key": "demo", "X-Tenant-ID": "demo"}

app = AsyncApp(token=os.environ["SLACK_BOT_TOKEN"], signing_secret=os.environ["SLACK_SIGNING_SECRET"])
app.client.base_url = os.environ["SLACK_API_URL"]


@app.event("app_mention")
async def answer(event: dict[str, Any], say: AsyncSay) -> None:
    words = re.sub(r"<@\w+>", "", event["text"]).strip()
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with session.post(f"{API}/async", json={"session_id": event["channel"], "message": words}) as reply:
            request_id = (await reply.json())["request_id"]
        while True:
            await asyncio.sleep(float(os.environ["BENCH_POLL_SECONDS"]))
            async with session.get(f"{API}/requests/{request_id}") as reply:
                found = await reply.json()
            if found["status"] == "completed":
                break
    await say(text=found["answer"], thread_ts=event["ts"])


if __name__ == "__main__":
    app.start(port=int(os.environ["BOT_HTTP_PORT"]))
