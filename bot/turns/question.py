"""A question's turn: asked once, answered once, or honestly given up."""

from __future__ import annotations

import asyncio

import structlog

from bot.turns.asking import Asking
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.failure import Failure
from bot.turns.progress import ProgressTracker
from bot.turns.root import Root
from bot.turns.send import Destination
from bot.turns.steps import GaveUp
from bot.turns.submit import Cancelled, NoAnswer, Refused

log = structlog.get_logger(__name__)


class Question:
    """One attempt to answer a question: [root] → submit → poll → intent → send → finish."""

    def __init__(self, attempt: TurnAttempt, asking: Asking, delivery: Delivery, progress: ProgressTracker) -> None:
        self._attempt = attempt
        self._turn = attempt.turn
        self._asking = asking
        self._delivery = delivery
        self._progress = progress
        self._failure = Failure(attempt, delivery)
        self._root = Root(attempt, delivery)

    async def work(self) -> None:
        """Bring the question to its end."""
        destination = Destination(self._turn.conversation, self._turn.question)
        try:
            verdict = self._failure.verdict
            if self._turn.posts_root and (verdict is None or self._root.is_posted):
                destination = await self._root.post()
            if verdict is not None:
                self._progress.settled(self._turn)
                await self._failure.conclude(verdict, destination)
            else:
                await self._answer(destination)
        except Cancelled:
            await self._attempt.finish("cancelled")
        except Refused as error:
            self._progress.settled(self._turn)
            await self._failure.refuse(error.text, destination)
        except NoAnswer as error:
            self._progress.settled(self._turn)
            await self._failure.fail(error.why, destination)
        except (NotDelivered, GaveUp) as error:
            await self._failure.undeliverable(error, destination)
        self._progress.end(self._turn)

    async def dead_letter(self, why: str) -> None:
        """End a question that a mistake of ours keeps from its end: tell the asker, if that is possible."""
        try:
            await self._failure.fail(why, Destination(self._turn.conversation, self._turn.question))
        except Exception:
            log.exception("turn.dead_letter")
            await self._attempt.finish("failed", why, letter="turn")
        self._progress.end(self._turn)

    async def _answer(self, destination: Destination) -> None:
        answer = await self._asking.answer(self._delivery)
        self._progress.settled(self._turn)
        if None in await self._delivery.message(answer, "answer", destination, end="answered"):
            await self._failure.unsure(destination)
        else:
            await self._attempt.finish("answered")
        metrics, channel = self._attempt.ctx.metrics, self._turn.address.channel
        metrics.turn_seconds.labels(channel=channel).observe(self._attempt.seconds())
        route = self._attempt.ctx.figures_of(self._turn)
        metrics.route_turn_seconds.labels(route=route).observe(self._attempt.seconds())
        if self._asking.seen_at is not None:
            posted = asyncio.get_running_loop().time() - self._asking.seen_at
            metrics.ready_to_posted_seconds.labels(channel=channel).observe(posted)
