"""One engine for one database."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from bot.errors import ConfigError


def sole_engine(path: Path) -> IO[str]:
    """Hold the database for this process alone: two engines would work on the same lanes."""
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ConfigError(
            [("BOT_DATABASE_URL", "a database that no other bot is running on; stop that one first")]
        ) from None
    return lock
