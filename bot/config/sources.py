"""Where settings come from: environment, then `.env`, then the files of `BOT_SECRETS_DIR`, then `uppzy-bot.toml`.

Each source is read into a flat layer, variable → value: key K of section S of TOML is `BOT_S__K` here already.
An empty value counts as not set, so that a compose file may pass a variable on that nobody filled in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

from bot.config.model import Problem

TOML_FILE = "uppzy-bot.toml"
NAMES_THE_FILE = "UPPZY_BOT_CONFIG"
SECRETS_DIR = "BOT_SECRETS_DIR"
META = frozenset({NAMES_THE_FILE, SECRETS_DIR})
"""Variables that say where settings are; they count in the environment and in `.env`."""


@dataclass(slots=True)
class Layer:
    """One source. `shown` holds the operator's own spelling of a name where it is not the variable's."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that exist. `top` stand in `.env` and at the top level of TOML, `sections` have keys, `lists` are
    arrays of tables. `prefixes` are what a variable of ours begins with."""

    top: frozenset[str]
    sections: Mapping[str, frozenset[str]]
    lists: frozenset[str]
    prefixes: tuple[str, ...]

    def variables(self) -> frozenset[str]:
        """Every variable that may be set."""
        inner = {section_variable(section, key) for section, keys in self.sections.items() for key in keys}
        return self.top | inner | {f"BOT_{name.upper()}" for name in self.lists}


def section_variable(section: str, key: str) -> str:
    """Name the variable of a key of a section.

    >>> section_variable("sessions", "idle_hours")
    'BOT_SESSIONS__IDLE_HOURS'
    """
    return f"BOT_{section.upper()}__{key.upper()}"


def read(
    names: Names, *, environ: Mapping[str, str], cwd: Path, dotenv: bool = True, toml: bool = True
) -> tuple[list[Layer], list[Problem], list[str]]:
    """Read all sources: the layers with the strongest first, the problems, and environment variables nobody knows."""
    problems: list[Problem] = []
    known = names.variables()
    env = Layer("environment", {key: value for key, value in environ.items() if key in known and value.strip()})
    unknown = sorted(key for key in environ if key.startswith(names.prefixes) and key not in known and key not in META)
    file = _read_dotenv(cwd / ".env", known, problems) if dotenv else Layer(".env")
    where = {**file.values, **{key: value for key, value in environ.items() if value.strip()}}
    layers = [env, file, _read_secrets(where.get(SECRETS_DIR), known, cwd, problems)]
    if toml:
        layers.append(_read_toml(where.get(NAMES_THE_FILE), names, cwd, problems))
    for name in META:
        file.values.pop(name, None)
    return layers, problems, unknown


def _read_dotenv(path: Path, known: Collection[str], problems: list[Problem]) -> Layer:
    layer = Layer(".env")
    text = _text(path, ".env", problems)
    if text is None:
        return layer
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            problems.append(Problem(f".env line {binding.original.line}", "a line NAME=value"))
        elif binding.key is None:
            continue
        elif binding.key not in known and binding.key not in META:
            problems.append(Problem(binding.key, "no such setting, in .env; mend the name or remove the line"))
        elif binding.value is not None and binding.value.strip():
            layer.values[binding.key] = binding.value
        else:
            layer.values.pop(binding.key, None)  # the last line of a name counts, and it says: not set
    return layer


def _read_secrets(directory: str | None, known: Collection[str], cwd: Path, problems: list[Problem]) -> Layer:
    layer = Layer(SECRETS_DIR)
    if not directory:
        return layer
    folder = cwd / Path(directory).expanduser()
    if not folder.is_dir():
        problems.append(Problem(SECRETS_DIR, "the path of a directory that exists"))
        return layer
    for name in sorted(known):
        text = _text(folder / name, f"{SECRETS_DIR}, file {name}", problems)
        if text is not None and text.strip():
            layer.values[name] = text.strip()
    return layer


def _read_toml(named: str | None, names: Names, cwd: Path, problems: list[Problem]) -> Layer:
    path = cwd / (Path(named).expanduser() if named else TOML_FILE)
    layer = Layer(path.name)
    if named and not path.is_file():
        problems.append(Problem(NAMES_THE_FILE, "the path of a TOML file that exists"))
        return layer
    text = _text(path, path.name, problems)
    if text is None:
        return layer
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The library's sentence may quote the line, and the line may hold a secret.
        place = re.search(r"at line \d+", str(error))
        problems.append(Problem(path.name, f"valid TOML ({place.group() if place else 'it ends too early'})"))
        return layer
    for key, value in tree.items():
        _take_toml(layer, names, key, value, problems)
    return layer


def _take_toml(layer: Layer, names: Names, key: str, value: object, problems: list[Problem]) -> None:
    if key in names.top:
        layer.values[key] = value
    elif key in names.lists:
        variable = f"BOT_{key.upper()}"
        layer.values[variable] = value
        layer.shown[variable] = key
    elif key not in names.sections:
        problems.append(Problem(key, f"no such setting or section, in {layer.name}; mend the name or remove it"))
    elif not isinstance(value, dict):
        problems.append(Problem(key, f"a section, written [{key}]"))
    else:
        for inner, inner_value in value.items():
            if inner not in names.sections[key]:
                problems.append(
                    Problem(f"{key}.{inner}", f"no such setting, in {layer.name}; known: {_list(names.sections[key])}")
                )
                continue
            variable = section_variable(key, inner)
            layer.values[variable] = inner_value
            layer.shown[variable] = f"{key}.{inner}"


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _text(path: Path, name: str, problems: list[Problem]) -> str | None:
    """The file's text, None where there is no file; one that cannot be read is a problem."""
    try:
        if not path.is_file():
            return None
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(name, "a readable file in UTF-8"))
        return None
