"""What becomes of an event: for us? seen? allowed? then handled; decided and stored in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.context import Context
from bot.events import (
    Added,
    Command,
    Comment,
    Deletion,
    Edit,
    Event,
    Gone,
    HomeOpened,
    Message,
    Moved,
    Reaction,
    Stop,
    conversation_of,
)
from bot.intake.access import Asker, Refusal, why_refused
from bot.intake.arrival import DUPLICATE, IGNORED, Accepted, Arrival, Purpose, resolve
from bot.intake.commands import purpose_of_command
from bot.intake.invitations import redeem
from bot.intake.joined import end_wait
from bot.intake.lifecycle import (
    purpose_of_addition,
    purpose_of_deletion,
    purpose_of_departure,
    purpose_of_home,
    purpose_of_move,
    purpose_of_stop,
)
from bot.intake.messages import purpose_of_edit, purpose_of_message
from bot.intake.reactions import purpose_of_comment, purpose_of_reaction
from bot.intake.replies import refuse_access
from bot.store import events
from bot.store.database import Tx

PURPOSES: dict[type, Callable[[Arrival, Any], Purpose | None]] = {
    Message: purpose_of_message,
    Edit: purpose_of_edit,
    Command: purpose_of_command,
    Reaction: purpose_of_reaction,
    Comment: purpose_of_comment,
    Deletion: purpose_of_deletion,
    Stop: purpose_of_stop,
    Moved: purpose_of_move,
    Added: purpose_of_addition,
    Gone: purpose_of_departure,
    HomeOpened: purpose_of_home,
}
"""Event type → the function that tells what such an event is to us; the key is the type of its second argument."""


def take(tx: Tx, event: Event, ctx: Context, *, full: bool, crowded: bool) -> Accepted:
    """Take in one event. `full`: as many questions are open as may be; `crowded`: as many notices wait as may.

    Raises:
        Unavailable: it is a question, and too many are open; nothing is to be stored.
    """
    # An edit that comes to another process beside its message must not miss it.
    tx.alone(*conversation_of(event))
    arrival = resolve(tx, event, ctx, full=full, crowded=crowded)
    purpose = PURPOSES[type(event)](arrival, event)
    ended: tuple[str, ...] = ()
    if arrival.joining is not None and isinstance(event, Message | Command) and not (purpose and purpose.joins):
        ended = end_wait(arrival, event)
    accepted = IGNORED if purpose is None else _carry_out(arrival, event, purpose)
    return replace(accepted, lanes=(*ended, *accepted.lanes)) if ended else accepted


def _carry_out(arrival: Arrival, event: Event, purpose: Purpose) -> Accepted:
    tx, address = arrival.tx, arrival.address
    if purpose.once and not events.note(tx, address.channel, address.account, arrival.event_id, arrival.now):
        return DUPLICATE
    if purpose.access != "open" and (why := _why_refused(arrival, event)) is not None:
        if why != "denied" and isinstance(event, Command) and (invited := redeem(arrival, event)) is not None:
            return invited
        refused = refuse_access(arrival) if purpose.access == "told" else Accepted(outcome="refused")
        return replace(refused, refused_as=why)
    return purpose.handle(arrival)


def _why_refused(arrival: Arrival, event: Event) -> Refusal | None:
    assert isinstance(event, Message | Edit | Command | Reaction | Added | HomeOpened)  # those that carry a standing
    where = event.target if isinstance(event, Reaction) else event.conversation
    asker = Asker(
        address=arrival.address,
        user=event.user_id,
        standing=event.standing,
        groups=event.groups,
        seen_as=where.conversation_id,
    )
    return why_refused(arrival, asker)
