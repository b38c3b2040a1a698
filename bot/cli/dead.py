"""`dead list|show|retry|purge`: what could not go on."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from bot.cli.output import Json, at_most, config, document, more, picked, say, table
from bot.cli.trace import story
from bot.errors import Rejected

app = App(name="dead", help="See what could not go on, try it again or throw it away.")
KEYS = ("reference", "channel", "session_id", "kind", "reason", "at")


@app.command(name="list")
async def list_(
    *, limit: Annotated[int, Parameter(help="At most so many, the newest; 0 for all.")] = 100, json: Json = False
) -> None:
    """List what could not go on, with the reason, newest first."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        letters = await admin.dead(at_most(limit))
        left = await admin.dead_count() - len(letters)
    if json:
        document(letters)
    else:
        table(KEYS, picked(letters, *KEYS), empty="There are no dead letters.")
    more(left, "dead letter")


@app.command
async def show(reference: str, /, *, json: Json = False) -> None:
    """Show one of them whole."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        letter = await admin.dead_letter(reference.strip())
    if letter is None:
        raise _unknown(reference)
    if json:
        document(letter)
    else:
        for line in story(letter):
            say(line)


@app.command
async def retry(reference: str, /, *, json: Json = False) -> None:
    """Put one back to work; a running bot takes it up within 2 seconds, else the next start does."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        if await admin.dead_letter(reference.strip()) is None:
            raise _unknown(reference)
        words = await admin.retry(reference.strip())
    if json:
        document({"reference": reference.strip(), "result": words})
    else:
        say(words)


@app.command
async def purge(
    reference: str | None = None, /, *, yes: Annotated[bool, Parameter(negative=())] = False, json: Json = False
) -> None:
    """Throw one of them away, or all of them.

    Parameters
    ----------
    yes
        Do not ask before all are thrown away.
    """
    from bot.store import open_admin

    if reference is None and not yes and not _agreed():
        raise Rejected("Nothing was thrown away; name a reference, or add --yes to throw all away.")
    async with open_admin(config().database_url) as admin:
        if reference is not None and await admin.dead_letter(reference.strip()) is None:
            raise _unknown(reference)
        count = await admin.purge(reference.strip() if reference is not None else None)
    if json:
        document({"purged": count})
    else:
        say(f"{count} thrown away.")


def _agreed() -> bool:
    """Ask on a terminal; a script is not asked, it has named no reference and gets what it wrote."""
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Throw all dead letters away? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() in ("y", "yes")


def _unknown(reference: str) -> Rejected:
    return Rejected(f"There is no dead letter {reference}; see dead list.")
