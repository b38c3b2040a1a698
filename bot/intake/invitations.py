"""`/start CODE`: a person who is not admitted has an invitation."""

from __future__ import annotations

import re
from typing import Final

from bot import notices
from bot.events import Command
from bot.intake.arrival import Accepted, Arrival
from bot.intake.replies import tell
from bot.store import conversations, invitations

CODE: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")
"""At least 128 bits in six bits a character; what a link `?start=` takes (https://core.telegram.org/bots/features#deep-linking)."""


def redeem(arrival: Arrival, event: Command) -> Accepted | None:
    """Admit who sends a good code; say so of a wrong one; None where no code was sent, or too many wrong ones were."""
    code = event.args.strip()
    if event.name != "start" or not event.conversation.is_direct or CODE.fullmatch(code) is None:
        return None
    if arrival.unreachable:
        conversations.mark_reachable(arrival.tx, arrival.address)
    who = (arrival.address.channel, arrival.address.account, event.user_id)
    admitted = invitations.redeem(arrival.tx, code, who, arrival.now)
    if admitted is None:
        return None
    return tell(arrival, notices.INVITED if admitted else notices.INVITATION_WRONG, "info")
