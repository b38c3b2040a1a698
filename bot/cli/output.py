"""What commands share: documents on stdout, words and progress on stderr, settings, retries of reads."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from cyclopts import CycloptsError, Parameter

from bot.errors import Misconfigured, OutcomeUnknown, Unavailable

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.api.client import ApiClient
    from bot.config import Config, Need

T = TypeVar("T")

Json: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative=(), help="One JSON document on stdout, and nothing else.")
]

Route: TypeAlias = Annotated[
    str | None, Parameter(help="The site of this route instead of the settings' own: its name, or its number.")
]

NARROW = 9
"""Characters a column needs at least to be read; with fewer, a table is written a row a paragraph."""
READ_ATTEMPTS = 4
READ_SECONDS = 30.0
"""A read of the API is tried so often, and for so long; what asks for more patience than that has failed."""


def document(value: object) -> None:
    """Print one JSON document on stdout."""
    print(_json(value))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


async def listing(
    pages: AsyncIterator[list[dict[str, Any]]],
    columns: Sequence[str],
    *,
    as_json: bool,
    empty: str,
    cells: Callable[[Mapping[str, Any]], Sequence[object]] | None = None,
) -> int:
    """Print a list as its pages come, as one JSON array or as a table; return how many rows it had.

    `cells` makes a row of the table, in the order of `columns`; without it these are keys.
    """
    count = 0
    async for page in pages:
        if as_json:
            for row in page:
                print("[" if count == 0 else ",", _indented(row), sep="\n", end="")
                count += 1
        else:
            rows = picked(page, *columns) if cells is None else [cells(row) for row in page]
            table(columns, rows, empty=empty, header=count == 0)
            count += len(page)
    if as_json:
        print("\n]" if count else "[]")
    elif not count:
        say(empty)
    return count


def _indented(row: Mapping[str, Any]) -> str:
    return "  " + _json(row).replace("\n", "\n  ")


def say(text: str) -> None:
    """Print a line on stdout, free of control characters that a terminal would obey."""
    print(harmless(text))


def note(text: str) -> None:
    """Print a line on stderr."""
    print(harmless(text), file=sys.stderr, flush=True)


def harmless(text: str) -> str:
    """Take out what could steer a terminal; texts come from people and from a language model.

    >>> harmless("a\\x1b[31mb\\x07\\tc\\nd")
    'a[31mb\\tc\\nd'
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str, header: bool = True) -> None:
    """Print a table on stdout, or the sentence `empty`; a row a paragraph where the terminal is too narrow for it."""
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[harmless(_cell(value)) for value in row] for row in rows]
    console = Console()
    if not console.is_terminal:
        # In a pipe nobody wants lines folded at 80 columns.
        console.width = 10_000
    if console.width < NARROW * len(columns):
        _listed(columns, cells)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, show_header=header)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in cells:
        shown.add_row(*map(Text, row))
    console.print(shown)


def _listed(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a row a paragraph: on a narrow terminal the columns of a table would be a few letters wide."""
    width = max(map(len, columns))
    for number, row in enumerate(rows):
        if number:
            print()
        for column, cell in zip(columns, row, strict=True):
            print(f"{column:<{width}}  {cell}")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


@contextlib.contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr that work goes on, for as long as the block lasts; yields a function that changes the words."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(text) as status:
        yield lambda words: status.update(words)


@contextlib.contextmanager
def bar(total: int, text: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr; yields a function that advances it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(text, total=total)
        yield lambda steps: shown.update(task, advance=steps)


class WrongUsage(Exception):
    """The command line is wrong in a way that its parser cannot see; one sentence says how."""


def usage(error: CycloptsError, given: Sequence[str]) -> int:
    """Say in a sentence how the command line is wrong; 2."""
    words = []
    for word in given:
        if word.startswith("-"):
            break
        words.append(word)
    chain = [str(name) for name in (error.command_chain or ()) if str(name) in words]
    message = re.sub(r"\s*Available commands:.*", "", " ".join(str(error).split()))
    message = re.sub(r"^Unused Tokens: \[(.*)\]\.?$", r"Not expected here: \1", message)
    end = "" if message.endswith((".", "?")) else "."
    note(f"{message}{end} See: {' '.join(['uppzy-bot', *chain, '--help'])}")
    return 2


def folder_of(path: Path | None) -> None:
    """Raise Misconfigured when `--docs` names no folder."""
    if path is not None and not path.is_dir():
        raise Misconfigured(f"There is no folder {path}; give --docs a folder with documents.")


def config(*need: Need) -> Config:
    """Load the settings that a command needs; raises ConfigError. Nothing is logged to stdout from here on."""
    from bot.config import installed, load

    settings = load(installed(), need=frozenset(need))
    logs(settings.model_copy(update={"log_level": "warning", "log_format": "console"}))
    return settings


def logs(settings: Config) -> None:
    """Send logs to stderr as the settings say, without the secrets the settings know."""
    from bot.telemetry.logging import configure
    from bot.telemetry.redaction import secrets_of

    configure(
        level=settings.log_level, style=settings.log_format, secrets=[*secrets_of(settings), *settings.proxy_secrets]
    )


@contextlib.asynccontextmanager
async def api(settings: Config | None = None, *, route: str | None = None) -> AsyncIterator[ApiClient]:
    """Open a client of the API with the settings in force, for the site that a route leads to, or their own.

    Raises:
        WrongUsage: no route has this name or number.
    """
    from bot.api.client import ApiClient
    from bot.api.gate import Gate

    settings = settings or config("api")
    tenant_id, site_id, api_key = _site(settings, route)
    if api_key is None:  # `config("api")` has made sure
        raise RuntimeError("settings without a key")
    client = ApiClient(
        base_url=settings.base_url,
        api_key=api_key,
        tenant_id=tenant_id,
        site_id=site_id,
        gate=Gate(),
    )
    try:
        yield client
    finally:
        await client.aclose()


def _site(settings: Config, route: str | None) -> tuple[str, str, SecretStr | None]:
    if route is None:
        return settings.tenant_id, settings.site_id, settings.api_key
    for number, one in enumerate(settings.routes, 1):
        if route in (one.name, str(number)):
            return (
                one.tenant_id or settings.tenant_id,
                one.site_id or settings.site_id,
                one.api_key or settings.api_key,
            )
    raise WrongUsage("No route has this name or number; `uppzy-bot config show` lists the routes.")


async def reading(
    what: Callable[[], Awaitable[T]],
    *,
    repeatable: bool = True,
    attempts: int = READ_ATTEMPTS,
    seconds: float = READ_SECONDS,
) -> T:
    """Make a call again when the API is unavailable, a few times and as it asks.

    `repeatable=False` is for a call that must not happen twice: an unknown outcome is then an error at once.
    """
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])

    def again(error: Exception) -> bool | float:
        if not isinstance(error, Unavailable) or (isinstance(error, OutcomeUnknown) and not repeatable):
            return False
        if error.retry_after is None:
            return True
        # stamina would cap the time and come back earlier than told: rather give up.
        return error.retry_after if error.retry_after <= seconds else False

    async for attempt in stamina.retry_context(on=again, attempts=attempts, timeout=seconds):
        with attempt:
            return await what()
    raise AssertionError("stamina either returns or raises")


def at_most(limit: int) -> int:
    """Turn what was given as `--limit` into a number; 0 means all. Raises Misconfigured for a negative one."""
    if limit < 0:
        raise Misconfigured("--limit is a number of rows, 0 for all.")
    return limit or 1 << 62


def more(left: int, what: str) -> None:
    """Say on stderr how many were not listed."""
    if left > 0:
        note(f"… and {left:,} more {what}{'' if left == 1 else 's'}; --limit 0 lists all.")


def picked(rows: Sequence[Mapping[str, Any]], *keys: str) -> list[list[Any]]:
    """Pick the columns of a table out of documents."""
    return [[row.get(key) for key in keys] for row in rows]
