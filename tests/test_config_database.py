"""The address of the database: what is taken, and that its password shows nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.config import plain
from bot.telemetry.redaction import Redactor, secrets_of
from tests.test_config import SECRET, problems, read


@pytest.mark.parametrize(
    "url",
    [
        "postgres://bot:{}@db/bot",
        "postgresql://bot:{}/2@db/bot",
        "postgresql://bot:12/{}@db/bot",
        "postgresql://bot:{}@2@db/bot",
        "postgresql://bot:{}#2@db/bot",
        "postgresql://bot@db/bot?password={}",
        "postgresql://bot:{} 2@db/bot",
        "mysql://bot:{}@db/bot",
    ],
)
def test_a_database_that_is_not_served_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    for name in ("BOT_DATABASE_URL", "BOT_DATABASE_DIRECT_URL"):
        found = read(tmp_path, {name: url.format(SECRET)})
        assert list(problems(found)) == [name]
        assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:{}@db/bot",
        "postgresql://bot:{}@[::1]:5432/bot?sslmode=require",
        "postgresql://bot:{}@a:5432,b:5433/bot?target_session_attrs=read-write",
        "postgresql:///bot?host=/run/postgresql",
    ],
)
def test_the_address_of_a_server_is_taken_and_its_password_never_shown(tmp_path: Path, url: str) -> None:
    found = read(tmp_path, {"BOT_DATABASE_URL": url.format(SECRET), "BOT_DATABASE_DIRECT_URL": url.format(SECRET)})
    assert not problems(found)
    assert found.config is not None
    assert found.config.database_url == url.format(SECRET)
    assert SECRET not in repr(found.config)
    shown = {setting.name: plain(setting.value) for setting in found.settings}
    assert SECRET not in str(shown)
    assert ("•••" in shown["BOT_DATABASE_URL"]) == ("{}" in url)
    assert (SECRET in set(secrets_of(found.config))) == ("{}" in url)


def test_a_password_with_signs_in_it_is_taken_out_of_logs_in_both_its_forms(tmp_path: Path) -> None:
    found = read(tmp_path, {"BOT_DATABASE_URL": "postgresql://bot:p%40ss%2Fword%20one@db/bot"})
    redact = Redactor(secrets_of(found.config))
    assert redact("p%40ss%2Fword%20one, p@ss/word one") == "[redacted], [redacted]"
