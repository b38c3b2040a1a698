"""`dead list|show|retry|purge`: what could not go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from bot.cli.output import Json, at_most, config, document, listing, more, say
from bot.cli.trace import story
from bot.cli.words import ago
from bot.errors import Rejected

app = App(name="dead", help="See what could not go on, try it again or throw it away.")
COLUMNS = ("reference", "channel", "what", "why", "when")
KINDS: Mapping[str, str] = {
    "turn": "a question without an answer",
    "delivery": "an answer that was not delivered",
    "notice": "a notice that was not delivered",
    "close": "a session that was not closed",
    "feedback": "a rating that was not submitted",
    "payload": "a delivery that nobody could read",
}
"""Kind of a dead letter, in words."""
COLUMNS = ("reference", "channel", "what", "why", "when")


@app.command(name="list")
async def list_(
    *, limit: Annotated[int, Parameter(help="At most so many, the newest; 0 for all.")] = 100, json: Json = False
) -> None:
    """List what could not go on, with the reason, newest first.

    Example: uppzy-bot dead list
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        pages = admin.dead(at_most(limit))
        count = await listing(pages, COLUMNS, cells=_row, as_json=json, empty="There are no dead letters.")
        left = await admin.dead_count() - count
    more(left, "dead letter")


@app.command
async def show(reference: str, /, *, json: Json = False) -> None:
    """Show one of them whole.

    Example: uppzy-bot dead show REFERENCE
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        letter = await admin.dead_letter(reference.strip())
    if letter is None:
        raise _unknown(reference)
    if json:
        document(letter)
    else:
        for line in told(letter):
            say(line)


@app.command
async def retry(reference: str, /, *, json: Json = False) -> None:
    """Put one back to work; a running bot takes it up within 2 seconds, else the next start does.

    Example: uppzy-bot dead retry REFERENCE
    """
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

    Example: uppzy-bot dead purge REFERENCE

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


def _row(letter: Mapping[str, Any]) -> tuple[object, ...]:
    return letter["reference"], letter["channel"], KINDS[letter["kind"]], letter["reason"], ago(letter["at"])


def told(letter: Mapping[str, Any], now: float | None = None) -> list[str]:
    """Tell of a dead letter: what it is, why, what can be done; then its turn's story, or its payload."""
    what = f"{KINDS[letter['kind']].capitalize()}, {letter['channel']}, {ago(letter['at'], now)}: {letter['reason']}"
    payload = letter["kind"] == "payload"
    lines = [what, "To throw it away: " if payload else "To try it again: "]
    lines[1] += f"uppzy-bot dead {'purge' if payload else 'retry'} {letter['reference']}"
    if letter.get("turn"):
        lines += ["", *story(letter["turn"], now)]
    if "payload" in letter:
        lines += ["", "What was delivered:", *(f"  {line}" for line in letter["payload"].splitlines())]
    return lines


def _agreed() -> bool:
    """Ask on a terminal; a script is not asked, it has named no reference and gets what it wrote."""
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Throw all dead letters away? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() in ("y", "yes")


def _unknown(reference: str) -> Rejected:
    return Rejected(f"There is no dead letter {reference}; see dead list.")
