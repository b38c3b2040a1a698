from __future__ import annotations

import json
import string
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from bot.telemetry.redaction import MASK, SHORTEST, Redactor, secrets_of

anything = st.text(max_size=60)
secret_values = st.text(min_size=SHORTEST, max_size=40)
token_tail = st.text(alphabet=string.ascii_letters + string.digits, min_size=12, max_size=40)


# No character of the mask, so that the mask cannot be part of a secret.
foreign = st.text(alphabet=string.digits + string.ascii_uppercase + "\"'\\.*+?()|^$ é", min_size=SHORTEST, max_size=40)


@given(anything, foreign, anything)
def test_a_known_secret_never_comes_through(before: str, secret: str, after: str) -> None:
    assert secret not in Redactor([secret])(before + secret + after)


@given(st.lists(foreign, min_size=2, max_size=5))
def test_secrets_that_contain_each_other(secrets: list[str]) -> None:
    nested = [*secrets, "".join(secrets)]
    cleaned = Redactor(nested)(" ".join(nested))
    assert not [secret for secret in nested if secret in cleaned]


@given(st.dictionaries(anything, anything | st.integers() | st.none()), secret_values)
def test_a_structure_keeps_its_shape_and_loses_the_secret(structure: dict[str, object], secret: str) -> None:
    redactor = Redactor([secret])
    cleaned = redactor.clean({**structure, "here": [secret, {"deep": (secret, 5, True)}], "bytes": secret.encode()})
    assert cleaned["here"] == [redactor(secret), {"deep": [redactor(secret), 5, True]}]
    again = json.dumps(cleaned)
    if secret.isascii() and secret.isalnum() and secret not in json.dumps(structure) and secret not in MASK:
        assert secret not in again


@given(secret_values)
def test_a_secret_is_found_in_json_and_in_an_address(secret: str) -> None:
    redactor = Redactor([secret])
    assert redactor(json.dumps(secret)) == f'"{MASK}"'
    assert redactor("https://x.example/" + quote(secret, safe="")) == f"https://x.example/{MASK}"


@given(anything, st.sampled_from(["xoxb-", "xoxp-", "xoxe.xoxp-", "xapp-", "xoxs-"]), token_tail)
def test_slack_tokens_have_a_shape(before: str, prefix: str, tail: str) -> None:
    assert tail not in Redactor()(f"{before} {prefix}{tail}").removeprefix(before)


telegram_tails = st.text(alphabet=string.ascii_letters + string.digits + "_-", min_size=35, max_size=35)


@given(st.integers(10**8, 10**10 - 1), telegram_tails)
def test_telegram_tokens_have_a_shape(bot: int, tail: str) -> None:
    for text in (f"{bot}:{tail}", f"https://api.telegram.org/bot{bot}:{tail}/getMe", f"token='{bot}:{tail}'"):
        assert f"{bot}:{tail}" not in Redactor()(text)
        assert MASK in Redactor()(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Bearer abc.DEF-123", f"Authorization: {MASK}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: {MASK}"),
        ("X-API-Key: k-1", MASK),
        ("{'X-API-Key': 'k-1', 'a': 1}", f"{{'{MASK}', 'a': 1}}"),
        ('{\\"x-api-key\\": \\"k-1\\"}', f'{{\\"{MASK}\\"}}'),
        ("('x-telegram-bot-api-secret-token', 'k-1')", f"('{MASK}')"),
        ("postgresql://bot:pw@db/bot", f"postgresql://{MASK}@db/bot"),
        ("at 12:30 on 2026-01-01 10.0.0.1:8080", "at 12:30 on 2026-01-01 10.0.0.1:8080"),
        ("session Zk3_9-xoxo and box-office", "session Zk3_9-xoxo and box-office"),
    ],
)
def test_shapes(text: str, cleaned: str) -> None:
    assert Redactor()(text) == cleaned


def test_a_key_that_names_a_secret_hides_its_value() -> None:
    cleaned = Redactor().clean({"X-API-Key": "short", "bot_token": 5, "tokens": 3, "password": "a", "keys": "b"})
    assert cleaned == {"X-API-Key": MASK, "bot_token": MASK, "tokens": 3, "password": MASK, "keys": "b"}


def test_what_pydantic_refused_is_not_quoted() -> None:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValidationError) as error:
        Model.model_validate({"number": "where may guests park?"})
    assert "park" in str(error.value)
    assert "park" not in Redactor()(str(error.value))


def test_secrets_are_found_wherever_settings_keep_them() -> None:
    class Inner(BaseModel):
        token: SecretStr
        name: str = "not-a-secret"

    @dataclass
    class Outer:
        inner: tuple[Inner, ...]
        by_name: dict[str, SecretStr | None]
        address: str
        plain: str = "neither"
        broken: str = "http://[@"

    found = Outer((Inner(token=SecretStr("a")),), {"x": SecretStr("b"), "y": None}, "postgres://u:c@h/d")
    assert list(secrets_of(found)) == ["a", "b", "c"]


def test_short_values_do_not_blank_the_log() -> None:
    assert Redactor(["demo"])("the demo has started") == "the demo has started"
