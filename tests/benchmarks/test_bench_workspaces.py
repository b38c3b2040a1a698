"""A bot of 1,000 Slack workspaces that installed the app, with ten conversations each: its start, its memory, and what
an event costs on its way to the API, beside the same bot of one workspace. Events are spread over all of them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from pathlib import Path

import aiohttp
import psutil
import pytest
from pydantic import SecretStr

from adapters.slack.identity import Identity
from adapters.slack.installations import Installation
from bot.assistant.server import AssistantOptions, start
from bot.events import Conversation
from bot.sessions import Address
from bot.store import open_database, turns
from bot.store.database import Tx
from bot.store.sealed import Cipher
from bot.store.turns import NewTurn
from bot.store.vault import put
from bot.testing.slack import payloads
from bot.testing.slack.oauth import CLIENT_ID, CLIENT_SECRET, Grant
from bot.testing.slack.platform import Channel, FakeSlack
from tests.cli.process import Running
from tests.slack_house import DOCS
from tests.test_flows_slack_oauth import event_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
KEY = "k" * 32
CONVERSATIONS = 10
ASKED = 200


def team(number: int) -> str:
    return f"T{number:05d}"


def fill(folder: Path, workspaces: int) -> None:
    """Make the database: an installation and ten conversations, each with an answered question, a workspace."""
    database, cipher = open_database(f"sqlite:///{folder}/bot.db"), Cipher([SecretStr(KEY)])

    def work(tx: Tx) -> None:
        for number in range(workspaces):
            name = team(number)
            identity = Identity(team_id=name, user_id=payloads.BOT_USER, bot_id=payloads.BOT_ID, team=f"Team {name}")
            installed = Installation(identity=identity, token=f"xoxb-{name}-installed")
            put(tx, f"slack:{CLIENT_ID}:installation:{name}", cipher.seal(installed.to_json()))
            for place in range(CONVERSATIONS):
                where = Conversation(
                    channel="slack", account_id=name, conversation_id=f"D{place}", kind="dm", is_direct=True
                )
                reference = f"{number:05d}{place:03d}"
                new = NewTurn(
                    reference=reference,
                    kind="question",
                    lane=f"lane-{reference}",
                    address=Address("slack", name, f"D{place}"),
                    conversation=where,
                    sent_at=time.time(),
                    accepted_at=time.time(),
                    question=f"1.{place}",
                    asker="U9",
                    text="What?",
                )
                turn = turns.insert(tx, new)
                tx.run("UPDATE turns SET state='done', outcome='answered' WHERE id=?", turn.id)

    asyncio.run(database.write(work))
    database.close()


async def measure(folder: Path, workspaces: int) -> tuple[float, float, float]:
    """Return the seconds to be ready, the megabytes after all events, the median milliseconds from event to submit."""
    async with FakeSlack() as slack:
        for number in range(workspaces):
            slack.oauth.holders[f"xoxb-{team(number)}-installed"] = Grant(team(number))
        assistant = await start(AssistantOptions(docs=folder / "docs", port=0, delay=0.05))
        environ = {
            "UPPZY_BASE_URL": assistant.base_url,
            **dict.fromkeys(("UPPZY_API_KEY", "UPPZY_TENANT_ID", "UPPZY_SITE_ID"), "demo"),
            "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
            "BOT_HTTP_PORT": "18473",
            "BOT_ENCRYPTION_KEY": KEY,
            "BOT_ROUTES": json.dumps([{"channel": "slack", "account": "T*"}]),
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
        began = time.monotonic()
        running = Running("run", cwd=folder, **environ)
        try:
            base = "http://127.0.0.1:18473"
            async with aiohttp.ClientSession() as session:
                while True:
                    try:
                        async with session.get(f"{base}/readyz") as reply:
                            if reply.status == 200:
                                break
                    except aiohttp.ClientError:
                        pass
                    assert time.monotonic() - began < 60
                    await asyncio.sleep(0.01)
            ready = time.monotonic() - began
            cpu = sum(psutil.Process(running.process.pid).cpu_times()[:2])
            print(f"{workspaces:>5} workspaces: {cpu:.2f} s of CPU until ready")
            slack.events_url = f"{base}/slack/events"
            waits = []
            for number in range(ASKED):
                words = f"When does the shop open? {number}"
                sent = time.time()
                # Each in a conversation of its own, for posts to one are a second apart.
                place = f"D{number + 100}"
                slack.channels[place] = Channel(place, {slack.bot_user, "U1"})
                assert await slack.send(event_of(team(number * 7 % workspaces), words, channel=place))
                await assistant.requests.wait("chat_async", number + 1)
                waits.append((assistant.requests.of("chat_async")[-1].at - sent) * 1000)
            megabytes = psutil.Process(running.process.pid).memory_info().rss / 1e6
        finally:
            running.stop()
        await assistant.close()
    return ready, megabytes, statistics.median(waits)


@pytest.mark.parametrize("pairs", [2])
def test_a_thousand_workspaces(tmp_path: Path, pairs: int) -> None:
    found: dict[int, list[tuple[float, float, float]]] = {1: [], 1_000: []}
    for pair in range(pairs):
        for workspaces in found:
            (folder := tmp_path / f"{pair}-{workspaces}").mkdir()
            (folder / "docs").mkdir()
            (folder / "docs" / "faq.md").write_text(DOCS["faq.md"])
            fill(folder, workspaces)
            found[workspaces].append(asyncio.run(measure(folder, workspaces)))
            ready, megabytes, wait = found[workspaces][-1]
            print(
                f"{workspaces:>5} workspaces: ready in {ready:.2f} s, {megabytes:.0f} MB, event to submit {wait:.1f} ms"
            )
    ratio = min(one[2] for one in found[1_000]) / min(one[2] for one in found[1])
    print(f"event to submit: {ratio:.2f} times that of one workspace")
    assert min(one[0] for one in found[1_000]) <= 3.0
    assert max(one[1] for one in found[1_000]) <= 200
    assert ratio <= 1.2
