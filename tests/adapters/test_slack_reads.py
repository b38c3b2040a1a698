"""What the adapter reads at Slack when it is asked: earlier messages, files, people. And who may see the token."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.slack import files, history
from adapters.slack.files import is_slacks
from bot.adapter import FILE_BYTES
from bot.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import EarlierMessage, File, Person
from bot.testing.live import new_delivery_id
from bot.testing.slack import payloads
from bot.testing.slack.platform import EMAIL_SCOPES, FILE_SCOPES
from tests.adapters.slack_live import LiveSlack, live_slack

# ------------------------------------------------------------------------------------------------ earlier messages


def said(live: LiveSlack, root: str, text: str, **fields: Any) -> str:
    """Put a message into the thread without telling the bot; returns its time stamp."""
    ts = payloads.next_ts()
    message = payloads.message("C1", fields.pop("user", "U2"), text, ts, thread_ts=root, **fields)
    live.slack.channels["C1"].messages[ts] = message
    return ts


async def earlier(live: LiveSlack, root: str, before: str, limit: int = 20) -> list[EarlierMessage] | None:
    messages = await live.adapter.earlier(live.place("C1", root), live.ref("C1", before), limit)
    return None if messages is None else list(messages)


def calls(live: LiveSlack) -> int:
    return len(live.slack.made("conversations.replies"))


async def test_what_was_said_before_in_plain_words_oldest_first() -> None:
    async with live_slack() as live:
        root = live.root("C1", "Is <https://a.example|this page> right, &lt;b&gt;?")
        first = said(live, root, "<@U0BOT|assistant> ask <@U3|Ada> in <#C2|general>")
        (ours,) = await live.post("We **answered**.", live.place("C1", root))
        alarm = said(live, root, "Disk full", user="U7BOT", bot_id="B7", subtype="bot_message")
        said(live, root, "joined", subtype="channel_join")
        said(live, root, "", files=[{"id": "F1"}])
        said(live, root, "This message was deleted.", user="USLACKBOT", subtype="tombstone")
        before = said(live, root, "<@U0BOT> and now?")
        said(live, root, "This comes later.")
        messages = await earlier(live, root, before)
        assert messages is not None
        assert [(message.ref.message_id, message.user_id, message.by_us, message.text) for message in messages] == [
            (root, "U1", False, "Is this page (https://a.example) right, <b>?"),
            (first, "U2", False, "ask @Ada in #general"),
            (ours.message_id, None, True, "We answered."),
            (alarm, None, False, "Disk full"),
        ]
        assert all(message.ref == live.ref("C1", message.ref.message_id) for message in messages)
        assert [message.sent_at for message in messages] == sorted(message.sent_at for message in messages)
        assert live.slack.violations == []


async def test_of_a_long_thread_the_newest() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        for number in range(1_500):
            said(live, root, f"message {number}")
        before = said(live, root, "<@U0BOT> what do you think?")
        said(live, root, "too late")
        messages = await earlier(live, root, before, limit=3)
        assert messages is not None
        assert [message.text for message in messages] == ["message 1497", "message 1498", "message 1499"]
        assert calls(live) == 3


async def test_a_thread_without_an_end_is_not_told_from_its_beginning() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        for number in range(history.FIRST_PAGE + 4 * history.LATER_PAGE):
            said(live, root, f"message {number}")
        before = said(live, root, "<@U0BOT> what do you think?")
        assert await earlier(live, root, before) is None
        assert calls(live) == history.MOST_CALLS


async def test_where_slack_grants_fifteen_messages_a_minute_nothing_is_read() -> None:
    """And nothing more is asked for: an app of that kind has one call a minute, and a look-up may need it."""
    async with live_slack() as live:
        live.slack.few = True
        root = live.root("C1")
        for number in range(40):
            said(live, root, f"message {number}")
        before = said(live, root, "<@U0BOT> what do you think?")
        for _ in range(3):
            assert await earlier(live, root, before) is None
        assert calls(live) == 1


async def test_a_thread_that_such_an_app_may_read_whole_is_read() -> None:
    async with live_slack() as live:
        live.slack.few = True
        root = live.root("C1")
        before = said(live, root, "<@U0BOT> what do you think?")
        messages = await earlier(live, root, before)
        assert messages is not None
        assert [message.text for message in messages] == ["The root."]
        with pytest.raises(Unavailable) as caught:
            await earlier(live, root, before)
        assert caught.value.retry_after == 60.0


async def test_nothing_is_asked_where_there_is_nothing_before() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        before = said(live, root, "<@U0BOT> what do you think?")
        assert await earlier(live, root, root) == []
        assert await earlier(live, root, before, limit=0) == []
        assert await live.adapter.earlier(live.place("C1"), live.ref("C1", root), 20) == ()
        assert await earlier(live, root, "home:U1") is None
        assert calls(live) == 0


@pytest.mark.parametrize(
    "how", ["error:missing_scope", "error:not_in_channel", "error:thread_not_found", "error:invalid_limit"]
)
async def test_what_may_not_be_read_is_none(how: str) -> None:
    async with live_slack() as live:
        root = live.root("C1")
        before = said(live, root, "<@U0BOT> what do you think?")
        live.slack.fail("conversations.replies", how)
        assert await earlier(live, root, before) is None


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("rate_limited", Unavailable),
        ("status:503", Unavailable),
        ("drop_before", Unavailable),
        ("garbage", Unavailable),
        ("error:invalid_auth", Misconfigured),
    ],
)
async def test_what_cannot_be_read_now_is_our_error(how: str, expected: type[Exception]) -> None:
    async with live_slack() as live:
        root = live.root("C1")
        before = said(live, root, "<@U0BOT> what do you think?")
        live.slack.fail("conversations.replies", how)
        with pytest.raises(expected):
            await earlier(live, root, before)


@pytest.mark.parametrize("odd", [None, 7, [], {}, "", "\ud800", "nan", ["x"], {"id": "U1"}])
@pytest.mark.parametrize("field", ["text", "user", "bot_id", "subtype", "files"])
async def test_a_message_of_another_shape_costs_only_itself(field: str, odd: Any) -> None:
    async with live_slack() as live:
        root = live.root("C1")
        ts = said(live, root, "odd")
        live.slack.channels["C1"].messages[ts][field] = odd
        before = said(live, root, "<@U0BOT> what do you think?")
        messages = await earlier(live, root, before)
        assert messages is not None
        assert messages[0].text == "The root."
        assert all(isinstance(message.user_id, str | None) for message in messages)


# ----------------------------------------------------------------------------------------------------------- files


@asynccontextmanager
async def with_files() -> AsyncIterator[LiveSlack]:
    async with live_slack() as live:
        live.slack.scopes += FILE_SCOPES
        yield live


def file(live: LiveSlack, file_id: str) -> File:
    return File(channel="slack", account_id=live.slack.team, file_id=file_id)


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"plain words", "notes.txt", "text/plain"),
        (bytes(range(256)) * 10_000, "picture.png", "image/png"),
        (b"", "nothing.txt", "text/plain"),
        (b"<!DOCTYPE html><p>a page that somebody sent</p>", "page.html", "text/html"),
        (b"\n<html>saved as text", "page.txt", "text/plain"),
    ],
)
async def test_a_file_is_what_was_put_there(content: bytes, name: str, media_type: str) -> None:
    async with with_files() as live:
        file_id = live.slack.files.put(content, name, media_type)
        assert await live.adapter.open(file(live, file_id)) == content
        assert live.slack.files.tokens == [live.slack.bot_token]
        assert live.slack.violations == []


async def test_without_the_scope_it_is_said_which_is_missing() -> None:
    async with live_slack() as live:
        file_id = live.slack.files.put(b"words", "notes.txt")
        with pytest.raises(Misconfigured, match=r"SLACK_BOT_TOKEN lacks files:read"):
            await live.adapter.open(file(live, file_id))
        assert live.slack.files.tokens == []


@pytest.mark.parametrize("size", [5, None])
async def test_a_login_page_is_no_file(size: int | None) -> None:
    """Slack answers 200 with it where the token may not read the file."""
    async with with_files() as live:
        file_id = live.slack.files.put(b"words", "notes.txt", size=size)
        live.slack.fail("files-pri", "login")
        with pytest.raises(Rejected, match="files:read") as caught:
            await live.adapter.open(file(live, file_id))
        assert caught.value.reason == "login_page"


async def test_the_token_is_carried_across_no_redirect() -> None:
    async with with_files() as live, elsewhere() as (address, seen):
        file_id = live.slack.files.put(b"words", "notes.txt")
        for target in (address, f"{live.slack.base_url}/files-pri/T0LOOP-{file_id}/again"):
            live.slack.fail("files-pri", f"redirect:{target}")
            with pytest.raises(Rejected):
                await live.adapter.open(file(live, file_id))
        assert seen == []
        assert len(live.slack.files.tokens) == 2


@pytest.mark.parametrize("external", [True, False])
async def test_what_lies_elsewhere_is_not_fetched_with_the_token(external: bool) -> None:
    async with with_files() as live, elsewhere() as (address, seen):
        file_id = live.slack.files.put(b"words", "notes.txt", url_private=address, is_external=external)
        with pytest.raises(Rejected) as caught:
            await live.adapter.open(file(live, file_id))
        assert caught.value.reason == "external"
        assert seen == []


@pytest.mark.parametrize("how", ["claimed", "announced", "endless"])
async def test_what_is_too_large_is_not_read_to_its_end(how: str) -> None:
    async with with_files() as live:
        size = FILE_BYTES + 1 if how == "claimed" else 5
        file_id = live.slack.files.put(b"words", "notes.txt", size=size)
        if how != "claimed":
            live.slack.fail("files-pri", "endless" if how == "endless" else f"claims:{FILE_BYTES + 1}")
        with pytest.raises(Rejected) as caught:
            await live.adapter.open(file(live, file_id))
        assert caught.value.reason == "too_large"
        assert len(live.slack.files.tokens) == (0 if how == "claimed" else 1)


@pytest.mark.parametrize("method", ["files.info", "files-pri"])
async def test_a_file_that_does_not_come_ends(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(files, "FILE_SECONDS", 0.3)
    async with with_files() as live:
        file_id = live.slack.files.put(b"words", "notes.txt")
        live.slack.fail(method, "hang")
        with pytest.raises(Unavailable) as caught:
            await live.adapter.open(file(live, file_id))
        assert caught.value.reason == "timeout"


@pytest.mark.parametrize(
    ("how", "expected", "reason"),
    [
        ("drop", Unavailable, "connection"),
        ("status:503", Unavailable, "server_error"),
        ("rate_limited", Unavailable, "rate_limited"),
        ("status:404", Rejected, "not_found"),
        ("status:410", Rejected, "not_found"),
        ("status:403", Rejected, "rejected"),
        ("status:204", Rejected, "rejected"),
    ],
)
async def test_what_an_end_of_a_download_means(how: str, expected: type[Exception], reason: str) -> None:
    async with with_files() as live:
        file_id = live.slack.files.put(b"words", "notes.txt")
        live.slack.fail("files-pri", how, retry_after=9)
        with pytest.raises((Unavailable, Rejected)) as caught:
            await live.adapter.open(file(live, file_id))
        assert type(caught.value) is expected
        assert caught.value.reason == reason
        if how == "rate_limited":
            assert isinstance(caught.value, Unavailable)
            assert caught.value.retry_after == 9.0


@pytest.mark.parametrize(
    "shown",
    [
        {"mode": "tombstone"},
        {"mode": "hidden_by_limit"},
        {"url_private": None},
        {"url_private": ""},
        {"url_private": 7},
        {"url_private": "http://[::1"},
        {"url_private": "file:///etc/passwd"},
    ],
)
async def test_a_file_that_is_gone_or_nowhere_is_rejected(shown: dict[str, Any]) -> None:
    async with with_files() as live:
        file_id = live.slack.files.put(b"words", "notes.txt", **shown)
        with pytest.raises(Rejected):
            await live.adapter.open(file(live, file_id))
        assert live.slack.files.tokens == []


async def test_an_id_that_is_nobodys_or_another_workspaces_is_rejected() -> None:
    async with with_files() as live:
        with pytest.raises(Rejected):
            await live.adapter.open(file(live, "F404"))
        asked = len(live.slack.calls)
        with pytest.raises(Rejected):
            await live.adapter.open(File(channel="slack", account_id="T0OTHER", file_id="F000000"))
        assert len(live.slack.calls) == asked


async def test_a_file_leaves_no_trace_in_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with with_files() as live:
            file_id = live.slack.files.put(b"secret words", "secret-name.txt")
            await live.adapter.open(file(live, file_id))
            live.slack.fail("files-pri", "drop")
            with pytest.raises(Unavailable) as caught:
                await live.adapter.open(file(live, file_id))
    for secret in ("secret words", "secret-name", live.slack.bot_token):
        assert secret not in caplog.text
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.txt", True),
        ("https://slack.com/files-pri/T1-F1/a.txt", True),
        ("https://FILES.SLACK.COM:443/a", True),
        ("http://files.slack.com/a", False),
        ("https://files.slack.com:8443/a", False),
        ("https://files.slack.com.evil.example/a", False),
        ("https://evilslack.com/a", False),
        ("https://files.slack.com@evil.example/a", False),
        ("https://evil.example\\@files.slack.com/a", False),
        ("https://evil.example#@files.slack.com/a", False),
        ("//files.slack.com/a", False),
        ("https:///a", False),
        ("https://files.slack.com:x/a", False),
        ("", False),
    ],
)
def test_which_addresses_may_see_the_token(address: str, ours: bool) -> None:
    for api_url in ("https://slack.com/api/", "https://www.slack.com/api/"):
        assert is_slacks(address, api_url) is ours


def test_the_token_stays_with_the_slack_it_is_of() -> None:
    assert is_slacks("https://files.slack-gov.com/a", "https://slack-gov.com/api/")
    assert not is_slacks("https://files.slack.com/a", "https://slack-gov.com/api/")
    assert not is_slacks("http://127.0.0.1:2/a", "http://127.0.0.1:1/api/")


@asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, list[str]]]:
    """Another server: its address, and every request that came."""
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(f"{request.path} {request.headers.get('Authorization')}")
        return web.Response(text="caught")

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/files-pri/T0LOOP-F000000/notes.txt", seen
    finally:
        await runner.cleanup()


# ---------------------------------------------------------------------------------------------------------- people


async def test_who_somebody_is_as_far_as_slack_tells() -> None:
    async with live_slack() as live:
        team = live.slack.team
        assert await live.adapter.person(team, "U1") == Person(name="Person U1", locale="en-GB")
        live.slack.scopes += EMAIL_SCOPES
        live.slack.users["U1"]["profile"]["display_name"] = " Ada\n\u202e  L. "
        assert await live.adapter.person(team, "U1") == Person(name="Ada L.", locale="en-GB", email="u1@loop.invalid")
        assert await live.adapter.person(team, "U404") is None
        assert len(live.slack.made("users.info")) == 3, "nothing is remembered here"
        assert await live.adapter.person("T0OTHER", "U1") is None
        assert len(live.slack.made("users.info")) == 3
        live.slack.scopes.remove("users:read")
        assert await live.adapter.person(team, "U1") is None
        assert live.slack.violations == []


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"name": "ada"}, Person(name="ada")),
        ({"name": "ada", "real_name": "", "profile": None, "locale": ""}, Person(name="ada")),
        ({"name": "ada", "profile": {"real_name": "Ada L."}}, Person(name="Ada L.")),
        ({"real_name": "x" * 500}, Person(name="x" * 80)),
        ({"name": "ada", "profile": ["odd"], "locale": 7}, Person(name="ada")),
        ({"name": "\u202e\n"}, None),
        ({"name": 7}, None),
        ({}, None),
    ],
)
async def test_a_person_of_whom_little_is_known(user: Any, expected: Person | None) -> None:
    async with live_slack() as live:
        live.slack.scopes += EMAIL_SCOPES
        live.slack.users["U1"] = user
        assert await live.adapter.person(live.slack.team, "U1") == expected


@pytest.mark.parametrize(
    ("how", "expected"),
    [("error:invalid_auth", Misconfigured), ("status:503", Unavailable), ("drop_before", OutcomeUnknown)],
)
async def test_people_cannot_be_asked_about_now(how: str, expected: type[Exception]) -> None:
    async with live_slack() as live:
        live.slack.fail("users.info", how)
        with pytest.raises(expected):
            await live.adapter.person(live.slack.team, "U1")


# --------------------------------------------------------------------------------------------------- the plain form


async def test_the_plain_form_goes_out_whole_as_text_alone() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        words = " ".join(f"word{number:05}" for number in range(3_000))
        answer = f"# <!channel> *a* & [b](https://evil.example/)\n\n{words}\n\n```\n<@U2> `x` _y_\n```"
        parts = live.adapter.render(live.answer(answer), plain=True)
        delivery_ids = [new_delivery_id() for _ in parts]
        refs = [
            await live.adapter.send(live.place("C1", root), part, delivery_id, None)
            for part, delivery_id in zip(parts, delivery_ids, strict=True)
        ]
        sent = [call.arguments for call in live.slack.made("chat.postMessage")]
        assert [arguments["mrkdwn"] for arguments in sent] == [False] * len(parts)
        assert not any("blocks" in arguments for arguments in sent)
        assert max(len(arguments["text"]) for arguments in sent) <= 4_000
        shown = " ".join(arguments["text"] for arguments in sent)
        assert [word for word in shown.split() if word.startswith("word")] == words.split()
        assert live.slack.violations == []
        assert await live.adapter.find(live.place("C1", root), delivery_ids[-1]) == (refs[-1],)


async def test_the_plain_root_of_an_ask_says_who_asked() -> None:
    async with live_slack() as live:
        live.slack.users["U1"]["profile"]["display_name"] = "<!here> Ada"
        (part,) = live.adapter.render(live.question("What is VAT?"), plain=True)
        await live.adapter.send(live.place("C1"), part, new_delivery_id(), None)
        (post,) = live.slack.posts
        assert post["text"] == "&gt; What is VAT?\n\n&lt;!here&gt; Ada asked with /ask"
        assert live.slack.violations == []
