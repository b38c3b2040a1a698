"""Both databases as a fixture, and the one server of the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, a_server

SQLITE, POSTGRESQL = "sqlite", pytest.param("postgresql", marks=pytest.mark.needs_package("postgresql"))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with a_server() as server:
        yield server


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bot.db"
    else:
        with request.getfixturevalue("server").database() as url:
            yield url
