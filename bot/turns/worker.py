"""Makes an attempt at a turn of each kind; what the engine calls."""

from __future__ import annotations

from collections.abc import Callable

from bot.context import Context
from bot.engine import TakenTurn
from bot.store.turns import Turn
from bot.turns.asking import Asking
from bot.turns.attempt import TurnAttempt
from bot.turns.close import CloseTurn
from bot.turns.delivery import Delivery
from bot.turns.files import FileReader
from bot.turns.gather import Gatherer, Names
from bot.turns.notice import NoticeTurn
from bot.turns.polling import Polling
from bot.turns.progress import ProgressTracker
from bot.turns.question import Question


class TurnWorker:
    """Works on turns. `wake_ratings` is called when a rating may be due because a part was sent."""

    def __init__(self, ctx: Context, wake_ratings: Callable[[], None]) -> None:
        self.ctx = ctx
        self._wake_ratings = wake_ratings
        self._progress = ProgressTracker(ctx)
        self._polling = Polling(ctx)
        self._names = Names(ctx)
        self._files = FileReader(ctx)

    async def work(self, taken: TakenTurn) -> None:
        """Bring the turn to its end; see `engine.Worker`."""
        await self._script(taken).work()

    async def dead_letter(self, taken: TakenTurn, why: str) -> None:
        """End a turn that a mistake of ours keeps from its end; see `engine.Worker`."""
        await self._script(taken).dead_letter(why)

    def show_progress(self, turn: Turn, *, is_new: bool) -> None:
        """Show that work on an open question has begun."""
        self._progress.begin(turn, is_new=is_new)

    def end_progress(self, turn: Turn) -> None:
        """Remove every sign of work."""
        self._progress.end(turn)

    def leave_progress(self, turn: Turn) -> None:
        """Show nothing more of a turn that another process works on now."""
        self._progress.leave(turn)

    async def drain(self) -> None:
        """Stop showing progress, and remove nothing; look up no more names, and end what reads files."""
        await self._progress.drain()
        await self._names.drain()
        await self.ctx.people.drain()
        await self._files.close()

    def _script(self, taken: TakenTurn) -> Question | NoticeTurn | CloseTurn:
        attempt = TurnAttempt(self.ctx, taken)
        match taken.turn.kind:
            case "question":
                self._progress.taken(taken.turn)
                delivery = Delivery(attempt, self._wake_ratings)
                gatherer = Gatherer(attempt, self._names, self._files)
                asking = Asking(attempt, self._progress, self._polling, gatherer)
                return Question(attempt, asking, delivery, self._progress)
            case "notice":
                return NoticeTurn(attempt, Delivery(attempt, self._wake_ratings))
            case "close":
                return CloseTurn(attempt)
