"""A database of every version so far, taken over in the middle of everything: each turn ends, each promise is kept."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.errors import ConfigError
from bot.store import open_admin
from bot.store.migrations import STEPS
from bot.testing.slack import payloads
from bot.testing.slack.payloads import BOT_USER
from tests.crash.process import Machine, a_machine
from tests.upgrades.cases import EARLY_CHANGES_SINCE, EDITED, PARAGRAPHS, PLACES, answer, words
from tests.upgrades.world import CORPUS, World, load

WORLDS = [load(path) for path in sorted(CORPUS.glob("*.sql"))]
IDLE = re.compile(r"^\w*turns_in_flight 0(\.0)?$", re.M)
ASKED_BEFORE = ("rated", "closing", "settling", "failing")
UNKNOWN = "asked, no word of it"


def test_every_version_has_a_world() -> None:
    assert {world.version for world in WORLDS} >= set(range(1, 8))
    for path in CORPUS.iterdir():
        assert path.stat().st_size <= 200_000
        assert not re.search(r"127\.0\.0\.1|localhost|/tmp/|/home/|/root/", path.read_text()), path.name


def test_every_kind_of_unfinished_work_is_in_each() -> None:
    for world in WORLDS:
        with closing(sqlite3.connect(":memory:")) as db:
            db.executescript(world.database)
            count = {
                what: db.execute(f"SELECT count(*) FROM {what}").fetchone()[0]  # constants
                for what in (
                    "turns WHERE state='open' AND kind='question'",
                    "turns WHERE state='open' AND kind='close'",
                    "steps WHERE begun_at IS NOT NULL AND done_at IS NULL",
                    "feedback WHERE due_at IS NOT NULL",
                    "votes",
                    "clicks",
                    "dead WHERE kind='turn'",
                    "dead WHERE kind='payload'",
                )
            }
        assert list(count.values()) == [8, 1, 4, 1, 3, 1, 1, 1], (world.version, count)


@pytest.mark.timeout(600)
async def test_each_version_is_taken_over_and_keeps_its_promises(tmp_path: Path) -> None:
    """All of them at a time: most of it is waiting for what became of a send."""
    async with asyncio.TaskGroup() as together:
        for world in WORLDS:
            folder = tmp_path / f"v{world.version}"
            folder.mkdir()
            together.create_task(taken_over(world, folder), name=folder.name)


async def taken_over(world: World, folder: Path) -> None:
    world.databases(folder / "bot.db", folder / "assistant.db", time.time())
    async with a_machine(folder, delay=0.05, data=folder / "assistant.db") as machine:
        world.put_up(machine.slack)
        machine.slack.retries = (0.2, 1.0, 5.0, 10.0, 20.0)  # seven bots at a time may be busier than Slack waits here
        for case in PLACES:
            machine.assistant.script(contains=words(case), answer=answer(case))
        machine.assistant.script(contains="after", answer="answer to after")
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2, 300)
        await ended(machine)
        about = f"schema {world.version}"
        all_answered_once(world, machine, about)
        asked_once(world, machine, about)
        rated_right(world, machine, about)
        nothing_left_behind(machine, about)
        await goes_on(world, machine, about)
        assert machine.slack.violations == [], about
    with closing(sqlite3.connect(folder / "bot.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


async def ended(machine: Machine) -> None:
    """Wait until nothing is open, no rating is due and no sign of work is left."""
    url = re.findall(r'"(http://127\.0\.0\.1:\d+/)"', machine.log())[-1]
    async with asyncio.timeout(300), aiohttp.ClientSession() as session:
        idle = 0
        while idle < 3:
            await asyncio.sleep(0.2)
            async with session.get(f"{url}metrics") as reply:
                quiet = machine.slack.nothing_under_way and IDLE.search(await reply.text()) and not unsettled(machine)
                idle = idle + 1 if quiet else 0


def unsettled(machine: Machine) -> int:
    """How much of the database waits for something: ratings, signs of work to be taken away."""
    with closing(sqlite3.connect(machine.folder / "bot.db")) as db:
        waiting = "SELECT (SELECT count(*) FROM feedback WHERE due_at > 0) + (SELECT count(*) FROM turns WHERE cleanup)"
        return int(db.execute(waiting).fetchone()[0])


def seen(machine: Machine, text: str) -> int:
    """How often people see a text in an answer."""
    return sum(bool(re.search(rf"{re.escape(text)}(?!\w)", str(post["blocks"]))) for post in machine.slack.answers())


def all_answered_once(world: World, machine: Machine, about: str) -> None:
    for case in PLACES:
        if case not in ("failing", "edited too early", "long, part 1 sent"):
            assert seen(machine, answer(case)) == 1, f"{about}: {case}"
    long = PLACES["long, part 1 sent"]
    text = "".join(str(post["blocks"]) for post in machine.slack.posts if post["channel"] == long)
    ends = [int(n) for n in re.findall(r"end-(\d+)\.", text)]
    assert ends == list(range(PARAGRAPHS)), f"{about}: every paragraph once, in order"
    polled, queued = (
        next(n for n, post in enumerate(machine.slack.posts) if answer(case) in str(post["blocks"]))
        for case in ("polling", "queued")
    )
    assert polled < queued, about


def asked_once(world: World, machine: Machine, about: str) -> None:
    """What was submitted before is not submitted again; what nobody knows of is, once."""
    again = machine.asked()
    for case in PLACES:
        if case == "edited too early":
            continue
        before, now = len(world.requests(words(case))), again[words(case)]
        assert before + now == (2 if case == UNKNOWN else 1), f"{about}: {case} was asked {before} + {now} times"
        assert now == 0 or case not in ASKED_BEFORE, f"{about}: {case}"


def feedback(machine: Machine) -> list[tuple[str, str]]:
    """Every rating that has reached the API since: (request, rating)."""
    return [(entry.body["request_id"], entry.body["feedback"]) for entry in machine.assistant.requests.of("feedback")]


def rated_right(world: World, machine: Machine, about: str) -> None:
    """The rating that was due is there, and that of a reaction that had overtaken its answer; no other comes again."""
    due = {world.requests(words(case))[0]["request_id"] for case in ("settling", "sent, no word of it")}
    assert Counter(feedback(machine)) == Counter((request, "good") for request in due), about


def nothing_left_behind(machine: Machine, about: str) -> None:
    for place in machine.slack.channels.values():
        for message in place.messages.values():
            assert not message.get("bot_reactions"), f"{about}: a sign of work in {place.id}"
    kept = Counter(post["channel"] for post in machine.slack.posts if post["ts"] in _there(machine, post["channel"]))
    assert kept[PLACES["polling"]] == 2, f"{about}: two answers, and none of the notices before them"


def _there(machine: Machine, channel: str) -> dict[str, Any]:
    return machine.slack.channels[channel].messages


async def goes_on(world: World, machine: Machine, about: str) -> None:
    """Sessions, votes, dead letters and what waits for its message are known as before."""
    slack, assistant = machine.slack, machine.assistant
    first = {case: world.requests(words(case))[0] for case in ("rated", "closing", "failing")}
    closed = [entry.body["session_id"] for entry in assistant.requests.of("session_close")]
    assert set(closed) == {first["closing"]["session_id"]}, f"{about}: the close of a session was not lost"
    asked = {
        "after, in the thread": ("C1", world.questions["rated"]),
        "after, in a new conversation": ("D1", None),
    }
    for text, (place, thread) in asked.items():
        mention = "" if place.startswith("D") else f"<@{BOT_USER}> "
        await slack.say("U1", place, mention + text, thread)
    early = payloads.message("D2", "U2", words("edited too early"), world.questions["edited too early"])
    slack.channels["D2"].messages[early["ts"]] = dict(early)
    slack.event(early)
    rated = next(post for post in slack.answers("C1") if answer("rated") in str(post["blocks"]))
    await slack.react("U1", "C1", rated["ts"], "+1", added=False)
    await slack.react("U1", "C1", rated["ts"], "-1")
    clicked = next(post for post in slack.answers("D1") if answer("closing") in str(post["blocks"]))
    await slack.click("U1", "D1", clicked["ts"], "bad")
    async with open_admin(f"sqlite:///{machine.folder}/bot.db") as admin:
        letters = {letter["kind"]: letter["reference"] async for page in admin.dead() for letter in page}
        assert set(letters) == {"turn", "payload"}, about
        await admin.retry(letters["turn"])
    await slack.until(lambda: seen(machine, answer("failing")) == 1, 300)
    await slack.until(lambda: seen(machine, "answer to after") == len(asked), 300)
    changed = {(first[case]["request_id"], "bad") for case in ("rated", "closing")}
    try:
        await slack.until(lambda: changed <= set(feedback(machine)), 300)
    except AssertionError as error:
        raise AssertionError(f"{about}: {changed} are not among {feedback(machine)}") from error
    sessions = {entry.body["message"]: entry.body["session_id"] for entry in assistant.requests.of("chat_async")}
    assert sessions["after, in the thread"] == first["rated"]["session_id"], about
    assert sessions["after, in a new conversation"] not in (first["closing"]["session_id"], None), about
    wanted = EDITED if world.version >= EARLY_CHANGES_SINCE else words("edited too early")
    await slack.until(lambda: wanted in machine.asked(), 300)
    assert machine.asked()[wanted] == 1, about


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
async def test_a_newer_schema_is_refused_in_one_sentence_and_stays_untouched(closed: bool, tmp_path: Path) -> None:
    """A killed process leaves a log that a careless opening would move into the file."""
    path = tmp_path / "bot.db"
    newest = max(WORLDS, key=lambda world: world.version)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(newest.database)
    made = closing(sqlite3.connect(path, isolation_level=None))
    with made as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA user_version={len(STEPS) + 3}")
        db.execute("INSERT INTO meta VALUES ('newer', 'yes')")
        if not closed:
            files = {name: (tmp_path / name).read_bytes() for name in ("bot.db", "bot.db-wal")}
    if not closed:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
    before = {name: (tmp_path / name).read_bytes() for name in ("bot.db", "bot.db-wal") if (tmp_path / name).exists()}
    assert len(before) == (1 if closed else 2)
    with pytest.raises(ConfigError, match="a newer one wrote it"):
        async with open_admin(f"sqlite:///{path}"):
            pass  # an operator's command beside it
    async with a_machine(tmp_path) as machine:
        await machine.boot()
        assert machine.process is not None
        assert await asyncio.wait_for(machine.process.wait(), 110) == 1
        lines = [line for line in machine.log().splitlines() if "BOT_DATABASE_URL" in line]
        assert len(lines) == 1
        assert f"a newer one wrote it (schema {len(STEPS) + 3}, here {len(STEPS)})" in lines[0]
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    left = {found.name for found in tmp_path.glob("bot.db*")} - set(before)
    assert left <= {"bot.db-shm", "bot.db-wal"}, "nothing is made beside it but what SQLite needs to read"
    assert not [name for name in left if name.endswith("-wal") and (tmp_path / name).stat().st_size]
