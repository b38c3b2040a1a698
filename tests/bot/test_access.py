"""Who gets answers: lists of people, places, accounts and groups; invitations; programs that answer us."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import notices
from bot.config import Access
from bot.events import Conversation, Standing
from bot.intake.access import Asker, refused_by
from bot.intake.loops import ANSWERS
from bot.sessions import Address
from bot.store.admin import Admin
from bot.store.invitations import GUESSES
from tests.fakes.channel import dm, room
from tests.house import House, a_house

HERE = Address("fake", "A1", "R-1")


def asker(user: str = "U1", standing: Standing = "member", groups: tuple[str, ...] = ()) -> Asker:
    return Asker(address=HERE, user=user, standing=standing, groups=groups, seen_as="R-9")


@pytest.mark.parametrize(
    ("allow", "deny", "who", "why"),
    [
        ((), (), asker(), None),
        ((), (), asker(standing="external"), "external"),
        (("fake:A1:U1",), (), asker(standing="external"), None),
        (("fake:A1:R-9",), (), asker(standing="external"), None),
        (("fake:A1:R-1",), ("fake:A1:U1",), asker(), "denied"),
        (("fake:A1:S7",), (), asker(standing="external", groups=("S7",)), None),
        (("fake:A1:S7",), (), asker(standing="external", groups=("S8",)), "external"),
        ((), ("fake:A1:S7",), asker(groups=("S7",)), "denied"),
        (("fake:A1:U1",), ("fake:A1",), asker(), "denied"),
        (("fake:A1",), (), asker(standing="public"), None),
        (("fake:A1",), (), asker(standing="external"), "external"),
        (("fake:A1",), (), asker(standing="guest"), "guest"),
        (("fake:A2",), (), asker(standing="public"), "public"),
        ((), ("other:A1", "fake:A2:U1"), asker(), None),
    ],
)
def test_the_lists(allow: tuple[str, ...], deny: tuple[str, ...], who: Asker, why: str | None) -> None:
    admitted = {("fake", "external"): False, ("fake", "guest"): False, ("fake", "public"): False}
    assert refused_by(Access(admitted=admitted, allow=frozenset(allow), deny=frozenset(deny)), who) == why


def test_an_entry_names_a_channel_and_an_account_at_least() -> None:
    Access(allow=frozenset({"slack:T1", "slack:T1:U1"}))
    with pytest.raises(ValueError, match="channel:account"):
        Access(deny=frozenset({"slack"}))


async def start(house: House, code: str, user: str = "U9") -> list[str]:
    """Send /start with a code as a stranger; return the notices since."""
    before = len(house.channel.notices())
    await house.channel.command("start", code, user_id=user, standing="external")
    await house.idle()
    return [notice.text for notice in house.channel.notices()[before:]]


async def told(house: House, code: str, user: str = "U9") -> str:
    before = len(house.channel.notices())
    await house.channel.command("start", code, user_id=user, standing="external")
    await house.channel.wait_for(lambda: len(house.channel.notices()) > before)
    return house.channel.notices()[-1].text


async def test_an_invitation_admits_who_sends_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        admin = Admin(house.bot.db)
        code = (await admin.invite("fake", "", uses=1, seconds=60))["code"]
        assert 22 <= len(code) <= 64
        assert await house.table("SELECT 1 FROM invitations WHERE code LIKE '%" + code[:8] + "%'") == []
        await house.channel.say("When does the shop open?", user_id="U9", standing="external")
        assert await told(house, code) == notices.INVITED
        await house.channel.say("When does the shop open?", user_id="U9", standing="external")
        await house.answers(1)
        assert len(house.asked()) == 1, "what a stranger asked before is not asked"
        assert await told(house, code, "U8") == notices.INVITATION_WRONG, "one use is one person"
        assert [person["user_id"] for person in (await admin.invited())["people"]] == ["U9"]
        assert await admin.revoke("fake", "A1", "U9") or await admin.revoke("fake", "acc", "U9")
        await house.channel.say("Still there?", user_id="U9", standing="external")
        await house.idle()
        assert len(house.asked()) == 1


async def test_codes_of_other_accounts_and_expired_ones_admit_nobody(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        admin = Admin(house.bot.db)
        for channel, account, seconds in (("fake", "elsewhere", 60.0), ("other", "", 60.0), ("fake", "", -1.0)):
            code = (await admin.invite(channel, account, uses=5, seconds=seconds))["code"]
            assert await told(house, code) == notices.INVITATION_WRONG
        assert await house.table("SELECT 1 FROM invited") == []


async def test_guesses_are_limited(tmp_path: Path) -> None:
    """After five wrong codes in an hour not even the right one counts, and nobody is told anything."""
    async with a_house(tmp_path) as house:
        code = (await Admin(house.bot.db).invite("fake", "", uses=1, seconds=60))["code"]
        for number in range(GUESSES):
            assert await told(house, "x" * 31 + str(number)) == notices.INVITATION_WRONG
        assert await start(house, code) == []
        assert await house.table("SELECT 1 FROM invited") == []
        assert await told(house, code, "U8") == notices.INVITED, "one person's guesses are not another's"


async def test_who_is_denied_cannot_be_invited(tmp_path: Path) -> None:
    deny = f'["{dm().channel}:{dm().account_id}:U9"]'
    async with a_house(tmp_path, BOT_ACCESS__DENY=deny) as house:
        code = (await Admin(house.bot.db).invite("fake", "", uses=1, seconds=60))["code"]
        assert await start(house, code) == []
        assert await house.table("SELECT 1 FROM invited") == []


async def test_a_group_of_people_is_an_entry(tmp_path: Path) -> None:
    allow = f'["{dm().channel}:{dm().account_id}:S1"]'
    async with a_house(tmp_path, BOT_ACCESS__ALLOW=allow) as house:
        await house.channel.say("When does the shop open? 1", user_id="U8", standing="external", groups=("S2",))
        await house.channel.say("When does the shop open? 2", user_id="U9", standing="external", groups=("S1",))
        await house.answers(1)
        assert house.asked() == ["When does the shop open? 2"]


async def follow_ups(house: House, where: Conversation, count: int, *, mentions_bot: bool) -> None:
    for _ in range(count):
        before = len(house.channel.answers())
        await house.channel.say("When does the shop open?", conversation=where, mentions_bot=mentions_bot)
        await house.answers(before + 1)
        await house.idle()


async def test_two_programs_that_answer_each_other_end(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ROUTES='[{"mode": "all"}]') as house:
        await follow_ups(house, room("t1"), ANSWERS, mentions_bot=False)
        await house.channel.say("When does the shop open?", conversation=room("t1"), mentions_bot=False)
        await house.idle()
        assert len(house.channel.answers()) == ANSWERS
        assert house.count("events_total", channel="fake", kind="message", outcome="refused") == 1
        await follow_ups(house, room("t1"), 1, mentions_bot=True)
        await follow_ups(house, room("t2"), 1, mentions_bot=False)


async def test_forgetting_a_person_forgets_their_invitation(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        admin = Admin(house.bot.db)
        code = (await admin.invite("fake", "", uses=1, seconds=60))["code"]
        await told(house, "x" * 32)
        assert await told(house, code) == notices.INVITED
        counts = await admin.forget("fake", dm().account_id, "U9")
        assert counts["invitations"] == 2
        assert await house.table("SELECT 1 FROM invited") == []
