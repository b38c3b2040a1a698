"""Messages and edits: a question, a typed command, the reason for a 👎, new words of an open question, or nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot import notices
from bot.events import Edit, Message
from bot.intake.access import is_admitted
from bot.intake.arrival import DUPLICATE, IGNORED, Accepted, Arrival, Purpose
from bot.intake.commands import COMMANDS, typed
from bot.intake.context import clean, without_known, words_for
from bot.intake.joined import change_part, comment_of, go_on, goes_on, take_words
from bot.intake.lifecycle import cancel_all
from bot.intake.loops import is_loop
from bot.intake.questions import NewQuestion, problem
from bot.intake.reactions import give_reason, reason_for
from bot.intake.replies import refuse
from bot.store import contexts, conversations, out_of_order, questions, reasons, turns
from bot.store.contexts import QuestionContext
from bot.store.out_of_order import EarlyChange
from bot.store.turns import Turn

QUESTION_MARKS = ("?", "？", "؟")


def purpose_of_message(arrival: Arrival, event: Message) -> Purpose | None:
    """Tell what a message is to us, None when it is not for us."""
    if (answer := reason_for(arrival.tx, event)) is not None:
        return Purpose(handle=partial(give_reason, answer=answer, event=event), access="open")
    if goes_on(arrival, event.joins) and typed(clean(event.text)) is None:
        return Purpose(handle=partial(_go_on, event=event), joins=True)
    if (comment := comment_of(arrival, event.joins)) is not None:
        return Purpose(handle=partial(go_on, event=event, turn=comment), joins=True)
    return Purpose(handle=partial(_take_words, event=event)) if _is_for_us(arrival, event) else None


def purpose_of_edit(arrival: Arrival, event: Edit) -> Purpose | None:
    """Tell what an edit is to us.

    One that adds the mention is a new question, and so is one that mends a question that was refused. A direct message
    was one from the beginning; if it has not arrived yet, its newest words wait for it.
    """
    if reasons.is_reason(arrival.tx, event.ref, event.user_id):
        return Purpose(handle=partial(_change_reason, event=event), access="open", once=False)
    turn = questions.by_message_before_a_move(arrival.tx, event.ref)
    if turn is not None:
        return Purpose(handle=partial(_change_question, turn=turn, event=event), access="open")
    is_direct = event.conversation.is_direct
    if event.only_adds_context:  # its message is none of ours, or has not arrived yet
        ours = is_direct or event.mentions_bot
        return Purpose(handle=partial(_keep_edit, event=event), access="open", once=False) if ours else None
    if event.mentions_bot or (is_direct and questions.was_refused(arrival.tx, event.ref)):
        return Purpose(handle=partial(_take_words, event=event))
    return Purpose(handle=partial(_keep_edit, event=event), access="open", once=False) if is_direct else None


def _is_for_us(arrival: Arrival, event: Message) -> bool:
    if event.conversation.is_direct or event.mentions_bot or event.asks:
        return True
    _, route = arrival.ctx.route_of(arrival.address)
    if route.mode == "all" or (route.mode == "questions" and event.text.rstrip().endswith(QUESTION_MARKS)):
        return not event.mentions_others
    if event.mentions_others or event.conversation.thread_id in (None, event.ref.message_id):
        return False  # nobody has asked before the root of a thread, even if it arrives late
    return questions.any_of(arrival.tx, arrival.address, event.user_id)


def _take_words(arrival: Arrival, event: Message | Edit) -> Accepted:
    """Something said to us: a typed command or a question."""
    asked = questions.by_message(arrival.tx, event.ref)
    if asked is not None and not _may_ask_again(arrival, event, asked):
        return DUPLICATE
    if isinstance(event, Message) and is_loop(arrival, event):
        return Accepted(outcome="refused", refused_as="loop")
    words = EarlyChange(clean(event.text), arrival.sent_at, arrival.context)
    edited_at = arrival.sent_at if isinstance(event, Edit) else None
    change = out_of_order.find_change(arrival.tx, event.ref)
    if change is not None:
        if change.text is None:
            return IGNORED  # deleted before it arrived
        if edited_at is None or change.sent_at > edited_at:
            words, edited_at = change, change.sent_at
    if arrival.unreachable:
        conversations.mark_reachable(arrival.tx, arrival.address)
    text = words.text or ""
    if (command := typed(text)) is not None:
        name, text = command
        if name != "ask" or not words_for(text, words.context, arrival.language):
            return COMMANDS[name](arrival, text)
    text = words_for(text, words.context, arrival.language)
    if not text and (why := _why_empty(arrival, event)):
        return refuse(arrival, why)
    question = NewQuestion(text=text, again=asked is not None, edited_at=edited_at, context=words.context)
    if event.awaits_context and arrival.joins is None and not problem(arrival, text):
        question = replace(question, ready_at=_waits_until(arrival))
    return take_words(arrival, question)


def _why_empty(arrival: Arrival, event: Message | Edit) -> str | None:
    """Say why there is nothing to ask; None where that is plain, or where more may follow."""
    if arrival.joins is not None and arrival.joins.kind is not None:
        return None
    if arrival.context.items or (isinstance(event, Message) and event.asks):
        return notices.CONTEXT_HIDDEN
    return notices.only_attachment(reads_files=arrival.ctx.config.context.files) if event.has_attachment else None


def _go_on(arrival: Arrival, event: Message) -> Accepted:
    """A further part of what the person has begun."""
    begun = arrival.joining
    assert begun is not None
    return go_on(arrival, event, None if begun.turn is None else turns.get(arrival.tx, begun.turn))


def _may_ask_again(arrival: Arrival, event: Message | Edit, asked: Turn) -> bool:
    """Whether a message that became a question may become another: by a shortcut, unless theirs is still open."""
    if not isinstance(event, Message) or not event.asks:
        return False
    return asked.asker != event.user_id or not turns.is_open(arrival.tx, asked.id)


def _keep_edit(arrival: Arrival, event: Edit) -> Accepted:
    """Keep the words of a direct message that has not arrived yet."""
    if is_admitted(arrival, event.user_id, event.standing, event.groups, event.conversation):
        change = EarlyChange(clean(event.text), arrival.sent_at, arrival.context)
        out_of_order.keep_change(arrival.tx, event.ref, change, arrival.now, event.user_id)
    return IGNORED


def _change_reason(arrival: Arrival, event: Edit) -> Accepted:
    reasons.replace_text(arrival.tx, event.ref, event.user_id, clean(event.text))
    return Accepted()


def _change_question(arrival: Arrival, turn: Turn, event: Edit) -> Accepted:
    """Give an open question its new words and what goes along with them; without a question in them it ends."""
    if turn.asker != event.user_id:
        return IGNORED
    if event.only_adds_context:
        return _add_context(arrival, turn)
    if (changed := change_part(arrival, event, turn)) is not None:
        return changed
    text = clean(event.text)
    if command := typed(text):
        if command[0] != "ask":
            return cancel_all(arrival, [turn])  # no question any more
        text = command[1]
    context = _kept(arrival, turn)
    text = words_for(text, context, arrival.language)
    if (text, context) == (turn.text, turn.context):
        return IGNORED
    if why := problem(arrival, text):
        cancelled = cancel_all(arrival, [turn])
        if not cancelled.lanes:
            return IGNORED
        return Accepted(lanes=cancelled.lanes + refuse(arrival, why).lanes)  # the turn ends as cancelled
    ready_at = _waits_until(arrival) if event.awaits_context else None
    now = turns.replace_words(arrival.tx, turn.id, text, context, arrival.sent_at, ready_at)
    if now is None:
        return IGNORED
    return Accepted(questions=() if ready_at is None else (now,))


def _add_context(arrival: Arrival, turn: Turn) -> Accepted:
    """The channel shows what a link in the words leads to: in time only while the question has not been asked."""
    context = _kept(arrival, turn)
    if context == turn.context or not contexts.add(arrival.tx, turn.id, context):
        return IGNORED
    return Accepted(lanes=(turn.lane,))


def _kept(arrival: Arrival, turn: Turn) -> QuestionContext:
    """Return what goes along now: as the event says, but for what was settled when the question was asked first."""
    context = without_known(arrival.tx, arrival.context, turn.lane)
    return replace(context, reads_thread=turn.context.reads_thread, sends_email=turn.context.sends_email)


def _waits_until(arrival: Arrival) -> float:
    """Say until when the channel may show what the links in the words lead to."""
    return arrival.now + arrival.ctx.config.input.join_seconds
