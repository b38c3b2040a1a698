"""The two contracts at the boundary: what a channel's Adapter does, and what the core's Host lends to it.

`bot/testing/conformance.py` is this page as tests; every adapter passes all of it that its `ChannelSpec.lacks` leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, TypeAlias

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, SecretStr, ValidationInfo

from bot.events import (
    Conversation,
    EarlierMessage,
    Event,
    File,
    Mention,
    MessageRef,
    Outbound,
    Person,
    Rating,
    Standing,
)

JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
Part: TypeAlias = Mapping[str, JsonValue]
"""One message of a rendered outbound, in the adapter's own shape: JSON values only, for it is stored with the
intent to send and may be sent by another process after a restart or an upgrade."""

FILE_BYTES: Final = 20_000_000
"""Size of the largest file that `Adapter.open` returns; Telegram's bots get no larger one
(https://core.telegram.org/bots/api#getfile: 20 MB)."""
NOTE_UNITS: Final = 120
"""UTF-16 units that the `note` of `Adapter.send` has at most; every part of an answer has room for them."""
FILE_SECONDS: Final = 30.0
"""How long `Adapter.open` may take before it is `Unavailable`."""


def _secret_in_file(value: object, info: ValidationInfo) -> object:
    """Read what a file holds; a secret itself stays as it is. `info.context.cwd` is where paths begin."""
    if not isinstance(value, str):
        return value
    try:
        text = (getattr(info.context, "cwd", Path()) / Path(value).expanduser()).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        text = ""
    if not text or not text.isprintable():
        raise ValueError("the path of a readable file that holds one secret")
    return SecretStr(text)


SecretFile: TypeAlias = Annotated[SecretStr, BeforeValidator(_secret_in_file)]
"""A secret that the settings name by the path of the file that holds it."""
HttpHandler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding of `Adapter.check`, as `doctor` shows it. `fix` says in words what to do, "" when ok."""

    check: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What the core did with an event; by now it is safe on disk, or needs no keeping.

    `ask_why`: the clicker of a 👎 button may now be asked why, by the adapter (see `Reaction.can_ask_why`);
    True at most once per answer, for the asker alone; `language`: in which.
    """

    outcome: Literal["accepted", "duplicate", "ignored", "refused"]
    ask_why: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Ids of an account that the access policy allows and denies: people, conversations, groups of people. `named`: an
    entry of it, or a route, names the account or something in it."""

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    named: bool = False


class Vault(Protocol):
    """Small secrets kept by the core, encrypted with BOT_ENCRYPTION_KEY (needed as soon as one is put)."""

    async def get(self, name: str) -> str | None:
        """Return the value put last under the name, None without one."""
        ...

    async def put(self, name: str, value: str | None) -> None:
        """Store the value; None deletes it. Raises `Misconfigured` without a key."""
        ...

    async def take(self, name: str) -> str | None:
        """Delete the value and return it, None without one; among all processes only one gets it."""
        ...

    async def names(self, beginning: str) -> Sequence[str]:
        """List the names that begin so."""
        ...


class Host(Protocol):
    """What the core lends to an adapter while it runs."""

    @property
    def vault(self) -> Vault:
        """Encrypted get and put."""
        ...

    def listed(self, channel: str, account_id: str) -> Listed:
        """Name the ids of an account that `[access]` lists: for groups of people, of which an adapter has to find out
        who belongs to them (`Message.groups`)."""
        ...

    async def handle(self, event: Event) -> Handled:
        """Take in one event. Acknowledge it to the platform only after this returned.

        Raises:
            Unavailable: nothing was stored (the database is locked, full or lost, or too many turns are
                open). Do not acknowledge: 503 on HTTP, no Socket Mode ack, the batch not confirmed.
        """
        ...

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised as a dead letter; the same promise and error as `handle`.

        The same raw bytes set aside twice are kept once. `reason` is one sentence without the payload's text.
        `account_id` is "" where the payload does not tell.
        """
        ...

    def note_refused(self, channel: str, reason: str, hint: str = "") -> None:
        """Count a delivery that was refused before any work; `reason` is a bounded word.

        `hint` asks the operator what may be wrong ("is X_SECRET the app's?"): then it is warned of, at most once a
        minute, and named by `doctor` and the status page. Without a signature it is anybody's, and only counted.
        """
        ...

    def serve(self, method: str, path: str, handler: HttpHandler) -> None:
        """Add a handler to the one HTTP server; the body limit is already applied (413). An `Unavailable` that
        leaves it becomes 503 with Retry-After, any other error 500; requests under way may end when the bot stops.

        To be called before the first await of `run`, so that the server is complete when it starts. `run` may come
        again with the same host: a later handler for the same method and path takes the place of the former.
        """
        ...

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Wait for, then hold, a right that so many processes may have, such as polling; `Unavailable`: it was lost."""
        ...

    async def pace(self, key: str, seconds: float) -> None:
        """Wait until `seconds` have passed since the last return for this key, in call order, in whatever process."""
        ...

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Tell the story of the turn that a message belongs to, as its question or as a part of what was sent.

        Ids, state, outcome, steps with their times, rating; no text of anybody. None for a message of no turn.
        """
        ...


class Adapter(Protocol):
    """The code that speaks one channel. No member is optional, there is no base class, it holds no state
    that a restart may not lose.

    Every method may raise the errors of `bot.errors` and nothing else: `Unavailable` (certainly not done;
    `retry_after` as the platform said), `OutcomeUnknown` (cut or timed out after writing), `Rejected` (`gone`
    when the whole conversation is out of reach), `Misconfigured` (token, scope). A call that was written and whose
    reply does not say what became of it (a cut, a time-out, 5xx after a POST, a 2xx that cannot be read) is
    `OutcomeUnknown`; what certainly was not carried out (refused connection, 429, 503) is `Unavailable`. No call of
    the platform follows a redirect with our token.

    `run` is called by the bot alone; every other method also where nothing runs (by `doctor`, by tests), so
    connections may not depend on it.
    """

    @property
    def channel(self) -> str:
        """Name of the channel, that of its `ChannelSpec`."""
        ...

    async def run(self, host: Host) -> None:
        """Receive until cancelled; then stop receiving, let calls under way end, leave no task behind.

        Each event goes to `host.handle` and is acknowledged only after that returned. An error that ends
        receiving may be raised; the core starts `run` again, with back-off.
        """
        ...

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render, in as many parts as the channel's limits ask for; pure, and on any thread, for a long answer takes
        seconds. At least one part of every outbound, a `Home` too; buttons on the last part of an `Answer` (see
        `Answer.asks_rating`).

        `plain` is the form to fall back on when the platform refused the first: the same words in the same order as
        escaped text alone, without blocks or entities, in parts that the platform neither refuses nor splits (at most
        4,000 characters, or UTF-16 units where it counts those). It may be without buttons. Then `after` leaves out the
        words of so many parts of the first form, from the beginning: they are sent already.

        Every part of an `Answer`, in either form, leaves room for a `note` (see `send`).
        """
        ...

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Send one part as one new message, in ONE HTTP attempt, and return what a reaction to it will name.

        `note` is a line of the core's own, at most `NOTE_UNITS` long, that stands below the words of the part.

        `delivery_id` (32 hex characters, the same on a retry of the same part) goes along where the platform
        can carry it, so that `find` finds it. `reply_to` is the question, or the answer for a `why`; a reply
        to a message that no longer exists still goes out. The ref may name another conversation than asked
        for where the platform forced that (an /ask where the bot is no member goes to the DM).

        A refusal of nothing but the form (blocks, entities, markup) is `Rejected` with `form`: the core then sends the
        plain form. An adapter never changes the form by itself.

        A `thread_id` is the message id of the thread's root. Where a conversation can have no threads (a direct
        one, on some platforms) it is left out, for the words of an /ask become a root everywhere.
        """
        ...

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look up what became of a send with unknown outcome: the refs found, empty when it is certainly
        absent, None where the platform cannot be asked. The core minds the waiting time."""
        ...

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the recorded rating on the buttons of an answer; does nothing where the channel shows it itself, or
        the message is gone."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages; one that is gone already is no error."""
        ...

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end the sign of work (👀, typing, agent status). The adapter keeps it alive until the end is
        called. Repeatable: both may be called again, and `on=False` also after a restart, for what a crash left."""
        ...

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read what was said in the conversation's thread before a message: at most `limit` messages, the newest of
        them, oldest first. None where the channel cannot or may not tell; `Unavailable` when it does not answer
        now."""
        ...

    async def open(self, file: File) -> bytes:
        """Return the bytes of a file of a message, by the channel's own authority and never across a redirect with it.
        `File.file_id` is the adapter's own, whatever it needs to find the bytes again.

        At most `FILE_BYTES`, within `FILE_SECONDS`, whatever `file.size` claims; none of them are kept. `Rejected`
        when it is larger, gone, or not a file (a login page, an id of another account).
        """
        ...

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Tell who somebody is; None where the channel does not. The adapter does not remember it, the core does."""
        ...

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Tell what the channel calls whom or what an event mentions, in one line without `@` or `#`; None where it
        does not tell. The adapter does not remember it, the core does."""
        ...

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look whether the account works: who it is, what is missing for that and for what the settings have switched
        on. Raises nothing; a failure is a Check."""
        ...


class AccountAdapter(Adapter, Protocol):
    """An adapter of which several may run at once, each with accounts of its own (`ChannelSpec.further`)."""

    async def serves(self, account_id: str) -> bool:
        """Whether an account is one of this adapter's; raises what every method may, where that cannot be told now."""
        ...


class FurtherAccount(Protocol):
    """The settings of a further account: a pydantic model, a table of the TOML list that is named like the channel.

    Paths in it begin in the folder `info.context.cwd`.
    """

    def settings_beside(self, main: Any) -> BaseModel:
        """Make the settings of the channel for this account; `main` are those of the environment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """A key of `[access]` that a channel brings: are people of this standing admitted without being listed?

    `values` maps what the setting may say to the admission; `default` is one of its keys. `warning` is said at
    start and by `doctor` while the key is not set, "" for nothing. People of a standing without a rule are admitted:
    a channel that anybody can reach brings a rule for `public`, with a warning.
    """

    key: str
    standing: Standing
    values: Mapping[str | bool, bool]
    default: str | bool
    warning: str = ""


Capability: TypeAlias = Literal["reactions", "buttons", "threads", "edits", "deletions", "look_ups", "signs", "history"]
"""What a channel may lack, and the core then does without.

`reactions`: people's emoji reach us as `Reaction`. `buttons`: answers carry rating buttons. `threads`: a conversation
may have a `thread_id`. `edits`: people's edits reach us as `Edit`. `deletions`: we can delete what we sent. `look_ups`:
`find` can tell what became of a send. `signs`: people see that work has begun. `history`: `earlier` can tell what was
said in a thread, at least in some accounts.
"""


Want: TypeAlias = Literal["files", "emails"]
"""What an operator may switch on that a channel may have to permit: that files of messages are read, that the addresses
of people who ask are sent along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOptions:
    """What may be chosen in a registration; None: the channel's own default. `url`: the bot's public address; without
    it the text holds an example of one. `wants`: what the settings have switched on; no more than that is asked for."""

    mode: Literal["socket", "http"] | None = None
    url: str | None = None
    agent: bool | None = None
    wants: frozenset[Want] = frozenset()


class Manifest(Protocol):
    """The registration of the bot at a channel: its text, and what may be done with it there.

    Errors are those of `bot.errors`; `apply` raises `Misconfigured` that says which setting is missing.
    """

    options: frozenset[str]
    """Names of the fields of `ManifestOptions` that people may give to this channel; `wants` comes to all of them."""

    def text(self, options: ManifestOptions) -> str:
        """Write it, as people paste it at the platform; it ends with a line end."""
        ...

    async def apply(self, settings: BaseModel, options: ManifestOptions) -> list[str]:
        """Register it, with the tokens of the channel's settings; return what was changed, a sentence each."""
        ...

    async def differences(self, settings: BaseModel, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        """Compare it with what the platform shows, a sentence a difference; None where that cannot be asked, without
        a token for example."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """What the rest of the house may know of a channel without importing its SDK: `CHANNEL` in its `config.py`.

    Found by an entry point of the group `uppzy_bot.channels` whose name is the channel's.

    `settings`: a pydantic model whose field aliases are the environment variables (`SLACK_BOT_TOKEN`), all
    optional; secrets are `SecretStr`. It has a property `enabled: bool` (its token is set), and its validators
    raise ValueError that begins with the variable's name and says what is expected, never the value.
    `token`: the variable that turns the channel on, as errors name it; "" where none does. `token_from`: how people get
    it, a sentence for `doctor`.
    `scopes`: kind of conversation → the session scopes it may have, default first (`thread`, `topic`, `user`,
    `conversation`).
    `command_prefix`: what people type before a command's name, as help shows it. The core itself reads `!ask`,
    `!new`, `!stop` and `!help` at the beginning of every message, so `!` is right for a channel without commands of its
    own; with `/` the adapter makes `Command` events of what people type (`ask`, `new`, `stop`, `help`, `start`). A name
    the core does not know is answered with those it knows, so one that may be for somebody else is no event.
    `lacks`: what the channel cannot do. `person_has_locale`: `Adapter.person` tells a person's language, which the
    channel's events do not. `further`: the settings of a further account, a `FurtherAccount`; then the adapter is an
    `AccountAdapter`. `adapter`, `preview` and `manifest` are "module:name" and imported when used:
    the adapter's class, called `Class(settings, guests_differ=…)` (whether the access policy treats guests otherwise
    than members, so that people must be looked up); a function Markdown → safe HTML, an `article` a message, that shows
    an answer as the channel would ("" for none: the channel has no column there); a `Manifest` ("" for none).
    """

    name: str
    settings: type[BaseModel]
    token: str = ""
    token_from: str = ""
    scopes: Mapping[str, tuple[str, ...]]
    access: tuple[AccessRule, ...] = ()
    command_prefix: Literal["/", "!"] = "/"
    lacks: frozenset[Capability] = frozenset()
    person_has_locale: bool = False
    further: type[BaseModel] | None = None
    adapter: str
    preview: str = ""
    manifest: str = ""
