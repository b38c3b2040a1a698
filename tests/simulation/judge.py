"""Whether the promises were kept, told from what people saw and what the API received, never from inside the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from bot.events import MessageRef
from tests.simulation.api import Request, Submit
from tests.simulation.channel import Post, Try
from tests.simulation.deeds import Ask
from tests.simulation.world import World

ANSWER = re.compile(r"q(\d+)v(\d+) ~(\d+)/(\d+) #(r\d+)$")
STORED = 12.0
"""Seconds after a call began by which what came of it is stored, even when channel and disk are slow."""
WORDS = re.compile(r"q(\d+)v(\d+)$")


@dataclass(slots=True)
class Verdict:
    """What was wrong, in words, and how often what happened."""

    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        """Count something for the summary."""
        self.counts[name] = self.counts.get(name, 0) + number


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer, read from its text."""

    post: Post
    version: int
    index: int
    of: int
    request: str


@dataclass
class Evidence:
    """Everything that concerns one question."""

    world: World
    ask: Ask
    submits: list[Submit]

    @property
    def is_hit(self) -> bool:
        """Whether a lasting fault may be felt by whoever asked."""
        return self.world.lasting.hits(self.ask.channel.name, self.ask.user)

    @cached_property
    def was_limited(self) -> bool:
        """Whether it was over a limit: so it was told, or may have been before a crash took the acknowledgement away.

        Who floods hears of the limit once a minute only, and what comes again is known to have been there before.
        """
        first = self.ask.edits[0]
        untold = bool(first.outcomes) and not first.counted and not (self.submits or self.parts or self.failures)
        return first.limited or (untold and self.is_hit and self.world.lasting.kind == "flood")

    def began_ahead(self, by: float) -> bool:
        """Whether a process may think that more time has passed: it has begun after the clock was set forward, or works
        beside another whose clock differs."""
        if self.world.overlaps and self.world.weather.jumps:
            return True
        ahead = [at for at, seconds in self.world.weather.jumps if seconds > 0]
        return any(at <= life.began <= by for at in ahead for life in self.world.lives)

    @property
    def name(self) -> str:
        return f"q{self.ask.number}"

    @cached_property
    def requests(self) -> list[Request]:
        """What the API made of it, in order."""
        return [one for one in self.world.api.requests.values() if _number(one.text) == self.ask.number]

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of answers to it that people saw."""
        found = []
        for post in self.ask.channel.posts:
            match = ANSWER.match(post.text) if post.kind == "answer" else None
            if match and int(match[1]) == self.ask.number:
                found.append(Part(post, int(match[2]), int(match[3]), int(match[4]), match[5]))
        return found

    @cached_property
    def root(self) -> Post | None:
        """The message that opened the thread of an /ask."""
        if not self.ask.root:
            return None
        found = (p for p in self.ask.channel.posts if p.kind == "question" and p.text == self.ask.texts[0])
        return next(found, None)

    @cached_property
    def reply_to(self) -> MessageRef | None:
        """The message that everything said about the question answers."""
        return self.root.ref if self.root is not None else self.ask.ref

    @cached_property
    def failures(self) -> list[Post]:
        """The failure notices for it that people saw."""
        return [post for post in self.ask.channel.posts if post.kind == "failure" and self._about(post)]

    @cached_property
    def tries(self) -> list[Try]:
        """Every send that concerned it."""
        label = f"{self.name}v"
        return [
            one
            for one in self.ask.channel.tries
            if one.text.startswith(label) or (one.kind in ("failure", "progress") and self._about(one))
        ]

    def _about(self, one: Post | Try) -> bool:
        if self.reply_to is None:
            return one.reply_to is None and one.place == self.ask.place.conversation
        return one.reply_to == self.reply_to

    def unsure(self, submit: Submit, by: float) -> bool:
        """Whether the bot could not know, at the time `by`, that this submit had been accepted."""
        if submit.end in ("unknown", "died"):
            return True
        life = self.world.lives[submit.process - 1]
        overlapped = any(begin <= by and submit.at <= end for begin, end in self.world.overlaps)
        if submit.end == "rejected" and submit.ended_at is not None:
            # It died before it could store that: at once, or while the disk was slow; or another one took over.
            begin, end = submit.ended_at, by if life.died is None else life.died
            slow = any(a <= end and b >= begin for a, b in self.world.disk_trouble)
            return overlapped or (life.died is not None and end <= by and (end - begin < 1e-4 or slow))
        if submit.end != "accepted" or submit.request is None:
            return False
        cut_off = life.was_gone(submit.at, by)
        # Seen by one of two processes, and not yet stored on a slow disk, it is not known to the other one.
        slow = overlapped and any(a <= by and b >= submit.at for a, b in self.world.disk_trouble)
        return (cut_off or overlapped) and (submit.request.seen is None or submit.request.seen > by or slow)


def stored_by(world: World, at: float) -> float:
    """Say until when what came of a call may not be stored: channel and disk may be slow, so that writes queue before
    it, and the disk may fail."""
    by = at + STORED
    for begin, end in sorted((*world.weather.disk_fails, *world.disk_waits)):
        if begin <= by and end >= at:
            by = max(by, end + STORED)
    return by


def _number(text: str) -> int:
    match = WORDS.match(text)
    return int(match[1]) if match else -1


def collect(world: World) -> list[Evidence]:
    """Sort the logs by question."""
    by_number: dict[int, list[Submit]] = {}
    for submit in world.api.submits:
        by_number.setdefault(_number(submit.text), []).append(submit)
    return [Evidence(world, ask, by_number.get(ask.number, [])) for ask in world.people.asks]


def judge(world: World) -> Verdict:
    """Look at a run that is over."""
    from tests.simulation.judge_feedback import judge_feedback
    from tests.simulation.judge_progress import judge_progress
    from tests.simulation.judge_questions import judge_questions
    from tests.simulation.judge_sessions import judge_sessions
    from tests.simulation.pastes import judge_pastes

    verdict = Verdict(list(world.complaints))
    if not world.rested:
        verdict.wrong.append("It does not come to rest.")
    evidence = collect(world)
    _count(world, verdict)
    judge_questions(evidence, verdict)
    judge_sessions(evidence, verdict)
    judge_progress(evidence, verdict)
    judge_feedback(evidence, verdict)
    judge_pastes(world, verdict)
    return verdict


def _count(world: World, verdict: Verdict) -> None:
    fates = list(world.luck.unusual.values())
    verdict.count("questions", len(world.people.asks))
    verdict.count("crashes", len(world.crashed))
    verdict.count("calls cut", sum(fate.startswith("cut_") for fate in fates))
    verdict.count("calls refused", sum(fate in ("refused", "limited", "barred", "odd") for fate in fates))
    verdict.count("clocks set", len(world.weather.jumps))
    verdict.count("upgrades", sum(what == "OLD SCHEMA" for _, what, _ in world.history))
    verdict.count("lasting faults", bool(world.lasting.kind))
