"""The vocabulary that crosses the boundary between a channel's adapter and the core.

    in   Event    = Message | Edit | Deletion | Reaction | Command | Comment | Stop | Moved | Added | Gone | HomeOpened
    out  Outbound = Answer | Notice | Home
    where  Conversation      which  MessageRef      what can be asked for  Person · EarlierMessage · File
    what goes along with words  ContextItem · Mention · File

All are frozen plain values: no raw payload, no SDK type, no name of a platform. Times are aware
UTC datetimes, the platform's own time stamp where it has one. Ids are strings of the platform,
never parsed by the core. `event_id` is the dedupe key: unique within (channel, account), the
same for every delivery of the same happening (two Slack events for the same words give one id).
`locale` is the language tag of who did it (`de`, `pt-BR`), where the event itself tells. `groups` are those groups of
people, of the ones that `Host.listed` names, to which they belong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Where people talk.

    `thread_id` is a part of it (a Slack thread, a Telegram topic), None where there is none.
    `kind` is the adapter's word for what kind of conversation it is; with the channel it names the setting of
    its session scope: channel `slack`, kind `dm` → `[sessions] slack_dm`.
    """

    channel: str
    account_id: str
    conversation_id: str
    thread_id: str | None = None
    kind: str
    is_direct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """One message of a channel. It has no thread: no channel tells the thread of a reaction's target."""

    channel: str
    account_id: str
    conversation_id: str
    message_id: str


Standing: TypeAlias = Literal["member", "guest", "external", "public", "pending"]
"""What a person is to the account: `member` of the workspace, its `guest`, somebody of another workspace
(`external`), `public` where a channel knows no membership, or `pending`: of an account that has installed the bot by
itself and that no setting names yet. The access policy decides what each may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody, as the channel names them. `locale` is a language tag (`de`, `pt-BR`), None where it does not say;
    `email` None where the channel does not say, or the bot may not know."""

    name: str
    locale: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Somebody, a conversation or a group of people that words name by an id, where the channel tells no name.

    `str(mention)` stands in the words for it: readable as it is, between marks that show as nothing and that an adapter
    takes out of what people write (`unmarked`). The core puts the name in its place (`Adapter.name_of`).
    """

    kind: Literal["person", "conversation", "group"]
    id: str

    def __str__(self) -> str:
        return f"\u2068{'#' if self.kind == 'conversation' else '@'}{self.id}\u2069"


def unmarked(text: str) -> str:
    """Take the marks of a `Mention` out of words, so that only an adapter can set them."""
    return text.replace("\u2068", "").replace("\u2069", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMessage:
    """Something said in a thread before a message. `user_id` is None where no person said it; `by_us`: the bot did.

    `text` is without markup of the channel, as `Message.text`, and `mentions` are those in it. `author` is the name of
    who is no person, as the channel shows it, "" without one.
    """

    ref: MessageRef
    user_id: str | None
    by_us: bool = False
    author: str = ""
    text: str
    mentions: tuple[Mention, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a message, to be opened by its channel. `size` in bytes and `media_type` are the sender's claims."""

    channel: str
    account_id: str
    file_id: str
    name: str = ""
    media_type: str = ""
    size: int | None = None


ContextKind: TypeAlias = Literal["reply", "forward", "table", "link"]
"""`reply`: the message that the words answer or quote · `forward`: one that was forwarded · `table`: a pasted one ·
`link`: the message that a link in the words leads to, as the channel shows it beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextItem:
    """Something a person points at with their words, as the event itself shows it. Other people's words: untrusted.

    `text` is without markup of the channel; of a table a line a row, cells between " | "; "" where it is hidden.
    `author` is who said it as the channel names them, "" where it does not; `author_id` None for no person, or nobody
    known; `by_us`: the bot said it. `ref` is that message, None where it is not known. `selected`: only the words that
    the person selected of it. `files`: names of the files it came with; they are named, not read.
    """

    kind: ContextKind
    text: str
    mentions: tuple[Mention, ...] = ()
    author: str = ""
    author_id: str | None = None
    by_us: bool = False
    ref: MessageRef | None = None
    selected: bool = False
    files: tuple[str, ...] = ()


JoinKind: TypeAlias = Literal["paste", "album", "forward"]
"""Why more of the same message may follow: a part of a text that the person's client has split, a piece of an album, a
forwarded message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """What a message belongs together with, where people's clients make several messages of what was one to them.

    `number` grows with every message of a conversation. The message before this one, if it was by the same person, has
    a number of `after` at least: where nobody else's messages are numbered among theirs, that is the one below.
    `kind`: more may follow, None: this is the end. `glue`: what stood between its words and those that follow.
    `rest_hidden`: the bot is not shown what follows.
    """

    number: int
    after: int
    kind: JoinKind | None = None
    glue: str = "\n\n"
    rest_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A person wrote something. `text` is without the mention of the bot, and without markup of the channel; an address
    behind a word follows it in brackets, and whoever is named by an id is one of `mentions`.

    `mentions_bot`: it addresses the bot (a mention, or a reply to one of the bot's messages).
    `mentions_others`: it addresses somebody else by a mention.
    `has_attachment`: files or the like came with it; `text` is then the caption, "" without one. `files`: those of them
    that can be opened. `context`: what the person points at, in the order in which it was said to go along: replies,
    forwards, tables, links. `awaits_context`: the channel may yet add to it, by an Edit that `only_adds_context`.
    `in_reply_to`: the message it answers by the channel's reply function, None without.
    `asks`: the person asked by an unmistakable gesture (a shortcut), so it is a question wherever it stands.
    `joins`: what it belongs together with, None on a channel whose clients split nothing.
    """

    event_id: str
    ref: MessageRef
    conversation: Conversation
    user_id: str
    standing: Standing
    text: str
    mentions_bot: bool
    mentions_others: bool = False
    mentions: tuple[Mention, ...] = ()
    context: tuple[ContextItem, ...] = ()
    awaits_context: bool = False
    has_attachment: bool = False
    files: tuple[File, ...] = ()
    in_reply_to: MessageRef | None = None
    asks: bool = False
    joins: Joins | None = None
    locale: str | None = None
    groups: tuple[str, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A person changed the words of a message, or what they point at; never a new reply count or the bot's own edit.

    Fields are those of `Message`, as they are now. `only_adds_context`: nobody changed anything, the channel itself
    added what a link leads to. It goes along while the question has not been asked, and never asks it anew.
    """

    event_id: str
    ref: MessageRef
    conversation: Conversation
    user_id: str
    standing: Standing
    text: str
    mentions_bot: bool
    mentions_others: bool = False
    mentions: tuple[Mention, ...] = ()
    context: tuple[ContextItem, ...] = ()
    awaits_context: bool = False
    only_adds_context: bool = False
    has_attachment: bool = False
    files: tuple[File, ...] = ()
    locale: str | None = None
    groups: tuple[str, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A message was deleted."""

    event_id: str
    ref: MessageRef
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One person put one emoji on a message or took it off; or clicked a rating button.

    `emoji` is Unicode without skin tone and variation selector, or `:name:` for a custom one.
    `button`: a click on one of our buttons, `emoji` is then 👍 or 👎; `added` is False where it was taken back.
    `can_ask_why`: the adapter itself can ask the clicker why (a modal), if `Host.handle` says so; the core
    posts a notice otherwise. `target` is the message that carries the emoji or the button, never a claim.
    """

    event_id: str
    target: MessageRef
    user_id: str
    standing: Standing
    emoji: str
    added: bool
    button: bool = False
    can_ask_why: bool = False
    locale: str | None = None
    groups: tuple[str, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command by the channel's own means: a slash command, a bot command. `name` has no slash.

    `ref` is the message that carries it, None where there is none (a Slack slash command). Then the others
    in the conversation have not seen the words, and an `ask` is posted there first, as the root of its thread.
    The rest is as in `Message`, for an `ask` is a question like one.
    """

    event_id: str
    ref: MessageRef | None
    conversation: Conversation
    user_id: str
    standing: Standing
    name: str
    args: str
    mentions: tuple[Mention, ...] = ()
    context: tuple[ContextItem, ...] = ()
    has_attachment: bool = False
    files: tuple[File, ...] = ()
    joins: Joins | None = None
    locale: str | None = None
    groups: tuple[str, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A person said why an answer is bad, through a form of the channel. `target` is a part of the answer."""

    event_id: str
    target: MessageRef
    user_id: str
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A person pressed the channel's stop button: their open questions in this conversation end."""

    event_id: str
    conversation: Conversation
    user_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A conversation's id changed for good; `old_id` and `new_id` are conversation ids of the same account."""

    event_id: str
    channel: str
    account_id: str
    old_id: str
    new_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The bot was added to a conversation of several people; never to a channel in which only few may write.

    `user_id` is who added it, "" where nobody is named.
    """

    event_id: str
    conversation: Conversation
    user_id: str
    standing: Standing
    groups: tuple[str, ...] = ()
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The bot was blocked, kicked or uninstalled. `conversation_id` None: the whole account is gone."""

    event_id: str
    channel: str
    account_id: str
    conversation_id: str | None
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """A person opened the channel's page about the bot; `conversation` is where `Home` is sent to."""

    event_id: str
    conversation: Conversation
    user_id: str
    standing: Standing
    locale: str | None = None
    groups: tuple[str, ...] = ()
    sent_at: datetime


Event: TypeAlias = Message | Edit | Deletion | Reaction | Command | Comment | Stop | Moved | Added | Gone | HomeOpened


def origin_of(event: Event) -> tuple[str, str]:
    """Return the channel and the account it came from."""
    return conversation_of(event)[:2]


def conversation_of(event: Event) -> tuple[str, str, str]:
    """Return the channel, the account and the conversation it came from, as the event names it; "" for the account."""
    match event:
        case Message() | Edit() | Deletion():
            return event.ref.channel, event.ref.account_id, event.ref.conversation_id
        case Reaction() | Comment():
            return event.target.channel, event.target.account_id, event.target.conversation_id
        case Command() | Stop() | Added() | HomeOpened():
            where = event.conversation
            return where.channel, where.account_id, where.conversation_id
        case Moved():
            return event.channel, event.account_id, event.old_id
        case Gone():
            return event.channel, event.account_id, event.conversation_id or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the assistant said, as Markdown from a language model: untrusted. People may rate it.

    `asker_id` is the user id of who asked. `notes` are sentences of ours about the question, such as what of it could
    not be read; they are shown after the text, whatever that holds. `asks_rating`: False of a greeting or an "I don't
    know", where a channel may leave its buttons out; a reaction counts all the same. `language`, here and below, is
    that of the labels.
    """

    text: str
    asker_id: str
    notes: tuple[str, ...] = ()
    asks_rating: bool = True
    language: str = "en"


NoticeKind: TypeAlias = Literal["progress", "failure", "refusal", "info", "question", "why", "greeting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message that is not an answer: progress, failure, refusal, help, the root of an /ask, "why?".

    `text` is Markdown written by us, except in `question`, where it is the asker's words and untrusted.
    `user_id` is who it concerns, None for nobody. The root of an /ask names that person without a ping.
    A `why` invites a reply by that person where the channel can (forced reply).
    """

    text: str
    kind: NoticeKind
    user_id: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentQuestion:
    """One question of the person who looks; `ref` is the answer's first part or, without one, the question."""

    text: str
    ref: MessageRef | None
    asked_at: datetime
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The channel's page about the bot, for one person. `suggestions` come from the site's widget configuration."""

    user_id: str
    recent: tuple[RecentQuestion, ...]
    suggestions: tuple[str, ...] = ()
    language: str = "en"


Outbound: TypeAlias = Answer | Notice | Home
Rating: TypeAlias = Literal["good", "bad"]
