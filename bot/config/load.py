"""Reads the settings and checks all of them before it says anything: every problem at once, by name, without values."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, SecretStr, ValidationError

from bot.adapter import ChannelSpec
from bot.config.build import build
from bot.config.model import Config, Problem
from bot.config.problems import problems_of
from bot.config.sources import Layer, Names, read
from bot.config.table import Table, aliases_of, filled, table_for
from bot.errors import ConfigError

Need: TypeAlias = Literal["api", "channel"]
"""What a command cannot do without: the API's three identifiers, at least one channel's token."""

RUN: frozenset[Need] = frozenset({"api", "channel"})
MASK = "•••"
IDENTIFIERS = ("UPPZY_API_KEY", "UPPZY_TENANT_ID", "UPPZY_SITE_ID")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force, as `config show` prints it; a secret `value` is masked, `source` says where it is from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading the settings brought: `config` is None exactly when there are `errors`."""

    config: Config | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unknown: tuple[str, ...]
    settings: tuple[Setting, ...]


def load(
    channels: Sequence[ChannelSpec],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    need: frozenset[Need] = frozenset(),
) -> Config:
    """Read the settings. `environ` and `cwd` default to the process's own.

    Raises:
        ConfigError: something is wrong or, among what is needed, missing; it lists all problems at once.
    """
    examined = examine(channels, environ=environ, cwd=cwd, need=need)
    if examined.config is None:
        raise ConfigError(list(examined.errors))
    return examined.config


def examine(
    channels: Sequence[ChannelSpec],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    need: frozenset[Need] = frozenset(),
) -> Examined:
    """Read and check the settings without raising for what is wrong with them."""
    return _Reader(channels, cwd).run(os.environ if environ is None else environ, need)


def demo_config(
    channels: Sequence[ChannelSpec],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    with_channels: bool = False,
) -> Config:
    """Make the settings of the demo: no setting is needed, the API's, the channels' and the database's are ignored.

    `with_channels` lets the channels' own settings count. The caller puts the address of its own assistant into
    `base_url`; tenant, site and key are `demo`.

    Raises:
        ConfigError: a setting that does count (an HTTP port, a limit) is wrong.
    """
    given = os.environ if environ is None else environ
    ignored: tuple[str, ...] = ("UPPZY_", "BOT_DATABASE_URL")
    if not with_channels:
        ignored += tuple(f"{spec.name.upper()}_" for spec in channels)
    examined = _Reader(channels, cwd, ignored=ignored, toml=False).run(given, frozenset())
    if examined.config is None:
        raise ConfigError(list(examined.errors))
    return replace(
        examined.config,
        base_url="http://127.0.0.1/api/v1",
        api_key=SecretStr("demo"),
        tenant_id="demo",
        site_id="demo",
        database_url="sqlite:///data/demo.db",
    )


class _Reader:
    """One reading of all sources; collects problems as it goes."""

    def __init__(
        self, channels: Sequence[ChannelSpec], cwd: Path | None, *, ignored: tuple[str, ...] = (), toml: bool = True
    ) -> None:
        self.channels = channels
        self.cwd = Path.cwd() if cwd is None else cwd
        self.ignored = ignored
        self.toml = toml
        self.table = table_for(channels)
        self.errors: list[Problem] = []
        self.layers: list[Layer] = []

    def run(self, environ: Mapping[str, str], need: frozenset[Need]) -> Examined:
        self.layers, problems, unknown = read(self._names(), environ=environ, cwd=self.cwd, toml=self.toml)
        if self.ignored:
            for layer in self.layers:
                layer.values = {k: v for k, v in layer.values.items() if not k.startswith(self.ignored)}
            problems = [p for p in problems if not p.name.startswith(self.ignored)]
        self.errors += problems
        table = self._table()
        settings = {spec.name: self._channel(spec, self._flat(spec)) for spec in self.channels}
        accounts = {spec.name: self._accounts(spec, settings[spec.name], table) for spec in self.channels}
        self._needed(need, accounts)
        warnings = tuple(self._warnings(accounts))
        parts = {name: value for name, value in settings.items() if value is not None}
        config = build(table, self.channels, self.cwd, parts, accounts, self.errors)
        config = replace(config, warnings=warnings, unknown=tuple(unknown))
        return Examined(
            config=None if self.errors else config,
            errors=tuple(dict.fromkeys(self.errors)),
            warnings=warnings,
            unknown=tuple(unknown),
            settings=tuple(self._shown(table, settings)),
        )

    # names and layers

    def _names(self) -> Names:
        top, sections = set(), dict[str, set[str]]()
        for alias in aliases_of(self.table).values():
            section, _, key = alias.removeprefix("BOT_").partition("__")
            if key:
                sections.setdefault(section.lower(), set()).add(key.lower())
            else:
                top.add(alias)
        lists = {"routes", *(spec.name for spec in self.channels if aliases_of(spec.settings))}
        top -= {f"BOT_{name.upper()}" for name in lists}
        for spec in self.channels:
            top.update(aliases_of(spec.settings).values())
        prefixes = ("UPPZY_", "BOT_", *(f"{spec.name.upper()}_" for spec in self.channels))
        frozen = {section: frozenset(keys) for section, keys in sections.items()}
        return Names(top=frozenset(top), sections=frozen, lists=frozenset(lists), prefixes=prefixes)

    def _value(self, alias: str) -> object:
        return next((layer.values[alias] for layer in self.layers if alias in layer.values), None)

    def _source(self, alias: str) -> str:
        return next((layer.name for layer in self.layers if alias in layer.values), "default")

    def _written(self, alias: str) -> str:
        """The name as the operator wrote it, in the source that counts."""
        for layer in self.layers:
            if alias in layer.values:
                return layer.shown.get(alias, alias)
        return alias

    # the parts

    def _table(self) -> Table:
        """Fill the table. What is wrong is noted and left out, so that what depends on the rest is checked too."""
        try:
            return filled(self.table, self.layers)
        except ValidationError as error:
            self.errors += problems_of(error, self._place)
            wrong = {str(found["loc"][0]) for found in error.errors() if found["loc"]}
        good = [
            replace(layer, values={key: value for key, value in layer.values.items() if key not in wrong})
            for layer in self.layers
        ]
        return filled(self.table, good)

    def _place(self, place: tuple[int | str, ...]) -> str:
        if not place:
            return ""
        name = self._written(str(place[0]))
        if len(place) == 3 and isinstance(place[1], int):  # a key of one table of a list
            return f"{name}[{place[1] + 1}].{place[2]}"
        return name

    def _flat(self, spec: ChannelSpec) -> dict[str, Any]:
        aliases = aliases_of(spec.settings).values()
        return {alias: value for alias in aliases if (value := self._value(alias)) is not None}

    def _channel(self, spec: ChannelSpec, values: dict[str, Any], where: str = "") -> BaseModel | None:
        try:
            return spec.settings.model_validate(values)
        except ValidationError as error:
            found = problems_of(error, lambda place: str(place[0]) if place else "")
            self.errors += [Problem(where + problem.name, problem.expected) for problem in found]
            return None

    def _accounts(self, spec: ChannelSpec, first: BaseModel | None, table: Table) -> tuple[BaseModel, ...]:
        """The accounts that are turned on. In `[[slack]]`, `bot_token` stands for SLACK_BOT_TOKEN."""
        found = [first] if first is not None and getattr(first, "enabled", False) else []
        further = getattr(table, f"further_{spec.name}", ())
        known = set(aliases_of(spec.settings).values())
        for number, entry in enumerate(further, start=1):
            where = f"{spec.name}[{number}]."
            values = {}
            for key, value in entry.items():
                variable = key if key in known else f"{spec.name}_{key}".upper()
                if variable in known:
                    values[variable] = value
                else:
                    self.errors.append(Problem(where + key, "no such setting; mend the name or remove it"))
            account = self._channel(spec, values, where)
            if account is not None and not getattr(account, "enabled", False):
                self.errors.append(Problem(where.rstrip("."), "an account with a token"))
            elif account is not None:
                found.append(account)
        return tuple(found)

    def _needed(self, need: frozenset[Need], accounts: Mapping[str, tuple[BaseModel, ...]]) -> None:
        if "api" in need:
            for name in IDENTIFIERS:
                if self._value(name) is None:
                    self.errors.append(Problem(name, "is required"))
        if "channel" in need and not any(accounts.values()):
            tokens = [(spec, f"{spec.name.upper()}_BOT_TOKEN") for spec in self.channels]
            known = [name for spec, name in tokens if name in aliases_of(spec.settings).values()]
            # A token that is there and wrong has its own problem; a missing one is meant here.
            if not any(self._value(name) is not None for name in known):
                self.errors.append(
                    Problem(" or ".join(known) or "channel", "the token of at least one channel, to turn it on")
                )

    def _warnings(self, accounts: Mapping[str, tuple[BaseModel, ...]]) -> list[Problem]:
        found = []
        for spec in self.channels:
            for rule in spec.access:
                unset = self._value(f"BOT_ACCESS__{rule.key.upper()}") is None
                if rule.warning and unset and accounts[spec.name]:
                    found.append(Problem(f"access.{rule.key}", rule.warning))
        return found

    def _shown(self, table: Table, settings: Mapping[str, BaseModel | None]) -> list[Setting]:
        """Every setting in force; one that is wrong is left out, for its value cannot be trusted to be harmless."""
        models: list[BaseModel] = [model for model in (table, *settings.values()) if model is not None]
        shown = []
        for model in models:
            for name, alias in aliases_of(type(model)).items():
                value = getattr(model, name)
                if alias == "BOT_ROUTES":
                    value = [entry.model_dump(exclude_defaults=True) for entry in value]
                elif name.startswith("further_"):
                    value = len(value)  # entries hold tokens
                shown.append(Setting(self._written(alias), plain(value), self._source(alias)))
        return shown


def plain(value: object) -> str:
    """Write a value for people, secrets and the password of an address masked.

    >>> plain(("a", SecretStr("x"))), plain("postgresql://bot:secret@db/bot"), plain(None)
    ('["a", "•••"]', 'postgresql://bot:•••@db/bot', '')
    """
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple | list | dict):
        return json.dumps(value, ensure_ascii=False, default=lambda item: MASK)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else re.sub(r"(?<=://)([^/@\s:]*):[^/@]*@", rf"\1:{MASK}@", str(value))
