"""`config show|check|route`: the settings in force, what is wrong with them, where questions go."""

from __future__ import annotations

import json as jsons
import re

from cyclopts import App
from pydantic import BaseModel, SecretStr

from bot.cli.output import Json, config, document, note, say, table

app = App(name="config", help="See and check the settings.")

MASK = "•••"


@app.command
def show(*, json: Json = False) -> int:
    """Show every setting, its value (secrets masked) and which source it comes from.

    Example: uppzy-bot config show
    """
    from bot.config import examine, installed

    examined = examine(installed())
    rows = [(setting.name, plain(setting.value), setting.source) for setting in examined.settings]
    if json:
        document([dict(zip(("name", "value", "source"), row, strict=True)) for row in rows])
    else:
        rows = [(name, value or "–", source) for name, value, source in rows]
        table(("setting", "value", "from"), rows, empty="No setting could be read.")
    for problem in examined.errors:
        note(f"{problem.name}: {problem.expected}")
    return 1 if examined.errors else 0


@app.command
def check(*, json: Json = False) -> int:
    """Say whether `run` would start with these settings: every problem at once, and what is worth a second look.

    Example: uppzy-bot config check
    """
    from bot.config import RUN, examine, installed

    examined = examine(installed(), need=RUN)
    lines = [{"name": p.name, "level": "error", "expected": p.expected} for p in examined.errors]
    lines += [{"name": p.name, "level": "warning", "expected": p.expected} for p in examined.warnings]
    lines += [
        {"name": name, "level": "warning", "expected": "no setting has this name; mend it, or remove the variable"}
        for name in examined.unknown
    ]
    if json:
        document(lines)
    else:
        for line in lines:
            say(f"{line['level']}: {line['name']}: {line['expected']}")
        wrong = len(examined.errors)
        say("The settings are fine." if not wrong else f"{wrong} setting{'s are' if wrong > 1 else ' is'} wrong.")
    return 1 if examined.errors else 0


@app.command
def route(channel: str, account: str, conversation: str, /, *, json: Json = False) -> None:
    """Say where the questions of one conversation go, and why: of the routes that fit, the most specific is taken.

    A conversation makes a route more specific than an account, that more than a channel, an id more than a pattern; of
    two alike the first counts.

    Example: uppzy-bot config route slack T0123456789 C0123456789

    Parameters
    ----------
    channel
        The channel, such as slack.
    account
        The account: the team's id at Slack, the bot's id at Telegram.
    conversation
        The conversation's id at the channel.
    """
    from bot.config import Routes
    from bot.config.routes import NO_ROUTE

    settings = config()
    fitting = Routes(settings.routes).fitting(channel, account, conversation)
    chosen = fitting[0].route if fitting else NO_ROUTE
    answer = {
        "route": settings.routes.index(chosen) + 1 if fitting else None,
        "name": chosen.name or None,
        "why": fitting[0].why if fitting else "no route fits",
        "tenant_id": chosen.tenant_id or settings.tenant_id or None,
        "site_id": chosen.site_id or settings.site_id or None,
        "api_key": "of the route" if chosen.api_key else "UPPZY_API_KEY",
        "language": chosen.language,
        "scope": chosen.scope,
        "mode": chosen.mode,
    }
    less = [{"route": settings.routes.index(one.route) + 1, "why": one.why} for one in fitting[1:]]
    if json:
        document({**answer, "less_specific": less})
    else:
        others = "; ".join(f"{one['route']} ({one['why']})" for one in less) or "none"
        table(("what", "value"), [*answer.items(), ("less specific routes that fit", others)], empty="")


def plain(value: object) -> str:
    """Write a setting's value for people, secrets and the password of an address masked.

    >>> plain(("a", SecretStr("x"))), plain("https://bot:secret@host/bot"), plain(None)
    ('["a", "•••"]', 'https://bot:•••@host/bot', '')
    """
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple | frozenset):
        ordered = sorted(value) if isinstance(value, frozenset) else value
        items = [
            item.model_dump(exclude_defaults=True, by_alias=True) if isinstance(item, BaseModel) else item
            for item in ordered
        ]
        return jsons.dumps(items, ensure_ascii=False, default=lambda _: MASK)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else re.sub(r"(?<=://)([^/@\s:]*):[^/@]*@", rf"\1:{MASK}@", str(value))
