"""Says in plain words what is wrong with a value, and never what the value is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from bot.config.model import Problem

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "no such setting; mend the name or remove it",
    "string_type": "text",
    "string_pattern_mismatch": "a language code such as en or de-AT",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "one of {expected}",
    "string_too_short": "at least {min_length} characters",
    "dict_type": "a table of keys and values",
    "model_type": "a table of keys and values",
}
_NAME = re.compile(r"^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[\s:,]*")


def problems_of(error: ValidationError, name_of: Callable[[tuple[int | str, ...]], str]) -> Iterator[Problem]:
    """List what a model found wrong; `name_of` turns a place in the model into the operator's name for it."""
    for found in error.errors(include_url=False):
        place = found["loc"]
        context = {key: value for key, value in found.get("ctx", {}).items() if key != "error"}
        template = _WORDS.get(found["type"])
        text = template.format(**context) if template else found["msg"].removeprefix("Value error, ")
        named = _NAME.match(text)
        name = name_of(place)
        if named is not None:
            # A channel's own validator begins with the variable's name.
            name, text = (name or named.group(1)), text[named.end() :].removeprefix("expected ") or "another value"
        yield Problem(name or "settings", _without(text, found["input"]))


def _without(text: str, value: Any) -> str:
    """Drop a sentence of a validator that quotes the value, whole or in part of a structure."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (value,)
    for item in values:
        plain = item.get_secret_value() if hasattr(item, "get_secret_value") else item
        if isinstance(plain, dict | list | tuple):
            text = _without(text, plain)
        elif len(str(plain)) >= 4 and not isinstance(plain, bool) and plain is not None and str(plain) in text:
            return "another value"
    return text
