"""`vault rotate`: what is stored sealed, under a new key."""

from __future__ import annotations

from cyclopts import App

from bot.cli.output import Json, config, document, progress, say

app = App(name="vault", help="Tokens that are stored encrypted.")


@app.command
async def rotate(*, json: Json = False) -> int:
    """Encrypt everything that is stored with the first key of BOT_ENCRYPTION_KEY; then the others may go.

    Example: uppzy-bot vault rotate

    Put the new key before the old one, separated by a comma, restart the bot (or send it SIGHUP), and call this.
    """
    from bot.store import open_database
    from bot.store.sealed import SealedVault

    settings = config()
    database = open_database(settings.database_url)
    try:
        with progress("encrypting"):
            rotated = await SealedVault(database, lambda: settings.encryption_keys).rotate()
    finally:
        database.close()
    if json:
        document({"changed": rotated.changed, "closed": list(rotated.closed)})
    elif rotated.closed:
        say(f"{rotated.changed} encrypted anew; none of the keys opens {', '.join(rotated.closed)}.")
    else:
        say(f"{rotated.changed} encrypted anew; the first key opens all, so the others may be taken out.")
    return 1 if rotated.closed else 0
