"""Says in plain words what is wrong with a value, and never what the value is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from bot.config.model import NO_SUCH, Problem

_WORDS = {
    "missing": "is required",
    "extra_forbidden": f"{NO_SUCH}; mend the name or remove it",
    "string_type": "text",
    "string_pattern_mismatch": "a value of another form",
    "model_type": "a table of keys and values",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
}
"""An error's type or its first word → what is expected, where pydantic's "Input should be …" is too technical."""
_NAME = re.compile(r"^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[\s:,]*")


def problems_of(error: ValidationError, name_of: Callable[[tuple[int | str, ...]], str]) -> Iterator[Problem]:
    """List what a model refused; `name_of` turns a location in the model into the operator's name for it."""
    for detail in error.errors(include_url=False):
        kind, name = detail["type"], name_of(detail["loc"])
        words = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0])
        text = words or re.sub("^(Value error,|Input should be) ", "", detail["msg"])
        if named := _NAME.match(text):
            # A channel's own validator begins with the variable's name.
            name, text = (name or named.group(1)), text[named.end() :].removeprefix("expected ") or "another value"
        yield Problem(name or "settings", _without(text, detail["input"]))


def problems_of_network(environ: Mapping[str, str]) -> Iterator[Problem]:
    """List what is wrong with the variables that every connection out heeds, whose names are not ours."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        if (proxy := environ.get(name, "")) and not _is_proxy(proxy):
            yield Problem(name, "the address of a proxy, http://host:port or https://host:port; no SOCKS")
    if file := environ.get("SSL_CERT_FILE", ""):
        try:
            is_pem = b"-----BEGIN " in Path(file).read_bytes()
        except OSError:
            is_pem = False
        if not is_pem:
            yield Problem("SSL_CERT_FILE", "the path of a readable file of certificates in PEM form")


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


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
