"""The table of settings: names, types, defaults, and what each expects. One flat pydantic-settings model.

The keys that channels bring (`[sessions] slack_dm`, `[access] slack_guests`) are added from their `ChannelSpec`.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.adapter import AccessRule, ChannelSpec
from bot.config.sources import Layer, section_variable

GOOD = ("👍", "👏", "🙌", "🎉", "💯", "✅", "✔", "❤", "🔥", "😍", "🤩", "🥰", "👌", "🏆", "⭐")
BAD = ("👎", "❌", "😡", "😠", "🤬", "💩", "🤮", "💔")
SCOPES = ("thread", "topic", "user", "conversation")
_SKIN_AND_VARIATION = {*range(0x1F3FB, 0x1F400), 0xFE0E, 0xFE0F}


def is_loopback(host: str) -> bool:
    """Say whether a host (a name or an address, without port) can only be this machine.

    >>> [is_loopback(h) for h in ("localhost", "127.8.0.1", "::1", "0.0.0.0", "localhost.example.com")]
    [True, True, True, False, False]
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _base_url(value: str) -> str:
    expected = "an address https://…; http:// only on this machine (127.0.0.1, localhost)"
    try:
        parts = urlsplit(value.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    if not host or any(c.isspace() for c in value.strip()):
        raise ValueError(expected)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address without user name, ? and #")
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return value.strip().rstrip("/")
    raise ValueError(expected)


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
        return value
    if value.startswith(("postgresql://", "postgres://")) and urlsplit(value).path.strip("/"):
        return value
    raise ValueError("sqlite:///path/of/file.db or postgresql://user:password@host/database")


def _word(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("one word of plain ASCII characters, without blanks")
    return value


def _id(value: str) -> str:
    if not value or not value.isprintable() or value != value.strip():
        raise ValueError("an id, without blanks around it")
    return value


def _keys(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _long_enough(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(key.get_secret_value()) < 16 for key in value):
        raise ValueError("keys of at least 16 characters, separated by commas")
    return value


def _from_json(value: object) -> object:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError('a list, in an environment variable written as JSON: ["…", "…"]') from None
    if not isinstance(value, list | tuple):
        raise ValueError("a list")  # noqa: TRY004  # pydantic turns only this into a finding
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _emoji(value: str) -> str:
    plain = "".join(c for c in value.strip() if ord(c) not in _SKIN_AND_VARIATION)
    named = plain.startswith(":") and plain.endswith(":") and len(plain) > 2 and " " not in plain
    if named or (plain and not plain.isascii() and len(plain) <= 16):
        return plain
    raise ValueError("emoji, each as itself or as :name:")


def _member(value: str) -> str:
    parts = value.split(":", 2)
    if len(parts) != 3 or not all(parts) or value != value.strip():
        raise ValueError("entries of the form channel:account:id")
    return value


Word: TypeAlias = Annotated[SecretStr, AfterValidator(_word)]
Id: TypeAlias = Annotated[str, AfterValidator(_id)]
Emoji: TypeAlias = Annotated[tuple[Annotated[str, AfterValidator(_emoji)], ...], BeforeValidator(_from_json)]
Members: TypeAlias = Annotated[tuple[Annotated[str, AfterValidator(_member)], ...], BeforeValidator(_from_json)]
Mode: TypeAlias = Literal["mention", "all", "questions"]


class RouteEntry(BaseModel):
    """One `[[routes]]` table as it is written."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    channel: Id = "*"
    account: Id = "*"
    conversation: Id = "*"
    tenant_id: Id | None = None
    site_id: Id | None = None
    api_key_file: Id | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")] | None = None
    scope: Literal["thread", "topic", "user", "conversation"] | None = None
    mode: Mode = "mention"


def _in(section: str, key: str, default: Any, **bounds: Any) -> Any:
    return Field(default, alias=section_variable(section, key), **bounds)


class Table(BaseSettings):
    """All settings the core knows by name. The alias of a field is its variable."""

    model_config = SettingsConfigDict(extra="forbid", coerce_numbers_to_str=True, hide_input_in_errors=True)

    base_url: Annotated[str, AfterValidator(_base_url)] = Field("https://api.uppzy.com/api/v1", alias="UPPZY_BASE_URL")
    api_key: Word | None = Field(None, alias="UPPZY_API_KEY")
    tenant_id: Id | None = Field(None, alias="UPPZY_TENANT_ID")
    site_id: Id | None = Field(None, alias="UPPZY_SITE_ID")
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///data/bot.db", alias="BOT_DATABASE_URL"
    )
    http_host: Id = Field("127.0.0.1", alias="BOT_HTTP_HOST")
    http_port: int = Field(8080, alias="BOT_HTTP_PORT", ge=0, le=65535)
    secret: SecretStr | None = Field(None, alias="BOT_SECRET")
    encryption_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_keys), AfterValidator(_long_enough)] = Field(
        (), alias="BOT_ENCRYPTION_KEY"
    )
    status_token: Word | None = Field(None, alias="BOT_STATUS_TOKEN")
    poll_budget: float = Field(90, alias="BOT_POLL_BUDGET", gt=0, allow_inf_nan=False)
    give_up: float = Field(900, alias="BOT_GIVE_UP", gt=0, allow_inf_nan=False)
    drain_seconds: float = Field(10, alias="BOT_DRAIN_SECONDS", ge=0, allow_inf_nan=False)
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] | None = Field(
        None, alias="BOT_LOG_FORMAT"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", alias="BOT_LOG_LEVEL"
    )

    idle_hours: float = _in("sessions", "idle_hours", 24, gt=0, allow_inf_nan=False)
    session_id: Literal["opaque", "uuid"] = _in("sessions", "id", "opaque")
    voters: Literal["everyone", "asker"] = _in("feedback", "voters", "everyone")
    settle_seconds: float = _in("feedback", "settle_seconds", 5, ge=0, le=60)
    good: Emoji = _in("feedback", "good", GOOD)
    bad: Emoji = _in("feedback", "bad", BAD)
    per_person_per_minute: int = _in("limits", "per_person_per_minute", 0, ge=0)
    waiting_per_session: int = _in("limits", "waiting_per_session", 50, ge=1)
    open_turns: int = _in("limits", "open_turns", 10_000, ge=1)
    question_chars: int = _in("limits", "question_chars", 4_000, ge=1)
    body_bytes: int = _in("limits", "body_bytes", 1_048_576, ge=1)
    text_days: int = _in("retention", "text_days", 30, ge=0)
    count_days: int = _in("retention", "count_days", 400, ge=0)
    allow: Members = _in("access", "allow", ())
    deny: Members = _in("access", "deny", ())
    refused: Literal["silent", "daily_notice"] = _in("access", "refused", "silent")
    operator_channel: Id | None = _in("operator", "channel", None)
    operator_account: Id | None = _in("operator", "account", None)
    operator_conversation: Id | None = _in("operator", "conversation", None)
    routes: Annotated[tuple[RouteEntry, ...], BeforeValidator(_from_json)] = Field((), alias="BOT_ROUTES")


def table_for(channels: Sequence[ChannelSpec]) -> type[Table]:
    """Make the table with the keys that the channels bring."""
    fields: dict[str, Any] = {}
    for spec in channels:
        for place, scopes in spec.scopes.items():
            fields[f"scope_{spec.name}_{place}"] = (
                Literal[tuple(scopes)],
                Field(scopes[0], alias=section_variable("sessions", f"{spec.name}_{place}")),
            )
        for rule in spec.access:
            fields[f"admit_{spec.name}_{rule.key}"] = (
                _rule_type(rule),
                Field(rule.default, alias=section_variable("access", rule.key)),
            )
        if aliases_of(spec.settings):
            fields[f"further_{spec.name}"] = (
                Annotated[tuple[dict[str, Any], ...], BeforeValidator(_from_json)],
                Field((), alias=f"BOT_{spec.name.upper()}"),
            )
    return create_model("SettingsTable", __base__=Table, **fields)


def _rule_type(rule: AccessRule) -> Any:
    words = {str(value).lower() if isinstance(value, bool) else value: value for value in rule.values}

    def parse(value: object) -> object:
        return words.get(value.lower(), value) if isinstance(value, str) else value

    return Annotated[Literal[tuple(rule.values)], BeforeValidator(parse)]


def aliases_of(model: type[BaseModel]) -> dict[str, str]:
    """Map the fields that are settings to their variables. A field without an alias is no setting."""
    found = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias if field.validation_alias is not None else field.alias
        if isinstance(alias, str):
            found[name] = alias
    return found


class _LayerSource(PydanticBaseSettingsSource):
    """Hands one layer to pydantic-settings, which merges the layers in order."""

    def __init__(self, settings: type[BaseSettings], layer: Layer, known: frozenset[str]) -> None:
        super().__init__(settings)
        self._values = {key: value for key, value in layer.values.items() if key in known}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(str(field.alias)), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self._values)


def filled(table: type[Table], layers: Sequence[Layer]) -> Table:
    """Validate the table with the values of the layers, the strongest first.

    Raises:
        pydantic.ValidationError: with every wrong value; to be shown through `problems_of` only.
    """
    known = frozenset(aliases_of(table).values())

    def sources(settings_cls: type[BaseSettings], *_: object, **__: object) -> tuple[PydanticBaseSettingsSource, ...]:
        return tuple(_LayerSource(settings_cls, layer, known) for layer in layers)

    bound = type(table.__name__, (table,), {"settings_customise_sources": staticmethod(sources)})
    made: Table = bound()
    return made
