"""Makes the `Config` out of the filled table, and checks what needs more than one setting to check."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, SecretStr

from bot.adapter import ChannelSpec
from bot.config.model import Access, Config, Feedback, Limits, Operator, Problem, Retention, Route, Sessions
from bot.config.table import RouteEntry, Table


def build(
    table: Table,
    channels: Sequence[ChannelSpec],
    cwd: Path,
    settings: Mapping[str, BaseModel],
    accounts: Mapping[str, tuple[BaseModel, ...]],
    errors: list[Problem],
) -> Config:
    """Build the whole; problems are appended to `errors`, and then the result must not be used."""
    names = tuple(spec.name for spec in channels)
    if both := set(table.good) & set(table.bad):
        errors.append(Problem("feedback.good, feedback.bad", f"no emoji in both lists ({len(both)} are)"))
    scopes = {
        (spec.name, place): getattr(table, f"scope_{spec.name}_{place}") for spec in channels for place in spec.scopes
    }
    return Config(
        base_url=table.base_url,
        api_key=table.api_key,
        tenant_id=table.tenant_id or "",
        site_id=table.site_id or "",
        database_url=table.database_url,
        http_host=table.http_host,
        http_port=table.http_port,
        secret=table.secret,
        encryption_keys=table.encryption_keys,
        status_token=table.status_token,
        poll_budget=table.poll_budget,
        give_up=table.give_up,
        drain_seconds=table.drain_seconds,
        log_format=table.log_format or ("console" if sys.stderr.isatty() else "json"),
        log_level=table.log_level,
        sessions=Sessions(scopes=scopes, idle_hours=table.idle_hours, id=table.session_id),
        feedback=Feedback(voters=table.voters, settle_seconds=table.settle_seconds, good=table.good, bad=table.bad),
        limits=Limits(
            per_person_per_minute=table.per_person_per_minute,
            waiting_per_session=table.waiting_per_session,
            open_turns=table.open_turns,
            question_chars=table.question_chars,
            body_bytes=table.body_bytes,
        ),
        retention=Retention(text_days=table.text_days, count_days=table.count_days),
        access=_access(table, channels, errors),
        operator=_operator(table, names, errors),
        routes=tuple(
            _route(f"routes[{number}]", entry, channels, cwd, errors)
            for number, entry in enumerate(table.routes, start=1)
        ),
        channels=dict(settings),
        accounts=dict(accounts),
    )


def _access(table: Table, channels: Sequence[ChannelSpec], errors: list[Problem]) -> Access:
    names = [spec.name for spec in channels]
    for name, entries in (("access.allow", table.allow), ("access.deny", table.deny)):
        if any(entry.split(":", 1)[0] not in names for entry in entries):
            errors.append(Problem(name, f"entries that begin with a channel: {', '.join(names)}"))
    admitted: dict[tuple[str, str], bool] = {
        (spec.name, rule.standing): rule.values[getattr(table, f"admit_{spec.name}_{rule.key}")]
        for spec in channels
        for rule in spec.access
    }
    return Access(admitted=admitted, allow=frozenset(table.allow), deny=frozenset(table.deny), refused=table.refused)


def _operator(table: Table, names: tuple[str, ...], errors: list[Problem]) -> Operator | None:
    parts = {
        "channel": table.operator_channel or "",
        "account": table.operator_account or "",
        "conversation": table.operator_conversation or "",
    }
    if not any(parts.values()):
        return None
    errors += [Problem(f"operator.{key}", "is required in [operator]") for key, value in parts.items() if not value]
    if parts["channel"] and parts["channel"] not in names:
        errors.append(Problem("operator.channel", f"one of {', '.join(names)}"))
    return Operator(**parts)


def _route(where: str, entry: RouteEntry, channels: Sequence[ChannelSpec], cwd: Path, errors: list[Problem]) -> Route:
    known = {spec.name: spec for spec in channels}
    exact = not set("*?[") & set(entry.channel)
    if exact and entry.channel not in known:
        errors.append(Problem(f"{where}.channel", f"one of {', '.join(known)}, or a pattern with *"))
    elif exact and entry.scope is not None:
        possible = sorted({scope for scopes in known[entry.channel].scopes.values() for scope in scopes})
        if entry.scope not in possible:
            errors.append(Problem(f"{where}.scope", f"one of {', '.join(possible)}"))
    key = None
    if entry.api_key_file is not None:
        key = _key(cwd / Path(entry.api_key_file).expanduser())
        if key is None:
            errors.append(Problem(f"{where}.api_key_file", "the path of a readable file that holds one key"))
    return Route(
        channel=entry.channel,
        account=entry.account,
        conversation=entry.conversation,
        tenant_id=entry.tenant_id,
        site_id=entry.site_id,
        api_key=key,
        language=entry.language,
        scope=entry.scope,
        mode=entry.mode,
    )


def _key(path: Path) -> SecretStr | None:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return SecretStr(text) if text and text.isascii() and text.isprintable() and " " not in text else None
