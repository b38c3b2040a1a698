"""python-telegram-bot as its documentation shows it for many at once, with one HTTP session for the API."""

import asyncio
import os
from typing import Any

import aiohttp
from telegram.ext import ApplicationBuilder, MessageHandler, filters

API = os.environ["UPPZY_BASE_URL"] + "/m2m/sites/demo/chat"
HEADERS = {"X-API-Key": "demo", "X-Tenant-ID": "demo"}


async def answer(update: Any, context: Any) -> None:
    session = context.bot_data["session"]
    body = {"session_id": str(update.effective_chat.id), "message": update.message.text}
    async with session.post(f"{API}/async", json=body) as reply:
        request_id = (await reply.json())["request_id"]
    while True:
        await asyncio.sleep(float(os.environ["BENCH_POLL_SECONDS"]))
        async with session.get(f"{API}/requests/{request_id}") as reply:
            found = await reply.json()
        if found["status"] == "completed":
            break
    await update.message.reply_text(found["answer"])


async def open_session(application: Any) -> None:
    application.bot_data["session"] = aiohttp.ClientSession(headers=HEADERS, connector=aiohttp.TCPConnector(limit=0))


application = (
    ApplicationBuilder()
    .token(os.environ["TELEGRAM_BOT_TOKEN"])
    .base_url(os.environ["TELEGRAM_API_URL"] + "/bot")
    .concurrent_updates(100_000)
    .connection_pool_size(256)
    .post_init(open_session)
    .build()
)
application.add_handler(MessageHandler(filters.TEXT, answer))

if __name__ == "__main__":
    application.run_polling()
