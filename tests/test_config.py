from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, Field, SecretStr, model_validator

from bot.adapter import AccessRule, ChannelSpec
from bot.cli.config import plain
from bot.config import RUN, Config, Examined, demo_config, examine, installed, load
from bot.errors import ConfigError, Misconfigured
from bot.shared import is_loopback
from bot.telemetry.redaction import secrets_of

SECRET = "hunter2-is-the-key"


class GullSettings(BaseModel):
    token: SecretStr | None = Field(None, alias="GULL_BOT_TOKEN")
    signing: SecretStr | None = Field(None, alias="GULL_SIGNING_SECRET")
    patience: int = Field(5, alias="GULL_PATIENCE")
    not_a_setting: bool = False

    @property
    def enabled(self) -> bool:
        return self.token is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.token is not None and self.signing is None:
            raise ValueError("GULL_SIGNING_SECRET: expected the signing secret, because events come over HTTP")
        return self


class QuietSettings(BaseModel):
    enabled: bool = False


GULL = ChannelSpec(
    name="gull",
    settings=GullSettings,
    token="GULL_BOT_TOKEN",
    scopes={"cliff": ("thread", "user"), "nest": ("user",)},
    access=(
        AccessRule(key="gull_guests", standing="guest", values={True: True, False: False}, default=True),
        AccessRule(
            key="gull",
            standing="public",
            values={"everybody": True, "listed": False},
            default="everybody",
            warning="everybody may use it",
        ),
    ),
    adapter="nowhere:Gull",
)
QUIET = ChannelSpec(name="quiet", settings=QuietSettings, scopes={"dm": ("user",)}, access=(), adapter="nowhere:Quiet")
CHANNELS = (GULL, QUIET)

COMPLETE = {
    "UPPZY_API_KEY": SECRET,
    "UPPZY_TENANT_ID": "tenant",
    "UPPZY_SITE_ID": "site",
    "GULL_BOT_TOKEN": "gull-token-1",
    "GULL_SIGNING_SECRET": "gull-signing-1",
}


def read(tmp_path: Path, environ: Mapping[str, str] | None = None, **more: Any) -> Examined:
    return examine(CHANNELS, environ=environ or {}, cwd=tmp_path, **more)


def loaded(tmp_path: Path, environ: Mapping[str, str] | None = None) -> Config:
    return load(CHANNELS, environ=environ or {}, cwd=tmp_path)


def problems(found: Examined) -> dict[str, str]:
    return dict(found.errors)


def toml(tmp_path: Path, text: str, name: str = "uppzy-bot.toml") -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.base_url == "https://api.uppzy.com/api/v1"
    assert config.database_url == "sqlite:///data/bot.db"
    assert (config.http_host, config.http_port) == ("127.0.0.1", 8080)
    assert (config.poll_budget, config.give_up, config.drain_seconds) == (90, 900, 10)
    assert (config.log_format, config.log_level) == ("json", "info")
    assert (config.sessions.idle_hours, config.sessions.id) == (24, "opaque")
    assert config.sessions.scopes == {("gull", "cliff"): "thread", ("gull", "nest"): "user", ("quiet", "dm"): "user"}
    assert (config.feedback.voters, config.feedback.settle_seconds) == ("everyone", 5)
    assert len(config.feedback.good) == 15
    assert len(config.feedback.bad) == 8
    limits = config.limits
    assert (limits.per_person_per_minute, limits.waiting_per_session, limits.open_turns) == (0, 50, 10_000)
    assert (limits.question_chars, limits.body_bytes) == (8_000, 1_048_576)
    assert config.input.join_seconds == 1.5
    assert (config.retention.text_days, config.retention.count_days) == (30, 400)
    assert config.access.admitted == {("gull", "guest"): True, ("gull", "public"): True}
    assert config.access.refused == "silent"
    assert config.routes == ()
    assert config.accounts == {"gull": (), "quiet": ()}
    assert config.warnings == ()  # a channel that is off warns of nothing


def test_a_source_that_stands_before_another_wins(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("UPPZY_SITE_ID", "UPPZY_TENANT_ID", "BOT_HTTP_HOST"):
        (secrets / name).write_text("secret-file\n")
    toml(
        tmp_path,
        'UPPZY_SITE_ID="toml"\nUPPZY_TENANT_ID="toml"\nBOT_HTTP_HOST="toml"\nBOT_HTTP_PORT=7\n[sessions]\nidle_hours=1\n',
    )
    (tmp_path / ".env").write_text(
        "# mine\nUPPZY_SITE_ID=dotenv\nexport UPPZY_TENANT_ID='dotenv'\nBOT_SECRETS_DIR=secrets\n"
    )
    config = loaded(tmp_path, {"UPPZY_SITE_ID": "environment", "BOT_SESSIONS__IDLE_HOURS": "2"})
    assert config.site_id == "environment"
    assert config.tenant_id == "dotenv"
    assert config.http_host == "secret-file"  # trimmed
    assert config.http_port == 7
    assert config.sessions.idle_hours == 2
    shown = {setting.name: setting.source for setting in read(tmp_path).settings}
    assert shown["BOT_HTTP_HOST"] == "BOT_SECRETS_DIR"
    assert shown["BOT_HTTP_PORT"] == "uppzy-bot.toml"
    assert shown["BOT_GIVE_UP"] == "default"


def test_another_toml_file_may_be_named(tmp_path: Path) -> None:
    toml(tmp_path, "BOT_HTTP_PORT=1\n")
    toml(tmp_path, "BOT_HTTP_PORT=2\n", "other.toml")
    assert loaded(tmp_path, {"UPPZY_BOT_CONFIG": "other.toml"}).http_port == 2
    assert "UPPZY_BOT_CONFIG" in problems(read(tmp_path, {"UPPZY_BOT_CONFIG": "absent.toml"}))
    assert "BOT_SECRETS_DIR" in problems(read(tmp_path, {"BOT_SECRETS_DIR": "absent"}))


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    toml(tmp_path, "BOT_HTTP_PORT=9\n")
    config = loaded(tmp_path, {"BOT_HTTP_PORT": "", "GULL_BOT_TOKEN": " ", "BOT_STATUS_TOKEN": ""})
    assert config.http_port == 9
    assert config.status_token is None
    assert config.accounts["gull"] == ()


def test_every_section_of_toml(tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text("route-key-1\n")
    toml(
        tmp_path,
        """
        BOT_ENCRYPTION_KEY = "0123456789abcdef0, 0123456789abcdef1"
        [sessions]
        gull_cliff = "user"
        id = "uuid"
        [feedback]
        voters = "asker"
        good = ["👍🏽", ":Ship_It:"]
        bad = ["❤️"]
        [limits]
        per_person_per_minute = 3
        [retention]
        text_days = 7
        [access]
        gull_guests = false
        gull = "listed"
        allow = ["gull:A1:U1", "gull:A1:with:colons"]
        refused = "daily_notice"
        [[routes]]
        channel = "gull"
        conversation = -5
        site_id = "other"
        api_key_file = "site.key"
        language = "de-AT"
        scope = "thread"
        mode = "all"
        [[routes]]
        channel = "*"
        """,
    )
    config = loaded(tmp_path, COMPLETE)
    assert config.sessions.scopes["gull", "cliff"] == "user"
    assert config.sessions.id == "uuid"
    assert config.feedback.voters == "asker"
    assert config.feedback.good == ("👍", ":Ship_It:")
    assert config.feedback.bad == ("❤",)
    assert config.limits.per_person_per_minute == 3
    assert config.retention.text_days == 7
    assert config.access.admitted == {("gull", "guest"): False, ("gull", "public"): False}
    assert config.access.allow == {"gull:A1:U1", "gull:A1:with:colons"}
    assert config.access.refused == "daily_notice"
    first, second = config.routes
    assert (first.conversation, first.site_id, first.language, first.scope, first.mode) == (
        "-5", "other", "de-AT", "thread", "all",
    )  # fmt: skip
    assert first.api_key is not None
    assert first.api_key.get_secret_value() == "route-key-1"
    assert (second.channel, second.api_key, second.mode) == ("*", None, "mention")
    assert [key.get_secret_value()[-1] for key in config.encryption_keys] == ["0", "1"]
    assert config.accounts == {"gull": (config.channels["gull"],), "quiet": ()}
    assert list(secrets_of(config.accounts["gull"])) == ["gull-token-1", "gull-signing-1"]


def test_sections_and_lists_come_from_the_environment_too(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        {
            "BOT_FEEDBACK__GOOD": '["🎉"]',
            "BOT_ACCESS__GULL_GUESTS": "False",
            "BOT_ACCESS__DENY": '["gull:A:U"]',
            "BOT_ROUTES": '[{"channel": "gull", "mode": "questions"}]',
        },
    )
    assert config.feedback.good == ("🎉",)
    assert config.access.admitted["gull", "guest"] is False
    assert config.access.deny == {"gull:A:U"}
    assert config.routes[0].mode == "questions"


WRONG = {
    "UPPZY_BASE_URL": "http://assistant.example.com",
    "UPPZY_API_KEY": f"{SECRET} two words",
    "UPPZY_SITE_ID": " padded ",
    "BOT_DATABASE_URL": f"mysql://root:{SECRET}@db/x",
    "BOT_HTTP_PORT": "70000",
    "BOT_ENCRYPTION_KEY": "short",
    "BOT_POLL_BUDGET": "soon",
    "BOT_GIVE_UP": "0",
    "BOT_LOG_LEVEL": "loud",
    "BOT_SESSIONS__GULL_CLIFF": "conversation",
    "BOT_FEEDBACK__GOOD": "thumbs",
    "BOT_FEEDBACK__BAD": '["sad"]',
    "BOT_FEEDBACK__SETTLE_SECONDS": "61",
    "BOT_LIMITS__OPEN_TURNS": "1.5",
    "BOT_ACCESS__GULL": "nobody",
    "BOT_ACCESS__ALLOW": '["gull"]',
    "GULL_BOT_TOKEN": "gull-token-3",
}


def test_all_problems_at_once_and_never_a_value(tmp_path: Path) -> None:
    found = read(tmp_path, WRONG)
    assert found.config is None
    expected = set(WRONG) - {"GULL_BOT_TOKEN"} | {"GULL_SIGNING_SECRET"}
    assert set(problems(found)) == expected
    assert all(problem.expected for problem in found.errors)
    said = json.dumps([found.errors, found.warnings, [plain(s.value) for s in found.settings]], ensure_ascii=False)
    for value in (SECRET, "example.com", "gull-token-3", "padded", "70000", "loud", "soon", "thumbs"):
        assert value not in said
    with pytest.raises(ConfigError) as error:
        load(CHANNELS, environ=WRONG, cwd=tmp_path)
    assert {name for name, _ in error.value.problems} == expected
    assert SECRET not in str(error.value)


def test_a_validator_that_quotes_the_value_is_not_repeated(tmp_path: Path) -> None:
    class Talkative(BaseModel):
        token: str | None = Field(None, alias="GULL_BOT_TOKEN")
        enabled: bool = False

        @model_validator(mode="after")
        def _quote(self) -> Self:
            raise ValueError(f"GULL_BOT_TOKEN: {self.token} is not what I expected")

    spec = ChannelSpec(name="gull", settings=Talkative, scopes={}, access=(), adapter="nowhere:Gull")
    found = examine((spec,), environ={"GULL_BOT_TOKEN": SECRET}, cwd=tmp_path)
    assert problems(found) == {"GULL_BOT_TOKEN": "another value"}


def test_what_run_needs_is_missed(tmp_path: Path) -> None:
    assert list(problems(read(tmp_path, need=RUN))) == [
        "UPPZY_API_KEY",
        "UPPZY_TENANT_ID",
        "UPPZY_SITE_ID",
        "GULL_BOT_TOKEN",
    ]
    assert read(tmp_path, COMPLETE, need=RUN).errors == ()
    # A token that is there and wrong is one problem, not two.
    assert list(problems(read(tmp_path, {**COMPLETE, "GULL_SIGNING_SECRET": ""}, need=RUN))) == ["GULL_SIGNING_SECRET"]


def test_a_misspelt_name_is_told_its_nearest_and_never_to_be_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BOT_GIVEUP=900\nNOTHING_LIKE_IT=1\n")
    (tmp_path / "uppzy-bot.toml").write_text("UPPZY_SITEID = 'x'\n")
    found = {one.name: (one.expected, one.fix) for one in examine(installed(), environ={}, cwd=tmp_path).errors}
    for name, place, instead in (
        ("BOT_GIVEUP", ".env", "the nearest is BOT_GIVE_UP"),
        ("NOTHING_LIKE_IT", ".env", "mend the name or remove the line"),
        ("UPPZY_SITEID", "uppzy-bot.toml", "the nearest is UPPZY_SITE_ID"),
    ):
        assert found[name] == (f"no such setting, in {place}; {instead}", f"Mend the name of {name}, or take it out.")


def test_unknown_keys_stop_in_files_and_only_warn_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"UPPZY_SITE=x\nPATH=y\nnonsense line\nBOT_SECRET={SECRET}\n")
    toml(
        tmp_path,
        'UPPZY_SIT_ID="x"\nnot_a_setting=true\n[session]\na=1\n[sessions]\nidle_hour=2\nfeedback=3\n'
        '[[routes]]\nchanel="gull"\n[[gull]]\nbot_token="x"\n[[quiet]]\nenabled=true\n[operators]\nchannel="gull"\n',
    )
    found = read(tmp_path, {"UPPZY_TYPO": "x", "GULL_TYPO": "y", "PATH": "/bin", "BOT_SECRETS_DIR": ""})
    assert set(problems(found)) == {
        "UPPZY_SITE", "PATH", ".env line 3", "UPPZY_SIT_ID", "not_a_setting", "session", "quiet",
        "sessions.idle_hour", "sessions.feedback", "routes[1].chanel", "gull", "operators",
    }  # fmt: skip
    assert found.unknown == ("GULL_TYPO", "UPPZY_TYPO")
    assert SECRET not in repr(found.errors)


def test_a_problem_bears_the_name_the_operator_wrote(tmp_path: Path) -> None:
    toml(tmp_path, '[sessions]\nidle_hours="long"\n[limits]\nopen_turns=0\n[[routes]]\n[[routes]]\nmode="x"\n')
    assert set(problems(read(tmp_path))) == {"sessions.idle_hours", "limits.open_turns", "routes[2].mode"}


def test_broken_files_are_named_without_their_lines(tmp_path: Path) -> None:
    toml(tmp_path, f'UPPZY_API_KEY = "{SECRET}\n')
    found = read(tmp_path)
    assert problems(found) == {"uppzy-bot.toml": "valid TOML (at line 1)"}
    toml(tmp_path, "sessions = 5\n")
    assert problems(read(tmp_path)) == {"sessions": "a section, written [sessions]"}
    (tmp_path / "uppzy-bot.toml").write_bytes(b"\xff\xfe")
    assert problems(read(tmp_path)) == {"uppzy-bot.toml": "a readable file in UTF-8"}


def test_settings_that_contradict_each_other(tmp_path: Path) -> None:
    toml(
        tmp_path,
        '[feedback]\ngood=["👍"]\nbad=["👍"]\n[access]\nallow=["crow:A:U"]\n'
        '[[routes]]\nchannel="crow"\n[[routes]]\nchannel="gull"\nscope="topic"\napi_key_file="absent"\n',
    )
    assert set(problems(read(tmp_path))) == {
        "feedback.good, feedback.bad", "access.allow",
        "routes[1].channel", "routes[2].scope", "routes[2].api_key_file",
    }  # fmt: skip


def test_a_channel_that_is_on_warns_until_its_access_is_said(tmp_path: Path) -> None:
    assert [w.name for w in loaded(tmp_path, COMPLETE).warnings] == ["access.gull"]
    assert loaded(tmp_path, {**COMPLETE, "BOT_ACCESS__GULL": "everybody"}).warnings == ()


def test_every_channels_token_is_named_by_the_channel(tmp_path: Path) -> None:
    """Not by a guess from its name; a channel without one, as of a demo, is not named."""

    class Petrel(BaseModel):
        key: SecretStr | None = Field(None, alias="PETREL_ACCESS_KEY")
        enabled: bool = False

    petrel = ChannelSpec(name="petrel", settings=Petrel, token="PETREL_ACCESS_KEY", scopes={}, adapter="nowhere:Petrel")
    (problem,) = examine((GULL, QUIET, petrel), environ={}, cwd=tmp_path, need=frozenset({"channel"})).errors
    assert problem.name == "GULL_BOT_TOKEN or PETREL_ACCESS_KEY"


def test_a_problem_of_a_default_bears_the_variable_too(tmp_path: Path) -> None:
    """pydantic calls a default that is wrong by its field's name, which no operator knows."""
    environ = {"TELEGRAM_BOT_TOKEN": "1:abc", "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram/webhook"}
    assert list(problems(examine(installed(), environ=environ, cwd=tmp_path))) == ["TELEGRAM_WEBHOOK_SECRET"]


def test_both_lists_of_emoji_are_named_as_they_were_written(tmp_path: Path) -> None:
    toml(tmp_path, '[feedback]\ngood=["👍"]\n')
    environ = {"BOT_FEEDBACK__BAD": '["👍🏽"]'}
    assert list(problems(read(tmp_path, environ))) == ["feedback.good, BOT_FEEDBACK__BAD"]
    toml(tmp_path, '[feedback]\ngood=["👎"]\n')
    assert list(problems(read(tmp_path))) == ["feedback.good"]


def test_a_key_itself_may_not_stand_in_a_route(tmp_path: Path) -> None:
    toml(tmp_path, f'[[routes]]\napi_key="{SECRET}"\n')
    found = read(tmp_path)
    assert list(problems(found)) == ["routes[1].api_key"]
    assert SECRET not in repr(found)
    toml(tmp_path, 'routes = [5, {mode = "all"}]\n')
    assert list(problems(read(tmp_path))) == ["routes[1]"]
    toml(tmp_path, "[routes]\nmode='all'\n")
    assert problems(read(tmp_path)) == {"routes": "a list"}


def test_what_is_expected_is_said_in_plain_words(tmp_path: Path) -> None:
    environ = {
        "BOT_HTTP_PORT": "x", "BOT_GIVE_UP": "0", "BOT_POLL_BUDGET": "soon", "BOT_DRAIN_SECONDS": "inf",
        "BOT_ACCESS__GULL_GUESTS": "perhaps", "BOT_LOG_LEVEL": "loud", "BOT_FEEDBACK__GOOD": "5",
        "BOT_ROUTES": '[{"language": "Klingon!"}]',
    }  # fmt: skip
    assert problems(read(tmp_path, environ)) == {
        "BOT_HTTP_PORT": "a whole number",
        "BOT_GIVE_UP": "greater than 0",
        "BOT_POLL_BUDGET": "a number",
        "BOT_DRAIN_SECONDS": "a finite number",
        "BOT_ACCESS__GULL_GUESTS": "one of true, false",
        "BOT_LOG_LEVEL": "'debug', 'info', 'warning' or 'error'",
        "BOT_FEEDBACK__GOOD": "a list",
        "BOT_ROUTES[1].language": "a language code such as en or de-AT",
    }


def test_a_wrong_setting_is_not_shown_and_the_rest_is(tmp_path: Path) -> None:
    found = read(tmp_path, {"BOT_HTTP_PORT": "x", "BOT_GIVE_UP": "33", "BOT_SESSIONS__GULL_CLIFF": "moon"})
    shown = {setting.name: (plain(setting.value), setting.source) for setting in found.settings}
    assert "BOT_HTTP_PORT" not in shown
    assert "BOT_SESSIONS__GULL_CLIFF" not in shown
    assert shown["BOT_GIVE_UP"] == ("33", "environment")
    assert shown["BOT_SESSIONS__GULL_NEST"] == ("user", "default")
    assert shown["BOT_ACCESS__GULL_GUESTS"] == ("true", "default")


@pytest.mark.parametrize(
    "address",
    ["https://x.example/api/", "http://127.0.0.1:8081/api/v1", "http://localhost:1", "http://[::1]:1/a"],
)
def test_base_urls_that_are_good(tmp_path: Path, address: str) -> None:
    assert loaded(tmp_path, {"UPPZY_BASE_URL": address}).base_url == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://x.example", "http://127.0.0.1.example.com", "http://localhost.example.com", "ftp://127.0.0.1", "x",
        "https://", "https://user:pw@x.example", "https://x.example/?a=1", "http://0.0.0.0", "https://x.example:port",
    ],
)  # fmt: skip
def test_base_urls_that_are_not(tmp_path: Path, address: str) -> None:
    assert list(problems(read(tmp_path, {"UPPZY_BASE_URL": address}))) == ["UPPZY_BASE_URL"]


def test_no_secret_shows_in_a_repr_or_in_config_show(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("route-key-9")
    toml(tmp_path, '[[routes]]\napi_key_file="k"\n')
    environ = {
        **COMPLETE,
        "BOT_SECRET": "hash-secret",
        "BOT_ENCRYPTION_KEY": "0123456789abcdef",
        "BOT_STATUS_TOKEN": "status-token-1",
    }
    found = read(tmp_path, environ)
    assert found.config is not None
    shown = repr(found.config) + repr(found.settings) + "".join(plain(setting.value) for setting in found.settings)
    secrets = set(secrets_of(found.config))
    assert secrets == {
        SECRET, "gull-token-1", "gull-signing-1", "route-key-9", "hash-secret", "0123456789abcdef", "status-token-1",
    }  # fmt: skip
    assert not [secret for secret in secrets if secret in shown]


def test_the_demo_ignores_what_is_not_its_own(tmp_path: Path) -> None:
    toml(tmp_path, "this is not TOML")
    (tmp_path / ".env").write_text("UPPZY_TYPO=1\nGULL_TYPO=1\nUPPZY_API_KEY=two words\nBOT_GIVE_UP=33\n")
    environ = {
        **COMPLETE,
        "UPPZY_BASE_URL": "http://evil.example",
        "BOT_DATABASE_URL": "nonsense",
        "BOT_HTTP_PORT": "0",
    }
    config = demo_config(CHANNELS, environ=environ, cwd=tmp_path)
    assert (config.tenant_id, config.site_id, config.database_url) == ("demo", "demo", "sqlite:///data/demo.db")
    assert config.api_key is not None
    assert config.api_key.get_secret_value() == "demo"
    assert (config.http_port, config.give_up) == (0, 33)
    assert config.accounts == {"gull": (), "quiet": ()}
    (tmp_path / ".env").unlink()
    assert len(demo_config(CHANNELS, environ=environ, cwd=tmp_path, with_channels=True).accounts["gull"]) == 1
    with pytest.raises(ConfigError) as error:
        demo_config(CHANNELS, environ={"BOT_HTTP_PORT": "x"}, cwd=tmp_path)
    assert isinstance(error.value, Misconfigured)
    assert [name for name, _ in error.value.problems] == ["BOT_HTTP_PORT"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("LOCALHOST", True), ("a.localhost", True), ("127.0.0.2", True), ("[::1]", True), ("::ffff:127.0.0.1", True),
        ("", False), ("0.0.0.0", False), ("localhost.example.com", False), ("::ffff:192.0.2.1", False),
    ],
)  # fmt: skip
def test_loopback_hosts(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
