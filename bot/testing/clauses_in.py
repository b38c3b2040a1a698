"""What comes in: payloads become exactly their events, and are acknowledged when these are safe."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from bot.adapter import ChannelSpec
from bot.events import Message, Reaction
from bot.testing import payload_files
from bot.testing.capabilities import needs
from bot.testing.live import Live, running
from bot.testing.payload_files import PayloadCase
from bot.testing.wire import Wire


class InboundClauses:
    """The clauses; `AdapterConformance` has them."""

    spec: ChannelSpec
    payloads: Path

    def test_there_are_recorded_payloads(self) -> None:
        cases = payload_files.load(self.payloads)
        assert [case for case in cases if case.events], "no payload becomes an event"
        assert [case for case in cases if not case.events], "no payload is ignored"

    async def test_recorded_payload_becomes_exactly_its_events(self, wire: Wire, case: PayloadCase) -> None:
        """And so it does when it is delivered again, whatever the core says to it."""
        async with running(wire) as live:
            first = await live.receive(case.payload)
            assert first == list(case.events), case.about
            ids = [event.event_id for event in first]
            assert len(set(ids)) == len(ids), "two events of one payload have the same id"
            assert await live.receive(case.payload) == first, "a redelivery became something else"

    async def test_a_message_comes_in_whole(self, wire: Wire) -> None:
        async with running(wire) as live:
            text = "Where is the key & <b>why</b>?"
            (event,) = await live.receive(wire.message(text))
            assert isinstance(event, Message)
            assert event.text == text
            assert event.user_id == wire.asker_id
            assert event.conversation == wire.conversation
            assert event.ref.conversation_id == wire.conversation.conversation_id
            assert event.sent_at.utcoffset() is not None

    async def test_the_same_words_twice_are_two_messages(self, wire: Wire) -> None:
        async with running(wire) as live:
            (first,) = await live.receive(wire.message("again"))
            (second,) = await live.receive(wire.message("again"))
            assert isinstance(first, Message)
            assert isinstance(second, Message)
            assert first.event_id != second.event_id
            assert first.ref != second.ref
            assert first.sent_at <= second.sent_at

    async def test_messages_say_what_they_belong_together_with(self, wire: Wire) -> None:
        """All of them, where people's clients split what is too long for one; else none."""
        async with running(wire) as live:
            first, second, full = [
                (await live.receive(wire.message(text)))[0] for text in ("one", "two", "x" * wire.limit)
            ]
            assert isinstance(first, Message)
            assert isinstance(second, Message)
            assert isinstance(full, Message)
            if first.joins is second.joins is full.joins is None:
                return
            assert first.joins is not None
            assert second.joins is not None
            assert full.joins is not None, "some messages say it and some do not"
            assert first.joins.after < first.joins.number, "a message follows itself"
            assert first.joins.number < second.joins.number < full.joins.number, "a later message has a higher number"
            assert second.joins.after <= first.joins.number, "the second message does not follow the first"
            assert (first.joins.kind, second.joins.kind) == (None, None), "a short message waits for more"
            assert full.joins.kind == "paste", "nothing waits for the rest of a message that is full"
            assert full.text == "x" * wire.limit

    async def test_acknowledged_only_after_handle_returned(self, wire: Wire) -> None:
        async with running(wire) as live:
            live.host.hold = asyncio.Event()
            delivery = asyncio.ensure_future(live.deliver(wire.message("hold on")))
            await live.host.wait_for(lambda: live.host.deliveries)
            await asyncio.wait({delivery}, timeout=0.3)
            assert not delivery.done(), "acknowledged before the event was safe"
            live.host.recover()
            assert await delivery, "not acknowledged although the event was safe"
            assert len(live.host.events) == 1

    async def test_not_acknowledged_if_handle_raised(self, wire: Wire) -> None:
        """And taken in when the platform delivers again."""
        async with running(wire) as live:
            payload = wire.message("not now")
            live.host.fail()
            assert not await live.deliver(payload), "acknowledged although nothing was stored"
            assert live.host.deliveries, "never handed to the core"
        wire.host.recover()
        async with running(wire) as live:
            assert await live.deliver(payload)
            await live.host.wait_for(lambda: live.host.events)
            assert len(live.host.events) == 1

    async def test_what_cannot_be_normalised_is_set_aside_and_the_others_go_on(self, wire: Wire) -> None:
        async with running(wire) as live:
            poison = wire.poison()
            assert await live.deliver(poison), "a poison payload would come back for ever"
            (aside,) = live.host.set_aside_payloads
            assert aside.channel == self.spec.name
            assert aside.account_id == wire.conversation.account_id
            assert aside.raw
            assert aside.reason
            assert not live.host.deliveries
            (event,) = await live.receive(wire.message("good"))
            assert isinstance(event, Message)
            assert await live.deliver(poison)
            assert len(live.host.set_aside_payloads) == 1, "set aside twice: its raw bytes are not the same"

    async def test_poison_is_not_acknowledged_until_it_is_safe(self, wire: Wire) -> None:
        async with running(wire) as live:
            poison = wire.poison()
            live.host.fail()
            assert not await live.deliver(poison)
        wire.host.recover()
        async with running(wire) as live:
            assert await live.deliver(poison)
            await live.host.wait_for(lambda: live.host.set_aside_payloads)

    @needs("reactions")
    async def test_a_reaction_has_the_sent_message_as_target(self, wire: Wire) -> None:
        """On any part, in a thread too: the property that feedback hangs on."""
        async with running(wire) as live:
            refs = await live.send(" ".join(f"word{n:05}" for n in range(wire.limit // 5)))
            assert len(refs) > 1
            for conversation in live.conversations()[1:]:
                refs += await live.send("In a thread.", conversation)
            live.shown(refs)
            for ref in refs:
                event = await _reaction(live, wire.reaction_to(ref))
                assert event.target == ref
                assert (event.emoji, event.added, event.button) == ("👍", True, False)
                assert event.user_id == wire.asker_id

    @needs("reactions")
    async def test_put_taken_off_and_put_again_are_three_happenings(self, wire: Wire) -> None:
        async with running(wire) as live:
            (ref,) = await live.send("An answer.")
            events = []
            for added in (True, False, True):
                event = await _reaction(live, wire.reaction_to(ref, "👎", added=added))
                assert (event.emoji, event.added, event.target) == ("👎", added, ref)
                events.append(event)
            assert len({event.event_id for event in events}) == 3

    @needs("buttons")
    @pytest.mark.parametrize(("rating", "emoji"), [("good", "👍"), ("bad", "👎")])
    async def test_a_click_has_the_sent_message_as_target(
        self, wire: Wire, rating: Literal["good", "bad"], emoji: str
    ) -> None:
        async with running(wire) as live:
            refs = await live.send(" ".join(f"word{n:05}" for n in range(wire.limit // 5)))
            live.shown(refs)
            event = await _reaction(live, wire.click_on(refs[-1], rating))
            assert event.target == refs[-1]
            assert (event.emoji, event.added, event.button) == (emoji, True, True)
            assert event.user_id == wire.asker_id

    @needs("buttons")
    async def test_two_clicks_are_two_happenings(self, wire: Wire) -> None:
        async with running(wire) as live:
            (ref,) = await live.send("An answer.")
            first = await _reaction(live, wire.click_on(ref, "bad"))
            second = await _reaction(live, wire.click_on(ref, "good"))
            assert first.event_id != second.event_id


async def _reaction(live: Live, payload: object) -> Reaction:
    (event,) = await live.receive(payload)
    assert isinstance(event, Reaction), event
    return event
