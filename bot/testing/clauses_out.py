"""What goes out: whole, in order, harmless, in one attempt, and with our errors when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, get_args

import pytest

from bot.adapter import ChannelSpec
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Answer, File, MessageRef, Notice, NoticeKind
from bot.testing.live import new_delivery_id, readable, running
from bot.testing.samples import HOWS, NASTY, RETRY_AFTER, WORDS, absent, every_outbound
from bot.testing.wire import FailHow, Wire


class OutboundClauses:
    """The clauses; `AdapterConformance` has them."""

    spec: ChannelSpec

    async def test_parts_are_json_and_rendering_is_pure(self, wire: Wire) -> None:
        adapter = wire.build()
        for outbound in every_outbound(wire):
            parts = list(adapter.render(outbound))
            assert parts, f"{type(outbound).__name__} has no part"
            assert json.loads(json.dumps(parts)) == parts, "a part is not the same after it was stored"
            assert list(adapter.render(outbound)) == parts, "rendering is not pure"

    async def test_a_long_answer_arrives_whole_and_in_order(self, wire: Wire) -> None:
        words = [f"word{n:05}" for n in range(wire.limit // 3)]
        paragraphs = "\n\n".join(" ".join(words[n : n + 60]) for n in range(0, len(words), 60))
        async with running(wire) as live:
            refs = await live.send(paragraphs)
            assert len(refs) > 1
            assert len(set(refs)) == len(refs), "one ref each"
            shown = live.shown(refs)
            assert [message.ref for message in shown] == refs, "not in order"
            assert max(message.length for message in shown) <= wire.limit
            assert " ".join(readable(message.text) for message in shown).split() == words

    async def test_one_endless_word_and_long_code_arrive_whole(self, wire: Wire) -> None:
        lines = [f"line_{n:05} = {n}" for n in range(wire.limit // 10)]
        async with running(wire) as live:
            refs = await live.send("```python\n" + "\n".join(lines) + "\n```")
            text = " ".join(readable(message.text) for message in live.shown(refs))
            assert [word for word in text.split() if word.startswith("line_")] == [line.split()[0] for line in lines]
            refs = await live.send("x" * (wire.limit * 2))
            shown = live.shown(refs)
            assert sum(readable(message.text).count("x") for message in shown) == wire.limit * 2
            assert max(message.length for message in shown) <= wire.limit

    async def test_a_ref_names_the_message_where_it_stands(self, wire: Wire) -> None:
        async with running(wire) as live:
            for conversation in live.conversations():
                (ref,) = await live.send("Here.", conversation)
                assert (ref.channel, ref.account_id) == (conversation.channel, conversation.account_id)
                assert ref.conversation_id == conversation.conversation_id
                (shown,) = live.shown([ref])
                assert shown.thread_id == conversation.thread_id
                assert readable(shown.text) == "Here."

    async def test_buttons_only_on_the_last_part_of_an_answer(self, wire: Wire) -> None:
        """On none where the channel lacks them."""
        has_buttons = "buttons" not in self.spec.lacks
        async with running(wire) as live:
            refs = await live.send(" ".join(f"word{n:05}" for n in range(wire.limit // 5)))
            assert [message.buttons for message in live.shown(refs)] == [False] * (len(refs) - 1) + [has_buttons]
            for kind in get_args(NoticeKind):
                refs = await live.send(Notice(text="A notice.", kind=kind, user_id=wire.asker_id))
                assert not any(message.buttons for message in live.shown(refs)), kind

    @pytest.mark.parametrize(
        "frame", ["{}", "`{}`", "```\n{}\n```", "> {}", "- {}", "**{}**", "# {}", "| a |\n|-|\n| {} |"]
    )
    async def test_markup_in_an_answer_stays_text(self, wire: Wire, frame: str) -> None:
        async with running(wire) as live:
            # In a table a bar would begin a new cell, whatever is done with the rest.
            nasty = NASTY.replace("|", "/") if frame.startswith("|") else NASTY
            shown = live.shown(await live.send(frame.format(nasty)))
            assert [alert for message in shown for alert in message.alerts] == []
            text = " ".join(readable(message.text) for message in shown)
            assert [word for word in WORDS if word not in text] == []

    async def test_notes_stand_after_the_answer_whatever_it_leaves_open(self, wire: Wire) -> None:
        notes = ("I could not read *that* table.", "Nor the thread.")
        async with running(wire) as live:
            for plain in (False, True):
                outbound = Answer(text="Use this:\n\n```\nopen", asker_id=wire.asker_id, notes=notes)
                parts = live.adapter.render(outbound, plain=plain)
                refs = [await live.do(live.adapter.send(wire.conversation, p, new_delivery_id(), None)) for p in parts]
                text = " ".join(" ".join(readable(message.text) for message in live.shown(refs)).split())
                assert text.endswith(" ".join(notes)), text

    async def test_the_askers_words_stay_text_too(self, wire: Wire) -> None:
        async with running(wire) as live:
            shown = live.shown(await live.send(Notice(text=NASTY, kind="question", user_id=wire.asker_id)))
            assert [alert for message in shown for alert in message.alerts] == []

    async def test_a_reply_answers_its_message_and_survives_its_loss(self, wire: Wire) -> None:
        async with running(wire) as live:
            (ref,) = await live.send("With a question.", reply_to=wire.question)
            live.shown([ref])
            lost = MessageRef(
                channel=wire.question.channel,
                account_id=wire.question.account_id,
                conversation_id=wire.question.conversation_id,
                message_id=absent(wire.question.message_id),
            )
            (ref,) = await live.send("Without its question.", reply_to=lost)
            live.shown([ref])

    @pytest.mark.parametrize("how", HOWS)
    async def test_one_attempt_and_the_right_error(self, wire: Wire, how: FailHow) -> None:
        if how in wire.cannot_fail:
            assert wire.cannot_fail[how], "the reason is missing"
            return
        async with running(wire) as live:
            (part,) = live.adapter.render(Answer(text="An answer.", asker_id=wire.asker_id))
            sends, posted = wire.sends(), len(wire.posted())
            delivery_id = new_delivery_id()
            await wire.fail(how, retry_after=RETRY_AFTER)
            with pytest.raises(BotError) as caught:
                await live.send_part(part, delivery_id=delivery_id)
            await wire.fail(None)
            _is_right(how, caught.value)
            assert wire.sends() - sends == (0 if how == "refused" else 1), "not one HTTP attempt"
            assert len(wire.posted()) - posted == (1 if how == "cut_after_write" else 0)
            if how == "cut_after_write":
                found = await live.do(live.adapter.find(wire.conversation, delivery_id))
                expected = [wire.posted()[-1].ref] if "look_ups" not in self.spec.lacks else None
                assert (found if found is None else list(found)) == expected

    @pytest.mark.parametrize("how", HOWS)
    async def test_nothing_but_our_errors_leaves_any_method(self, wire: Wire, how: FailHow) -> None:
        if how in wire.cannot_fail:
            assert wire.cannot_fail[how], "the reason is missing"
            return
        async with running(wire) as live:
            (ref,) = await live.send("An answer.")
            adapter = live.adapter
            where = wire.conversation
            thread, before, _ = await wire.thread_with_history() or (where, wire.question, ())
            no_file = File(channel=where.channel, account_id=where.account_id, file_id="F1", name="a.txt")
            file = await wire.file_with(b"A few words.", "a.txt") or no_file
            await wire.fail(how, retry_after=RETRY_AFTER)
            calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
                "find": lambda: adapter.find(where, new_delivery_id()),
                "mark": lambda: adapter.mark(ref, "good"),
                "delete": lambda: adapter.delete(ref),
                "working on": lambda: adapter.working(where, wire.question, True),
                "working off": lambda: adapter.working(where, wire.question, False),
                "earlier": lambda: adapter.earlier(thread, before, 10),
                "open": lambda: adapter.open(file),
                "person": lambda: adapter.person(where.account_id, wire.asker_id),
            }
            for name, call in calls.items():
                try:
                    await live.do(call())
                except BotError:
                    continue
                except Exception as error:
                    raise AssertionError(f"{name} let out {error!r}") from error
            await wire.fail(None)

    async def test_a_sent_part_is_found_by_its_delivery_id(self, wire: Wire) -> None:
        """Where the channel lacks look-ups, the answer is always None."""
        can_find = "look_ups" not in self.spec.lacks
        async with running(wire) as live:
            for conversation in live.conversations():
                ids = [new_delivery_id(), new_delivery_id()]
                refs = []
                for delivery_id in ids:
                    (part,) = live.adapter.render(Answer(text="Find me.", asker_id=wire.asker_id))
                    refs.append(await live.send_part(part, conversation, delivery_id=delivery_id))
                for delivery_id, ref in zip(ids, refs, strict=True):
                    found = await live.do(live.adapter.find(conversation, delivery_id))
                    assert (found if found is None else list(found)) == ([ref] if can_find else None)
                absent = await live.do(live.adapter.find(conversation, new_delivery_id()))
                assert (absent if absent is None else list(absent)) == ([] if can_find else None)

    async def test_delete_removes_and_may_be_repeated(self, wire: Wire) -> None:
        """Where the channel lacks deletions, it does nothing."""
        async with running(wire) as live:
            keep, ref = *(await live.send("Keep.")), *(await live.send("Remove."))
            for _ in range(2):
                await live.do(live.adapter.delete(ref))
            gone = [] if "deletions" in self.spec.lacks else [ref]
            assert wire.deleted() == gone
            assert [message.ref for message in wire.posted() if message.ref in (keep, ref)] == [
                expected for expected in (keep, ref) if expected not in gone
            ]

    async def test_working_may_be_repeated(self, wire: Wire) -> None:
        """Where the channel lacks signs, it does nothing."""
        async with running(wire) as live:
            for question in (wire.question, None):
                before = wire.signs()
                await live.do(live.adapter.working(wire.conversation, question, False))
                for on in (True, True, False, False, True, False):
                    await live.do(live.adapter.working(wire.conversation, question, on))
                seen = wire.signs() > before
                if "signs" in self.spec.lacks:
                    assert not seen, "it lacks signs, and yet people saw that work had begun"
                else:
                    assert seen or question is None, "nobody saw that work had begun"

    async def test_marking_leaves_the_words(self, wire: Wire) -> None:
        async with running(wire) as live:
            (ref,) = await live.send("The **words** of an answer.")
            (before,) = live.shown([ref])
            for rating in ("good", "good", "bad", None, None):
                await live.do(live.adapter.mark(ref, rating))
                (after,) = live.shown([ref])
                assert readable(after.text) == readable(before.text)
                assert after.buttons == ("buttons" not in self.spec.lacks)


def _is_right(how: FailHow, error: BotError) -> None:
    expected = {
        "rate_limited": Unavailable,
        "cut_after_write": OutcomeUnknown,
        "refused": Unavailable,
        "bad_token": Misconfigured,
        "gone": Rejected,
    }[how]
    assert type(error) is expected, repr(error)
    assert str(error)
    if how == "rate_limited":
        assert isinstance(error, Unavailable)
        assert error.retry_after == RETRY_AFTER
        assert error.reason == "rate_limited"
    if how == "gone":
        assert isinstance(error, Rejected)
        assert error.gone
