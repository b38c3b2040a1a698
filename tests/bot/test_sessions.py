"""The session_id: pinned strings, and ids that are nasty on purpose."""

from __future__ import annotations

import itertools
import re
import uuid

from bot.sessions import Address, scope_key, session_id

NASTY = ["", "a", "b", "ab", "a:b", ":", "a,b", '"', "\\", "user:", "\ud800", "é", "e\u0301", "1", "-100"]


def test_the_ids_in_use_never_change() -> None:
    pinned = session_id("key", Address("slack", "T1", "C1"), "thread:17.5", 0)
    assert pinned == "s_fa11f20ac323d534fbf12178e1483246e0258580"
    assert session_id("key", Address("slack", "T1", "C1"), "thread:17.5", 0, form="uuid") == str(
        uuid.UUID(bytes=bytes.fromhex(pinned[2:34]), version=5)
    )


def test_no_two_places_share_an_id() -> None:
    places = list(
        itertools.product(["slack", "telegram"], NASTY[:8], NASTY, ["all", "user:a", "user:", "thread:a"], [0, 1])
    )
    ids = {session_id("key", Address(*where), scope, epoch) for *where, scope, epoch in places}
    assert len(ids) == len(places)


def test_an_id_is_opaque_and_fits_everywhere() -> None:
    for one, form in itertools.product(NASTY, ["opaque", "uuid"]):
        made = session_id("key", Address("telegram", one, "anna@example.com"), scope_key("user", "", one), 3, form=form)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", made)
        assert "anna" not in made
    assert session_id("key", Address("a", "b", "c"), "all", 0) != session_id("other", Address("a", "b", "c"), "all", 0)
