"""`ask`: one question to the API, submitted and polled as the bot does it."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bot.cli.output import Json, api, config, document, note, progress, say
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.api.client import ApiClient
    from bot.api.models import ChatStatus, Submitted

NOT_FOUND_SECONDS = 5.0
"""So long after its submit a request may still be unknown to the API that took it."""


async def ask(
    *question: str,
    session: str | None = None,
    language: str | None = None,
    timeout: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,  # noqa: ASYNC109  # an option's name
    json: Json = False,
) -> int:
    """Ask the assistant one question and print its answer. No database and no running bot is needed.

    Example: uppzy-bot ask "How long do I have to send something back?"

    Parameters
    ----------
    question
        The question; quotes keep the shell from reading it.
    session
        Go on with this session (printed with --json); a new one without it.
    language
        Language of the answer, such as en.
    timeout
        Seconds until it is given up; BOT_GIVE_UP without it.
    """
    text = " ".join(question).strip()
    if not text:
        note("There is no question; write it in quotes after ask. See: uppzy-bot ask --help")
        return 2
    settings = config("api")
    session_id = session or str(uuid.uuid4())
    limit = timeout or settings.give_up
    began = time.monotonic()
    trouble = WaitTrouble(limit)
    async with api(settings) as client:
        with progress("asking") as words:
            try:
                async with asyncio.timeout(limit):
                    request_id, status = await _turn(client, session_id, text, language, words, trouble)
            except TimeoutError:
                raise Unavailable(trouble.sentence()) from None
    seconds = round(time.monotonic() - began, 3)
    if status.state == "failed" or not (status.answer or "").strip():
        note(f"The assistant could not answer this question (request {request_id}); try other words.")
        return 1
    if json:
        document({"answer": status.answer, "session_id": session_id, "request_id": request_id, "seconds": seconds})
    else:
        say(status.answer or "")
    return 0


class WaitTrouble:
    """What went wrong while `ask` waited up to `limit` seconds: told at the first time, summed up at the end."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._tries = 0
        self._last: Unavailable | None = None

    def note(self, error: Unavailable) -> None:
        """Take a failure in; the first one is told at once, for nobody should wait for nothing unknowingly."""
        self._tries += 1
        self._last = error
        if self._tries == 1:
            note(f"{error} I try again for up to {self._limit:g} seconds; Ctrl-C stops.")

    def sentence(self) -> str:
        """Say why there is no answer, and what was tried."""
        no_answer = f"There was no answer within {self._limit:g} seconds"
        if self._last is None:
            return f"{no_answer}; ask again, or give it more time with --timeout."
        tried = "once" if self._tries == 1 else f"{self._tries} times"
        return f"{no_answer}. It was tried {tried} without success, the last time: {self._last}"


async def _turn(
    client: ApiClient,
    session_id: str,
    question: str,
    language: str | None,
    words: Callable[[str], None],
    trouble: WaitTrouble,
) -> tuple[str, Submitted | ChatStatus]:
    submitted = await _submit(client, session_id, question, language, trouble)
    if submitted.state != "working":
        return submitted.request_id, submitted
    from bot.turns.poll_schedule import CompletionTimes, next_age

    schedule = CompletionTimes().schedule()
    began = time.monotonic()
    while True:
        age = time.monotonic() - began
        await asyncio.sleep(next_age(schedule, age) - age)
        words(f"waiting for the answer, {age:.0f} s")
        try:
            status = await client.status(submitted.request_id)
        except Misconfigured as error:
            if error.status != 404 or age > NOT_FOUND_SECONDS:
                raise
        except Unavailable as error:
            trouble.note(error)
            await asyncio.sleep(error.retry_after or 0.5)
        else:
            if status.state != "working":
                return submitted.request_id, status


async def _submit(
    client: ApiClient, session_id: str, question: str, language: str | None, trouble: WaitTrouble
) -> Submitted:
    """Submit until it is accepted; after an unknown outcome once more and not again, as the bot does."""
    unknown = 0
    attempt = 0
    while True:
        try:
            return await client.submit(session_id, question, language=language)
        except OutcomeUnknown as error:
            unknown += 1
            if unknown > 1:
                raise
            trouble.note(error)
        except Unavailable as error:
            trouble.note(error)
            # The gate adds its own back-off; this keeps a refused connection from being tried in a tight loop.
            wait = error.retry_after if error.retry_after is not None else min(0.25 * 2**attempt, 10.0)
            attempt += 1
            await asyncio.sleep(wait)
        except BotError:
            raise
