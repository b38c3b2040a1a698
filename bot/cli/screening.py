"""Looks for what must not be given to a document store by accident: keys and numbers of payment cards. Pure."""

from __future__ import annotations

import re
from typing import Final

_KEYS: Final = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("a Slack token", re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}")),
    ("a Telegram token", re.compile(r"(?<!\d)\d{8,12}:[A-Za-z0-9_-]{35}(?![\w-])")),
    ("an AWS key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[opusr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})")),
    ("an API key", re.compile(r"\b(?:sk|rk|pk)[-_](?:live|test|proj|ant)[-_][A-Za-z0-9_-]{16,}|\bAIza[\w-]{35}\b")),
    (
        "a password in an address",
        re.compile(r"\b[a-z][a-z+.-]{1,15}://[^\s:/@\"'<>]{1,99}:(?!\*|x{3,}|pass|secret|\$|<)[^\s/@\"'<>]{6,99}@"),
    ),
)
_CARD: Final = re.compile(r"(?<![\d.,-])(?:\d[ -]?){12,18}\d(?![\d.,]?\d)")
_ISSUERS: Final = re.compile(r"4|5[1-5]|2(?:2[2-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[68])|6(?:011|5|4[4-9])|35")


def secret_in(text: str) -> str:
    """What a text holds that looks secret, with its line; empty when nothing does. The value itself is not repeated.

    >>> secret_in("Pay with\\n4111 1111 1111 1111")
    'line 2 looks like the number of a payment card'
    >>> secret_in("Order 1234567890123456")
    ''
    """
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in _KEYS:
            if pattern.search(line):
                return f"line {number} looks like {what}"
        for match in _CARD.finditer(line):
            digits = re.sub(r"\D", "", match[0])
            if _ISSUERS.match(digits) and _checks(digits):
                return f"line {number} looks like the number of a payment card"
    return ""


def _checks(digits: str) -> bool:
    """Whether the last digit is right (Luhn); repeated single digits are examples."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1
