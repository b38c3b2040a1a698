"""`trace REF`: the story of one turn, in words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

from bot.cli.output import Json, config, document, say
from bot.cli.words import ago, duration, moment, took
from bot.errors import Rejected
from bot.telemetry.tracing import is_wanted

DOES: Mapping[str, str] = {
    "root": "the words of the question were posted",
    "context": "what goes along was read",
    "submit": "the API took the question",
    "poll": "the API had the answer",
    "intent": "the answer was stored, to be sent",
    "send": "a part of the answer was sent",
    "verdict": "it was decided that there is no answer",
    "close": "the session was closed at the API",
    "progress": "the asker was told that it takes longer",
    "failure": "the asker was told that there is no answer",
    "refusal": "the asker was told what is possible",
}
"""Kind of a step → what it means when it is done."""


async def trace(
    reference: str, /, *, text: Annotated[bool, Parameter(negative=())] = False, json: Json = False
) -> None:
    """Tell what happened to a question, step by step.

    Example: uppzy-bot trace REFERENCE

    Parameters
    ----------
    reference
        The 8 characters of a notice, a log line or a dead letter.
    text
        Show what was asked and answered too, as long as it is kept ([retention] text_days).
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        found = await admin.trace(reference.strip())
        said = await admin.said(reference.strip()) if text and found is not None else None
    if found is None:
        raise Rejected(f"No turn has the reference {reference}; compare it with the notice or with dead list.")
    if json:
        document({**found, "said": said} if text else found)
        return
    for line in [*story(found, traced=is_wanted(os.environ)), *(words_of(said) if said is not None else ())]:
        say(line)


def story(turn: Mapping[str, Any], now: float | None = None, *, traced: bool = False) -> list[str]:
    """Tell of a turn: what it is, what happened in which order, how it ended. No words of anybody.

    `traced`: name its trace at the collector too.
    """
    where = f"{turn['channel']}, account {turn['account']}, conversation {turn['conversation']}"
    lines = [
        f"{turn['kind'].capitalize()} {turn['reference']} ({where})",
        f"  session {turn['session_id']}"
        + (f", request {turn['request_id']}" if turn["request_id"] else "")
        + (f", trace {turn['trace_id']}" if traced else ""),
        f"  accepted {moment(turn['accepted_at'])}, {ago(turn['accepted_at'], now)}",
    ]
    if turn["context"]:
        along = ", ".join(f"{one['kind']} ({one['outcome']}, {one['chars']} characters)" for one in turn["context"])
        lines.append(f"  along went: {along}")
    lines += [f"  {_after(turn, step)}  {_step(step)}" for step in turn["steps"]]
    lines.append(f"  {_end(turn)}")
    if turn["rating"] or turn["feedback"]:
        lines.append(f"  rated {turn['rating'] or 'by nobody now'}; at the API: {_there(turn)}")
    return lines


def _after(turn: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    begun = (datetime.fromisoformat(step["started_at"]) - datetime.fromisoformat(turn["accepted_at"])).total_seconds()
    ended = f"+{max(0.0, begun) + (step['seconds'] or 0.0):.2f} s"
    return f"{ended:>10}"


def _step(step: Mapping[str, Any]) -> str:
    kind, _, number = step["name"].partition(":")
    what = DOES.get(kind, f"the message '{kind}' was sent")
    if kind == "send":
        what = f"part {int(number) + 1} of the answer was sent"
    if step.get("in_vain"):
        what = f"tried, and it certainly did not happen: {what}"
    elif step["seconds"] is None:
        what = f"begun, not known to be done: {what}"
    elif step["seconds"] >= 0.001:
        what += f", after {duration(step['seconds'])}"
    if step["unknowns"]:
        times = "once" if step["unknowns"] == 1 else f"{step['unknowns']} times"
        what += f"; {times} nobody could tell what became of it"
    return f"{what} [{step['name']}]"


def _end(turn: Mapping[str, Any]) -> str:
    tries = "" if turn["attempts"] <= 1 else f", {turn['attempts']} attempts"
    polls = f", {turn['polls']} poll{'' if turn['polls'] == 1 else 's'}" if turn["polls"] else ""
    if turn["state"] == "open":
        return f"still open{polls}{tries}"
    why = f": {turn['reason']}" if turn["reason"] else ""
    return f"{turn['outcome']} after {took(turn['accepted_at'], turn['finished_at'])}{polls}{tries}{why}"


def _there(turn: Mapping[str, Any]) -> str:
    return "nothing yet" if turn["submitted"] is None else f"{turn['submitted']} was submitted ({turn['feedback']})"


def words_of(said: Mapping[str, Any]) -> list[str]:
    """Write down what was said: the question, what went along, the answer, the reasons of a bad rating."""
    lines = []
    for name in ("question", "answer"):
        lines += ["", f"{name.capitalize()}:", *_indented(said[name] or "no longer kept, or there was none")]
    for name, texts in (("What went along", said["context"]), ("Why it was rated bad", said["reasons"])):
        for text in texts:
            lines += ["", f"{name}:", *_indented(text)]
    return lines


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()] or ["  "]
