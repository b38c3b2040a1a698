"""The preview page over HTTP: what the form posts is what is shown."""

from __future__ import annotations

import aiohttp

import adapters.slack.preview
from bot.demo import previewer
from bot.telemetry.metrics import Metrics
from bot.web import Health, Server
from bot.web.preview import MAX_MARKDOWN


async def test_a_long_answer_in_any_script_is_shown_whole() -> None:
    server = Server(host="127.0.0.1", port=0, metrics=Metrics(), health=Health())
    preview = previewer({"Slack": adapters.slack.preview.preview})
    for method in ("GET", "POST"):
        server.add(method, "/preview", preview)
    await server.start()
    words = [f"değiştirme-{number}" for number in range(2500)]
    assert len(" ".join(words)) < MAX_MARKDOWN
    try:
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{server.url}preview") as reply:
                assert "Resetting a password" in await reply.text()
            async with http.post(f"{server.url}preview", data={"markdown": " ".join(words)}) as reply:
                assert reply.status == 200
                page = await reply.text()
            form, _, columns = page.partition("</form>")
            assert all(word in form and word in columns for word in words)
            async with http.post(f"{server.url}preview", data={"markdown": "x" * (MAX_MARKDOWN + 5)}) as reply:
                assert "x" * (MAX_MARKDOWN + 1) not in await reply.text()
    finally:
        await server.stop()
