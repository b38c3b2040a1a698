"""What `check` looks at: whether the platform's file can be read and written."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.playground.errors import our_errors
from adapters.playground.ids import ACCOUNT, PEOPLE
from adapters.playground.platform import Platform
from bot.adapter import Check
from bot.errors import Unavailable


def check_account(platform: Platform) -> Sequence[Check]:
    """Look at it; raises nothing."""
    try:
        with our_errors():
            platform.probe()
    except Unavailable as error:
        return [Check(check="playground", status="fail", detail=str(error), fix="Choose a folder that can be written.")]
    names = " and ".join(PEOPLE.values())
    return [Check(check="playground", status="ok", detail=f"@bot ({ACCOUNT}) talks with {names}.")]
