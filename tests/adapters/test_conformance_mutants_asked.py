"""The suite finds what it is for, in what can be asked of a channel and in the plain form: each breaks one clause."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from bot.adapter import FILE_BYTES, NOTE_UNITS, Part
from bot.errors import BotError, Rejected
from bot.events import Answer, Conversation, EarlierMessage, File, MessageRef, Outbound, Person
from bot.testing.conformance import AdapterConformance as Suite
from tests.adapters.test_conformance_mutants import ForgetsHowLongToWait, NumbersItsParts, finds, named
from tests.fakes.adapter import FakeAdapter
from tests.fakes.channel import ChannelError

_count = itertools.count()


class HasNoPlainForm(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return super().render(outbound)


class OnlyThePlainFormIsPure(FakeAdapter):
    def part(self, kind: str, raw: str, *, buttons: bool, styled: bool) -> Part:
        part = super().part(kind, raw, buttons=buttons, styled=styled)
        return part if styled else {**part, "number": next(_count)}


class CutsThePlainForm(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        parts = super().render(outbound, plain=plain, after=after)
        return parts[:1] if plain else parts


class TurnsThePlainFormRound(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        parts = super().render(outbound, plain=plain, after=after)
        return list(reversed(parts)) if plain else parts


class PutsButtonsOnEveryPlainPart(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        parts = super().render(outbound, plain=plain, after=after)
        return [{**part, "buttons": True} for part in parts] if plain else parts


class DoesNotSplitThePlainForm(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        if plain:
            self.platform.limit = 10**9
        return super().render(outbound, plain=plain, after=after)


class EscapesOnlyTheStyledForm(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        parts = super().render(outbound, plain=plain, after=after)
        return [{**part, "raw": html.unescape(str(part["raw"]))} for part in parts] if plain else parts


class DropsCodeFromThePlainForm(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        if plain and isinstance(outbound, Answer):
            outbound = replace(outbound, text=re.sub(r"```.*```|`.*?`", "", outbound.text, flags=re.DOTALL))
        return super().render(outbound, plain=plain, after=after)


class ReadsNoPartOfALaterVersion(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        assert set(part) == {"kind", "raw", "buttons", "styled"}
        return await super().send(conversation, part, delivery_id, reply_to, note=note)


class SendsAgainWhatWasSent(FakeAdapter):
    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        return super().render(outbound, plain=plain)


class LeavesNoRoomForANote(FakeAdapter):
    def split(self, text: str) -> list[str]:
        self.platform.limit += NOTE_UNITS + 2
        try:
            return super().split(text)
        finally:
            self.platform.limit -= NOTE_UNITS + 2


class DropsTheNote(FakeAdapter):
    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        return await super().send(conversation, part, delivery_id, reply_to)


class Told(FakeAdapter):
    """Changes what was told of a history."""

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        told = await super().earlier(conversation, before, limit)
        return None if told is None else self.changed(told)

    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        raise NotImplementedError


class TellsTheNewestFirst(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return list(reversed(told))


class TakesOursForAPersons(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, by_us=False, user_id=message.user_id or "BOT") for message in told]


class TakesAPersonsForOurs(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, by_us=True) for message in told]


class LeavesItsOwnMessagesOut(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [message for message in told if not message.by_us]


class TellsItWithItsMarkup(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, text=self.escape(message.text)) for message in told]


class TellsItWithoutAZone(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, sent_at=message.sent_at.replace(tzinfo=None)) for message in told]


class TellsOneRefForAll(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, ref=told[0].ref) for message in told]


class TellsItOfAnotherConversation(Told):
    def changed(self, told: Sequence[EarlierMessage]) -> Sequence[EarlierMessage]:
        return [replace(message, ref=replace(message.ref, conversation_id="elsewhere")) for message in told]


class KeepsTheOldest(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        told = await super().earlier(conversation, before, 100)
        return None if told is None else told[:limit]


class TellsAllThereIs(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        return await super().earlier(conversation, before, 100)


class TellsWhatCameLater(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        newest = [m for m in self.platform.visible() if m.conversation == conversation]
        return await super().earlier(conversation, newest[-1].ref if newest else before, limit)


class TellsNothing(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        return None


class TakesAnOutageForASilence(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        try:
            return await super().earlier(conversation, before, limit)
        except BotError:
            return None


class LetsAnErrorOutOfEarlier(FakeAdapter):
    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        await self.platform.history(conversation, before)
        return []


class OpensTheBeginning(FakeAdapter):
    async def open(self, file: File) -> bytes:
        return (await super().open(file))[:65536]


class CutsWhatIsTooLarge(FakeAdapter):
    async def open(self, file: File) -> bytes:
        with self.errors():
            chunks = [chunk async for chunk in self.platform.download(file.file_id)]
        return b"".join(chunks)[:FILE_BYTES]


class BelievesTheClaimedSize(FakeAdapter):
    async def open(self, file: File) -> bytes:
        if file.size is None or file.size > FILE_BYTES:
            raise Rejected("The file is too large.", reason="too_large")
        with self.errors():
            return b"".join([chunk async for chunk in self.platform.download(file.file_id)])


class OpensNothingForNoFile(FakeAdapter):
    def mapped(self, error: ChannelError) -> BotError:
        raise _NoFileError if error.how == "no_file" else super().mapped(error)

    async def open(self, file: File) -> bytes:
        try:
            return await super().open(file)
        except _NoFileError:
            return b""


class _NoFileError(BotError):
    pass


class TakesAnOutageForALostFile(FakeAdapter):
    async def open(self, file: File) -> bytes:
        try:
            return await super().open(file)
        except BotError as error:
            raise Rejected("There is no such file.") from error


class LetsAnErrorOutOfOpen(FakeAdapter):
    async def open(self, file: File) -> bytes:
        return b"".join([chunk async for chunk in self.platform.download(file.file_id)])


class NamesNobody(FakeAdapter):
    async def person(self, account_id: str, user_id: str) -> Person | None:
        return None


class NamesPeopleByTheirIds(FakeAdapter):
    async def person(self, account_id: str, user_id: str) -> Person | None:
        return Person(name=user_id)


class NamesStrangers(FakeAdapter):
    async def person(self, account_id: str, user_id: str) -> Person | None:
        return await super().person(account_id, user_id) or Person(name="Somebody")


class TakesAnOutageForNobody(FakeAdapter):
    async def person(self, account_id: str, user_id: str) -> Person | None:
        try:
            return await super().person(account_id, user_id)
        except BotError:
            return None


class LetsAnErrorOutOfPerson(FakeAdapter):
    async def person(self, account_id: str, user_id: str) -> Person | None:
        return Person(name=str(await self.platform.name_of(user_id)))


MUTANTS: Final[list[tuple[type[FakeAdapter], Callable[..., Any]]]] = [
    (SendsAgainWhatWasSent, Suite.test_the_plain_form_of_the_rest_begins_where_the_other_ended),
    (LeavesNoRoomForANote, Suite.test_every_part_of_an_answer_has_room_for_a_note),
    (DropsTheNote, Suite.test_every_part_of_an_answer_has_room_for_a_note),
    (HasNoPlainForm, Suite.test_the_plain_form_is_text_alone),
    (DropsCodeFromThePlainForm, Suite.test_the_plain_form_is_text_alone),
    (OnlyThePlainFormIsPure, Suite.test_plain_parts_are_json_and_rendering_is_pure),
    (CutsThePlainForm, Suite.test_a_long_plain_answer_arrives_whole_and_in_order),
    (TurnsThePlainFormRound, Suite.test_a_long_plain_answer_arrives_whole_and_in_order),
    (PutsButtonsOnEveryPlainPart, Suite.test_a_long_plain_answer_arrives_whole_and_in_order),
    (DoesNotSplitThePlainForm, Suite.test_a_long_plain_answer_arrives_whole_and_in_order),
    (EscapesOnlyTheStyledForm, Suite.test_nothing_in_the_plain_form_is_live),
    (ReadsNoPartOfALaterVersion, Suite.test_parts_are_typed_inside_and_json_outside),
    (NumbersItsParts, Suite.test_parts_are_typed_inside_and_json_outside),
    (TellsTheNewestFirst, Suite.test_earlier_tells_what_was_said_before),
    (TakesAPersonsForOurs, Suite.test_earlier_tells_what_was_said_before),
    (TellsItWithItsMarkup, Suite.test_earlier_tells_what_was_said_before),
    (TellsItWithoutAZone, Suite.test_earlier_tells_what_was_said_before),
    (TellsOneRefForAll, Suite.test_earlier_tells_what_was_said_before),
    (TellsItOfAnotherConversation, Suite.test_earlier_tells_what_was_said_before),
    (TellsNothing, Suite.test_earlier_tells_what_was_said_before),
    (KeepsTheOldest, Suite.test_earlier_keeps_the_newest),
    (TellsAllThereIs, Suite.test_earlier_keeps_the_newest),
    (TakesOursForAPersons, Suite.test_earlier_tells_our_messages_from_theirs),
    (LeavesItsOwnMessagesOut, Suite.test_earlier_tells_our_messages_from_theirs),
    (TellsWhatCameLater, Suite.test_earlier_tells_our_messages_from_theirs),
    (TakesAnOutageForASilence, Suite.test_what_is_asked_for_fails_with_the_right_error),
    (ForgetsHowLongToWait, Suite.test_what_is_asked_for_fails_with_the_right_error),
    (TakesAnOutageForALostFile, Suite.test_what_is_asked_for_fails_with_the_right_error),
    (TakesAnOutageForNobody, Suite.test_what_is_asked_for_fails_with_the_right_error),
    (LetsAnErrorOutOfEarlier, Suite.test_nothing_but_our_errors_leaves_any_method),
    (LetsAnErrorOutOfOpen, Suite.test_nothing_but_our_errors_leaves_any_method),
    (LetsAnErrorOutOfPerson, Suite.test_nothing_but_our_errors_leaves_any_method),
    (OpensTheBeginning, Suite.test_a_file_is_opened_whole),
    (CutsWhatIsTooLarge, Suite.test_a_file_that_is_too_large_or_gone_is_refused),
    (BelievesTheClaimedSize, Suite.test_a_file_that_is_too_large_or_gone_is_refused),
    (OpensNothingForNoFile, Suite.test_a_file_that_is_too_large_or_gone_is_refused),
    (NamesNobody, Suite.test_a_person_is_named),
    (NamesPeopleByTheirIds, Suite.test_a_person_is_named),
    (NamesStrangers, Suite.test_a_person_is_named),
]


@pytest.mark.parametrize(("mutant", "clause"), MUTANTS, ids=named(MUTANTS))
async def test_the_mutant_fails(
    mutant: type[FakeAdapter], clause: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await finds(mutant, clause, monkeypatch), f"{clause.__name__} does not find it"
