"""slack-bolt by somebody who has measured: one HTTP session for the API and for Slack."""

import asyncio
import os
import re
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

API = os.environ["UPPZY_BASE_URL"] + "/m2m/sites/demo/chat"
HEADERS = {"X-API-Key": "demo", "X-Tenant-ID": "demo"}


async def main() -> None:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"], session=session)
    app = AsyncApp(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        words = re.sub(r"<@\w+>", "", event["text"]).strip()
        body = {"session_id": event["channel"], "message": words}
        async with session.post(f"{API}/async", json=body, headers=HEADERS) as reply:
            request_id = (await reply.json())["request_id"]
        while True:
            await asyncio.sleep(float(os.environ["BENCH_POLL_SECONDS"]))
            async with session.get(f"{API}/requests/{request_id}", headers=HEADERS) as reply:
                found = await reply.json()
            if found["status"] == "completed":
                break
        await client.chat_postMessage(channel=event["channel"], text=found["answer"], thread_ts=event["ts"])

    runner = web.AppRunner(app.web_app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["BOT_HTTP_PORT"])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
