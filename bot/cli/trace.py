"""`trace REF`: the story of one turn, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.cli.output import Json, config, document, say
from bot.errors import Rejected


async def trace(reference: str, /, *, json: Json = False) -> None:
    """Tell what happened to a question, step by step.

    Parameters
    ----------
    reference
        The 8 characters of a notice, a log line or a dead letter.
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        found = await admin.trace(reference.strip())
    if found is None:
        raise Rejected(f"No turn has the reference {reference}; compare it with the notice or with dead list.")
    if json:
        document(found)
    else:
        for line in story(found):
            say(line)


def story(turn: Mapping[str, Any]) -> list[str]:
    """Write a turn down for people: what is known of it first, then its steps in order."""
    known = {key: value for key, value in turn.items() if not isinstance(value, list | dict)}
    width = max((len(key) for key in known), default=0)
    lines = [f"{key.replace('_', ' '):<{width}}  {_plain(value)}" for key, value in known.items() if value is not None]
    for key, value in turn.items():
        if isinstance(value, list) and value:
            lines += ["", f"{key.replace('_', ' ')}:"]
            lines += [f"  {number}. {_entry(entry)}" for number, entry in enumerate(value, start=1)]
        elif isinstance(value, dict) and value:
            lines += ["", f"{key.replace('_', ' ')}: {_entry(value)}"]
    return lines


def _entry(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return _plain(entry)
    first, *rest = ((key, value) for key, value in entry.items() if value is not None and value != "")
    return ", ".join([_plain(first[1]), *(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in rest)])


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()) + ")"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
