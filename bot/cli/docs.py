"""`docs push|list|activate|deactivate|delete`: the documents that answers are made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from bot.cli.output import Json, api, bar, config, document, picked, progress, reading, say, table
from bot.errors import Misconfigured, Rejected

if TYPE_CHECKING:
    from bot.api.assumptions import DocumentStatus

app = App(name="docs", help="Load and manage the documents that answers are made from.")
KEYS = ("id", "title", "status", "ready")
BATCH = 50
"""Documents in one bulk call."""


@app.command(name="list")
async def list_(*, json: Json = False) -> None:
    """List the site's documents."""
    async with api() as client:
        with progress("asking the API"):
            found = await reading(client.documents)
    rows = [{key: getattr(entry, key) for key in KEYS} for entry in found]
    if json:
        document(rows)
    else:
        table(KEYS, picked(rows, *KEYS), empty="The site has no documents.")


@app.command
async def push(
    paths: list[Path],
    /,
    *,
    category: str = "general",
    active: Annotated[bool, Parameter(negative=())] = False,
    log: Path = Path("data/documents.json"),
    json: Json = False,
) -> int:
    """Load files and folders: Markdown and text, PDF, Word, and Q&A tables (CSV with question and answer).

    What was loaded is remembered, so that pushing again loads only what has changed; the version before is deleted
    after the new one is in. One file that fails does not keep the others.

    Parameters
    ----------
    category
        Category of the documents at the API.
    active
        Use them for answers at once; the API may otherwise keep new ones as drafts.
    log
        File that remembers what was loaded.
    """
    from bot.cli.push import Log, sources

    settings = config("api")
    entries = sources(paths)
    if not entries:
        raise Misconfigured("There is nothing to load there; name .md, .txt, .pdf, .docx or .csv files, or a folder.")
    remembered = Log(log, settings.base_url, settings.site_id)
    results = []
    async with api(settings) as client:
        with bar(len(entries), "loading") as advance:
            for entry in entries:
                results.append(await remembered.push(client, entry, category=category))
                advance(1)
        made = [str(result["id"]) for result in results if result["result"] in ("created", "replaced")]
        if active and made:
            await _bulk(made, lambda ids: client.bulk_status(ids, "active"))
    failed = [result for result in results if result["result"] == "failed"]
    if json:
        document(results)
    else:
        columns = ("file", "title", "id", "result", "error") if failed else ("file", "title", "id", "result")
        table(columns, picked(results, *columns), empty="")
    return 1 if failed else 0


@app.command
async def activate(ids: list[str], /, *, json: Json = False) -> None:
    """Use documents for answers."""
    await _status(ids, "active", json)


@app.command
async def deactivate(ids: list[str], /, *, json: Json = False) -> None:
    """Use documents no longer, and keep them as drafts."""
    await _status(ids, "draft", json)


@app.command
async def delete(ids: list[str], /, *, json: Json = False) -> None:
    """Delete documents for good."""
    _some(ids)
    async with api() as client:
        await _bulk(ids, client.bulk_delete)
    _done(ids, "deleted", json)


async def _status(ids: list[str], status: DocumentStatus, json: bool) -> None:
    _some(ids)
    async with api() as client:
        await _bulk(ids, lambda batch: client.bulk_status(batch, status))
    _done(ids, status, json)


def _some(ids: list[str]) -> None:
    if not ids:
        raise Rejected("No document is named; docs list shows the ids.")


def _done(ids: list[str], status: str, json: bool) -> None:
    if json:
        document({"ids": ids, "status": status})
    else:
        say(f"{len(ids)} document{'s are' if len(ids) != 1 else ' is'} {status} now.")


async def _bulk(ids: list[str], call: Callable[[list[str]], Awaitable[None]]) -> None:
    """Make a bulk call, which may be repeated: setting a state twice, or deleting twice, changes nothing more."""
    with bar(len(ids), "telling the API") as advance:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            await reading(partial(call, batch))
            advance(len(batch))
