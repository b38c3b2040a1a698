"""Reads the settings and checks all of them before it says anything: every problem at once, by name, without values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, SecretStr, ValidationError

from bot.adapter import ChannelSpec
from bot.config.model import (
    ROUTES,
    Around,
    Config,
    Problem,
    Setting,
    further_variable,
    names_of,
    variable_of,
    variables_of,
)
from bot.config.problems import problems_of, problems_of_network
from bot.config.sources import read
from bot.errors import ConfigError

Channels: TypeAlias = Sequence[ChannelSpec]
Environ: TypeAlias = Mapping[str, str] | None
Need: TypeAlias = Literal["api", "channel"]
"""What a command cannot do without: the API's three identifiers, at least one channel's token."""

NOTHING: frozenset[Need] = frozenset()
RUN: frozenset[Need] = frozenset({"api", "channel"})
IDENTIFIERS = ("UPPZY_API_KEY", "UPPZY_TENANT_ID", "UPPZY_SITE_ID")
LISTS = ("feedback.good", "feedback.bad")


class Examined(NamedTuple):
    """What reading the settings brought: `config` is None exactly when there are `errors`.

    `unknown`: environment variables that only look like ours. `settings`: those in force, secrets as `SecretStr`; what
    is wrong is left out, for its value cannot be trusted to be harmless. `no_channel`: none is on, and no token is set.
    """

    config: Config | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unknown: tuple[str, ...]
    settings: tuple[Setting, ...]
    no_channel: bool


def load(
    channels: Channels, *, environ: Environ = None, cwd: Path | None = None, need: frozenset[Need] = NOTHING
) -> Config:
    """Read the settings. `environ` and `cwd` default to the process's own.

    Raises:
        ConfigError: something is wrong or, among what is needed, missing; it lists all problems at once.
    """
    return _usable(examine(channels, environ=environ, cwd=cwd, need=need))


def examine(
    channels: Channels, *, environ: Environ = None, cwd: Path | None = None, need: frozenset[Need] = NOTHING
) -> Examined:
    """Read and check the settings without raising for what is wrong with them."""
    return _Reading(channels, environ, cwd).run(need)


def demo_config(
    channels: Channels, *, environ: Environ = None, cwd: Path | None = None, with_channels: bool = False
) -> Config:
    """Make the settings of the demo: no setting is needed, the API's, the channels' and the database's are ignored.

    `with_channels` lets the channels' own settings count. The caller puts the address of its own assistant into
    `base_url`; tenant, site and key are `demo`.

    Raises:
        ConfigError: a setting that does count (an HTTP port, a limit) is wrong.
    """
    ignored = ["UPPZY_", "BOT_DATABASE_"]
    for spec in () if with_channels else channels:
        ignored += [f"{spec.name.upper()}_", *variables_of(spec.settings)]
    examined = _Reading(channels, environ, cwd, ignored=tuple(ignored), toml=False).run(NOTHING)
    config = _usable(examined)
    if any(setting.name == "BOT_LOG_LEVEL" and setting.source == "default" for setting in examined.settings):
        config = config.model_copy(update={"log_level": "warning"})  # who tries it looks at the page, not at a log
    api = {"base_url": "http://127.0.0.1/api/v1", "tenant_id": "demo", "site_id": "demo", "api_key": SecretStr("demo")}
    return config.model_copy(update={**api, "database_url": "sqlite:///data/demo.db"})


def _tables(value: object) -> list[Any] | None:
    """Read a list, which an environment variable says as JSON; None for anything else."""
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def _token_of(settings: BaseModel) -> SecretStr | None:
    """Return the first secret that is set: what tells one account from another."""
    secrets = (getattr(settings, name) for name in type(settings).model_fields)
    return next((secret for secret in secrets if isinstance(secret, SecretStr)), None)


def _numbered(name: str, loc: tuple[int | str, ...]) -> str:
    """Name a place in a list of tables, counted from 1.

    >>> _numbered("routes", (1, "scope")), _numbered("routes", ())
    ('routes[2].scope', 'routes')
    """
    return ".".join((f"{name}[{int(loc[0]) + 1}]", *map(str, loc[1:]))) if loc else name


def _is_clean(secret: str) -> bool:
    """Whether a secret has no white space at its ends and no line end or other control character in it."""
    return secret == secret.strip() and secret.isprintable()


def _usable(examined: Examined) -> Config:
    if examined.config is None:
        raise ConfigError(list(examined.errors))
    return examined.config


class _Reading:
    """One reading of all sources; collects problems as it goes. `ignored`: beginnings of names that do not count."""

    def __init__(
        self, channels: Channels, environ: Environ, cwd: Path | None, ignored: tuple[str, ...] = (), toml: bool = True
    ) -> None:
        self.channels = channels
        self.around = Around(Path.cwd() if cwd is None else cwd, {spec.name: spec for spec in channels})
        self.names = names_of(channels)
        environ = self.environ = os.environ if environ is None else environ
        given, errors, self.unknown = read(self.names, environ=environ, cwd=self.around.cwd, toml=toml)
        self.given = {name: setting for name, setting in given.items() if not name.startswith(ignored)}
        self.errors = [problem for problem in errors if not problem.name.startswith(ignored)]
        self.in_force: dict[str, Setting] = {}

    def run(self, need: frozenset[Need]) -> Examined:
        settings = {spec.name: model for spec in self.channels if (model := self._channel(spec)) is not None}
        on = {name for name, model in settings.items() if getattr(model, "enabled", False)}
        accounts: dict[str, tuple[BaseModel, ...]] = {
            spec.name: (settings[spec.name],) if spec.name in on else () for spec in self.channels
        }
        for spec in self.channels:
            further = self._further(spec, settings.get(spec.name))
            accounts[spec.name] += further
            on |= {spec.name} if further else set()
        warnings = tuple(self._warnings(on))
        config = self._config({"channels": settings, "accounts": accounts, "warnings": warnings})
        if both := set(config.feedback.good) & set(config.feedback.bad):
            lists = [self.given[name].name for name in map(variable_of, LISTS) if name in self.given]
            self.errors.append(Problem(", ".join(lists), f"no emoji in both lists ({len(both)} are)"))
        tokens = [spec.token for spec in self.channels if spec.token]
        # A token that is there and wrong has its own problem; a missing one is meant here.
        no_channel = not on and not any(token in self.given for token in tokens)
        if "api" in need:
            self.errors += [Problem(name, "is required") for name in IDENTIFIERS if name not in self.given]
        if "channel" in need and no_channel:
            expected = "the token of at least one channel, to turn it on"
            self.errors.append(Problem(" or ".join(tokens) or "channel", expected))
        self.errors += problems_of_network(self.environ)
        errors = tuple(dict.fromkeys(self.errors))
        shown = tuple(self.in_force[name] for name in self.names if name in self.in_force)
        return Examined(None if errors else config, errors, warnings, tuple(self.unknown), shown, no_channel)

    def _channel(self, spec: ChannelSpec) -> BaseModel | None:
        variables = variables_of(spec.settings)
        fields = {path[0]: variable for variable, path in variables.items()}
        try:
            settings = spec.settings.model_validate({v: self.given[v].value for v in variables if v in self.given})
        except ValidationError as error:
            # What is wrong with a default bears the field's name.
            self.errors += problems_of(error, lambda loc: fields.get(str(loc[0]), str(loc[0])) if loc else "")
            return None
        for variable, path in variables.items():
            self._use(variable, reduce(getattr, path, settings))
        return settings

    def _further(self, spec: ChannelSpec, main: BaseModel | None) -> tuple[BaseModel, ...]:
        """Make the settings of the further accounts of a channel, each of what its table says and of the rest."""
        variable = further_variable(spec)
        if spec.further is None or main is None or (given := self.given.get(variable)) is None:
            return ()
        tables, made, found = _tables(given.value), list[BaseModel](), list[BaseModel]()
        if tables is None:
            self.errors.append(Problem(given.name, f"a list of tables, each written [[{spec.name}]]"))
            return ()
        for number, table in enumerate(tables):
            name = f"{given.name}[{number + 1}]"
            try:
                further: Any = spec.further.model_validate(table, context=self.around)
            except ValidationError as error:
                self.errors += problems_of(error, lambda loc, name=name: ".".join((name, *map(str, loc))))  # type: ignore[misc]
                continue
            try:
                settings = further.settings_beside(main)
            except ValidationError as error:
                # A variable's name in it is that of the first account.
                self.errors += [problem._replace(name=name) for problem in problems_of(error, lambda _: "")]
                continue
            if _token_of(settings) in [_token_of(other) for other in (main, *made)]:
                self.errors.append(Problem(name, "an account that is in the settings only once"))
            found.append(further)
            made.append(settings)
        self._use(variable, tuple(found))
        return tuple(made)

    def _config(self, rest: Mapping[str, Any], wrong: frozenset[str] = frozenset()) -> Config:
        """Make the whole of what is given, nested, and the rest.

        What is wrong is noted and left out, so that what depends on the rest is checked too.
        """
        tree, variables = {**self._brought(), **rest}, variables_of(Config)
        for variable in variables.keys() & self.given.keys() - wrong:
            match variables[variable]:
                case section, key:
                    tree.setdefault(section, {})[key] = self.given[variable].value
                case _:
                    tree[variable] = self.given[variable].value
        try:
            config = Config.model_validate(tree, context=self.around, by_name=False)
        except ValidationError as error:
            self.errors += problems_of(error, self._name)
            return self._config(rest, wrong | {self._variable(detail["loc"]) for detail in error.errors()})
        for variable in variables.keys() - wrong:
            self._use(variable, reduce(getattr, variables[variable], config))
        return config

    def _brought(self) -> dict[str, Any]:
        """Gather the keys that channels bring to sections."""
        scopes, admitted = {}, {}
        for spec in self.channels:
            for kind, possible in spec.scopes.items():
                scopes[spec.name, kind] = self._choose(f"sessions.{spec.name}_{kind}", possible, possible[0])
            for rule in spec.access:
                choice = self._choose(f"access.{rule.key}", list(rule.values), rule.default)
                admitted[spec.name, rule.standing] = rule.values[choice]
        return {"sessions": {"scopes": scopes}, "access": {"admitted": admitted}}

    def _choose(self, key: str, choices: Sequence[Any], default: Any) -> Any:
        """Return which of the choices is given; true and false may be words, in any case."""
        variable = variable_of(key)
        given = self.given.get(variable, Setting(variable, default, "default"))
        words = {str(choice).lower(): choice for choice in choices}
        choice = words.get(str(given.value).lower())
        if choice is None:
            self.errors.append(Problem(given.name, f"one of {', '.join(words)}"))
            return default
        self._use(variable, choice)
        return choice

    def _use(self, variable: str, value: object) -> None:
        if isinstance(value, SecretStr) and not _is_clean(value.get_secret_value()):
            name = self.given[variable].name if variable in self.given else variable
            self.errors.append(Problem(name, "no blanks around it and no line end in it; set it anew"))
        self.in_force[variable] = self.given.get(variable, Setting(variable, value, "default"))._replace(value=value)

    def _variable(self, loc: tuple[int | str, ...]) -> str:
        return str(loc[0]) if loc[0] in self.names else variable_of(f"{loc[0]}.{loc[1]}")

    def _name(self, loc: tuple[int | str, ...]) -> str:
        """Name a location in the tree as the operator wrote it; in a route, with its number and the key."""
        variable = self._variable(loc)
        name = self.given[variable].name if variable in self.given else variable
        return _numbered(name, loc[1:]) if variable == ROUTES else name

    def _warnings(self, on: set[str]) -> list[Problem]:
        rules = [rule for spec in self.channels if spec.name in on for rule in spec.access if rule.warning]
        unset = [rule for rule in rules if variable_of(f"access.{rule.key}") not in self.given]
        return [Problem(f"access.{rule.key}", rule.warning) for rule in unset]
