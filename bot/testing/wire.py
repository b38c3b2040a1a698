"""What the conformance suite needs of a channel's loopback platform: the `Wire`.

    class TestSlackOverHttp(AdapterConformance):
        spec = CHANNEL                                       # the ChannelSpec of its config.py
        payloads = Path("tests/payloads/slack")              # see payload_files.py

        @pytest.fixture
        async def wire(self) -> AsyncIterator[Wire]:
            async with SlackWire(socket_mode=False) as wire:     # the real SDK against a loopback server
                yield wire

One class per way of receiving (HTTP and Socket Mode, polling and webhook). The suite builds the adapter with
`wire.build()`, starts `adapter.run(wire.host)`, calls `wire.connect()`, plays, and cancels `run`. A wire outlives its
adapters: a second one built later is the same bot after a restart. The suite never skips; what a channel cannot do
it says in `ChannelSpec.lacks`, what its platform cannot do in facts of the wire (`cannot_fail`, None), and both are
checked too where that is possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from bot.adapter import Adapter
from bot.events import Conversation, File, MessageRef
from bot.testing.host import FakeHost

FailHow: TypeAlias = Literal["rate_limited", "cut_after_write", "refused", "bad_token", "gone"]
"""How the platform fails, in its own words on the wire (status, body, headers), from now on, for every method.
Receiving (long polls, a socket that is open) stays as it is where it can; `run` may end with an error of ours.

`rate_limited`: it takes nothing and says how long to wait. `cut_after_write`: it does what it is asked, then cuts the
connection instead of a reply. `refused`: nothing listens at its address. `bad_token`: the token is not valid.
`gone`: the conversation is out of reach (blocked, kicked, archived).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One message of the bot as the platform shows it now.

    `text` is what people read, without markup. `length` counts in the unit of the platform's limit.
    `thread_id` is the thread it stands in, `reply_to` the id of the message it answers, None without.
    `alerts` is everything live in it that a stranger's text must never bring: pings, script or deep links.
    `form` is what of it is more than text: styles, blocks, links behind words, not addresses linked by the platform.
    `buttons` says whether it has rating buttons.
    """

    ref: MessageRef
    text: str
    length: int
    thread_id: str | None = None
    reply_to: str | None = None
    alerts: Sequence[str] = ()
    form: Sequence[str] = ()
    buttons: bool = False


class Wire(Protocol):
    """A loopback platform, the host, and the facts about the channel.

    `host`: a fresh FakeHost; the wire starts its HTTP server in `connect` where the channel needs one.
    `conversation`: a direct conversation of one person with the bot. `thread`: one with a `thread_id` (in a channel,
    a topic), None where the channel lacks threads. `asker_id`: that person. `question`: a message of that person in
    `conversation`, known to the platform.
    `account_name`: the bot's name, or the account's, as the platform says it; `Adapter.check` shows it.
    `limit`: the greatest `Posted.length` the platform takes.
    `person_name`: how the platform names `asker_id`; "" where the channel cannot tell.
    `cannot_fail`: ways to fail the platform does not have, with the reason; {} for most.
    """

    host: FakeHost
    conversation: Conversation
    asker_id: str
    question: MessageRef
    account_name: str
    limit: int
    person_name: str
    cannot_fail: Mapping[FailHow, str]

    @property
    def thread(self) -> Conversation | None:
        """A conversation with a `thread_id`; None where the channel lacks threads."""
        ...

    def build(self) -> Adapter:
        """Build the adapter from its settings, pointed at this platform; call it again for a restart."""
        ...

    async def connect(self) -> None:
        """Wait until the adapter receives; `run(host)` has just been started, and may have been before."""
        ...

    async def deliver(self, payload: Any) -> bool:
        """Deliver a payload once, as the platform does, and return whether it was acknowledged.

        Returns True as soon as it is acknowledged (2xx, Socket Mode ack, the offset moved past it), and False as
        soon as it is plain that it was declined: another status, the same offset asked for again or `run` ended,
        no ack within a second after `host.handle` raised. It stays pending while `host.handle` does.
        The same payload delivered twice is a redelivery: same ids, same bytes.
        """
        ...

    def message(self, text: str) -> Any:
        """Build the payload of a new message (new ids) in `conversation` by the asker."""
        ...

    def poison(self) -> Any:
        """Build a payload that passes every check at the door (signature, JSON) and cannot be normalised."""
        ...

    def reaction_to(self, ref: MessageRef, emoji: str = "👍", *, added: bool = True) -> Any:
        """Build the payload of the asker putting an emoji on the message, or taking it off; not called where the
        channel lacks reactions."""
        ...

    def click_on(self, ref: MessageRef, rating: Literal["good", "bad"]) -> Any:
        """Build the payload of the asker pressing a rating button of the message; not called where the channel lacks
        buttons."""
        ...

    def posted(self) -> list[Posted]:
        """List the messages of the bot that exist now, in the order they were posted."""
        ...

    def deleted(self) -> list[MessageRef]:
        """List the messages of the bot that were deleted."""
        ...

    def sends(self) -> int:
        """Count the HTTP requests that asked to post a message, failed ones too, since the wire was made."""
        ...

    def signs(self) -> int:
        """Count the signs of work begun (typing, 👀, status) since the wire was made; none where it lacks them."""
        ...

    async def fail(self, how: FailHow | None, *, retry_after: float = 7.0) -> None:
        """Fail that way from now on; None heals. `retry_after` in seconds, in the platform's own form."""
        ...

    async def thread_with_history(self) -> tuple[Conversation, MessageRef, Sequence[str]] | None:
        """Make a thread in which people said these texts, oldest first, then a message: the thread, that message, the
        texts before it. None where the channel cannot tell what was said."""
        ...

    async def file_with(self, content: bytes, name: str) -> File | None:
        """Put a file at the platform, as one of a message. None where messages have no files."""
        ...
