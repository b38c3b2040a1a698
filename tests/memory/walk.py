"""Walks all objects of this process and names what has grown: containers of many entries, classes of many objects."""

from __future__ import annotations

import gc
import types
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CONTAINERS = (dict, set, frozenset, list, deque)
OURS = ("bot.", "adapters.", "tests.memory.")
EACH_TURN = ("Task", "Future", "TimerHandle", "Handle")
"""Classes of asyncio of which there is one for what is under way, and none for what is over."""


def objects(own: Iterable[object]) -> Iterator[Any]:
    """All objects that are kept, those too that the collector does not track: a dict of numbers, say. `own`: none."""
    gc.unfreeze()  # what was made at the start is hidden from it
    gc.collect()
    waiting: list[Any] = gc.get_objects()
    seen = set(map(id, waiting))
    hidden = {id(waiting), id(seen), *map(id, own)}
    while waiting:
        found = waiting.pop()
        if id(found) not in hidden:
            yield found
        for inner in gc.get_referents(found):
            if isinstance(inner, CONTAINERS) and id(inner) not in seen and id(inner) not in hidden:
                seen.add(id(inner))
                waiting.append(inner)


def sizes(most: int) -> dict[int, int]:
    """Note the containers that have more entries than `most` already, by identity: tables of libraries."""
    return {id(thing): len(thing) for thing in objects(()) if isinstance(thing, CONTAINERS) and len(thing) > most}


def grown(most: int, before: Mapping[int, int]) -> dict[str, int]:
    """Name every container that has grown to more entries than `most`, and every class with more objects."""
    classes: Counter[str] = Counter()
    large: list[Any] = []
    for thing in objects((before, classes, large)):
        kind = type(thing)
        module = str(getattr(kind, "__module__", ""))
        if module.startswith(OURS) or (module == "_asyncio" and kind.__name__ in EACH_TURN):
            classes[f"{module}.{kind.__qualname__}"] += 1
        if isinstance(thing, CONTAINERS) and len(thing) > max(most, 1.2 * before.get(id(thing), 0)):
            large.append(thing)
    found = {_name(thing): len(thing) for thing in large if not _of_python(thing)}
    return found | {name: count for name, count in classes.items() if count > most}


def _of_python(thing: Any) -> bool:
    """Whether it is the walk's own list of everything, or a table that the interpreter keeps."""
    return any(isinstance(owner, types.FrameType) for owner in gc.get_referrers(thing))


def _name(thing: Any) -> str:
    """Name a container by who holds it, and some of what is in it."""
    holders = []
    for owner in gc.get_referrers(thing):
        if isinstance(owner, dict):
            names = [str(key) for key, value in owner.items() if value is thing]
            of = next(
                (type(o).__qualname__ for o in gc.get_referrers(owner) if getattr(o, "__dict__", None) is owner), ""
            )
            holders += [f"{of or owner.get('__name__', '')}.{name}" for name in names]
        elif not isinstance(owner, types.FrameType | list):
            slots = getattr(type(owner), "__slots__", ())
            names = [n for n in ([slots] if isinstance(slots, str) else slots) if getattr(owner, n, None) is thing]
            holders.append(f"{type(owner).__qualname__}.{names[0] if names else '?'}")
    return f"{type(thing).__name__} {', '.join(sorted(set(holders))[:3]) or 'of nobody'}"
