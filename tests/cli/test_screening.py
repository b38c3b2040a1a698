"""What looks like a key or a card number, and what only resembles one."""

from __future__ import annotations

import pytest

from bot.cli.screening import secret_in

LONG = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "a private key"),
        ("token: xoxb" + "-1234567890-abcdefgh", "a Slack token"),
        ("12345678:" + LONG[:35], "a Telegram token"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an AWS key"),
        ("ghp" + "_" + LONG, "a GitHub token"),
        ("sk" + "-live-" + LONG, "an API key"),
        ("postgres://shop:" + "Tr0ub4dor@db.internal/shop", "a password in an address"),
        ("4111 1111 1111 1111", "the number of a payment card"),
        ("5500-0000-0000-0004.", "the number of a payment card"),
        ("378282246310005", "the number of a payment card"),
    ],
)
def test_what_looks_secret_is_named_with_its_line(line: str, what: str) -> None:
    assert secret_in(f"First.\n\nSee {line}\n") == f"line 3 looks like {what}"


@pytest.mark.parametrize(
    "line",
    [
        "4111 1111 1111 1112",  # the last digit is wrong
        "0000 0000 0000 0000",
        "ISBN 978-3-16-148410-0",
        "+49 30 4111 1111",
        "postgres://user:password@host/db",
        "postgres://user:$PASSWORD@host/db",
        "https://example.org/a:b@c",
        "at 12:30:45 on 2026-05-01",
        "3.14159265358979323846",
    ],
)
def test_what_only_resembles_a_secret_is_let_through(line: str) -> None:
    assert secret_in(line) == ""


@pytest.mark.parametrize("unit", ["a", "a.", "4", "4 ", "://x:", "-----BEGIN A ", "xoxb-"])
def test_a_long_line_is_looked_through_in_one_go(unit: str) -> None:
    """With a pattern that goes back, a line of this length would take minutes, and the test's time would be up."""
    secret_in(unit * (300_000 // len(unit)))
