"""What the process may open at once, and who gets how much of it: peers that call us, the API that we call, the rest.

A process that has no descriptor left accepts nobody, and nobody learns why. So each side has a bound of its own, and
what neither may take is left for files, the platforms' connections, and for accepting.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

RESERVED = 256
"""For the platforms' own connections (an SDK holds 64 or 100), files, and for accepting."""
LEAST = 32
"""Connections each side has at least, however few the process may open."""
MOST_INCOMING = 2048
"""Connections of peers at most: each costs memory, and platforms open a few dozen."""
MOST_OUTGOING = 512
"""Calls of the API under way at most; more would only wait there."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How many connections may be open at once, from outside and to the API."""

    incoming: int
    outgoing: int


def share(limit: int) -> Descriptors:
    """Divide what the process may open: what is left of it after the reserved part, half to either side.

    >>> [(shares.incoming, shares.outgoing) for shares in map(share, (1024, 400, 100_000, 10))]
    [(384, 384), (72, 72), (2048, 512), (32, 32)]
    """
    part = max(LEAST, (limit - RESERVED) // 2)
    return Descriptors(incoming=min(part, MOST_INCOMING), outgoing=min(part, MOST_OUTGOING))


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard one, and return it; what the system refuses stays as it is."""
    if sys.platform == "win32":  # no such limit
        return MOST_INCOMING + MOST_OUTGOING
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    unlimited = soft == resource.RLIM_INFINITY
    return 2 * (MOST_INCOMING + MOST_OUTGOING) if unlimited else soft
