"""`sessions list|show|close|export|forget`: the assistant's conversations, and what we hold of them."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from bot.cli.output import Json, WrongUsage, api, config, document, progress, reading, say, table
from bot.cli.words import ago, took
from bot.errors import Rejected

app = App(name="sessions", help="Look at, close and forget conversations.")
KEYS = ("session_id", "status", "created_at", "last_activity_at", "closed_at")


@app.command(name="list")
async def list_(*, json: Json = False) -> None:
    """List the site's sessions as the API knows them.

    Example: uppzy-bot sessions list
    """
    async with api() as client:
        with progress("asking the API"):
            found = await reading(client.sessions)
    rows = [{key: getattr(session, key) for key in KEYS} for session in found]
    if json:
        document(rows)
        return
    shown = [
        (row["session_id"], row["status"], ago(row["created_at"]), ago(row["last_activity_at"]), ago(row["closed_at"]))
        for row in rows
    ]
    table(("session", "state", "begun", "last used", "closed"), shown, empty="The site has no sessions.")


@app.command
async def show(session_id: str, /, *, json: Json = False) -> None:
    """Show the turns of a session that our database holds.

    Example: uppzy-bot sessions show SESSION_ID
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        turns = await admin.turns_of_session(session_id)
    if not turns:
        raise Rejected(f"The database holds no turn of session {session_id}; see sessions list, or dead list.")
    if json:
        document(turns)
        return
    table(("reference", "what", "asked", "how it ended", "took", "polls", "rating"), [_row(t) for t in turns], empty="")


def _row(turn: dict[str, Any]) -> tuple[object, ...]:
    return (
        turn["reference"],
        turn["kind"],
        ago(turn["accepted_at"]),
        turn["outcome"] or "still open",
        took(turn["accepted_at"], turn["finished_at"]),
        turn["polls"],
        turn["rating"] or "",
    )


@app.command
async def close(session_id: str, /, *, json: Json = False) -> None:
    """End a session; the next question of its people begins a new one.

    One that the database knows is closed by the running bot, after what is still open in it; any other one of the site
    is closed at the API at once.

    Example: uppzy-bot sessions close SESSION_ID
    """
    from bot.store import missing_file, open_admin

    url = config().database_url
    ours = False
    if missing_file(url) is None:
        async with open_admin(url) as admin:
            ours = await admin.close_session(session_id)
    if not ours:
        await _close_there(session_id)
    if json:
        document({"session_id": session_id, "closed": True})
    elif ours:
        say("The next question there begins a new conversation; a running bot closes this one at the API.")
    else:
        say("Closed at the API. Our database knows no conversation that goes on in it.")


async def _close_there(session_id: str) -> None:
    """Close a session that no conversation of ours uses. Raises `Rejected` when the API lists no open one."""
    async with api() as client:
        with progress("asking the API"):
            found = {session.session_id: session for session in await reading(client.sessions)}
            session = found.get(session_id)
            if session is None or session.closed_at or session.status == "closed":
                known = (
                    "is closed already" if session is not None else "is known neither to our database nor to the API"
                )
                raise Rejected(f"Session {session_id} {known}; see sessions list.")
            await reading(lambda: client.close_session(session_id))


@app.command
async def export(
    *, user: Annotated[str, Parameter(help="Whose, as CHANNEL:ACCOUNT:USER.")], json: Json = False
) -> None:
    """Print what our database holds of one person, as one JSON document; the API's own records are not ours.

    Example: uppzy-bot sessions export --user slack:T0123456789:U0123456789

    Parameters
    ----------
    json
        It is JSON anyway.
    """
    from bot.store import open_admin

    parts = user.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise Rejected("Whose it is is written CHANNEL:ACCOUNT:USER, such as slack:T0123:U0456.")
    async with open_admin(config().database_url) as admin:
        with progress("reading"):
            held = await admin.export(*parts)
    document(held)


@app.command
async def forget(*, user: Annotated[str, Parameter(help="Whom, as CHANNEL:ACCOUNT:USER.")], json: Json = False) -> None:
    """Delete what our database holds of one person, for good; the API's own records are not ours to delete.

    Example: uppzy-bot sessions forget --user slack:T0123456789:U0123456789
    """
    from bot.store import open_admin

    parts = user.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise WrongUsage("Whom to forget is written CHANNEL:ACCOUNT:USER, such as slack:T0123:U0456.")
    settings = config()
    async with open_admin(settings.database_url, direct_url=settings.database_direct_url or "") as admin:
        with progress("deleting"):
            counts = await admin.forget(*parts)
    if json:
        document(counts)
    else:
        rows = [(what, count) for what, count in counts.items() if count]
        table(("what", "deleted"), rows, empty=f"Nothing is held of {user}.")
