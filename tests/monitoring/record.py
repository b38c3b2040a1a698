"""Record a healthy day: a bot is asked as people ask over a day, a minute of it in a fraction of a second.

    python -m tests.monitoring.record       writes healthy_day.json beside this file

Every number is the bot's own; only the clock between two samples is not.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import tempfile
from pathlib import Path

from bot.telemetry.metrics import PREFIX
from tests.house import House, a_house

MINUTES = 1_440
FILE = Path(__file__).with_name("healthy_day.json")
WANTED = ("api_requests_total", "oldest_open_turn_seconds", "dead_letters", "api_limit_used_ratio", "feedback_total",
          "turns_total", "refused_deliveries_total", "check_ok", "build_info")  # fmt: skip


def asked_in(minute: int, dice: random.Random) -> int:
    """How many questions come in a minute of the day: none at night, most at eleven."""
    hour = minute / 60
    busy = max(0.0, math.sin((hour - 7) / 12 * math.pi)) if 7 <= hour <= 19 else 0.02
    return sum(dice.random() < busy / 2 for _ in range(4))


def sample(house: House) -> dict[str, float]:
    """What the rules look at, by series."""
    found = {}
    for family in house.metrics.registry.collect():
        for one in family.samples:
            if one.name.removeprefix(PREFIX) in WANTED:
                labels = ",".join(f'{name}="{value}"' for name, value in sorted(one.labels.items()))
                found[f"{one.name}{{{labels}}}"] = round(one.value, 3)
    return found


async def record() -> None:
    """Live through the day."""
    dice = random.Random(17)
    series: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with a_house(Path(folder), delay=0.0) as house:
            answers = 0
            for minute in range(MINUTES):
                count = asked_in(minute, dice)
                for number in range(count):
                    await house.channel.say("When does the shop open?", user_id=f"U{minute}-{number}")
                answers += count
                given = await house.answers(answers)
                for answer in given[len(given) - count :]:
                    if dice.random() < 0.3:
                        emoji = "👍" if dice.random() < 0.9 else "👎"
                        user = answer.conversation.conversation_id.removeprefix("D-")
                        await house.channel.react(answer.ref, emoji, user_id=user)
                await house.bot.watch.look()
                for name, value in sample(house).items():
                    series.setdefault(name, [0.0] * minute).append(value)
    FILE.write_text(json.dumps({name: runs(values) for name, values in sorted(series.items())}, indent=0) + "\n")


def runs(values: list[float]) -> str:
    """Write a series as promtool reads it, repeated values as one.

    >>> runs([1, 1, 1, 2])
    '1x2 2'
    """
    written: list[tuple[float, int]] = []
    for value in values:
        if written and written[-1][0] == value:
            written[-1] = (value, written[-1][1] + 1)
        else:
            written.append((value, 0))
    return " ".join(f"{value:g}x{more}" if more else f"{value:g}" for value, more in written)


if __name__ == "__main__":
    asyncio.run(record())
