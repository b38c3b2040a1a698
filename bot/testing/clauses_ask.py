"""What can be asked of a channel: what was said before, a file's bytes, who somebody is."""

from __future__ import annotations

import typing
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, get_args

import pytest

from bot.adapter import FILE_BYTES
from bot.errors import BotError, Rejected, Unavailable
from bot.events import File, Mention, Person
from bot.testing.live import Live, readable, running
from bot.testing.samples import HOWS, RETRY_AFTER, another
from bot.testing.wire import FailHow, Wire

CONTENT: Final = bytes(range(256)) * 600
"""150 kB of every byte: more than one read of a socket."""

Call = Callable[[], Coroutine[Any, Any, object]]


class AskClauses:
    """The clauses; `AdapterConformance` has them."""

    async def test_earlier_tells_what_was_said_before(self, wire: Wire) -> None:
        async with running(wire) as live:
            history = await wire.thread_with_history()
            if history is None:
                assert await live.do(live.adapter.earlier(wire.conversation, wire.question, 10)) is None
                return
            thread, before, texts = history
            assert len(texts) > 2, "a history that shows nothing"
            messages = await live.earlier(thread, before, len(texts) + 20)
            assert [readable(message.text) for message in messages] == list(texts)
            for message in messages:
                assert not message.by_us
                assert message.user_id
                assert message.sent_at.utcoffset() is not None
                assert (message.ref.channel, message.ref.account_id) == (thread.channel, thread.account_id)
                assert message.ref.conversation_id == thread.conversation_id
            refs = [message.ref for message in messages]
            assert len(set(refs)) == len(refs), "one ref each"
            times = [message.sent_at for message in messages]
            assert times == sorted(times)

    async def test_earlier_keeps_the_newest(self, wire: Wire) -> None:
        async with running(wire) as live:
            history = await wire.thread_with_history()
            if history is None:
                assert await live.do(live.adapter.earlier(wire.conversation, wire.question, 1)) is None
                return
            thread, before, texts = history
            for limit in (1, 2, len(texts)):
                messages = await live.earlier(thread, before, limit)
                assert [readable(message.text) for message in messages] == list(texts[-limit:])

    async def test_earlier_tells_our_messages_from_theirs(self, wire: Wire) -> None:
        async with running(wire) as live:
            history = await wire.thread_with_history()
            if history is None:
                assert await live.do(live.adapter.earlier(wire.conversation, wire.question, 10)) is None
                return
            thread, before, texts = history
            (ours,) = await live.send("An answer & more.", thread)
            (later,) = await live.send("Another one.", thread)
            messages = await live.earlier(thread, later, len(texts) + 20)
            assert [message.ref for message in messages if message.by_us] == [ours]
            assert messages[-1].ref == ours, "what was said last is not last"
            assert readable(messages[-1].text) == "An answer & more."
            assert messages[-1].user_id is None
            assert messages[-2].ref == before
            messages = await live.earlier(thread, before, len(texts) + 20)
            assert [readable(message.text) for message in messages] == list(texts), "what came later is told too"

    async def test_a_file_is_opened_whole(self, wire: Wire) -> None:
        async with running(wire) as live:
            file = await wire.file_with(CONTENT, "notes.bin")
            if file is None:
                with pytest.raises(Rejected):
                    await live.do(live.adapter.open(_no_file(wire)))
                return
            assert (file.channel, file.account_id) == (wire.conversation.channel, wire.conversation.account_id)
            for claimed in (file, replace(file, size=None, name="", media_type="")):
                assert await live.do(live.adapter.open(claimed)) == CONTENT

    async def test_a_file_that_is_too_large_or_gone_is_refused(self, wire: Wire) -> None:
        """Whatever the sender claimed of its size."""
        async with running(wire) as live:
            file = await wire.file_with(bytes(FILE_BYTES + 1), "film.bin")
            if file is None:
                with pytest.raises(Rejected):
                    await live.do(live.adapter.open(replace(_no_file(wire), size=FILE_BYTES + 1)))
                return
            for wrong in (
                replace(file, size=FILE_BYTES + 1),
                replace(file, size=10),
                replace(file, size=None),
                replace(file, file_id=another(file.file_id), size=10),
            ):
                with pytest.raises(Rejected) as caught:
                    await live.do(live.adapter.open(wrong))
                assert str(caught.value)

    async def test_a_person_is_named(self, wire: Wire) -> None:
        async with running(wire) as live:
            account_id = wire.conversation.account_id
            person = await live.do(live.adapter.person(account_id, wire.asker_id))
            assert (person.name if person else "") == wire.person_name
            assert await live.do(live.adapter.person(account_id, another(wire.asker_id))) is None, "nobody has a name"
            name = await live.do(live.adapter.name_of(account_id, Mention(kind="person", id=wire.asker_id)))
            assert name in (None, wire.person_name)
            for kind in get_args(typing.get_type_hints(Mention)["kind"]):
                nobody = Mention(kind=kind, id=another(wire.asker_id))
                assert await live.do(live.adapter.name_of(account_id, nobody)) is None, f"no {kind} has a name"

    @pytest.mark.parametrize("how", HOWS)
    async def test_what_is_asked_for_fails_with_the_right_error(self, wire: Wire, how: FailHow) -> None:
        """`Unavailable` when the channel does not answer now; where it will not answer at all, None does too."""
        if how in wire.cannot_fail:
            assert wire.cannot_fail[how], "the reason is missing"
            return
        async with running(wire) as live:
            calls = await _calls(live)
            await wire.fail(how, retry_after=RETRY_AFTER)
            for name, call in calls.items():
                try:
                    answer = await live.do(call())
                except BotError as error:
                    _is_right(how, name, error)
                else:
                    if name == "person" and isinstance(answer, Person) and answer.name == wire.person_name:
                        continue  # a name may be known without asking; that there is none may not
                    assert how in ("bad_token", "gone"), f"{name} answered {answer!r} though the channel did not"
                    assert answer is None or (name, how) == ("open", "gone"), f"{name} answered {answer!r}"
            await wire.fail(None)


def _is_right(how: FailHow, name: str, error: BotError) -> None:
    assert str(error), name
    if how in ("rate_limited", "cut_after_write", "refused"):
        assert isinstance(error, Unavailable), f"{name}: {error!r}"
    if how == "rate_limited":
        assert isinstance(error, Unavailable)
        assert (error.reason, error.retry_after) == ("rate_limited", RETRY_AFTER), name


async def _calls(live: Live) -> dict[str, Call]:
    """Make the calls that reach the platform; what a channel does not tell needs no asking."""
    wire, adapter = live.wire, live.adapter
    calls: dict[str, Call] = {}
    if history := await wire.thread_with_history():
        thread, before, _ = history
        calls["earlier"] = lambda: adapter.earlier(thread, before, 10)
    if file := await wire.file_with(b"A few words.", "words.txt"):
        calls["open"] = lambda: adapter.open(file)
    if wire.person_name:
        calls["person"] = lambda: adapter.person(wire.conversation.account_id, wire.asker_id)
    return calls


def _no_file(wire: Wire) -> File:
    """Name a file that there cannot be."""
    return File(channel=wire.conversation.channel, account_id=wire.conversation.account_id, file_id="F1", name="a.txt")
