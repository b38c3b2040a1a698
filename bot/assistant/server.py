"""Start and stop the embedded assistant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.assistant.accounts import Accounts, Plan, TenantAccount
from bot.assistant.chats import Chats
from bot.assistant.control import add_control
from bot.assistant.counts import Usage
from bot.assistant.database import AssistantDatabase
from bot.assistant.documents import Documents
from bot.assistant.faults import Faults
from bot.assistant.folder import Folder, FolderReport
from bot.assistant.http import PREFIX, add_operations, envelope
from bot.assistant.openapi import add_description
from bot.assistant.recorder import Recorder
from bot.assistant.retrieval.answers import Answers
from bot.assistant.script import Line, Script
from bot.assistant.service import Service
from bot.assistant.suggestions import FolderSuggestions
from bot.documents import Parser

SAMPLES = Path(__file__).parent / "samples"
"""Sample documents about an invented company, for the demo."""
PATIENCE = 5.0
"""Seconds that a start waits for the folder to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantOptions:
    """How to start.

    `port` 0 takes a free one. `delay` is in seconds from a question to its answer. Without `data` nothing is kept.
    `rough` switches a mild mix of faults on; `watch` reads the folder `docs` again whenever a file in it changes.
    `more` are further tenants beside the one named by `tenant`, `site`, `key` and `plan`. `record` is how many requests
    the recorder keeps. `synonyms` names a file of further synonyms. `patience`: seconds a start waits for the folder.
    """

    docs: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8081
    tenant: str = "demo"
    site: str = "demo"
    key: str = field(default="demo", repr=False)
    delay: float = 1.0
    data: Path | None = None
    rough: bool = False
    watch: bool = False
    plan: Plan = field(default_factory=Plan)
    more: tuple[TenantAccount, ...] = ()
    record: int = 20_000
    synonyms: Path | None = None
    patience: float = PATIENCE


class RunningAssistant:
    """A started assistant; close it."""

    def __init__(
        self,
        options: AssistantOptions,
        service: Service,
        runner: web.AppRunner,
        folder: Folder | None,
        suggestions: FolderSuggestions,
    ) -> None:
        self._options = options
        self._service = service
        self._suggestions = suggestions
        self._runner = runner
        self._folder = folder
        self._first_look: asyncio.Task[None] | None = None
        host, port = runner.addresses[0][:2]
        self.port: int = port
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown}:{port}{PREFIX}"
        self.faults = service.faults
        self.requests = service.recorder
        self.accounts = service.accounts
        self.documents = service.documents
        self.script: Callable[..., Line] = service.script.add
        """Write an answer: `script(contains=…, answer=…, delay=…, error=…, times=…)`; see `Script.add`."""
        self.clear_script = service.script.clear

    @property
    def control_url(self) -> str:
        """Where faults, scripted answers and recorded requests are reached over HTTP, from this machine only."""
        return self.base_url.removesuffix(PREFIX) + "/control"

    def set_delay(self, seconds: float) -> None:
        """Change the time from a question to its answer, for questions from now on."""
        self._service.chats.delay = seconds

    async def look(self, seconds: float) -> None:
        """Begin to read the folder and wait for it so long at most; it is read on meanwhile."""
        self._first_look = asyncio.create_task(self.settled(), name="read folder")
        await asyncio.wait([self._first_look], timeout=seconds)

    async def first_look(self) -> FolderReport:
        """Wait until the folder has been read once; what became of its files."""
        if self._first_look is not None:
            await asyncio.wait([self._first_look])
        return await self.report()

    async def report(self) -> FolderReport:
        """What has become of the folder's files, as it stands now."""
        return await self._folder.report() if self._folder is not None else FolderReport()

    async def suggestions(self) -> tuple[str, ...]:
        """What may be asked of the folder; nothing until it has been read once."""
        if self._first_look is None or not self._first_look.done():
            return ()
        return await self._suggestions.current()

    async def settled(self) -> None:
        """Wait until every document that is stored or lies in the folder has been read."""
        if self._folder is not None:
            await self._folder.scan()
        await self._service.documents.settled()

    async def close(self) -> None:
        """Stop; what was accepted is finished at the next start with the same `data`. May be repeated."""
        if self._folder is not None:
            await self._folder.close()
        if self._first_look is not None:
            self._first_look.cancel()
            await asyncio.gather(self._first_look, return_exceptions=True)
        await self._runner.cleanup()


async def start(options: AssistantOptions) -> RunningAssistant:
    """Start, read the folder (waiting `patience` seconds at most, the rest is read meanwhile), and serve.

    Raises:
        OSError: when the port is taken, or the folder or the data file cannot be read.
    """
    if options.docs is not None and not options.docs.is_dir():
        raise NotADirectoryError(f"The documents' folder does not exist: {options.docs}.")
    schema = await asyncio.to_thread((Path(__file__).parent / "schema.sql").read_text)
    database = await asyncio.to_thread(AssistantDatabase, options.data, schema)
    parser = Parser()
    try:
        answers = await asyncio.to_thread(Answers, database, options.synonyms)
        service = _service(options, database, parser, answers)
        folder = None
        if options.docs is not None:
            folder = Folder(options.docs, options.site, service.documents, answers.use_synonyms)
        runner = await _serve(options, service, parser, answers)
    except BaseException:
        await parser.close()
        await database.close()
        raise
    running = RunningAssistant(options, service, runner, folder, FolderSuggestions(database, options.site, answers))
    if folder is not None:
        try:
            await running.look(options.patience)
        except BaseException:
            await running.close()
            raise
        if options.watch:
            folder.watch()
    return running


def _service(options: AssistantOptions, database: AssistantDatabase, parser: Parser, answers: Answers) -> Service:
    faults, script = Faults(), Script()
    if options.rough:
        faults.rough()
    own = TenantAccount(id=options.tenant, sites=(options.site,), keys=(options.key,), plan=options.plan)
    return Service(
        database=database,
        accounts=Accounts((own, *options.more)),
        documents=Documents(database, parser, answers.changed),
        chats=Chats(database, answers.answer, script, options.delay),
        usage=Usage(database),
        faults=faults,
        recorder=Recorder(options.record),
        script=script,
    )


async def _serve(options: AssistantOptions, service: Service, parser: Parser, answers: Answers) -> web.AppRunner:
    app = web.Application(middlewares=[envelope], client_max_size=64 * 1024 * 1024)
    add_operations(app, service)
    add_description(app)
    add_control(app, service)

    counting: list[asyncio.Task[None]] = []

    async def life(_: web.Application) -> None:
        await service.chats.start()
        await service.documents.resume()
        counting.append(asyncio.create_task(service.usage.run(), name="write usage"))

    async def end(_: web.Application) -> None:
        for task in counting:
            task.cancel()
        await asyncio.gather(*counting, return_exceptions=True)
        await service.chats.close()
        await service.documents.close()
        await parser.close()
        await service.usage.flush()
        await service.database.close()
        answers.close()

    app.on_startup.append(life)
    app.on_cleanup.append(end)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, handler_cancellation=False, auto_decompress=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port, backlog=1024, reuse_address=True).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner
