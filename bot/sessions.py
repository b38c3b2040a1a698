"""Which place is meant, and the session_id of a person, thread or conversation in it: pure functions."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Literal

Scope = Literal["thread", "topic", "user", "conversation"]


@dataclass(frozen=True, slots=True)
class Address:
    """The canonical address of a conversation or a thread: the ids it was first known by.

    Sessions, routes, policy and look-ups go by it, so that a moved conversation stays the same one. It never crosses
    the boundary; `Conversation` says where to send. `thread` is "" for the conversation as a whole.
    """

    channel: str
    account: str
    conversation: str
    thread: str = ""


def scope_key(scope: str, thread: str, user: str) -> str:
    """Name the part of a conversation that shares one memory; `thread` is "" where there is none.

    >>> scope_key("user", "17", "U1"), scope_key("topic", "17", "U1"), scope_key("conversation", "17", "U1")
    ('user:U1', 'thread:17', 'all')
    """
    match scope:
        case "user":
            return f"user:{user}"
        case "thread" | "topic":
            return f"thread:{thread}"
        case "conversation":
            return "all"
    raise ValueError(f"{scope!r} is no session scope")


def session_id(secret: str, address: Address, scope: str, epoch: int, *, form: str = "opaque") -> str:
    """Derive the id: stable, opaque, at most 64 of [A-Za-z0-9_-]; with form `uuid` a canonical UUID.

    `scope` comes from `scope_key`; the thread of the address is left out, for the scope says whether it counts.
    Anything that changes here starts every conversation anew: the strings are pinned in a test.
    """
    # JSON keeps ("a", "b:c") and ("a:b", "c") apart, as joining would not.
    parts = [address.channel, address.account, address.conversation, scope, epoch]
    named = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    digest = hmac.new(secret.encode(), named.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    if form == "uuid":
        return str(uuid.UUID(bytes=digest[:16], version=5))
    return f"s_{digest[:20].hex()}"
