"""`docs push|draft|list|activate|deactivate|delete`: the documents that answers are made from."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from cyclopts import App, Parameter

from bot.cli.output import Json, WrongUsage, api, bar, config, document, note, picked, progress, reading, say, table
from bot.errors import Misconfigured, Rejected

if TYPE_CHECKING:
    from bot.api.client import ApiClient
    from bot.cli.push import Log, Pusher
    from bot.cli.sources import Sources

app = App(name="docs", help="Load and manage the documents that answers are made from.")
KEYS = ("id", "title", "status", "ready", "error")
Flag: TypeAlias = Annotated[bool, Parameter(negative=())]


@app.command(name="list")
async def list_(*, json: Json = False) -> None:
    """List the site's documents.

    Example: uppzy-bot docs list
    """
    async with api() as client:
        with progress("asking the API"):
            found = await reading(client.documents)
    rows = [{key: getattr(entry, key) for key in KEYS} for entry in found]
    if json:
        document(rows)
    else:
        columns = KEYS if any(row["error"] for row in rows) else KEYS[:-1]
        table(columns, picked(rows, *columns), empty="The site has no documents.")


@app.command
async def push(
    paths: list[Path],
    /,
    *,
    category: str = "general",
    active: Flag = False,
    prune: Flag = False,
    dry_run: Flag = False,
    allow: tuple[Path, ...] = (),
    yes: Flag = False,
    log: Path = Path("data/documents.json"),
    json: Json = False,
) -> int:
    """Load files and folders: all that the demo reads (Markdown, text, HTML, PDF, Word, CSV).

    HTML, tables and text in other encodings go as text. What was loaded is remembered, so that pushing again loads
    only what has changed; the version before is deleted after the new one is in. A run that was cut goes on where it
    ended. One file that fails does not keep the others.

    Example: uppzy-bot docs push handbook --dry-run

    Parameters
    ----------
    category
        Category of the documents at the API.
    active
        Use them for answers at once; the API may otherwise keep new ones as drafts.
    prune
        Delete the documents of files under these paths that are gone, of those that were loaded from here.
    dry_run
        Say what would be done, and do nothing.
    allow
        A file that is loaded although something in it looks like a key or the number of a payment card.
    yes
        Prune even more than half of what was loaded, or where a path cannot be read.
    log
        File that remembers what was loaded.
    """
    from bot.cli.push import Log, Pusher
    from bot.cli.sources import find

    settings = config("api")
    with progress("reading the files"):
        found = await find(paths, allow, missing=prune)
    for line in found.notes:
        note(line)
    with contextlib.closing(Log(log, settings.base_url, settings.site_id, alone=not dry_run)) as remembered:
        gone, doubt = _prunable(paths, found, remembered) if prune else ([], "")
        if doubt and not (yes or dry_run):
            raise Rejected(f"{doubt}; nothing was done. --dry-run shows the plan, --yes prunes all the same.")
        if not found.sources and not gone:
            raise Misconfigured("There is nothing to load there; name Markdown, text, HTML, PDF, Word or CSV files.")
        async with api(settings) as client:
            pusher = Pusher(client, remembered, category)
            if dry_run:
                return _planned(pusher, found, gone, doubt, json)
            results = await _pushed(pusher, found, gone)
            await pusher.states(results, active=active)
    return _told(results, json)


async def _pushed(pusher: Pusher, found: Sources, gone: list[str]) -> list[dict[str, Any]]:
    results = []
    with bar(len(found.sources) + len(gone), "loading") as advance:
        for source in found.sources.values():
            results.append(await pusher.push(source))
            advance(1)
        for key in gone:
            results.append(await pusher.remove(key))
            advance(1)
    return results


def _prunable(paths: list[Path], found: Sources, remembered: Log) -> tuple[list[str], str]:
    """What is gone, and why it should not be deleted without asking."""
    gone, recorded = remembered.gone(paths, found)
    unread = [path for path in found.unread if path.is_dir() or not path.exists()]
    if unread:
        return gone, f"{unread[0]} cannot be read, so what is gone there is not known"
    return gone, f"{len(gone)} of {recorded} documents would be deleted" if 2 * len(gone) > recorded else ""


def _planned(pusher: Pusher, found: Sources, gone: list[str], doubt: str, json: bool) -> int:
    """Print what would be done."""
    rows = [
        {
            "file": str(source.file),
            "title": source.title,
            "result": pusher.plan(source),
            "error": source.problem or None,
        }
        for source in found.sources.values()
    ]
    rows += [
        {"file": str(pusher.log.file(key)), "title": pusher.log.title(key), "result": "delete", "error": None}
        for key in gone
    ]
    if doubt:
        note(f"{doubt}; it needs --yes.")
    return _told(rows, json)


def _told(results: list[dict[str, Any]], json: bool) -> int:
    """Print the results; 1 when one failed."""
    failed = any(result["result"] in ("failed", "unreadable") for result in results)
    if json:
        document(results)
        return int(failed)
    columns = [name for name in ("file", "title", "id", "result", "status", "ready", "error") if _said(results, name)]
    table(columns, picked(results, *columns), empty="")
    counts = Counter(str(result["result"]) for result in results)
    say(", ".join(f"{count:,} {result}" for result, count in counts.most_common()) + ".")
    return int(failed)


def _said(results: list[dict[str, Any]], name: str) -> bool:
    return any(result.get(name) not in (None, "") for result in results)


@app.command
async def draft(
    *, from_feedback: Flag = False, out: Path | None = None, since: datetime | None = None, json: Json = False
) -> None:
    """Write a table of questions that want an answer: fill the answers in, and load it with `docs push`.

    Questions that are alike are one row, with how often it was asked and people's reasons. Rows without an answer
    are not loaded.

    Example: uppzy-bot docs draft --from-feedback

    Parameters
    ----------
    from_feedback
        Take the questions whose answers were rated bad, or were "I don't know". There is no other source.
    out
        A new file for the table, which is printed without it.
    since
        Only questions since this day or time, such as 2026-05-01.
    """
    from bot.cli.drafts import as_csv, drafts, wants_better
    from bot.cli.feedback import aware
    from bot.store import open_admin

    if not from_feedback:
        raise WrongUsage("Say what to make drafts of: docs draft --from-feedback.")
    async with open_admin(config().database_url) as admin:
        with progress("reading the answers"):
            asked = [one async for page in admin.answered(aware(since)) for one in page if wants_better(one)]
            made = drafts(asked)
    if json:
        document([one.to_json() for one in made])
    elif not made:
        note("No answer was rated bad, and none was missing.")
    elif out is None:
        print(as_csv(made), end="")
    else:
        _write_new(out, as_csv(made))
        say(f"{out}: {len(made):,} questions. Fill the answers in, then: uppzy-bot docs push {out}")


def _write_new(path: Path, text: str) -> None:
    """Write a file for its owner's eyes; one that is there may hold answers somebody has written."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8-sig") as file:  # the mark tells spreadsheets the encoding
            file.write(text)
    except FileExistsError:
        raise Misconfigured(f"{path} is there already; name a new file with --out.") from None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written ({error.strerror}); name another file with --out.") from None


@app.command
async def activate(ids: list[str], /, *, json: Json = False) -> int:
    """Use documents for answers.

    Example: uppzy-bot docs activate DOCUMENT_ID
    """
    return await _change(ids, "active", json, lambda client, batch: client.bulk_status(batch, "active"))


@app.command
async def deactivate(ids: list[str], /, *, json: Json = False) -> int:
    """Use documents no longer, and keep them as drafts.

    Example: uppzy-bot docs deactivate DOCUMENT_ID
    """
    return await _change(ids, "draft", json, lambda client, batch: client.bulk_status(batch, "draft"))


@app.command
async def delete(ids: list[str], /, *, json: Json = False) -> int:
    """Delete documents for good.

    Example: uppzy-bot docs delete DOCUMENT_ID
    """
    return await _change(ids, "deleted", json, lambda client, batch: client.bulk_delete(batch))


async def _change(
    ids: list[str], status: str, json: bool, call: Callable[[ApiClient, list[str]], Awaitable[None]]
) -> int:
    """Change the documents that the site has, and name the others; 1 when there are such."""
    if not ids:
        raise Rejected("No document is named; docs list shows the ids.")
    async with api() as client:
        there = {entry.id for entry in await reading(client.documents)}
        known, unknown = [i for i in ids if i in there], [i for i in ids if i not in there]
        if known:
            await _bulk(known, partial(call, client))
    if json:
        document({"ids": known, "status": status} | ({"unknown": unknown} if unknown else {}))
    elif known:
        say(f"{len(known)} document{'s are' if len(known) != 1 else ' is'} {status} now.")
    for document_id in unknown:
        note(f"The site has no document {document_id}; docs list shows the ids.")
    return int(bool(unknown))


async def _bulk(ids: list[str], call: Callable[[list[str]], Awaitable[None]]) -> None:
    """Make a bulk call, which may be repeated: setting a state twice, or deleting twice, changes nothing more."""
    from bot.cli.push import BATCH

    with bar(len(ids), "telling the API") as advance:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            await reading(partial(call, batch))
            advance(len(batch))
