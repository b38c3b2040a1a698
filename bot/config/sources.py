"""Where settings come from: environment, then `.env`, then the files of `BOT_SECRETS_DIR`, then `uppzy-bot.toml`.

All are merged into one mapping from variables to what is set. An empty value counts as not set, so that a compose
file may pass a variable on that nobody filled in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from bot.config.model import NO_SUCH, Problem, Setting

TOML_FILE = "uppzy-bot.toml"
NAMES_THE_FILE = "UPPZY_BOT_CONFIG"
SECRETS_DIR = "BOT_SECRETS_DIR"
META = frozenset({NAMES_THE_FILE, SECRETS_DIR})
"""Variables that say where settings are; they count in the environment and in `.env`."""


def read(
    names: Mapping[str, str], *, environ: Mapping[str, str], cwd: Path, toml: bool = True
) -> tuple[dict[str, Setting], list[Problem], list[str]]:
    """Merge all sources; `names` maps each variable to its name in TOML.

    Return what is set, by variable; the problems; and environment variables that nobody knows.
    """
    problems: list[Problem] = []
    known = {*names, *META}
    prefixes = tuple({name.partition("_")[0] + "_" for name in known})
    unknown = sorted(name for name in environ if name.startswith(prefixes) and name not in known)
    environment = {name: value for name, value in environ.items() if name in known and value.strip()}
    dotenv = _dotenv(cwd / ".env", known, problems)
    files = {**dotenv, **environment}
    secrets = _secrets(files.get(SECRETS_DIR), names, cwd, problems)
    given = _toml(files.get(NAMES_THE_FILE), names, cwd, problems) if toml else {}
    for source, values in ((SECRETS_DIR, secrets), (".env", dotenv), ("environment", environment)):
        given |= {name: Setting(name, value, source) for name, value in values.items() if name in names}
    return given, problems, unknown


def _dotenv(path: Path, known: set[str], problems: list[Problem]) -> dict[str, str]:
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(_text(path, ".env", problems))):
        if binding.error:
            problems.append(Problem(f".env line {binding.original.line}", "a line NAME=value"))
        elif binding.key is not None and binding.key not in known:
            instead = _nearest(binding.key, known) or "mend the name or remove the line"
            problems.append(Problem(binding.key, f"{NO_SUCH}, in .env; {instead}"))
        elif binding.key is not None:
            values[binding.key] = binding.value or ""  # the last line of a name counts, even if it says: not set
    return {name: value for name, value in values.items() if value.strip()}


def _secrets(directory: str | None, names: Mapping[str, str], cwd: Path, problems: list[Problem]) -> dict[str, str]:
    if not directory:
        return {}
    folder = cwd / Path(directory).expanduser()
    if not folder.is_dir():
        problems.append(Problem(SECRETS_DIR, "the path of a directory that exists"))
        return {}
    texts = {name: _text(folder / name, f"{SECRETS_DIR}, file {name}", problems).strip() for name in sorted(names)}
    return {name: text for name, text in texts.items() if text}


def _toml(named: str | None, names: Mapping[str, str], cwd: Path, problems: list[Problem]) -> dict[str, Setting]:
    path = cwd / (Path(named).expanduser() if named else TOML_FILE)
    if named and not path.is_file():
        problems.append(Problem(NAMES_THE_FILE, "the path of a TOML file that exists"))
        return {}
    try:
        tree = tomllib.loads(_text(path, path.name, problems))
    except tomllib.TOMLDecodeError as error:
        # The library's sentence may quote the line, and the line may hold a secret.
        place = re.search(r"at line \d+", str(error))
        problems.append(Problem(path.name, f"valid TOML ({place.group() if place else 'it ends too early'})"))
        return {}
    variables = {name: variable for variable, name in names.items()}
    sections = {name.partition(".")[0] for name in variables if "." in name}
    flat: dict[str, object] = {}
    for key, value in tree.items():
        if key not in sections:
            flat[key] = value
        elif isinstance(value, dict):
            flat |= {f"{key}.{inner}": inner_value for inner, inner_value in value.items()}
        else:
            problems.append(Problem(key, f"a section, written [{key}]"))
    for name in flat:
        if name not in variables:
            keys = sorted(known for known in variables if known.startswith(name.partition(".")[0] + "."))
            instead = f"known: {', '.join(keys)}" if keys else _nearest(name, variables) or "mend the name or remove it"
            problems.append(Problem(name, f"{NO_SUCH}, in {path.name}; {instead}"))
    return {variables[name]: Setting(name, value, path.name) for name, value in flat.items() if name in variables}


def _nearest(name: str, known: Iterable[str]) -> str:
    """What a misspelt name may stand for; empty when nothing is like it."""
    found = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"the nearest is {found[0]}" if found else ""


def _text(path: Path, name: str, problems: list[Problem]) -> str:
    """The file's text, "" where there is no file; one that cannot be read is a problem."""
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(name, "a readable file in UTF-8"))
        return ""
