"""The playground's HTTP interface: for this machine and its own page alone, strict headers, plain refusals."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.playground.adapter import PlaygroundAdapter
from adapters.playground.config import CHANNEL, PlaygroundSettings
from adapters.playground.guard import FORWARDING
from adapters.playground.ids import message_ref
from bot.errors import Unavailable
from bot.events import Answer, Comment, Conversation, Message, Reaction
from bot.testing.host import FakeHost

DIRECT = Conversation(channel="playground", account_id="demo", conversation_id="dm-mira", kind="dm", is_direct=True)


@dataclass
class Open:
    host: FakeHost
    adapter: PlaygroundAdapter
    http: aiohttp.ClientSession

    async def act(self, verb: str, fields: object, **headers: str) -> tuple[int, dict[str, Any]]:
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        sent = {"Content-Type": "application/json"} | headers
        async with self.http.post(f"/playground/api/{verb}", data=body, headers=sent) as response:
            return response.status, await response.json()

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(path, headers=headers) as response:
            return response.status, await response.text()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Open]:
    adapter = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=folder / "playground.db"))
    async with FakeHost() as host:
        running = asyncio.create_task(adapter.run(host))
        await asyncio.sleep(0)
        url = await host.start_http()
        async with aiohttp.ClientSession(url) as http:
            yield Open(host, adapter, http)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Open]:
    async with opened(tmp_path) as site:
        yield site


PATHS = ("/", "/playground/static/page.js", "/playground/events", "/playground/api/inspect?message=1")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "user@localhost",
        "",
        "10.0.0.7",
        "0.0.0.0",
        "2130706433",
    ],
)
async def test_a_name_that_is_not_this_machine_finds_nothing(site: Open, host: str) -> None:
    for path in PATHS:
        status, text = await site.get(path, Host=host)
        assert status == 404
        assert json.loads(text) == {"error": "Not found."}
    asked = {"person": "mira", "conversation": "dm-mira", "text": "hello"}
    assert (await site.act("messages", asked, Host=host))[0] == 404
    assert not site.adapter.platform.snapshot()


@pytest.mark.parametrize("header", FORWARDING)
async def test_what_a_proxy_brings_finds_nothing(site: Open, header: str) -> None:
    for path in PATHS:
        assert (await site.get(path, **{header: "127.0.0.1"}))[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_page_is_refused(site: Open, headers: dict[str, str]) -> None:
    asked = {"person": "mira", "conversation": "dm-mira", "text": "hello"}
    status, answer = await site.act("messages", asked, **headers)
    assert status == 403
    assert "only its own page" in answer["error"]
    assert (await site.get("/playground/api/inspect?message=1", **headers))[0] == 403
    assert not site.adapter.platform.snapshot()


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "LOCALHOST", "a.localhost"]
)
async def test_every_name_of_this_machine_is_served(site: Open, name: str) -> None:
    for host in (name, f"{name}:8080"):
        assert (await site.get("/", Host=host))[0] == 200
        asked = {"person": "mira", "conversation": "dm-mira", "text": "hello"}
        assert (await site.act("messages", asked, Host=host, Origin=f"http://{host}"))[0] == 200


async def test_every_response_carries_the_strict_headers(site: Open) -> None:
    names = [entry.name for entry in files("adapters.playground").joinpath("static").iterdir()]
    assert {"index.html", "page.js", "page.css", "icon.svg"} <= set(names)
    for path in (
        "/",
        *(f"/playground/static/{name}" for name in names),
        "/playground/static/none",
        "/playground/events",
    ):
        async with site.http.get(path) as response:
            assert response.status == (404 if path.endswith("none") else 200)
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_names_no_other_place() -> None:
    namespace = "http://www.w3.org/2000/svg"  # a name, never fetched
    for entry in files("adapters.playground").joinpath("static").iterdir():
        text = entry.read_text(encoding="utf-8").replace(namespace, "")
        assert not re.findall(r"(?:https?:|[\"'(=])//", text), entry.name
        assert not re.findall(r"<[^>]* (?:style|on[a-z]+)=", text), entry.name


@pytest.mark.parametrize("name", ["..%2fadapter.py", "%2e%2e%2fconfig.py", "page.py", "INDEX.HTML", "..", "page.js%00"])
async def test_no_path_leads_out_of_the_folder(site: Open, name: str) -> None:
    async with site.http.get(f"/playground/static/{name}") as response:
        assert response.status in (400, 404)


async def test_bad_input_gets_a_sentence(site: Open) -> None:
    good = {"person": "mira", "conversation": "dm-mira", "text": "hello"}
    cases: list[tuple[str, object, int]] = [
        ("messages", b"{", 400),
        ("messages", b"[]", 400),
        ("messages", b"\xff", 400),
        ("messages", good | {"text": " "}, 400),
        ("messages", good | {"text": "x" * 20_001}, 400),
        ("messages", good | {"text": 7}, 400),
        ("messages", b'{"person":"mira","conversation":"dm-mira","text":"\\ud800"}', 400),
        ("messages", good | {"person": "eve"}, 404),
        ("messages", good | {"person": "bot"}, 404),
        ("messages", good | {"conversation": "dm-jonas"}, 403),
        ("messages", good | {"thread": "1771000000.000001"}, 404),
        ("edits", {"person": "mira", "message": "1", "text": "x"}, 404),
        ("deletions", {"person": "mira"}, 400),
        ("reactions", {"person": "mira", "message": "1", "emoji": "👍", "added": True}, 404),
        ("clicks", {"person": "mira", "message": "1", "button": "good"}, 404),
        ("stops", {"person": "mira", "conversation": "elsewhere"}, 403),
        ("parties", good, 404),
    ]
    for verb, fields, status in cases:
        got, answer = await site.act(verb, fields)
        assert (got, list(answer)) == (status, ["error"]), (verb, fields)
        assert answer["error"].endswith((".", "`"))
    assert (await site.act("messages", good, **{"Content-Type": "text/plain"}))[0] == 415
    assert not site.adapter.platform.snapshot()
    assert not site.host.deliveries


async def test_only_one_s_own_messages_are_changed(site: Open) -> None:
    _, sent = await site.act("messages", {"person": "mira", "conversation": "room", "text": "mine"})
    other = {"person": "jonas", "message": sent["message"]}
    assert (await site.act("edits", other | {"text": "yours"}))[0] == 403
    assert (await site.act("deletions", other))[0] == 403
    assert (await site.act("clicks", other | {"button": "good"}))[0] == 404
    assert (await site.act("reasons", other | {"text": "because"}))[0] == 409
    assert (await site.act("reactions", other | {"emoji": "+1", "added": True}))[0] == 400
    await site.host.wait_for(lambda: site.host.events)
    assert [type(event) for event in site.host.events] == [Message]


async def test_the_same_nonce_is_one_message(site: Open) -> None:
    asked = {"person": "mira", "conversation": "dm-mira", "text": "once", "nonce": "0123456789abcdef"}
    first, second = await site.act("messages", asked), await site.act("messages", asked)
    assert first == second
    await site.host.wait_for(lambda: not site.adapter.platform.pending())
    assert len(site.host.events) == 1


async def test_a_click_opens_why_and_the_reason_arrives(site: Open) -> None:
    site.host.ask_why = True
    (part,) = site.adapter.render(Answer(text="So.", asker_id="mira"))
    ref = await site.adapter.send(DIRECT, part, "a" * 32, None)
    named = {"person": "mira", "message": ref.message_id}
    assert (await site.act("clicks", named | {"button": "bad"}))[0] == 200
    await site.host.wait_for(lambda: site.adapter.platform.view(ref.message_id)["asks_why"] == "mira")
    assert (await site.act("reasons", named | {"text": "wrong"}))[0] == 200
    await site.host.wait_for(lambda: len(site.host.events) == 2)
    click, comment = site.host.events
    assert isinstance(click, Reaction)
    assert isinstance(comment, Comment)
    assert (comment.target, comment.text) == (ref, "wrong")
    assert (await site.act("reasons", named | {"text": "again"}))[0] == 409


async def test_the_panel_shows_what_the_host_traced(site: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = await site.act("messages", {"person": "mira", "conversation": "dm-mira", "text": "hello"})
    path = f"/playground/api/inspect?message={sent['message']}"
    assert json.loads((await site.get(path))[1]) == {"found": None}
    site.host.stories[message_ref("dm-mira", sent["message"])] = {"reference": "ABCDEFGH"}
    assert json.loads((await site.get(path))[1]) == {"found": {"reference": "ABCDEFGH"}}
    assert (await site.get("/playground/api/inspect?message=0"))[0] == 404

    async def unavailable(ref: object) -> None:
        raise Unavailable("The database cannot be read now.")

    monkeypatch.setattr(site.host, "trace", unavailable)
    status, text = await site.get(path)
    assert (status, json.loads(text)) == (503, {"error": "The database cannot be read now."})


async def test_the_stream_begins_with_all_and_ends_with_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await site.act("messages", {"person": "mira", "conversation": "room", "text": "line\u2028one\ntwo"})
        async with site.http.get("/playground/events") as stream:
            name, snapshot = await _next(stream)
            assert name == "snapshot"
            assert [m["body"]["text"] for m in snapshot["messages"]] == ["line\u2028one\ntwo"]
            assert snapshot["docs"] == "docs"
            await site.adapter.working(DIRECT, None, True)
            while name != "working":
                name, signs = await _next(stream)
            assert signs == [{"conversation": "dm-mira", "thread": "", "question": ""}]
            site.adapter.platform.changes.end()
            assert await stream.content.read() == b""
        async with site.http.get("/playground/events") as late:
            assert (await late.text()).count("event: ") == 1, "a page that comes while we stop holds nothing up"


async def _next(stream: aiohttp.ClientResponse) -> tuple[str, Any]:
    block = b""
    while b"data: " not in block:
        block = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 20)
    name, _, data = block.decode().strip().partition("\ndata: ")
    return name.removeprefix("event: "), json.loads(data)


async def test_a_full_disk_is_said(site: Open, tmp_path: Path) -> None:
    site.adapter.platform.close()
    folder = tmp_path / "gone"
    folder.write_text("a file where a folder should be")
    broken = PlaygroundAdapter(PlaygroundSettings(enabled=True, data=folder / "playground.db"))
    (check,) = await broken.check()
    assert check.status == "fail"
    assert check.fix
    site.adapter.platform._journal._path = folder / "playground.db"
    status, answer = await site.act("messages", {"person": "mira", "conversation": "dm-mira", "text": "hello"})
    assert status == 503
    assert "disk" in answer["error"]


def test_nothing_but_the_demo_turns_it_on() -> None:
    settings = CHANNEL.settings()
    assert isinstance(settings, PlaygroundSettings)
    assert not settings.enabled
    assert all(field.alias is None for field in PlaygroundSettings.model_fields.values())
