"""`migrate`: brings the database to this version, or everything to a database of the other kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bot.cli.output import Json, bar, config, document, note, progress, say

if TYPE_CHECKING:
    from bot.store.moving import MovedRows


async def migrate(
    *,
    source: Annotated[str | None, Parameter(name="--from")] = None,
    target: Annotated[str | None, Parameter(name="--to")] = None,
    json: Json = False,
) -> None:
    """Bring the database to this version (the bot does it at its start too), or move everything to another one.

    Nothing to do is no error. To move, stop the bot: with --from and --to everything that is stored is copied in one
    go, all of it or nothing, and open turns go on at the other side. The source keeps what it has, with a mark that it
    was moved.

    Example: uppzy-bot migrate

    Parameters
    ----------
    source
        The database to move, such as sqlite:///data/bot.db.
    target
        An empty database of the other kind, such as postgresql://bot@db.example/bot (its password may also stand in
        PGPASSWORD or in ~/.pgpass).
    """
    if source is not None or target is not None:
        moved(source, target, json=json)
        return
    from bot.store import missing_file, open_admin

    settings = config()
    made = missing_file(settings.database_url)
    with progress("bringing the database up to date"):
        # Opening it for an operator's command brings it up to date, as opening it for the bot does.
        async with open_admin(settings.database_url, make=True):
            pass
    if json:
        document({"up_to_date": True, "made": None if made is None else str(made)})
        return
    if made is not None:
        say(f"There was no database; a new one was made at {made}.")
        note("If there should be one, call this in the folder where the bot runs, or set BOT_DATABASE_URL.")
        return
    say("The database is up to date.")
    if settings.database_url.startswith("sqlite:"):
        note("To be able to go back after an upgrade, copy the file of BOT_DATABASE_URL before it.")


def moved(source: str | None, target: str | None, *, json: bool) -> None:
    """Move everything, and say what was moved."""
    from bot.cli.config import plain
    from bot.config.database import expected_of
    from bot.errors import Rejected
    from bot.store.moving import move

    if source is None or target is None:
        raise Rejected("Name both databases: --from the one that is, --to the one that shall be.")
    for name, url in (("--from", source), ("--to", target)):
        if expected := expected_of(url):
            raise Rejected(f"{name} must be {expected}.")
    began = time.monotonic()
    shown = 0
    with bar(100, "moving") as advance:

        def tell(done: int, total: int) -> None:
            nonlocal shown
            percent = 100 * done // max(1, total)
            advance(percent - shown)
            shown = percent

        result = move(source, target, plain(target), tell)
    told(result, plain(source), plain(target), time.monotonic() - began, json=json)


def told(result: MovedRows, source: str, target: str, seconds: float, *, json: bool) -> None:
    """Say what was moved."""
    if json:
        counts = {"rows": result.rows, "open_turns": result.open_turns, "seconds": round(seconds, 1)}
        document({"from": source, "to": target, **counts})
        return
    turns, rows = result.rows["turns"], sum(result.rows.values())
    say(f"Moved {rows:,} rows, {turns:,} turns among them, of which {result.open_turns} are open; all were counted.")
    note(f"Set BOT_DATABASE_URL to {target} and start the bot; {source} stays as it is, and no bot starts on it.")
