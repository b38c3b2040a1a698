"""`access invite|list|revoke`: people who are admitted one by one."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from bot.cli.output import Json, config, document, picked, say, table
from bot.errors import Misconfigured, Rejected

app = App(name="access", help="Invite people, and see who was invited.")


@app.command
async def invite(
    channel: str,
    /,
    *,
    account: Annotated[str, Parameter(help="The account, such as the bot's id; without it any of the channel.")] = "",
    uses: Annotated[int, Parameter(help="How many people may use it.")] = 1,
    days: Annotated[float, Parameter(help="After how many days it expires.")] = 7.0,
    json: Json = False,
) -> None:
    """Make an invitation: who sends `/start CODE` to the bot directly is admitted, though nobody else is.

    Example: uppzy-bot access invite telegram

    Parameters
    ----------
    channel
        The channel, such as telegram.
    """
    from bot.store import open_admin

    settings = config()
    if channel not in settings.channels:
        raise Misconfigured(f"There is no channel {channel}; there are {', '.join(settings.channels)}.")
    if uses < 1 or not 0 < days <= 3650:
        raise Misconfigured("--uses is at least 1, --days more than 0 and at most 3650.")
    async with open_admin(settings.database_url) as admin:
        made = await admin.invite(channel, account, uses=uses, seconds=days * 86_400)
    if json:
        document(made)
        return
    say(f"/start {made['code']}")
    say(f"It admits {uses} {'person' if uses == 1 else 'people'} until {made['expires_at']}, and is shown only now.")


@app.command(name="list")
async def list_(*, json: Json = False) -> None:
    """List who was admitted by an invitation, and the invitations that can still be used.

    Example: uppzy-bot access list
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        found = await admin.invited()
    if json:
        document(found)
        return
    people = picked(found["people"], "channel", "account", "user_id", "at")
    table(("channel", "account", "person", "since"), people, empty="Nobody was admitted by an invitation.")
    open_ones = picked(found["invitations"], "channel", "account", "uses", "expires_at")
    table(("channel", "account", "uses left", "expires"), open_ones, empty="No invitation can be used.")


@app.command
async def revoke(user: str, /, *, json: Json = False) -> None:
    """Admit somebody no longer whom an invitation admitted.

    Example: uppzy-bot access revoke telegram:4711:123456789

    Parameters
    ----------
    user
        Whom, as CHANNEL:ACCOUNT:USER.
    """
    from bot.store import open_admin

    parts = user.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise Rejected("Who it is is written CHANNEL:ACCOUNT:USER, see access list.")
    async with open_admin(config().database_url) as admin:
        if not await admin.revoke(*parts):
            raise Rejected(f"No invitation admitted {user}; see access list.")
    if json:
        document({"user": user, "revoked": True})
    else:
        say("Revoked; from now on only [access] decides.")
