"""The settings: one nested model that says of each its variable, its type and its default.

Checks raise ValueErrors that say what is expected, never what the value is. Secrets are `SecretStr`; `repr` of a
`Config` shows none. Times are seconds unless the name says otherwise.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo
from pydantic import field_validator as check

from bot.adapter import ChannelSpec
from bot.config.database import DatabaseUrl, ServerUrl
from bot.shared import is_loopback, plain_emoji, proxy_secrets

GOOD: Final = ("👍", "👏", "🙌", "🎉", "💯", "✅", "✔", "❤", "🔥", "😍", "🤩", "🥰", "👌", "🏆", "⭐")
BAD: Final = ("👎", "❌", "😡", "😠", "🤬", "💩", "🤮", "💔")
ROUTES: Final = "BOT_ROUTES"
BROUGHT: Final = "brought by the channels"
"""Marks a field that is no key of its section: it is made of the keys that the channels bring there."""


NO_SUCH: Final = "no such setting"
"""How what is expected begins where the name itself is wrong."""


class Problem(NamedTuple):
    """A setting's name as the operator wrote it, and what is expected there; never the value."""

    name: str
    expected: str

    @property
    def fix(self) -> str:
        """What to do about it."""
        if self.expected.startswith(NO_SUCH):
            return f"Mend the name of {self.name}, or take it out."
        return f"Set {self.name}."


class Setting(NamedTuple):
    """A setting's name as the operator wrote it, its value, and the source that it comes from, or `default`."""

    name: str
    value: object
    source: str


class Around(NamedTuple):
    """The context of a validation: the folder that paths begin in, and the channels by name; without it, any are."""

    cwd: Path = Path()
    channels: Mapping[str, ChannelSpec] = {}


def _around(info: ValidationInfo) -> Around:
    return info.context or Around()


def _base_url(value: str) -> str:
    expected = "an address https://…; http:// only on this machine (127.0.0.1, localhost)"
    value = value.strip()
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port  # a port that is none raises
    except ValueError:
        raise ValueError(expected) from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address without user name, ? and #")
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not safe or any(map(str.isspace, value)):
        raise ValueError(expected)
    return value.rstrip("/")


def _word(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("one word of plain ASCII characters, without blanks")
    return value


def _key_of_file(value: object, info: ValidationInfo) -> object:
    """Read the key out of the file that a route names; a key itself stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return _word(SecretStr((_around(info).cwd / Path(value).expanduser()).read_text(encoding="utf-8").strip()))
    except (OSError, ValueError):
        raise ValueError("the path of a readable file that holds one key") from None


def _folder(value: Path, info: ValidationInfo) -> Path:
    folder = _around(info).cwd / value.expanduser()
    if not folder.is_dir():
        raise ValueError("the path of a folder")
    return folder


def _id(value: str) -> str:
    if not value or not value.isprintable() or value != value.strip():
        raise ValueError("an id, without blanks around it")
    return value


def _split(value: object) -> object:
    return [key for key in map(str.strip, value.split(",")) if key] if isinstance(value, str) else value


def _long_enough(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(key.get_secret_value()) < 16 for key in value):
        raise ValueError("keys of at least 16 characters, separated by commas")
    return value


def _from_json(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('a list, in an environment variable written as JSON: ["…", "…"]') from None


def _emoji(value: str) -> str:
    plain = plain_emoji(value.strip())
    named = plain.startswith(":") and plain.endswith(":") and len(plain) > 2 and " " not in plain
    if named or (plain and not plain.isascii() and len(plain) <= 16):
        return plain
    raise ValueError("emoji, each as itself or as :name:")


def _member(value: str, info: ValidationInfo) -> str:
    parts, channels = value.split(":", 2), _around(info).channels
    if len(parts) < 2 or not all(parts) or value != value.strip():
        raise ValueError("entries of the form channel:account:id, or channel:account")
    if channels and parts[0] not in channels:
        raise ValueError(f"entries that begin with a channel: {', '.join(channels)}")
    return value


def _log_format() -> Literal["console", "json"]:
    return "console" if sys.stderr.isatty() else "json"


List: Final = BeforeValidator(_from_json)
Lower: Final = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


def _label(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{0,40}", value) is None:
        raise ValueError("up to 40 letters, digits, - and _")
    return value


def _language(value: str) -> str:
    if re.fullmatch(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", value) is None:
        raise ValueError("a language code such as en or de-AT")
    return value


BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]
Id: TypeAlias = Annotated[str, AfterValidator(_id)]
Word: TypeAlias = Annotated[SecretStr, AfterValidator(_word)]
Keys: TypeAlias = Annotated[tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_long_enough)]
KeyFile: TypeAlias = Annotated[SecretStr, BeforeValidator(_key_of_file)]
Emoji: TypeAlias = Annotated[tuple[Annotated[str, AfterValidator(_emoji)], ...], List]
Members: TypeAlias = Annotated[frozenset[Annotated[str, AfterValidator(_member)]], List]
Language: TypeAlias = Annotated[str, AfterValidator(_language)]
Folder: TypeAlias = Annotated[Path, AfterValidator(_folder)]
RouteName: TypeAlias = Annotated[str, AfterValidator(_label)]
Scope: TypeAlias = Literal["thread", "topic", "user", "conversation"]
LogFormat: TypeAlias = Annotated[Literal["console", "json"], Lower]
LogLevel: TypeAlias = Annotated[Literal["debug", "info", "warning", "error"], Lower]


class Part(BaseModel, frozen=True):
    """A part of the settings. No error of it quotes a value."""

    model_config = ConfigDict(coerce_numbers_to_str=True, hide_input_in_errors=True, validate_by_name=True)


class Sessions(Part, frozen=True):
    """`scopes`: (channel, kind of conversation) → who shares one memory there, for every kind of every channel."""

    scopes: Annotated[Mapping[tuple[str, str], str], BROUGHT] = {}
    idle_hours: float = Field(default=24, gt=0, allow_inf_nan=False)
    id: Literal["opaque", "uuid"] = "opaque"


class Feedback(Part, frozen=True):
    """`good` and `bad` hold emoji as events carry them: Unicode without skin tone and selector, or `:name:`."""

    voters: Literal["everyone", "asker"] = "everyone"
    settle_seconds: float = Field(default=5, ge=0, le=60)
    good: Emoji = GOOD
    bad: Emoji = BAD


class Limits(Part, frozen=True):
    """`per_person_per_minute` 0 means no limit. `open_turns` counts the questions of one channel: one that is out of
    reach takes no other's room. `message_chars`: a question and what goes along with it. `body_bytes` is the size of
    an HTTP body."""

    per_person_per_minute: int = Field(default=0, ge=0)
    waiting_per_session: int = Field(default=50, ge=1)
    open_turns: int = Field(default=10_000, ge=1)
    question_chars: int = Field(default=8_000, ge=1)
    message_chars: int = Field(default=9_500, ge=1)
    body_bytes: int = Field(default=1_048_576, ge=1)


class Input(Part, frozen=True):
    """`join_seconds`: how long a message that more may follow waits for the next."""

    join_seconds: float = Field(default=1.5, ge=0, le=5)


class Along(Part, frozen=True):
    """What goes along with a question: `chars` of it, `thread_messages` of a thread, 0 for none. `files`: the text of
    files that came with it."""

    thread_messages: int = Field(default=20, ge=0, le=500)
    chars: int = Field(default=3_000, ge=0)
    files: bool = False


class Retention(Part, frozen=True):
    """After how many days texts go, and after how many the counts."""

    text_days: int = Field(default=30, ge=0)
    count_days: int = Field(default=400, ge=0)


class Access(Part, frozen=True):
    """Who gets answers. `deny` wins over `allow`, `allow` over `admitted`.

    `admitted`: (channel, standing) → admitted without being listed; a pair that is absent is admitted.
    `allow` and `deny` hold `channel:account:id`, where the id is that of a user, of a conversation or of a group of
    people, or `channel:account` for a whole account (in `allow`: its own people). `greeting`: say
    a line where the bot is added.
    """

    admitted: Annotated[Mapping[tuple[str, str], bool], BROUGHT] = {}
    allow: Members = frozenset()
    deny: Members = frozenset()
    refused: Literal["silent", "daily_notice"] = "silent"
    greeting: bool = True


class AnswerOptions(Part, frozen=True):
    """`second_copy`: a part of an answer that may be there twice says so. `low_confidence`: a line below answers that
    the assistant has little trust in, such as whom to ask; "" for none."""

    second_copy: bool = True
    low_confidence: str = Field(default="", max_length=500)


class Operator(Part, frozen=True):
    """Where the operator is told what is wrong, and once a week how it goes; all three, or none."""

    channel: str = ""
    account: str = ""
    conversation: str = ""

    @check("conversation")
    @classmethod
    def _is_whole(cls, value: str, info: ValidationInfo) -> str:
        given = [info.data.get("channel", ""), info.data.get("account", ""), value]
        if any(given) and not all(given):
            raise ValueError("channel, account and conversation: all three, or none")
        known = _around(info).channels
        if known and given[0] and given[0] not in known:
            raise ValueError(f"a conversation of a channel that is installed: {', '.join(known)}")
        return value


class Languages(Part, frozen=True):
    """What the bot itself speaks where neither a person nor a route says otherwise; `folder` has more or other texts.

    `answers`: which language the API is asked to answer in: of the `route`, of the `person`, or `none`, its own choice.
    """

    default: Language = "en"
    answers: Literal["none", "person", "route"] = "route"
    folder: Folder | None = None


class Route(Part, frozen=True, extra="forbid"):
    """Where the questions of some conversations go. The most specific route that fits is taken, see `config.routes`.

    `channel`, `account` and `conversation` are patterns (`*`, `?`, `[…]`). None in the rest means: as without a route.
    `name`: under what its figures are counted, with those of all routes of the same name; "" for with all others.
    """

    name: RouteName = ""
    channel: Id = "*"
    account: Id = "*"
    conversation: Id = "*"
    tenant_id: Id | None = None
    site_id: Id | None = None
    api_key: KeyFile | None = Field(default=None, validation_alias="api_key_file")
    language: Language | None = None
    scope: Scope | None = None
    mode: Literal["mention", "all", "questions"] = "mention"
    send_email: bool = False

    @check("channel")
    @classmethod
    def _is_known(cls, value: str, info: ValidationInfo) -> str:
        known = _around(info).channels
        if known and value not in known and not set("*?[") & set(value):
            raise ValueError(f"one of {', '.join(known)}, or a pattern with *")
        return value

    @check("scope")
    @classmethod
    def _is_possible_there(cls, value: Scope | None, info: ValidationInfo) -> Scope | None:
        if value and (spec := _around(info).channels.get(info.data.get("channel", ""))):
            possible = {scope for scopes in spec.scopes.values() for scope in scopes}
            if value not in possible:
                raise ValueError(f"one of {', '.join(sorted(possible))}")
        return value


class Config(Part, frozen=True):
    """All settings. `load` makes it, `model_copy` changes it; nothing else does.

    `base_url` has no slash at its end. `encryption_keys`: the first encrypts, all decrypt.
    `channels`: the settings of every channel whose settings can be used, turned on or not.
    `accounts`: the settings of every account that is turned on, by channel.
    `warnings`: what an operator should know at start.
    """

    base_url: BaseUrl = Field(default="https://api.uppzy.com/api/v1", validation_alias="UPPZY_BASE_URL")
    api_key: Word | None = Field(default=None, validation_alias="UPPZY_API_KEY")
    tenant_id: Id = Field(default="", validation_alias="UPPZY_TENANT_ID")
    site_id: Id = Field(default="", validation_alias="UPPZY_SITE_ID")
    database_url: DatabaseUrl = Field(default="sqlite:///data/bot.db", validation_alias="BOT_DATABASE_URL", repr=False)
    database_direct_url: ServerUrl | None = Field(default=None, validation_alias="BOT_DATABASE_DIRECT_URL", repr=False)
    http_host: Id = Field(default="127.0.0.1", validation_alias="BOT_HTTP_HOST")
    http_port: int = Field(default=8080, validation_alias="BOT_HTTP_PORT", ge=0, le=65535)
    secret: SecretStr | None = Field(default=None, validation_alias="BOT_SECRET")
    encryption_keys: Keys = Field(default=(), validation_alias="BOT_ENCRYPTION_KEY")
    status_token: Word | None = Field(default=None, validation_alias="BOT_STATUS_TOKEN")
    poll_budget: float = Field(default=90, validation_alias="BOT_POLL_BUDGET", gt=0, allow_inf_nan=False)
    give_up: float = Field(default=900, validation_alias="BOT_GIVE_UP", gt=0, allow_inf_nan=False)
    drain_seconds: float = Field(default=10, validation_alias="BOT_DRAIN_SECONDS", ge=0, allow_inf_nan=False)
    log_format: LogFormat = Field(default_factory=_log_format, validation_alias="BOT_LOG_FORMAT")
    log_level: LogLevel = Field(default="info", validation_alias="BOT_LOG_LEVEL")
    sessions: Sessions = Sessions()
    feedback: Feedback = Feedback()
    limits: Limits = Limits()
    input: Input = Input()
    context: Along = Along()
    retention: Retention = Retention()
    access: Access = Access()
    answers: AnswerOptions = AnswerOptions()
    operator: Operator = Operator()
    languages: Languages = Languages()
    routes: Annotated[tuple[Route, ...], List] = Field(default=(), validation_alias=ROUTES)
    channels: Mapping[str, BaseModel] = {}
    accounts: Mapping[str, tuple[BaseModel, ...]] = {}
    warnings: tuple[Problem, ...] = ()

    @property
    def proxy_secrets(self) -> tuple[str, ...]:
        """User names and passwords of the proxies in the environment: no settings of ours, and for no log either."""
        return tuple(proxy_secrets())


def variables_of(settings: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    """Map the variables of settings to the fields that lead there: those with an alias, and keys of sections."""
    paths: dict[str, tuple[str, ...]] = {}
    for field, info in settings.model_fields.items():
        if isinstance(info.default, Part):
            keys = [key for key, of in type(info.default).model_fields.items() if BROUGHT not in of.metadata]
            paths |= {variable_of(f"{field}.{key}"): (field, key) for key in keys}
        elif isinstance(alias := info.validation_alias or info.alias, str):
            paths[alias] = (field,)
    return paths


def names_of(channels: Sequence[ChannelSpec]) -> dict[str, str]:
    """Map the variable of every setting to its name in TOML: the same, `section.key` or `routes`."""
    names = {variable: ".".join(path) if path[1:] else variable for variable, path in variables_of(Config).items()}
    names[ROUTES] = "routes"
    for spec in channels:
        keys = [f"sessions.{spec.name}_{kind}" for kind in spec.scopes] + [f"access.{rule.key}" for rule in spec.access]
        names |= {variable_of(key): key for key in keys}
        names |= {variable: variable for variable in variables_of(spec.settings)}
        if spec.further is not None:
            names[further_variable(spec)] = spec.name
    return names


def further_variable(spec: ChannelSpec) -> str:
    """Name the variable of a channel's further accounts, a list like `BOT_ROUTES`."""
    return variable_of(spec.name)


def variable_of(key: str) -> str:
    """Name the variable of a key of a section.

    >>> variable_of("sessions.idle_hours")
    'BOT_SESSIONS__IDLE_HOURS'
    """
    return f"BOT_{key.upper().replace('.', '__')}"
