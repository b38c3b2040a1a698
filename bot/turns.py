"""One turn: session → submit → poll → deliver → remember. Every await may be the last one before a crash.

question   submit ─ poll ─ intent ─ send:0 … send:n ─ finish        an edit before `intent` begins at submit again
notice     say:0 … ─ finish                                          a cancelled question ends after its poll
close      close ─ finish
"""

from __future__ import annotations

from typing import cast

import structlog

from bot.context import Context
from bot.delivery import NotDelivered
from bot.engine.steps import Begin, GaveUp, Steps
from bot.errors import BotError
from bot.events import Notice, NoticeKind
from bot.progress import Board
from bot.questions import Question
from bot.work import Work

log = structlog.get_logger(__name__)


class Turns:
    """Works on turns, one `work` per attempt."""

    def __init__(self, ctx: Context, board: Board) -> None:
        self.ctx = ctx
        self.board = board

    async def work(self, step: Steps) -> None:
        """Bring a turn to its end; every end is stored."""
        match step.turn.kind:
            case "question":
                await Question(self.ctx, step, self.board).work()
            case "notice":
                await Say(self.ctx, step).work()
            case "close":
                await Close(self.ctx, step).work()


class Say(Work):
    """Something to say that is no answer: help, a refusal, "why?". Told at once, in a lane of its own."""

    async def work(self) -> None:
        """Send it, or leave a dead letter."""
        turn = self.turn
        kind = cast("NoticeKind", turn.say or "info")
        notice = Notice(text=turn.text or "", kind=kind, user_id=turn.asker)
        try:
            await self.deliver(notice, kind, None, turn.place, turn.reply_to or turn.question)
        except NotDelivered as error:
            await self.finish("failed", error.reason, letter=None if error.gone else "notice")
        except GaveUp as error:
            await self.finish("failed", str(error), letter="notice")
        else:
            await self.finish("answered")


class Close(Work):
    """The close of a session at the API: the last item of its lane. Idempotent there, so it simply runs again."""

    async def work(self) -> None:
        """Close it, or leave a dead letter."""

        async def act(_begin: Begin) -> None:
            await self.ctx.api_for(self.turn.route).close_session(self.turn.lane)

        try:
            await self.step("close", act, until=self.deadline)
        except (GaveUp, BotError) as error:
            await self.finish("failed", str(error), letter="close")
        else:
            await self.finish("closed")


async def bury(ctx: Context, board: Board, step: Steps, why: str) -> None:
    """End a turn that a mistake of ours keeps from its end: tell the asker if that is possible, keep a dead letter."""
    turn = step.turn
    if turn.kind == "question":
        question = Question(ctx, step, board)
        try:
            await question.give_up(why)
        except Exception:
            log.exception("turn.bury")
            await question.end_failed(why)
        board.end(turn)
    else:
        await Say(ctx, step).end_failed(why)
