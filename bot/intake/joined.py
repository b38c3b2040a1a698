"""What a person's client made several messages of is one question: the parts of a long paste, an album with its words,
a forwarded message with the comment that was sent along.

    first part ─▶ a question that waits (`ready_at`), its sign of work shown ─▶ more parts ─▶ whole, and asked
    a part after that ─▶ changes the question as an edit does, or asks all of it anew where the answer is on its way
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot import notices
from bot.events import Command, Deletion, Edit, Joins, Message
from bot.intake.arrival import IGNORED, Accepted, Arrival
from bot.intake.context import clean, own_words, without_known, words_for
from bot.intake.questions import NewQuestion, ask, problem
from bot.store import joining, out_of_order, questions, turns
from bot.store.contexts import QuestionContext
from bot.store.joining import Joining, QuestionPart
from bot.store.out_of_order import EarlyChange
from bot.store.turns import Turn

LONGEST = 5.0
"""Seconds that a question waits for its parts, at most."""
APART = 3.0
"""Seconds between two messages that belong together, by the platform's clock, at most."""
GLUE = Joins(number=0, after=0).glue
"""What stands between words that were not split."""


def goes_on(arrival: Arrival, joins: Joins | None) -> bool:
    """Whether a message is the next part of what this person has begun here."""
    begun = arrival.joining
    if begun is None or begun.thread != arrival.address.thread:
        return False
    return _follows(arrival, joins, begun.number, begun.sent_at)


def comment_of(arrival: Arrival, joins: Joins | None) -> Turn | None:
    """Return the question that a forwarded message was sent along with: the comment comes before it."""
    if joins is None or joins.kind != "forward":
        return None
    comment = questions.latest_of(arrival.tx, arrival.address, arrival.user)
    if comment is None or comment.number is None:
        return None
    return comment if _follows(arrival, joins, comment.number, comment.sent_at) else None


def _follows(arrival: Arrival, joins: Joins | None, number: int, sent_at: float) -> bool:
    return joins is not None and joins.after <= number < joins.number and abs(arrival.sent_at - sent_at) <= APART


def end_wait(arrival: Arrival, event: Message | Command) -> tuple[str, ...]:
    """Another message of the person ends the wait for parts; return the lane that has work."""
    begun, joins = arrival.joining, event.joins
    if begun is None or (joins is not None and joins.number <= begun.number):
        return ()  # nothing waits, or something is delivered again
    joining.end(arrival.tx, arrival.address, arrival.user)
    if begun.turn is None or not turns.make_ready(arrival.tx, begun.turn):
        return ()
    turn = turns.get(arrival.tx, begun.turn)
    return () if turn is None else (turn.lane,)


def take_words(arrival: Arrival, question: NewQuestion) -> Accepted:
    """Take the words of a question: ask them, or let them wait for the next part."""
    joins = arrival.joins
    if joins is None:
        return ask(arrival, question)
    if joins.kind is None:
        return ask(arrival, replace(question, number=joins.number))
    ready_at = arrival.now + arrival.ctx.config.input.join_seconds
    refusal = _refusal(arrival, question.text, question.context, joins)
    accepted = ask(arrival, replace(question, number=joins.number, ready_at=ready_at, refusal=refusal))
    turn = accepted.questions[0] if accepted.questions else None
    if turn is not None and arrival.ref is not None:
        joining.save_parts(arrival.tx, turn.id, arrival.ref, [_part(arrival, question.text, question.context, joins)])
    _note(arrival, joins, turn, arrival.now)  # the rest of what was not taken is not asked either
    return accepted


def go_on(arrival: Arrival, event: Message, turn: Turn | None) -> Accepted:
    """Take a further part of a question; None for one that was not taken, or is forgotten."""
    joins, ref, begun = arrival.joins, event.ref, arrival.joining
    assert joins is not None
    since = arrival.now if begun is None else begun.since
    words = out_of_order.find_change(arrival.tx, ref) or EarlyChange(clean(event.text), 0.0, arrival.context)
    if turn is None or turn.cancelled or words.text is None:
        _note(arrival, joins, turn, since)
        return IGNORED
    part = _part(arrival, words.text, words.context, joins)
    if turn.intent and not (part.text or part.context.items or arrival.ctx.config.context.files):
        _note(arrival, joins, turn, since)
        return IGNORED  # one more file that is not read changes nothing in an answer that is on its way
    parts = [*(joining.parts_of(arrival.tx, turn.id) or _only_part(turn)), part]
    waits = joins.kind is not None and turn.ready_at is not None
    ready_at = min(arrival.now + arrival.ctx.config.input.join_seconds, since + LONGEST) if waits else None
    accepted, changed = _ask_all(arrival, replace(turn, ready_at=ready_at), parts, joins)
    _note(arrival, joins, changed or turn, since)
    return replace(accepted, joined=joins.kind or (begun.kind if begun is not None else None))


def change_part(arrival: Arrival, event: Edit | Deletion, turn: Turn) -> Accepted | None:
    """Change the words of one message of a question, or take it out; None when no other message makes that question.

    Without any words left, the question ends.
    """
    if turn.number is None or not (parts := joining.parts_of(arrival.tx, turn.id)):
        return None
    if turn.cancelled or (turn.intent and turn.refusal is None):
        return IGNORED  # too late
    old = next((part for part in parts if part.message == event.ref.message_id), None)
    if old is None or (old.edited_at is not None and old.edited_at > arrival.sent_at):
        return IGNORED
    left = [part for part in parts if part is not old]
    if isinstance(event, Edit):
        left.append(replace(old, text=clean(event.text), context=arrival.context, edited_at=arrival.sent_at))
    else:
        joining.remove_part(arrival.tx, event.ref)
    if not words_for(whole(left), together(left), arrival.language):
        return None
    accepted, _ = _ask_all(arrival, turn, left, Joins(number=turn.number, after=0))
    return accepted


def _ask_all(arrival: Arrival, turn: Turn, parts: Sequence[QuestionPart], joins: Joins) -> tuple[Accepted, Turn | None]:
    """Give a question the words of all its parts; one whose answer is on its way is not changed, but asked anew."""
    context = without_known(arrival.tx, together(parts), turn.lane)
    words = words_for(whole(parts), context, arrival.language)
    refusal = _refusal(arrival, words, context, joins)
    if turn.intent and turn.refusal is not None and refusal is not None:
        return IGNORED, None  # it was told once
    context = replace(context, reads_thread=turn.context.reads_thread)
    new = replace(turn, text=words, context=context, number=joins.number, refusal=refusal)
    changed = turns.go_on(arrival.tx, new)
    if changed is None:
        question = NewQuestion(text=words, number=joins.number, refusal=refusal, context=context)
        accepted = ask(arrival, question)
        changed = accepted.questions[0] if accepted.questions else None
    elif changed.ready_at is not None:
        accepted = Accepted(questions=(changed,))
    else:
        accepted = Accepted(lanes=(changed.lane,))
    if changed is not None and arrival.ref is not None:
        joining.save_parts(arrival.tx, changed.id, arrival.ref, parts)
    return accepted, changed


def whole(parts: Sequence[QuestionPart]) -> str:
    """Put the words of the parts together.

    >>> first = QuestionPart(message="7", number=7, text="The text g", glue="")
    >>> whole([first, QuestionPart(message="8", number=8, text="oes on.", glue=GLUE)])
    'The text goes on.'
    """
    words, glue = "", ""
    for part in sorted(parts, key=lambda part: part.number):
        if part.text:
            words, glue = words + (glue if words else "") + part.text, part.glue
    return words


def together(parts: Sequence[QuestionPart]) -> QuestionContext:
    """Put together what goes along with the parts."""
    contexts = [part.context for part in sorted(parts, key=lambda part: part.number)]
    return QuestionContext(
        items=tuple(item for context in contexts for item in context.items),
        mentions=tuple(mention for context in contexts for mention in context.mentions),
        files=tuple(file for context in contexts for file in context.files),
    )


def _refusal(arrival: Arrival, words: str, context: QuestionContext, joins: Joins) -> str | None:
    """Say what is told instead of an answer if these are all the words that come, None for nothing."""
    if not words and context.items:
        return notices.CONTEXT_HIDDEN
    if not words and (context.files or joins.kind == "album"):
        return notices.only_attachment(reads_files=arrival.ctx.config.context.files)
    if why := problem(arrival, words):
        return why
    return notices.REST_HIDDEN if joins.rest_hidden else None


def _part(arrival: Arrival, text: str, context: QuestionContext, joins: Joins) -> QuestionPart:
    assert arrival.ref is not None
    return QuestionPart(
        message=arrival.ref.message_id,
        number=joins.number,
        text=own_words(text),
        glue=joins.glue,
        context=context,
    )


def _only_part(turn: Turn) -> list[QuestionPart]:
    """Make a part of the one message that has made a question so far."""
    if turn.question is None or turn.number is None:
        return []
    text, context = turn.text or "", replace(turn.context, reads_thread=False)
    message = turn.question.message_id
    return [QuestionPart(message=message, number=turn.number, text=own_words(text), glue=GLUE, context=context)]


def _note(arrival: Arrival, joins: Joins, turn: Turn | None, since: float) -> None:
    """Store that more may follow this message, or that nothing does."""
    if joins.kind is None:
        if arrival.joining is not None:
            joining.end(arrival.tx, arrival.address, arrival.user)
        return
    begun = Joining(
        turn=None if turn is None else turn.id,
        thread=arrival.address.thread,
        number=joins.number,
        sent_at=arrival.sent_at,
        since=since,
        kind=joins.kind,
    )
    joining.note(arrival.tx, arrival.address, arrival.user, begun)
