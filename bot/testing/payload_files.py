"""Recorded payloads: one JSON file each, with the payload and the events it must become.

    {"about": "a mention in a thread", "payload": {...}, "events": [{"type": "Message", "event_id": "...", ...}]}

An event is its dataclass, field by field: nested values as objects, times as ISO 8601 strings with an offset, tuples
as lists, fields that have their default may be left out. `"events": []` is a payload that must be ignored, and
acknowledged.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bot import events
from bot.events import Event

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PayloadCase:
    """One file."""

    name: str
    about: str
    payload: Any
    events: tuple[Event, ...]


def load(folder: Path) -> list[PayloadCase]:
    """Load all files of a folder, by name. Raises ValueError that names the file that is wrong."""
    return [_case(path) for path in sorted(folder.glob("*.json"))]


def write_event(event: Event) -> dict[str, Any]:
    """Serialise an event to the form of the files, without the fields that have their default."""
    return {"type": type(event).__name__, **_write(event)}


def read_event(raw: dict[str, Any]) -> Event:
    """Make the event of the form of the files."""
    rest = dict(raw)
    kind = getattr(events, str(rest.pop("type")), None)
    if kind is None or kind not in typing.get_args(Event):
        raise ValueError(f"{raw.get('type')!r} is no event")
    return typing.cast(Event, _read(kind, rest))


def _case(path: Path) -> PayloadCase:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(read_event(event) for event in raw["events"])
        return PayloadCase(path.stem, raw["about"], raw["payload"], found)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.parent.name}/{path.name}: {error!r}") from error


def _write(value: Any) -> dict[str, Any]:
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.default is dataclasses.MISSING or getattr(value, field.name) != field.default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _write(value) if dataclasses.is_dataclass(value) else value


def _read(kind: type[T], raw: dict[str, Any]) -> T:
    hints = _hints(typing.cast(Any, kind))
    if unknown := sorted(set(raw) - set(hints)):
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    return kind(**{name: _value(hints[name], value) for name, value in raw.items()})


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, value: Any) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is datetime:
            when = datetime.fromisoformat(value)
            if when.tzinfo is None:
                raise ValueError(f"{value!r} has no offset")
            return when
        if dataclasses.is_dataclass(option):
            return _read(typing.cast(type[Any], option), value)
        if typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(_value(typing.get_args(option)[0], item) for item in value)
        if option in (str, bool, int) and type(value) is option:
            return value
        if typing.get_origin(option) is typing.Literal and value in typing.get_args(option):
            return value
    raise ValueError(f"{value!r} is no {hint}")
