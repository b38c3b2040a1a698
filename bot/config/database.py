"""Which addresses of a database are taken. Whatever is written there, the password in it can be found and masked."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

_SERVER: Final = "postgresql://user:password@host:port/database, with %2F for / and %40 for @ in the password"
_HOSTS: Final = re.compile(r"(?:(?:[^\s:@\[\]]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?,?)*")


def _database_url(value: str) -> str:
    if value.startswith("postgresql://"):
        return _server_url(value)
    if not value.removeprefix("sqlite:///") or not value.startswith("sqlite:///"):
        raise ValueError(f"sqlite:/// and the path of a file, or {_SERVER}")
    return value


def _server_url(value: str) -> str:
    """Take what libpq and `urlsplit` read in the same way: else a part of a password would be a path or a host."""
    try:
        parts = urlsplit(value)
        options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        raise ValueError(_SERVER) from None
    hosts = parts.netloc.rpartition("@")[2]
    strange = parts.fragment or "@" in parts.path or parts.netloc.count("@") > 1 or any(map(str.isspace, value))
    if parts.scheme != "postgresql" or strange or not _HOSTS.fullmatch(hosts):
        raise ValueError(_SERVER)
    if options & {"password", "sslpassword", "user"}:
        raise ValueError(f"{_SERVER}, and no password behind the ?")
    return value


def expected_of(value: str) -> str | None:
    """Say what is expected in place of an address that is none of a database; None for one that can be taken."""
    try:
        _database_url(value)
    except ValueError as error:
        return str(error)
    return None


DatabaseUrl: TypeAlias = Annotated[str, AfterValidator(_database_url)]
ServerUrl: TypeAlias = Annotated[str, AfterValidator(_server_url)]
