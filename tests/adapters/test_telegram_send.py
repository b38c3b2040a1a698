"""Sending: what goes over the wire, and what each of Telegram's answers means to us."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import telegram.error
from telegram.error import RetryAfter, TelegramError

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.errors import GroupMoved, StatusError, short, translate
from adapters.telegram.manifest import MANIFEST
from adapters.telegram.parts import TelegramPart
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Answer, Conversation, MessageRef, Moved, Notice
from bot.testing.live import Live, new_delivery_id, running
from bot.testing.telegram.platform import Chat
from bot.testing.telegram.text import alerts
from tests.adapters.telegram_wire import ANNA, TelegramWire

KEY: Any = SimpleNamespace(host="telegram.example", port=443, ssl=True, is_ssl=True)


@pytest.fixture
async def wire() -> AsyncIterator[TelegramWire]:
    async with TelegramWire() as wire:
        yield wire


def place(wire: TelegramWire, chat: Chat) -> Conversation:
    return replace(wire.conversation, conversation_id=str(chat.id), kind="group", is_direct=False)


def arguments(wire: TelegramWire, number: int = -1) -> dict[str, Any]:
    return wire.telegram.called("sendMessage")[number].arguments


async def test_what_an_answer_looks_like_on_the_wire(wire: TelegramWire) -> None:
    async with running(wire) as live:
        await live.send("A **bold** word.", reply_to=wire.question)
        sent = arguments(wire)
        assert sent["chat_id"] == wire.conversation.conversation_id
        assert sent["text"] == "A bold word."
        assert json.loads(sent["entities"]) == [{"type": "bold", "offset": 2, "length": 4}]
        assert "parse_mode" not in sent
        assert json.loads(sent["link_preview_options"]) == {"is_disabled": True}
        assert json.loads(sent["reply_parameters"]) == {
            "message_id": int(wire.question.message_id),
            "allow_sending_without_reply": True,
        }
        data = [button["callback_data"] for button in json.loads(sent["reply_markup"])["inline_keyboard"][0]]
        assert data == ["rate:good", "rate:bad"]
        assert "message_thread_id" not in sent


async def test_in_a_topic(wire: TelegramWire) -> None:
    async with running(wire) as live:
        await live.send("There.", wire.thread)
        assert arguments(wire)["message_thread_id"] == str(wire.topic)


async def test_why_asks_for_a_reply(wire: TelegramWire) -> None:
    async with running(wire) as live:
        (answer,) = await live.send("An answer.")
        await live.send(Notice(text="What was wrong?", kind="why", user_id=wire.asker_id), reply_to=answer)
        sent = arguments(wire)
        assert json.loads(sent["reply_markup"]) == {"force_reply": True, "selective": True}
        assert json.loads(sent["reply_parameters"])["message_id"] == int(answer.message_id)


async def test_a_deleted_question_and_a_deleted_topic_lose_no_answer(wire: TelegramWire) -> None:
    async with running(wire) as live:
        wire.telegram.world.chats[wire.forum.id].topics.clear()
        gone = replace(wire.question, conversation_id=str(wire.forum.id), message_id="999")
        (ref,) = await live.send("Still there.", wire.thread, reply_to=gone)
        (shown,) = live.shown([ref])
        assert shown.thread_id is None
        assert [call.status for call in wire.telegram.called("sendMessage")] == [400, 200]


async def test_refused_entities_are_a_refusal_of_the_form(wire: TelegramWire) -> None:
    """Only the core changes the form. In the plain one nothing pings or can be tapped: code kept that before."""
    wire.telegram.methods.refuse_entities = True
    text = "A **bold** word, `@everyone_here` and [a link](https://example.com).\n\n```\n@channel_two /start\n```"
    async with running(wire) as live:
        with pytest.raises(Rejected) as caught:
            await live.send(text)
        assert (caught.value.form, caught.value.reason) == (True, "entities")
        (ref,) = await live.send_plain(Answer(text=text, asker_id=wire.asker_id))
        (shown,) = live.shown([ref])
        assert "bold" in shown.text
        assert "everyone_here" in shown.text
        assert shown.alerts == []
        assert shown.form == []
        assert shown.buttons
        assert [call.status for call in wire.telegram.called("sendMessage")] == [400, 200]


async def test_generated_names_are_no_mentions(wire: TelegramWire) -> None:
    """The server finds names by itself in plain text (judged by TDLib's own code) and would ping people."""
    async with running(wire) as live:
        (ref,) = await live.send("Ask @everyone_in_group or @Test_bot, or /start, or tg://user?id=7.")
        message = wire.telegram.world.messages[int(ref.conversation_id), int(ref.message_id)]
        assert alerts(message) == []
        assert alerts({"text": "@everyone_in_group", "entities": [{"type": "mention", "offset": 0, "length": 18}]})


@pytest.mark.parametrize("tell", [True, False])
async def test_a_group_that_moved_gets_its_answer_and_the_core_the_news(wire: TelegramWire, tell: bool) -> None:
    """Whether the service messages or the refusal of a send tell it first: one event id."""
    group = wire.telegram.world.group("Small", super_=False)
    async with running(wire) as live:
        question = wire.telegram.world.words(group, ANNA, "What?")
        fresh = await wire.telegram.world.migrate(group, tell=tell)
        reply_to = replace(wire.question, conversation_id=str(group.id), message_id=str(question["message_id"]))
        (ref,) = await live.send("An answer.", place(wire, group), reply_to=reply_to)
        assert ref.conversation_id == str(fresh.id)
        await wire.telegram.wait_for(lambda: not wire.telegram.updates.pending)
        moved = [event for event in live.host.events if isinstance(event, Moved)]
        assert [(event.old_id, event.new_id) for event in moved] == [(str(group.id), str(fresh.id))]
        assert "reply_parameters" not in arguments(wire)


@pytest.mark.parametrize(
    ("how", "kind", "done"),
    [
        ("cut", OutcomeUnknown, 0),
        ("cut_after_write", OutcomeUnknown, 1),
        ("garbage", OutcomeUnknown, 0),
        ("empty", OutcomeUnknown, 0),
        (500, Unavailable, 0),
        (502, Unavailable, 0),
        ("html", Unavailable, 0),
        (503, Unavailable, 0),
        (504, OutcomeUnknown, 0),
        (413, Rejected, 0),
        (404, Misconfigured, 0),
        (401, Misconfigured, 0),
        (302, Misconfigured, 0),
        (409, Unavailable, 0),
        ("rate_limited", Unavailable, 0),
        ("gone", Rejected, 0),
    ],
)
async def test_each_failure_is_one_attempt_and_one_of_ours(
    wire: TelegramWire, how: Any, kind: type[BotError], done: int
) -> None:
    async with running(wire) as live:
        wire.telegram.fail(how, method="sendMessage")
        with pytest.raises(BotError) as caught:
            await live.send("An answer.")
        assert type(caught.value) is kind
        assert wire.sends() == 1
        assert len(wire.posted()) == done


async def test_a_flooded_chat_is_left_alone_and_others_are_not(wire: TelegramWire) -> None:
    async with running(wire) as live:
        wire.telegram.fail("rate_limited", method="sendMessage", times=1)
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                await live.send("An answer.")
            assert caught.value.reason == "rate_limited"
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after <= 7
        assert wire.sends() == 1, "Telegram was asked although it had said to wait"
        await live.send("An answer.", wire.thread)
        assert wire.sends() == 2


async def test_what_is_gone_needs_no_mark_and_no_deletion(wire: TelegramWire) -> None:
    async with running(wire) as live:
        (ref,) = await live.send("An answer.")
        await live.adapter.mark(ref, None)  # "message is not modified"
        await live.adapter.mark(ref, "bad")
        row = wire.telegram.world.by_bot()[0]["reply_markup"]["inline_keyboard"][0]
        assert [button["text"] for button in row] == ["👍", "👎 ✓"]
        await live.adapter.delete(ref)
        await live.adapter.delete(ref)
        await live.adapter.mark(ref, "good")


async def test_messages_of_before_a_move_are_let_go(wire: TelegramWire) -> None:
    """Telegram lets nobody at them any more: to be tried again would be for ever."""
    group = wire.telegram.world.group("Small", super_=False)
    async with running(wire) as live:
        (ref,) = await live.send("An answer.", place(wire, group))
        await wire.telegram.world.migrate(group, tell=False)
        await live.adapter.mark(ref, "good")
        with pytest.raises(Rejected):
            await live.adapter.delete(ref)


async def test_a_move_never_leaves_as_an_error_of_its_own(wire: TelegramWire) -> None:
    """Whatever call a server says it to: the news is for sending alone, and there it ends."""
    async with running(wire) as live:
        (ref,) = await live.send("An answer.")
        adapter, file = live.adapter, await wire.file_with(b"words", "a.txt")
        assert isinstance(adapter, TelegramAdapter)
        assert file is not None
        wire.telegram.fail("moved")
        await adapter.mark(ref, "good")
        await adapter.working(wire.conversation, wire.question, True)
        await adapter.working(wire.conversation, wire.question, False)
        assert await adapter.person(wire.conversation.account_id, wire.asker_id) is None
        assert [check.status for check in await adapter.check()] == ["ok", "fail"]
        differences = MANIFEST.differences(wire.settings())
        for call in (adapter.delete(ref), adapter.open(file), live.send("On and on."), differences):
            with pytest.raises(BotError) as caught:
                await call
            assert type(caught.value) is Rejected
        wire.telegram.fail(None)


async def test_the_plain_form_is_sent_as_text_alone(wire: TelegramWire) -> None:
    wire.telegram.methods.refuse_entities = True
    answer = Answer(text="A **bold** `@channel_two /start` [here](https://example.com)", asker_id=wire.asker_id)
    async with running(wire) as live:
        (part,) = wire.build().render(answer, plain=True)
        (shown,) = live.shown([await live.send_part(part)])
        assert shown.text.replace("\u2060", "") == "A bold @channel_two /start here (https://example.com)"
        assert not shown.alerts
        assert shown.buttons
        assert [call.status for call in wire.telegram.called("sendMessage")] == [200]


async def test_a_message_too_old_to_delete_is_said(wire: TelegramWire) -> None:
    async with running(wire) as live:
        with pytest.raises(Rejected, match="not_deletable"):
            await live.adapter.delete(wire.question)


async def test_progress_notices_leave_room_for_answers(wire: TelegramWire) -> None:
    """At most a third of what a group may get in a minute; in a private chat there is no such budget."""
    group = wire.telegram.world.group("Busy")
    async with running(wire) as live:
        notice = Notice(text="Still working.", kind="progress")
        for _ in range(6):
            await live.send(notice, place(wire, group))
        for _ in range(4):
            with pytest.raises(Rejected) as caught:
                await live.send(notice, place(wire, group))
            assert caught.value.reason == "no_room"
        await live.send("An answer.", place(wire, group))
        for _ in range(10):
            await live.send(notice)


async def send_blind(live: Live, part: dict[str, Any]) -> MessageRef:
    return await live.send_part(part, delivery_id=new_delivery_id())


async def test_parts_of_an_older_version_can_still_be_sent(wire: TelegramWire) -> None:
    """Parts are stored with the intent: a field more or less is no reason to lose an answer."""
    async with running(wire) as live:
        ref = await send_blind(live, {"text": "Plain.", "buttons": True, "unheard_of": 1})
        assert live.shown([ref])[0].buttons


@pytest.mark.parametrize("entities", [None, "bold", 7, {"type": "bold"}, [None, "bold", 7]])
def test_a_stored_part_with_odd_entities_is_its_text(entities: Any) -> None:
    assert TelegramPart.from_json({"text": "Plain.", "entities": entities}) == TelegramPart(text="Plain.")


def test_a_part_is_the_same_after_it_was_stored() -> None:
    bold = {"type": "bold", "offset": 0, "length": 2}
    for part in (
        TelegramPart(text="Hi", entities=(bold,), buttons=True),
        TelegramPart(text="Hi", force_reply=True),
        TelegramPart(text="Hi", progress=True),
    ):
        assert TelegramPart.from_json(json.loads(json.dumps(part.to_json()))) == part


def instances() -> list[TelegramError]:
    made: list[TelegramError] = []
    for kind in vars(telegram.error).values():
        if isinstance(kind, type) and issubclass(kind, TelegramError):
            value: Any = 5 if kind in (telegram.error.ChatMigrated, RetryAfter) else "words @somebody wrote"
            made.append(kind(value))
    return made


def test_every_error_of_the_sdk_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walked, so that a new one does not slip through; none lets the SDK's words out."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    expected = {
        "TelegramError": OutcomeUnknown,
        "Forbidden": Rejected,
        "InvalidToken": Misconfigured,
        "EndPointNotFound": Misconfigured,
        "NetworkError": OutcomeUnknown,
        "BadRequest": Rejected,
        "TimedOut": OutcomeUnknown,
        "ChatMigrated": GroupMoved,
        "RetryAfter": Unavailable,
        "Conflict": Unavailable,
        "PassportDecryptionError": Rejected,
    }
    found = {type(error).__name__: translate(error, "sendMessage") for error in instances()}
    assert {name: type(error) for name, error in found.items()} == expected
    assert not [error for error in found.values() if "somebody" in str(error)]
    assert all(str(error).endswith((".", ").")) for error in found.values())


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (aiohttp.ClientConnectorError(KEY, OSError("no")), Unavailable),
        (aiohttp.ClientConnectorDNSError(KEY, OSError("no")), Unavailable),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("no")), Unavailable),
        (aiohttp.ClientProxyConnectionError(KEY, OSError("no")), Unavailable),
        (aiohttp.ConnectionTimeoutError("late"), Unavailable),
        (aiohttp.InvalidURL("no"), Unavailable),
        (aiohttp.ServerDisconnectedError("cut"), OutcomeUnknown),
        (aiohttp.ClientOSError("cut"), OutcomeUnknown),
        (aiohttp.ClientPayloadError("cut"), OutcomeUnknown),
        (aiohttp.SocketTimeoutError("late"), OutcomeUnknown),
        (ConnectionResetError("cut"), OutcomeUnknown),
    ],
)
def test_what_was_written_decides(cause: Exception, kind: type[BotError]) -> None:
    """NetworkError and TimedOut say both "never left" and "nobody knows"; their causes tell."""
    for outer in (telegram.error.NetworkError("x"), telegram.error.TimedOut("x")):
        outer.__cause__ = cause
        assert type(translate(outer, "sendMessage")) is kind


@pytest.mark.parametrize("value", [7, timedelta(seconds=7)])
@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")
@pytest.mark.parametrize("opted_in", ["0", "1"])
def test_retry_after_is_seconds_in_every_version(monkeypatch: pytest.MonkeyPatch, value: Any, opted_in: str) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", opted_in)
    error = translate(RetryAfter(value), "sendMessage")
    assert isinstance(error, Unavailable)
    assert error.retry_after == 7.0


def test_a_429_without_a_time() -> None:
    error = translate(StatusError(429), "sendMessage")
    assert isinstance(error, Unavailable)
    assert error.reason == "rate_limited"
    assert error.retry_after is None


def test_what_telegram_says_is_shown_without_quotations() -> None:
    assert short('Unsupported start tag "my secret words" at\nbyte 3') == "Unsupported start tag … at byte 3"


async def test_an_error_of_ours_passes(wire: TelegramWire) -> None:
    ours = Rejected("No.")
    assert translate(ours, "x") is ours
    assert isinstance(Answer(text="", asker_id=""), Answer)
