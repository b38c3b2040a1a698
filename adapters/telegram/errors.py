"""What Telegram's refusals mean to us: every error of the SDK becomes one of ours, in this one place."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Final

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    PassportDecryptionError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.shared import not_connected, seconds_asked

NOT_WRITTEN: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
"""Causes after which nothing has left this machine: there was no connection (see `bot.shared.Connector`)."""

REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("message is not modified", "not_modified"),
    ("message to edit not found", "message_gone"),
    ("message to delete not found", "message_gone"),
    ("message_id_invalid", "message_gone"),
    ("message can't be edited", "not_editable"),
    ("message can't be deleted", "not_deletable"),
    ("message to be replied not found", "reply_gone"),
    ("replied message not found", "reply_gone"),
    ("message thread not found", "thread_gone"),
    ("topic_deleted", "thread_gone"),
    ("topic_closed", "topic_closed"),
    ("reaction", "reaction_invalid"),
    ("query is too old", "query_too_old"),
    ("message is too long", "too_long"),
    ("message text is empty", "empty"),
    ("file is too big", "too_large"),
    ("file_id", "file_gone"),
    ("chat not found", "chat_gone"),
    ("user not found", "chat_gone"),
    ("peer_id_invalid", "chat_gone"),
    ("not enough rights", "no_rights"),
    ("have no rights", "no_rights"),
    ("chat_write_forbidden", "no_rights"),
    ("parse entities", "entities"),
    ("entit", "entities"),
)
"""Wording of a 400, compared loosely because it is no contract, and the bounded word we use for it. The wording is in
Telegram's own server: https://github.com/tdlib/telegram-bot-api, Client.cpp, fail_query_with_error and who calls it."""


FORM: Final = frozenset({"entities", "too_long", "empty", "bad_request"})
"""Refusals of a message's form, or of something in it that is not known: the plain form has less to refuse."""


class GroupMoved(Unavailable):
    """A group has become a supergroup: its old id is out of reach for good, `new_id` is the one it has now.

    It never leaves the adapter: sending goes on in the new group, whatever else failed had to do with the old one.
    """

    def __init__(self, call: str, new_id: int) -> None:
        super().__init__(f"The group of {call} has a new id.", status=400, reason="migrated")
        self.new_id = new_id


class StatusError(NetworkError):
    """An HTTP status that the SDK has no class for, kept as a number; `retry_after` in seconds or None."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after = retry_after


def translate(error: Exception, call: str) -> BotError:
    """Say what to do about an error of the SDK; `call` is the Bot API method, for the message.

    The SDK's own words stay out of the result: they may hold the token, the address or people's text.
    """
    match error:
        case BotError():
            return error
        case RetryAfter():
            return _limited(call, _seconds(error))
        case StatusError():
            return _by_status(error, call)
        case EndPointNotFound() | InvalidToken():
            return Misconfigured(
                f"Telegram refused the bot token at {call}; put the token BotFather gave into TELEGRAM_BOT_TOKEN.",
                status=401,
                reason="token",
            )
        case Forbidden():
            return Rejected(
                f"Telegram refused {call}: the bot was blocked, removed or may not write there.",
                status=403,
                reason="forbidden",
                gone=True,
            )
        case ChatMigrated():
            return GroupMoved(call, error.new_chat_id)
        case Conflict():
            return Unavailable(
                f"Telegram refused {call}: another program receives with this token, or a webhook is set; "
                "stop the other one, or give this bot its own token.",
                status=409,
                reason="conflict",
            )
        case PassportDecryptionError():
            return Rejected(f"Telegram answered {call} with data this bot has no use for.", reason="garbage")
        case BadRequest():  # before NetworkError, whose subclass it is
            reason = reason_of(error)
            return Rejected(
                f"Telegram refused {call} ({reason}).",
                status=400,
                reason=reason,
                gone=reason == "chat_gone",
                form=reason in FORM,
            )
        case NetworkError():
            return _by_cause(error, call)
        case _:
            # An answer arrived, but not one that can be read: what was asked for may well have been done.
            return OutcomeUnknown(f"Telegram's answer to {call} could not be read.", reason="garbage")


def reason_of(error: TelegramError) -> str:
    """Name the refusal in one bounded word."""
    description = error.message.lower()
    return next((word for part, word in REASONS if part in description), "bad_request")


def short(text: str) -> str:
    """Cut what Telegram says down to what may be shown: one line, quoted parts (people's words) left out."""
    return re.sub(r"[\"'«“].*[\"'»”]", "…", " ".join(text.split()))[:160]


def _by_status(error: StatusError, call: str) -> BotError:
    status = error.status
    if status == 429:
        return _limited(call, error.retry_after)
    if status == 504:
        return OutcomeUnknown(f"A gateway gave up on {call}; Telegram may have done it.", status=504, reason="timeout")
    if status >= 500:
        return Unavailable(f"Telegram is in trouble ({status} at {call}).", status=status, reason="server_error")
    if 300 <= status < 400:
        return Misconfigured(
            f"The address in TELEGRAM_API_URL redirects ({status} at {call}); put the final address there.",
            status=status,
            reason="redirect",
        )
    return Rejected(f"Telegram refused {call} ({status}).", status=status, reason="bad_request")


def _by_cause(error: NetworkError, call: str) -> BotError:
    cause = error.__cause__
    if isinstance(cause, NOT_WRITTEN):
        return Unavailable(f"Telegram cannot be reached for {call} ({not_connected(cause)}).", reason="connection")
    reason = "timeout" if isinstance(cause, TimeoutError) or isinstance(error, TimedOut) else "connection"
    return OutcomeUnknown(f"The call {call} was cut; Telegram may have done it.", reason=reason)


def out_of_reach(error: GroupMoved, call: str) -> Rejected:
    """Say of a group that has moved what it means for a call about something in the old one, such as a message."""
    return Rejected(f"What {call} is about is of before its group moved.", status=error.status, reason="chat_gone")


def _limited(call: str, seconds: float | None) -> Unavailable:
    return Unavailable(f"Telegram asks to wait before {call}.", status=429, reason="rate_limited", retry_after=seconds)


def _seconds(error: RetryAfter) -> float | None:
    with warnings.catch_warnings():
        # An int today, a timedelta tomorrow or with PTB_TIMEDELTA set: reading it warns of the change.
        warnings.simplefilter("ignore")
        value = error.retry_after
    return value.total_seconds() if isinstance(value, timedelta) else seconds_asked(value)
