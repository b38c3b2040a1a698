"""The people, chats and messages of the loopback Telegram, and what people do there, as updates for the bot."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.testing.telegram.text import JSON, found
from bot.testing.telegram.updates import Updates

TEXT_UNITS = 4096
"""The longest text of one message; apps split what is longer."""
CLIENT_COMMANDS = ("mention", "bot_command", "hashtag", "cashtag", "url", "email", "phone_number")


@dataclass(slots=True)
class Chat:
    """One chat. `admin`: the bot is an administrator. `member`: it can write. `reactions`: 👀 is allowed. `closed`:
    ids of topics in which only administrators may write. `anonymous`: administrators who write as the group, and the
    title each bears."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    admin: bool = False
    member: bool = True
    reactions: bool = True
    topics: dict[int, JSON] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    anonymous: dict[int, str] = field(default_factory=dict)
    moved_to: int | None = None
    person: JSON | None = None

    def public(self) -> JSON:
        """Show it as the Bot API's Chat."""
        shown: JSON = {"id": self.id, "type": self.type}
        if self.person is not None:
            shown |= {key: self.person[key] for key in ("first_name", "username") if key in self.person}
        else:
            shown["title"] = self.title
        if self.forum:
            shown["is_forum"] = True
        return shown


@dataclass(slots=True)
class StoredFile:
    """One file at Telegram. `path` is where getFile says it is; only then it can be fetched there."""

    file_id: str
    path: str
    content: bytes
    told: bool = False

    @property
    def unique_id(self) -> str:
        """Its id for every bot; it cannot be fetched by that."""
        return f"U{self.file_id}"


def person(user_id: int, name: str, username: str | None = None, *, is_bot: bool = False) -> JSON:
    """Make a Bot API User."""
    shown: JSON = {"id": user_id, "is_bot": is_bot, "first_name": name, "language_code": "en"}
    if username:
        shown["username"] = username
    return shown


class World:
    """What there is. Ids of chats: people above zero, groups below, as at Telegram."""

    def __init__(self, bot_id: int, username: str, updates: Updates) -> None:
        self.me = person(bot_id, "Test", username, is_bot=True)
        del self.me["language_code"]
        self.updates = updates
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], JSON] = {}
        self.deleted: list[tuple[int, int]] = []
        self.sent: list[tuple[int, int]] = []
        self.reactions: defaultdict[tuple[int, int], dict[int, list[JSON]]] = defaultdict(dict)
        self.queries: dict[str, bool] = {}
        """Callback query id → answered."""
        self._message_ids = itertools.count(11)
        self._query_ids = itertools.count(4_000_000)
        self._group_ids = itertools.count(1)
        self.commands: dict[tuple[str, str], list[JSON]] = {}
        self.profile: dict[tuple[str, str], str] = {}
        self.files: dict[str, StoredFile] = {}
        self.privacy = True
        """Privacy mode: groups where the bot is no administrator give it commands, mentions and replies alone."""

    def private(self, who: JSON) -> Chat:
        """Find or make the private chat with a person."""
        return self.chats.setdefault(who["id"], Chat(who["id"], "private", person=who))

    def group(self, title: str = "Group", *, super_: bool = True, forum: bool = False, admin: bool = True) -> Chat:
        """Make a group; a plain one with `super_=False`."""
        number = next(self._group_ids)
        chat_id = -1_001_000_000_000 - number if super_ else -4_000_000 - number
        chat = Chat(chat_id, "supergroup" if super_ else "group", title=title, forum=forum, admin=admin)
        self.chats[chat_id] = chat
        return chat

    def new_message(self, chat: Chat, sender: JSON, **content: Any) -> JSON:
        """Make and keep a message; it is no update yet."""
        message: JSON = {
            "message_id": next(self._message_ids),
            "from": sender,
            "chat": chat.public(),
            "date": int(time.time()),
            **content,
        }
        self.messages[chat.id, message["message_id"]] = message
        return message

    def document(self, chat: Chat, who: JSON, content: bytes, name: str, **more: Any) -> JSON:
        """Let a person send a file; returns the message. It is no update yet."""
        number = len(self.files) + 1
        ending = name.rpartition(".")[2] if "." in name else "bin"
        file = StoredFile(f"BQACAgIAAx{number:04}", f"documents/file_{number}.{ending}", content)
        self.files[file.file_id] = file
        shown = {"file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": len(content)}
        return self.new_message(chat, who, document={**shown, "file_name": name, **more})

    def known_person(self, user_id: int) -> JSON | None:
        """Find somebody the bot has met: they wrote to it, or where it is."""
        chat = self.chats.get(user_id)
        if chat is not None and chat.person is not None:
            return chat.person
        senders = (message["from"] for message in self.messages.values())
        return next((sender for sender in senders if sender["id"] == user_id), None)

    def topic(self, chat: Chat, name: str = "Topic") -> int:
        """Make a topic and return its thread id."""
        message = self.new_message(chat, self.me, forum_topic_created={"name": name, "icon_color": 7322096})
        thread: int = message["message_id"]
        chat.topics[thread] = message
        return thread

    def words(
        self,
        chat: Chat,
        who: JSON,
        text: str,
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        **content: Any,
    ) -> JSON:
        """Make the message that a person writes, with the entities their client and the server find."""
        if thread is not None:
            content |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            content["reply_to_message"] = _bare(self.messages[chat.id, reply_to])
        elif thread is not None:
            content["reply_to_message"] = _bare(chat.topics[thread])
        entities = [entity for entity in found(text) if entity["type"] in CLIENT_COMMANDS]
        if entities:
            content["entities"] = entities
        return self.new_message(chat, who, text=text, **content)

    async def say(self, chat: Chat, who: JSON, text: str, **options: Any) -> JSON:
        """Let a person write; returns the message. The bot gets it as an update."""
        message = self.words(chat, who, text, **options)
        if self.hears(chat, message):
            await self.updates.push("message", message)
        return message

    async def paste(self, chat: Chat, who: JSON, text: str, **options: Any) -> list[JSON]:
        """Let a person send a long text as their app does: in full pieces, of which the bot may not hear all."""
        pieces = [text[start : start + TEXT_UNITS].strip() for start in range(0, len(text), TEXT_UNITS)]
        return [await self.say(chat, who, piece, **options) for piece in pieces]

    async def album(self, chat: Chat, who: JSON, captions: Sequence[str], **content: Any) -> list[JSON]:
        """Let a person send pictures as one; "" for a piece without words."""
        group, messages = str(next(self._query_ids)), []
        for caption in captions:
            photo = [{"file_id": "AgAC", "file_unique_id": "Ag", "width": 90, "height": 60}]
            words: JSON = {"caption": caption} if caption else {}
            message = self.new_message(chat, who, photo=photo, media_group_id=group, **words, **content)
            messages.append(message)
            if self.hears(chat, message):
                await self.updates.push("message", message)
        return messages

    def hears(self, chat: Chat, message: JSON) -> bool:
        """Tell whether Telegram gives the bot this message."""
        if chat.type == "private" or chat.admin or not self.privacy:
            return True
        replied = message.get("reply_to_message", {}).get("from", {}).get("id") == self.me["id"]
        name = f"@{self.me['username']}".lower()
        command = any(entity["type"] == "bot_command" for entity in message.get("entities", []))
        return replied or command or name in str(message.get("text") or message.get("caption") or "").lower()

    async def edit(self, message: JSON, text: str) -> JSON:
        """Let a person change a message."""
        chat = self.chats[message["chat"]["id"]]
        fresh = {**message, "text": text, "edit_date": int(time.time())}
        fresh.pop("entities", None)
        entities = [entity for entity in found(text) if entity["type"] in CLIENT_COMMANDS]
        if entities:
            fresh["entities"] = entities
        self.messages[chat.id, message["message_id"]] = fresh
        await self.updates.push("edited_message", fresh)
        return fresh

    def reaction(self, chat: Chat, message_id: int, who: JSON, emoji: list[str]) -> JSON:
        """Set a person's reactions on a message; returns the payload of message_reaction."""
        new = [
            {"type": "custom_emoji", "custom_emoji_id": each[1:-1]}
            if each.startswith(":")
            else {"type": "emoji", "emoji": each}
            for each in emoji
        ]
        old = self.reactions[chat.id, message_id].get(who["id"], [])
        self.reactions[chat.id, message_id][who["id"]] = new
        return {
            "chat": chat.public(),
            "message_id": message_id,
            "user": who,
            "date": int(time.time()),
            "old_reaction": old,
            "new_reaction": new,
        }

    async def react(self, chat: Chat, message_id: int, who: JSON, *emoji: str) -> bool:
        """Let a person's reactions on a message be these. False: Telegram does not tell the bot (no administrator)."""
        payload = self.reaction(chat, message_id, who, list(emoji))
        if chat.type != "private" and not chat.admin:
            return False
        return await self.updates.push("message_reaction", payload) is not None

    def query(self, chat: Chat, message_id: int, who: JSON, data: str) -> JSON:
        """Make a click on an inline button, whatever data it claims."""
        query_id = str(next(self._query_ids))
        self.queries[query_id] = False
        message = self.messages[chat.id, message_id]
        return {"id": query_id, "from": who, "message": message, "chat_instance": "7", "data": data}

    async def click(self, chat: Chat, message_id: int, who: JSON, data: str) -> str:
        """Let a person click; returns the query's id."""
        payload = self.query(chat, message_id, who, data)
        await self.updates.push("callback_query", payload)
        return str(payload["id"])

    async def membership(self, chat: Chat, who: JSON, status: str) -> None:
        """Let a person change what the bot is in a chat: block, kick, promote."""
        before = "administrator" if chat.admin else "member" if chat.member else "left"
        chat.member = status in ("member", "administrator")
        chat.admin = status == "administrator"
        payload = {
            "chat": chat.public(),
            "from": who,
            "date": int(time.time()),
            "old_chat_member": self.member(before),
            "new_chat_member": self.member(status),
        }
        await self.updates.push("my_chat_member", payload)

    def member(self, status: str) -> JSON:
        """Show the bot as a ChatMember."""
        shown: JSON = {"user": self.me, "status": status}
        if status == "administrator":
            rights = "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats "
            rights += "can_restrict_members can_promote_members can_change_info can_invite_users can_post_stories "
            rights += "can_edit_stories can_delete_stories"
            shown |= dict.fromkeys(rights.split(), False)
        if status == "kicked":
            shown["until_date"] = 0
        return shown

    async def migrate(self, chat: Chat, *, tell: bool = True) -> Chat:
        """Turn a plain group into a supergroup; with `tell` the bot gets the two service messages."""
        fresh = self.group(chat.title, admin=chat.admin)
        chat.moved_to = fresh.id
        owner = person(900, "Owner")
        if tell:
            old = self.new_message(chat, owner, migrate_to_chat_id=fresh.id)
            await self.updates.push("message", old)
            new = self.new_message(fresh, owner, migrate_from_chat_id=chat.id)
            await self.updates.push("message", new)
        return fresh

    def by_bot(self, chat: Chat | None = None) -> list[JSON]:
        """List the messages of the bot that exist, in the order they were sent."""
        there = [self.messages[key] for key in self.sent if key in self.messages]
        return [message for message in there if chat is None or message["chat"]["id"] == chat.id]


def _bare(message: JSON) -> JSON:
    """A replied message is shown without the one it replies to."""
    return {key: value for key, value in message.items() if key != "reply_to_message"}
