"""The methods of the loopback Bot API, strict on arguments: one it does not know is refused, not overlooked."""

from __future__ import annotations

import re
import time
from typing import Any

from telegram.constants import UpdateType

from bot.testing.telegram.arguments import Arguments, BotApiError, Method
from bot.testing.telegram.flood import Flood
from bot.testing.telegram.profile import ProfileMethods
from bot.testing.telegram.text import JSON, EntityError, check, found, units
from bot.testing.telegram.updates import Conflict, Updates, Webhook
from bot.testing.telegram.world import Chat, World

KNOWN_UPDATES = frozenset(UpdateType)
REACTIONS = frozenset("👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌👀💯")
MAX_FILE = 20 * 1024 * 1024
"""The largest file that getFile gives, https://core.telegram.org/bots/api#getfile"""


class Methods:
    """All methods over one world. `refuse_entities`: every message with entities is refused."""

    def __init__(self, world: World, updates: Updates, flood: Flood | None) -> None:
        self.world = world
        self.updates = updates
        self.flood = flood
        self.refuse_entities = False
        self.actions: list[tuple[int, str, int | None]] = []
        self.webhook_seconds = 1.0
        """Telegram takes one setWebhook in that time."""
        self._webhook_set = float("-inf")
        self._table: dict[str, Method] = {
            **ProfileMethods(world).table,
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "sendMessage": self._send_message,
            "sendChatAction": self._send_chat_action,
            "setMessageReaction": self._set_message_reaction,
            "answerCallbackQuery": self._answer_callback_query,
            "editMessageReplyMarkup": self._edit_message_reply_markup,
            "deleteMessage": self._delete_message,
            "getChat": self._get_chat,
            "getChatMember": self._get_chat_member,
            "getFile": self._get_file,
        }

    async def call(self, name: str, given: JSON) -> Any:
        """Do one call.

        Raises:
            BotApiError: what Telegram would answer.
        """
        method = self._table.get(name)
        if method is None:
            raise BotApiError(404, "Not Found")
        return await method(Arguments(given))

    async def _get_me(self, arguments: Arguments) -> JSON:
        arguments.done()
        flags = {"can_join_groups": True, "can_read_all_group_messages": not self.world.privacy}
        return {**self.world.me, **flags, "supports_inline_queries": False}

    async def _get_updates(self, arguments: Arguments) -> list[JSON]:
        offset = arguments.take("offset", int)
        limit = arguments.take("limit", int) or 100
        timeout = arguments.take("timeout", int) or 0
        self._allow(arguments)
        arguments.done()
        try:
            return await self.updates.poll(offset, max(1, min(limit, 100)), timeout)
        except Conflict as error:
            raise BotApiError(409, f"Conflict: {error}") from error

    def _allow(self, arguments: Arguments) -> None:
        allowed = arguments.take("allowed_updates", list)
        if allowed is None:
            return  # the list of before stays
        if unknown := set(allowed) - KNOWN_UPDATES:
            raise BotApiError(400, f"Bad Request: unknown update types {sorted(unknown)}")
        self.updates.allowed = list(allowed)

    async def _set_webhook(self, arguments: Arguments) -> bool:
        url = arguments.take("url", str, required=True)
        secret = arguments.take("secret_token", str) or ""
        connections = arguments.take("max_connections", int) or 40
        drop = arguments.take("drop_pending_updates", bool) or False
        self._allow(arguments)
        arguments.done()
        now = time.monotonic()
        if now - self._webhook_set < self.webhook_seconds:
            raise BotApiError(429, "Too Many Requests: retry after 1", retry_after=1)
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise BotApiError(400, "Bad Request: secret token contains unallowed characters")
        if not 1 <= connections <= 100:
            raise BotApiError(400, "Bad Request: max_connections is out of range")
        self._webhook_set = now
        await self.updates.set_webhook(Webhook(url, secret, connections), drop=drop)
        return True

    async def _delete_webhook(self, arguments: Arguments) -> bool:
        drop = arguments.take("drop_pending_updates", bool) or False
        arguments.done()
        await self.updates.set_webhook(None, drop=drop)
        return True

    async def _get_webhook_info(self, arguments: Arguments) -> JSON:
        arguments.done()
        updates = self.updates
        info: JSON = {
            "url": updates.webhook.url if updates.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(updates.pending),
        }
        if updates.webhook:
            info["max_connections"] = updates.webhook.max_connections
        if updates.allowed:
            info["allowed_updates"] = updates.allowed
        if updates.webhook and updates.last_error:
            info["last_error_date"] = int(updates.last_error[0])
            info["last_error_message"] = updates.last_error[1]
        return info

    def _chat(self, arguments: Arguments) -> Chat:
        chat = self.world.chats.get(arguments.take("chat_id", int, required=True))
        if chat is None:
            raise BotApiError(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise BotApiError(400, description, migrate_to_chat_id=chat.moved_to)
        if not chat.member:
            words = (
                "bot was blocked by the user" if chat.type == "private" else f"bot was kicked from the {chat.type} chat"
            )
            raise BotApiError(403, f"Forbidden: {words}")
        return chat

    def _message(self, arguments: Arguments, chat: Chat, missing: str) -> JSON:
        message = self.world.messages.get((chat.id, arguments.take("message_id", int, required=True)))
        if message is None:
            raise BotApiError(400, f"Bad Request: {missing}")
        return message

    def _thread(self, arguments: Arguments, chat: Chat) -> int | None:
        thread: int | None = arguments.take("message_thread_id", int)
        if thread is not None and thread not in chat.topics:
            raise BotApiError(400, "Bad Request: message thread not found")
        if thread in chat.closed and not chat.admin:
            raise BotApiError(400, "Bad Request: TOPIC_CLOSED")
        return thread

    async def _send_message(self, arguments: Arguments) -> JSON:
        chat = self._chat(arguments)
        text: str = arguments.take("text", str, required=True)
        entities: list[JSON] = arguments.take("entities", list) or []
        thread = self._thread(arguments, chat)
        preview = arguments.take("link_preview_options", dict)
        reply = self._reply(arguments, chat)
        markup = self._markup(arguments)
        arguments.done()
        self._check_text(text, entities)
        if preview != {"is_disabled": True}:
            raise BotApiError(400, "Bad Request: this loopback wants link previews off")
        if self.flood is not None and (wait := self.flood.refuse(chat.id)) is not None:
            raise BotApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        content: JSON = {"text": text}
        if shown := entities + found(text, entities):
            content["entities"] = sorted(shown, key=lambda entity: (entity["offset"], -entity["length"]))
        if thread is not None:
            content |= {"message_thread_id": thread, "is_topic_message": True}
        if reply is not None:
            content["reply_to_message"] = {key: reply[key] for key in reply if key != "reply_to_message"}
        if markup is not None and "inline_keyboard" in markup:
            content["reply_markup"] = markup
        message = self.world.new_message(chat, self.world.me, **content)
        self.world.sent.append((chat.id, message["message_id"]))
        if markup is not None and "force_reply" in markup:
            self.world.messages[chat.id, message["message_id"]] = {**message, "forced": markup}
        return message

    def _check_text(self, text: str, entities: list[JSON]) -> None:
        if not text.strip():
            raise BotApiError(400, "Bad Request: message text is empty")
        if units(text) > 4096:
            raise BotApiError(400, "Bad Request: message is too long")
        if self.refuse_entities and entities:
            raise BotApiError(400, "Bad Request: can't parse entities: this server refuses them all")
        try:
            check(text, entities)
        except EntityError as error:
            raise BotApiError(400, f"Bad Request: {error}") from error

    def _reply(self, arguments: Arguments, chat: Chat) -> JSON | None:
        reply = arguments.take("reply_parameters", dict)
        if reply is None:
            return None
        if unknown := set(reply) - {"message_id", "allow_sending_without_reply"}:
            raise BotApiError(400, f"Bad Request: unexpected reply parameters {sorted(unknown)}")
        message = self.world.messages.get((chat.id, reply["message_id"]))
        if message is None and not reply.get("allow_sending_without_reply"):
            raise BotApiError(400, "Bad Request: message to be replied not found")
        return message

    def _markup(self, arguments: Arguments) -> JSON | None:
        markup: JSON | None = arguments.take("reply_markup", dict)
        for row in (markup or {}).get("inline_keyboard", []):
            for button in row:
                if not 1 <= len(button.get("callback_data", "").encode()) <= 64 or not button.get("text"):
                    raise BotApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        return markup

    async def _send_chat_action(self, arguments: Arguments) -> bool:
        chat = self._chat(arguments)
        action = arguments.take("action", str, required=True)
        thread = self._thread(arguments, chat)
        arguments.done()
        if action != "typing":
            raise BotApiError(400, "Bad Request: wrong parameter action in request")
        self.actions.append((chat.id, action, thread))
        return True

    async def _set_message_reaction(self, arguments: Arguments) -> bool:
        chat = self._chat(arguments)
        message = self._message(arguments, chat, "message to react not found")
        reaction = arguments.take("reaction", list) or []
        arguments.done()
        if len(reaction) > 1 or any(each.get("emoji") not in REACTIONS for each in reaction):
            raise BotApiError(400, "Bad Request: REACTION_INVALID")
        if reaction and not chat.reactions:
            raise BotApiError(400, "Bad Request: REACTION_INVALID")
        self.world.reactions[chat.id, message["message_id"]][self.world.me["id"]] = reaction
        return True

    async def _answer_callback_query(self, arguments: Arguments) -> bool:
        query = arguments.take("callback_query_id", str, required=True)
        arguments.done()
        if query not in self.world.queries:
            raise BotApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.world.queries[query] = True
        return True

    async def _edit_message_reply_markup(self, arguments: Arguments) -> JSON:
        chat = self._chat(arguments)
        message = self._message(arguments, chat, "message to edit not found")
        markup = self._markup(arguments)
        arguments.done()
        if message["from"]["id"] != self.world.me["id"]:
            raise BotApiError(400, "Bad Request: message can't be edited")
        if message.get("reply_markup") == markup:
            words = "specified new message content and reply markup are exactly the same as a current content"
            raise BotApiError(400, f"Bad Request: message is not modified: {words}")
        message["reply_markup"] = markup
        return message

    async def _delete_message(self, arguments: Arguments) -> bool:
        chat = self._chat(arguments)
        message = self._message(arguments, chat, "message to delete not found")
        arguments.done()
        if message["from"]["id"] != self.world.me["id"] and not chat.admin:
            raise BotApiError(400, "Bad Request: message can't be deleted")
        del self.world.messages[chat.id, message["message_id"]]
        self.world.deleted.append((chat.id, message["message_id"]))
        return True

    async def _get_chat_member(self, arguments: Arguments) -> JSON:
        chat = self._chat(arguments)
        user = arguments.take("user_id", int, required=True)
        arguments.done()
        if user in chat.anonymous:
            who = {"user": self.world.known_person(user), "status": "administrator", "is_anonymous": True}
            return who | {"custom_title": title} if (title := chat.anonymous[user]) else who
        if user != self.world.me["id"]:
            raise BotApiError(400, "Bad Request: user not found")
        return self.world.member("administrator" if chat.admin else "member")

    async def _get_chat(self, arguments: Arguments) -> JSON:
        """As the Bot API's ChatFullInfo. Of people it tells names to whoever met them, and no language."""
        chat_id: int = arguments.take("chat_id", int, required=True)
        arguments.done()
        always: JSON = {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": {}}
        if chat_id > 0:
            who = self.world.known_person(chat_id)
            if who is None:
                raise BotApiError(400, "Bad Request: chat not found")
            names: JSON = {key: who[key] for key in ("first_name", "last_name", "username") if key in who}
            return {"id": chat_id, "type": "private", **names, **always}
        return {**self._chat(Arguments({"chat_id": chat_id})).public(), **always}

    async def _get_file(self, arguments: Arguments) -> JSON:
        file_id = arguments.take("file_id", str, required=True)
        arguments.done()
        file = self.world.files.get(file_id)
        if file is None:
            raise BotApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(file.content) > MAX_FILE:
            raise BotApiError(400, "Bad Request: file is too big")
        file.told = True
        return {
            "file_id": file_id,
            "file_unique_id": file.unique_id,
            "file_size": len(file.content),
            "file_path": file.path,
        }
