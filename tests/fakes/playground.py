"""A core that answers by a script, for the playground's page; each moment can be held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from adapters.playground.adapter import PlaygroundAdapter
from adapters.playground.config import PlaygroundSettings
from bot.adapter import Handled, JsonValue
from bot.events import (
    Answer,
    Command,
    Conversation,
    Event,
    Message,
    MessageRef,
    Notice,
    Outbound,
    Rating,
    Reaction,
)
from bot.shared import BackgroundTasks
from bot.testing.host import FakeHost

SUGGESTIONS: Final = ("How long can I return something?", "What does express delivery cost?")
SESSION: Final = "s_87b9dd716ca8707a597bda8a8a6988342583684a"
REQUEST: Final = "req_1709dc2bcedb3872047eace2975c198c"


@dataclass(eq=False)
class ScriptedCore(FakeHost):
    """A FakeHost that answers: the question's words in capitals, or what `answers` says for them.

    `gate`: while it is clear, answers wait and the sign of work is on. Everything handled is in `events`.
    """

    adapter: PlaygroundAdapter
    answers: dict[str, str] = field(default_factory=dict)
    asked: dict[str, dict[str, JsonValue]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks = BackgroundTasks()
        self.sends = 0
        self.last: MessageRef | None = None
        self.running: asyncio.Task[None] | None = None

    async def start(self, port: int) -> None:
        self.running = asyncio.create_task(self.adapter.run(self))
        self.serve("GET", "/documents", self.documents)
        await asyncio.sleep(0)
        await self.start_http(port)

    async def documents(self, _: web.Request) -> web.StreamResponse:
        """Say what the demo says of its folder."""
        report = {"summary": "All 3 files of handbook are read.", "unread": [], "notes": [], "waiting": False}
        return web.json_response(report)

    async def stop(self) -> None:
        """Stop receiving, then serving, as the core does; may be called again."""
        if self.running is not None:
            self.running.cancel()
            await self.tasks.drain()
            await asyncio.gather(self.running, return_exceptions=True)
        await self.close()

    async def handle(self, event: Event) -> Handled:
        handled = await super().handle(event)
        if handled.outcome == "accepted":
            self.tasks.spawn(self.act(event))
        clicked_bad = isinstance(event, Reaction) and event.button and event.emoji == "👎"
        return Handled(outcome=handled.outcome, ask_why=clicked_bad)

    async def act(self, event: Event) -> None:
        match event:
            case Message(text=text) if event.conversation.is_direct or event.mentions_bot:
                await self.answer(event.conversation, event.ref, event.user_id, text)
            case Command(name="help"):
                await self.say(event.conversation, Notice(text="Ask me anything. `/new` starts over.", kind="info"))
            case Command(name="new"):
                await self.say(event.conversation, Notice(text="A new conversation begins.", kind="info"))
            case Reaction(button=True):
                rating: Rating | None = None
                if event.added:
                    rating = "good" if event.emoji == "👍" else "bad"
                await self.adapter.mark(event.target, rating)
                for facts in self.asked.values():
                    facts["rating"] = rating
            case Command(name="stop"):
                await self.adapter.working(event.conversation, None, False)
                await self.say(event.conversation, Notice(text="Stopped.", kind="info"))
            case _:
                pass

    async def answer(self, conversation: Conversation, question: MessageRef, asker: str, text: str) -> None:
        facts: dict[str, JsonValue] = {
            "reference": "K7Q2M4XA",
            "session_id": SESSION,
            "request_id": None,
            "state": "working",
            "outcome": None,
            "polls": 2,
            "steps": [
                {"name": "submit", "started_at": 1771000000.0, "seconds": 0.084},
                {"name": "poll", "started_at": 1771000000.09, "seconds": None},
            ],
            "rating": None,
            "submitted": None,
            "feedback": None,
        }
        self.asked[question.message_id] = facts
        await self.adapter.working(conversation, question, True)
        await self.gate.wait()
        said = self.answers.get(text, text.upper())
        answer = await self.say(conversation, Answer(text=said, asker_id=asker), question)
        await self.adapter.working(conversation, question, False)
        steps: list[JsonValue] = [
            {"name": "submit", "started_at": 1771000000.0, "seconds": 0.084},
            {"name": "poll", "started_at": 1771000000.09, "seconds": 2.31},
            {"name": "deliver", "started_at": 1771000002.4, "seconds": 0.046},
        ]
        facts |= {
            "request_id": "req_1709dc2bcedb3872047eace2975c198c",
            "state": "done",
            "outcome": "answered",
            "polls": 4,
            "steps": steps,
        }
        self.asked[answer.message_id] = facts

    async def say(self, conversation: Conversation, what: Outbound, reply_to: MessageRef | None = None) -> MessageRef:
        ref: MessageRef | None = None
        for part in self.adapter.render(what):
            self.sends += 1
            ref = await self.adapter.send(conversation, part, f"{self.sends:032x}", reply_to)
        assert ref is not None
        self.last = ref
        return ref

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        return self.asked.get(ref.message_id)


@asynccontextmanager
async def world(folder: Path, port: int = 0) -> AsyncIterator[ScriptedCore]:
    settings = PlaygroundSettings(enabled=True, data=folder / "playground.db", suggestions=SUGGESTIONS, docs="docs")
    core = ScriptedCore(PlaygroundAdapter(settings))
    await core.start(port)
    try:
        yield core
    finally:
        await core.stop()
