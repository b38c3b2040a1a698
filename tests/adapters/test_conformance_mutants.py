"""The suite finds what it is for: each of these adapters breaks one clause, and that clause fails."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from bot.adapter import Check, Host, Part, Want
from bot.errors import BotError, OutcomeUnknown, Rejected, Unavailable
from bot.events import (
    Answer,
    Conversation,
    Event,
    Home,
    Joins,
    Message,
    MessageRef,
    Outbound,
    Rating,
    Reaction,
)
from bot.testing import payload_files
from bot.testing.conformance import AdapterConformance
from tests import PAYLOADS
from tests.adapters.fake_wire import FakeWire
from tests.adapters.test_conformance import TestFakeChannel as Conforming
from tests.fakes.adapter import FakeAdapter
from tests.fakes.channel import ChannelError

_count = itertools.count()


class AcknowledgesBeforeItIsSafe(FakeAdapter):
    async def take_in(self, host: Host, payload: Any) -> None:
        self.task = asyncio.ensure_future(super().take_in(host, payload))


class SwallowsTheCoresRefusal(FakeAdapter):
    async def take_in(self, host: Host, payload: Any) -> None:
        try:
            await super().take_in(host, payload)
        except Unavailable:
            return


class MakesAnIdPerDelivery(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        return [replace(event, event_id=f"{event.event_id}-{next(_count)}") for event in super().normalize(payload)]


class HearsItself(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        return super().normalize({**payload, "user_id": "U2"} if payload.get("user_id") == "BOT" else payload)


class TakesTheTextForTheId(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        found = super().normalize(payload)
        return [replace(event, event_id=f"t:{payload['text']}") if "text" in payload else event for event in found]


class Joining(FakeAdapter):
    """Changes what messages belong together with."""

    def changed(self, joins: Joins) -> Joins | None:
        raise NotImplementedError

    def normalize(self, payload: Any) -> list[Event]:
        return [
            replace(event, joins=self.changed(event.joins)) if isinstance(event, Message) and event.joins else event
            for event in super().normalize(payload)
        ]


class NumbersAsItLikes(Joining):
    def changed(self, joins: Joins) -> Joins:
        return replace(joins, number=1000 - joins.number, after=0)


class FollowsNobody(Joining):
    def changed(self, joins: Joins) -> Joins:
        return replace(joins, number=10 * joins.number, after=10 * joins.number - 1)


class WaitsForMoreOfEverything(Joining):
    def changed(self, joins: Joins) -> Joins:
        return replace(joins, kind="paste")


class WaitsForNothing(Joining):
    def changed(self, joins: Joins) -> Joins:
        return replace(joins, kind=None)


class SaysItOfLongMessagesAlone(Joining):
    def changed(self, joins: Joins) -> Joins | None:
        return joins if joins.kind else None


class LosesRemovals(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        return [
            replace(event, added=True) if isinstance(event, Reaction) else event for event in super().normalize(payload)
        ]


class IdsAReactionByItsTarget(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        found = super().normalize(payload)
        return [
            replace(event, event_id=f"{event.target.message_id}:{event.emoji}:{event.added}")
            if isinstance(event, Reaction)
            else event
            for event in found
        ]


class NamesTheConversationOnlyByThread(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        ref = await super().send(conversation, part, delivery_id, reply_to, note=note)
        return replace(ref, conversation_id=f"{conversation.conversation_id}/{conversation.thread_id or ''}")


class TakesAClickForAReaction(FakeAdapter):
    def normalize(self, payload: Any) -> list[Event]:
        return [
            replace(event, button=False) if isinstance(event, Reaction) else event
            for event in super().normalize(payload)
        ]


class ChokesOnPoison(FakeAdapter):
    async def take_in(self, host: Host, payload: Any) -> None:
        for event in self.normalize(payload):
            await host.handle(event)


class DropsPoisonUnstored(FakeAdapter):
    async def take_in(self, host: Host, payload: Any) -> None:
        try:
            await super().take_in(host, payload)
        except Unavailable:
            if payload.get("id") != "poison-1":
                raise


class SetsPoisonAsideDifferentlyEachTime(FakeAdapter):
    async def take_in(self, host: Host, payload: Any) -> None:
        poison = payload.get("id") == "poison-1"
        await super().take_in(host, {**payload, "received": next(_count)} if poison else payload)


class CutsLongAnswers(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return super().render(outbound, plain=plain, after=after)[:1]


class IgnoresTheLimit(FakeAdapter):
    def split(self, text: str) -> list[str]:
        self.platform.limit = 10**9
        return [self.escape(text[: len(text) // 2]), self.escape(text[len(text) // 2 :])] if len(text) > 999 else [text]


class SendsTheLastPartFirst(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return list(reversed(super().render(outbound, plain=plain, after=after)))


class PutsButtonsOnEveryPart(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return [
            {**part, "buttons": isinstance(outbound, Answer)}
            for part in super().render(outbound, plain=plain, after=after)
        ]


class EscapesNothing(FakeAdapter):
    def escape(self, text: str) -> str:
        return text


class DropsWhatLooksLikeMarkup(FakeAdapter):
    def escape(self, text: str) -> str:
        return super().escape(re.sub("<[^>]*>", "", text))


class RendersNoHome(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return [] if isinstance(outbound, Home) else super().render(outbound, plain=plain, after=after)


class RendersTuples(FakeAdapter):
    def part(self, kind: str, raw: str, *, buttons: bool, styled: bool) -> Part:
        return {**super().part(kind, raw, buttons=buttons, styled=styled), "styles": ("plain",)}


class NumbersItsParts(FakeAdapter):
    def part(self, kind: str, raw: str, *, buttons: bool, styled: bool) -> Part:
        return {**super().part(kind, raw, buttons=buttons, styled=styled), "number": next(_count)}


class ForgetsTheThread(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        return await super().send(replace(conversation, thread_id=None), part, delivery_id, reply_to, note=note)


class FailsWithoutItsQuestion(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        if reply_to is not None and reply_to.message_id not in self.platform.known:
            raise Rejected("The message to reply to is gone.")
        return await super().send(conversation, part, delivery_id, reply_to, note=note)


class TriesAgainByItself(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        try:
            return await super().send(conversation, part, delivery_id, reply_to, note=note)
        except Unavailable:
            return await super().send(conversation, part, delivery_id, reply_to, note=note)


class ForgetsHowLongToWait(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        found = super().mapped(error)
        if isinstance(found, Unavailable):
            found.retry_after = None
        return found


class TakesACutForARefusal(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        found = super().mapped(error)
        return Unavailable(str(found)) if isinstance(found, OutcomeUnknown) else found


class TakesARefusalForACut(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        return OutcomeUnknown("Cut.") if error.how == "refused" else super().mapped(error)


class DoesNotSayGone(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        return Rejected("No.") if error.how == "gone" else super().mapped(error)


class TakesABadTokenForAnOutage(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        return Unavailable("No.") if error.how == "bad_token" else super().mapped(error)


class LetsAnErrorOfTheSdkOut(FakeAdapter):
    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        await self.platform.update(ref, rating)


class SaysAbsentWhereItCannotKnow(FakeAdapter):
    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        return []


class FindsAnything(FakeAdapter):
    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        return [message.ref for message in self.platform.visible()][-1:]


class CannotDeleteTwice(FakeAdapter):
    async def delete(self, ref: MessageRef) -> None:
        if not await self.platform.delete(ref):
            raise Rejected("There is no such message.")


class WorksInSilence(FakeAdapter):
    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        return


class EndsNoWorkItHasNotBegun(FakeAdapter):
    begun: set[Conversation]

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        self.begun = getattr(self, "begun", set())
        if on:
            self.begun.add(conversation)
        else:
            self.begun.remove(conversation)
        await super().working(conversation, question, on)


class MarksInTheText(FakeAdapter):
    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        await super().mark(ref, rating)
        for message in self.platform.visible():
            message.raw += f" ({rating})"


class LeavesATaskBehind(FakeAdapter):
    async def run(self, host: Host) -> None:
        self.task = asyncio.ensure_future(asyncio.Event().wait())
        await super().run(host)


class KeepsTypingForEver(FakeAdapter):
    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        await super().working(conversation, question, on)
        if on:
            self.task = asyncio.ensure_future(asyncio.Event().wait())


class KnowsItsMessagesByHeart(FakeAdapter):
    async def delete(self, ref: MessageRef) -> None:
        if ref in getattr(self, "mine", []):
            await super().delete(ref)

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        ref = await super().send(conversation, part, delivery_id, reply_to, note=note)
        self.mine = [*getattr(self, "mine", []), ref]
        return ref


class ChecksNothing(FakeAdapter):
    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        return [Check(check="fake account", status="ok", detail="fine")]


class CheckRaises(FakeAdapter):
    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        with self.errors():
            return [Check(check="fake account", status="ok", detail=await self.platform.whoami())]


class HasAnotherName(FakeAdapter):
    channel = "fade"


Suite = AdapterConformance

MUTANTS: Final[list[tuple[type[FakeAdapter], Callable[..., Any]]]] = [
    (AcknowledgesBeforeItIsSafe, Suite.test_acknowledged_only_after_handle_returned),
    (SwallowsTheCoresRefusal, Suite.test_not_acknowledged_if_handle_raised),
    (MakesAnIdPerDelivery, Suite.test_recorded_payload_becomes_exactly_its_events),
    (HearsItself, Suite.test_recorded_payload_becomes_exactly_its_events),
    (TakesTheTextForTheId, Suite.test_the_same_words_twice_are_two_messages),
    (LosesRemovals, Suite.test_put_taken_off_and_put_again_are_three_happenings),
    (IdsAReactionByItsTarget, Suite.test_put_taken_off_and_put_again_are_three_happenings),
    (NamesTheConversationOnlyByThread, Suite.test_a_reaction_has_the_sent_message_as_target),
    (TakesAClickForAReaction, Suite.test_a_click_has_the_sent_message_as_target),
    (ChokesOnPoison, Suite.test_what_cannot_be_normalised_is_set_aside_and_the_others_go_on),
    (DropsPoisonUnstored, Suite.test_poison_is_not_acknowledged_until_it_is_safe),
    (SetsPoisonAsideDifferentlyEachTime, Suite.test_what_cannot_be_normalised_is_set_aside_and_the_others_go_on),
    (CutsLongAnswers, Suite.test_a_long_answer_arrives_whole_and_in_order),
    (IgnoresTheLimit, Suite.test_a_long_answer_arrives_whole_and_in_order),
    (SendsTheLastPartFirst, Suite.test_a_long_answer_arrives_whole_and_in_order),
    (PutsButtonsOnEveryPart, Suite.test_buttons_only_on_the_last_part_of_an_answer),
    (EscapesNothing, Suite.test_markup_in_an_answer_stays_text),
    (EscapesNothing, Suite.test_the_askers_words_stay_text_too),
    (DropsWhatLooksLikeMarkup, Suite.test_markup_in_an_answer_stays_text),
    (RendersNoHome, Suite.test_parts_are_json_and_rendering_is_pure),
    (RendersTuples, Suite.test_parts_are_json_and_rendering_is_pure),
    (NumbersItsParts, Suite.test_parts_are_json_and_rendering_is_pure),
    (ForgetsTheThread, Suite.test_a_ref_names_the_message_where_it_stands),
    (FailsWithoutItsQuestion, Suite.test_a_reply_answers_its_message_and_survives_its_loss),
    (TriesAgainByItself, Suite.test_one_attempt_and_the_right_error),
    (ForgetsHowLongToWait, Suite.test_one_attempt_and_the_right_error),
    (TakesACutForARefusal, Suite.test_one_attempt_and_the_right_error),
    (TakesARefusalForACut, Suite.test_one_attempt_and_the_right_error),
    (DoesNotSayGone, Suite.test_one_attempt_and_the_right_error),
    (TakesABadTokenForAnOutage, Suite.test_one_attempt_and_the_right_error),
    (LetsAnErrorOfTheSdkOut, Suite.test_nothing_but_our_errors_leaves_any_method),
    (SaysAbsentWhereItCannotKnow, Suite.test_a_sent_part_is_found_by_its_delivery_id),
    (FindsAnything, Suite.test_a_sent_part_is_found_by_its_delivery_id),
    (CannotDeleteTwice, Suite.test_delete_removes_and_may_be_repeated),
    (WorksInSilence, Suite.test_working_may_be_repeated),
    (EndsNoWorkItHasNotBegun, Suite.test_working_may_be_repeated),
    (MarksInTheText, Suite.test_marking_leaves_the_words),
    (LeavesATaskBehind, Suite.test_cancelling_run_leaves_no_task_behind),
    (KeepsTypingForEver, Suite.test_cancelling_run_leaves_no_task_behind),
    (KnowsItsMessagesByHeart, Suite.test_a_restart_loses_nothing_the_adapter_needs),
    (ChecksNothing, Suite.test_check_names_the_account),
    (CheckRaises, Suite.test_check_raises_nothing),
    (NumbersAsItLikes, Suite.test_messages_say_what_they_belong_together_with),
    (FollowsNobody, Suite.test_messages_say_what_they_belong_together_with),
    (WaitsForMoreOfEverything, Suite.test_messages_say_what_they_belong_together_with),
    (WaitsForNothing, Suite.test_messages_say_what_they_belong_together_with),
    (SaysItOfLongMessagesAlone, Suite.test_messages_say_what_they_belong_together_with),
    (HasAnotherName, Suite.test_registered_under_the_name_it_carries),
]


def variants(clause: Callable[..., Any]) -> list[dict[str, Any]]:
    """List the parameters the clause is run with."""
    if "case" in clause.__code__.co_varnames:
        return [{"case": case} for case in payload_files.load(PAYLOADS / "fake")]
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(clause, "pytestmark", []):
        names, values = mark.args
        if isinstance(names, str):
            found = [{names: value} for value in values]
        else:
            found = [dict(zip(names, value, strict=True)) for value in values]
    return found


async def failures(adapter_class: type[FakeAdapter], clause: Callable[..., Any]) -> list[BaseException]:
    """Run one clause with all its parameters; list how it failed."""
    found: list[BaseException] = []
    for parameters in variants(clause):
        wire = FakeWire(adapter_class=adapter_class)
        try:
            await clause(Conforming(), wire=wire, **parameters)
        except (Exception, pytest.fail.Exception) as error:  # whatever it is, the test that meets it fails
            found.append(error)
        mine = asyncio.current_task()
        for task in asyncio.all_tasks() - {mine}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return found


async def finds(mutant: type[FakeAdapter], clause: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Say whether the clause fails for the mutant, and for it alone."""
    if mutant is not HasAnotherName:
        assert await failures(FakeAdapter, clause) == [], "the clause must fail for the mutant alone"
    # Those who hang would hang for the suite's patience.
    monkeypatch.setattr("bot.testing.live.LEAVING", 0.2)
    return bool(await failures(mutant, clause))


def named(mutants: list[tuple[type[FakeAdapter], Callable[..., Any]]]) -> list[str]:
    """Name each pair for pytest."""
    return [f"{mutant.__name__}-{clause.__name__[5:25]}" for mutant, clause in mutants]


@pytest.mark.parametrize(("mutant", "clause"), MUTANTS, ids=named(MUTANTS))
async def test_the_mutant_fails(
    mutant: type[FakeAdapter], clause: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await finds(mutant, clause, monkeypatch), f"{clause.__name__} does not find it"
