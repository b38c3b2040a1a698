"""Events that end questions, move or begin conversations: deletions, stops, a bot thrown out or added, a new id."""

from __future__ import annotations

from functools import partial

from bot import notices
from bot.events import Added, Deletion, Gone, HomeOpened, Moved, Stop
from bot.intake.arrival import IGNORED, Accepted, Arrival, Purpose
from bot.intake.joined import change_part
from bot.intake.replies import tell
from bot.store import conversations, out_of_order, questions, turns
from bot.store.out_of_order import EarlyChange
from bot.store.turns import Turn


def purpose_of_deletion(arrival: Arrival, event: Deletion) -> Purpose | None:
    """Tell what a deletion is to us."""
    return Purpose(handle=partial(_delete, event=event), access="open")


def purpose_of_stop(arrival: Arrival, event: Stop) -> Purpose | None:
    """Tell what a stop is to us."""
    return Purpose(handle=_stop, access="open")


def purpose_of_move(arrival: Arrival, event: Moved) -> Purpose | None:
    """Tell what a conversation's new id is to us."""
    return Purpose(handle=partial(_move, event=event), access="open")


def purpose_of_addition(arrival: Arrival, event: Added) -> Purpose | None:
    """Tell what it is to us that the bot was added somewhere."""
    return Purpose(handle=_greet, access="silence")


def purpose_of_departure(arrival: Arrival, event: Gone) -> Purpose | None:
    """Tell what it is to us that the bot was blocked, kicked or uninstalled."""
    return Purpose(handle=_leave if event.conversation_id is not None else _leave_account, access="open")


def purpose_of_home(arrival: Arrival, event: HomeOpened) -> Purpose | None:
    """Tell what an opened page is to us: it is shown after the commit, as often as it is opened."""
    return Purpose(handle=lambda _: Accepted(), access="silence", once=False)


def _delete(arrival: Arrival, event: Deletion) -> Accepted:
    turn = questions.by_message_before_a_move(arrival.tx, event.ref)
    if turn is None:  # none of ours, or one that has not arrived yet
        out_of_order.keep_change(arrival.tx, event.ref, EarlyChange(None, arrival.sent_at), arrival.now)
        return IGNORED
    changed = change_part(arrival, event, turn)
    return cancel_all(arrival, [turn]) if changed is None else changed


def _stop(arrival: Arrival) -> Accepted:
    open_questions = questions.open_in(arrival.tx, arrival.address, arrival.user)
    return cancel_all(arrival, [turn for turn in open_questions if turn.sent_at <= arrival.sent_at])


def _move(arrival: Arrival, event: Moved) -> Accepted:
    conversations.note_move(arrival.tx, arrival.address, event.new_id, arrival.now)
    return Accepted()


def _greet(arrival: Arrival) -> Accepted:
    """Say once ever in a conversation what the bot is; not in one that only has a new id."""
    tx, address = arrival.tx, arrival.address
    if arrival.unreachable:
        conversations.mark_reachable(tx, address)
    moved = address.conversation != arrival.place.conversation_id
    if moved or not arrival.ctx.config.access.greeting:
        return Accepted()
    if not arrival.crowded and not conversations.claim_greeting(tx, address, arrival.now):
        return Accepted()  # what is left out may be said another time
    spec = arrival.ctx.channels.get(address.channel)
    return tell(arrival, notices.greeting("/" if spec is None else spec.command_prefix), "greeting")


def _leave(arrival: Arrival) -> Accepted:
    conversations.mark_unreachable(arrival.tx, arrival.address, arrival.now)
    return cancel_all(arrival, questions.open_in(arrival.tx, arrival.address))


def _leave_account(arrival: Arrival) -> Accepted:
    here = (arrival.address.channel, arrival.address.account)
    open_turns = turns.open_turns(arrival.tx)
    return cancel_all(arrival, [turn for turn in open_turns if (turn.address.channel, turn.address.account) == here])


def cancel_all(arrival: Arrival, open_questions: list[Turn]) -> Accepted:
    """End questions without an answer, all but those whose answers are already on their way."""
    cancelled = [turn for turn in open_questions if turns.cancel(arrival.tx, turn.id)]
    return Accepted(lanes=tuple(turn.lane for turn in cancelled)) if cancelled else IGNORED
