"""What the rest of the house reads: the settings, checked, as one frozen value.

Secrets are `SecretStr`; `repr` of a `Config` shows none, nor the database's address (it may carry a password).
Times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic import BaseModel, SecretStr


class Problem(NamedTuple):
    """A setting's name as the operator wrote it, and what is expected there; never the value."""

    name: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """`scopes` has an entry for every place of every channel; `idle_hours` is above 0."""

    scopes: Mapping[tuple[str, str], str]
    idle_hours: float
    id: Literal["opaque", "uuid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """`good` and `bad` hold emoji as events carry them: Unicode without skin tone and selector, or `:name:`."""

    voters: Literal["everyone", "asker"]
    settle_seconds: float
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`per_person_per_minute` 0 means no limit. `body_bytes` is the size of an HTTP body."""

    per_person_per_minute: int
    waiting_per_session: int
    open_turns: int
    question_chars: int
    body_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """After how many days texts go, and after how many the counts."""

    text_days: int
    count_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who gets answers. `deny` wins over `allow`, `allow` over `admitted`.

    `admitted`: (channel, standing) → admitted without being listed; a pair that is absent is admitted.
    `allow` and `deny` hold `channel:account:id`, where the id is that of a user or of a conversation.
    """

    admitted: Mapping[tuple[str, str], bool]
    allow: frozenset[str]
    deny: frozenset[str]
    refused: Literal["silent", "daily_notice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The conversation that hears of what only an operator can mend."""

    channel: str
    account: str
    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the questions of some conversations go. The first route that fits is taken.

    `channel`, `account` and `conversation` are patterns (`*`, `?`, `[…]`). None in the rest means: as without a route.
    """

    channel: str = "*"
    account: str = "*"
    conversation: str = "*"
    tenant_id: str | None = None
    site_id: str | None = None
    api_key: SecretStr | None = None
    language: str | None = None
    scope: str | None = None
    mode: Literal["mention", "all", "questions"] = "mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. `load` makes it, `dataclasses.replace` changes it; nothing else does.

    `base_url` has no slash at its end. `encryption_keys`: the first encrypts, all decrypt.
    `channels`: the environment's settings of every channel that is known, turned on or not.
    `accounts`: the settings of every account that is turned on, the environment's first, further ones of TOML after.
    `warnings`: what an operator should know at start. `unknown`: environment variables that only look like ours.
    """

    base_url: str
    api_key: SecretStr | None
    tenant_id: str
    site_id: str
    database_url: str = field(repr=False)
    http_host: str
    http_port: int
    secret: SecretStr | None
    encryption_keys: tuple[SecretStr, ...]
    status_token: SecretStr | None
    poll_budget: float
    give_up: float
    drain_seconds: float
    log_format: Literal["console", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    sessions: Sessions
    feedback: Feedback
    limits: Limits
    retention: Retention
    access: Access
    operator: Operator | None
    routes: tuple[Route, ...]
    channels: Mapping[str, BaseModel]
    accounts: Mapping[str, tuple[BaseModel, ...]]
    warnings: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
