"""What people have done in a run, as values: questions, votes, new beginnings, and their way to the bot."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.events import Conversation, Event, MessageRef
from tests.simulation.channel import Channel, Post


@dataclass(slots=True, eq=False)
class Delivery:
    """An event on its way to the bot.

    `label` names it in stories. `handed_at`: when a process first had it; `stored_at`: when one first said it is safe;
    `outcomes`: what was said; `limited`: it was over a limit.
    """

    event: Event
    channel: Channel
    at: float
    label: str
    handed_at: float | None = None
    stored_at: float | None = None
    outcomes: list[str] = field(default_factory=list)
    limited: bool = False

    @property
    def counted(self) -> bool:
        """Whether the bot took it as something new."""
        return "accepted" in self.outcomes


@dataclass(frozen=True, slots=True)
class Place:
    """Where people talk; `scope` names whose memory is shared there, `{user}` stands for the person's own."""

    conversation: Conversation
    users: tuple[str, ...]
    scope: str


@dataclass(slots=True, eq=False)
class Ask:
    """One question, asked `at`. `texts[v]` are its words after `v` edits, `edits[v]` how those words came to the bot.

    `sent_at` is the platform's time, in seconds since the epoch.
    """

    number: int
    channel: Channel
    place: Place
    user: str
    at: float
    sent_at: float
    ref: MessageRef | None
    root: bool
    texts: list[str]
    edits: list[Delivery]
    ends: list[Delivery] = field(default_factory=list)

    @property
    def scope(self) -> str:
        """Whose memory this question belongs to."""
        if self.root:
            return f"root {self.number}"
        return f"{self.channel.name} {self.place.conversation.conversation_id} {self.place.scope}".format(
            user=self.user
        )


@dataclass(slots=True, eq=False)
class Vote:
    """One thing a person did to a message of the bot."""

    user: str
    post: Post
    emoji: str
    added: bool
    button: bool
    at: float
    delivery: Delivery


@dataclass(slots=True, eq=False)
class Anew:
    """Somebody begins a new conversation."""

    scope: str
    delivery: Delivery
