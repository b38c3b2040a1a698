"""`sessions list|show|close|forget`: the assistant's conversations, and what we hold of them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from bot.cli.output import Json, api, config, document, picked, progress, reading, say, table
from bot.errors import Rejected

app = App(name="sessions", help="Look at, close and forget conversations.")
KEYS = ("session_id", "status", "created_at", "last_activity_at", "closed_at")


@app.command(name="list")
async def list_(*, json: Json = False) -> None:
    """List the site's sessions as the API knows them."""
    async with api() as client:
        with progress("asking the API"):
            found = await reading(client.sessions)
    rows = [{key: getattr(session, key) for key in KEYS} for session in found]
    if json:
        document(rows)
    else:
        table(KEYS, picked(rows, *KEYS), empty="The site has no sessions.")


@app.command
async def show(session_id: str, /, *, json: Json = False) -> None:
    """Show the turns of a session that our database holds."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        turns = await admin.turns_of_session(session_id)
    if json:
        document(turns)
        return
    columns = list(dict.fromkeys(key for turn in turns for key in turn))
    table(columns, picked(turns, *columns), empty=f"The database holds no turn of session {session_id}.")


@app.command
async def close(session_id: str, /, *, json: Json = False) -> None:
    """End a session; the next question of its people begins a new one."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        closed = await admin.close_session(session_id)
    if not closed:
        raise Rejected(f"The database knows no open session {session_id}; see sessions list.")
    if json:
        document({"session_id": session_id, "closed": True})
    else:
        say("Closed; the next question there begins a new conversation.")


@app.command
async def forget(*, user: Annotated[str, Parameter(help="Whom, as CHANNEL:ACCOUNT:USER.")], json: Json = False) -> None:
    """Delete what our database holds of one person, for good; the API's own records are not ours to delete."""
    from bot.store import open_admin

    parts = user.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise Rejected("Whom to forget is written CHANNEL:ACCOUNT:USER, such as slack:T0123:U0456.")
    async with open_admin(config().database_url) as admin:
        with progress("deleting"):
            counts = await admin.forget(*parts)
    if json:
        document(counts)
    else:
        table(("what", "deleted"), list(counts.items()), empty="Nothing is held of this person.")
