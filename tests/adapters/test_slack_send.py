"""What goes to Slack: where, in which order, once, and what its errors mean."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import errors
from bot.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Comment, Home, Notice, Reaction, RecentQuestion
from bot.testing.live import new_delivery_id
from bot.testing.slack import payloads
from tests.adapters.slack_live import live_slack

LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 400 for number in range(20))
PINGS = "<!channel> <!here> <!everyone> <@U2> <#C1> <!subteam^S1> [here](https://evil.example/) @channel"


async def test_everything_that_slack_needs_goes_along() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        delivery_id = new_delivery_id()
        (ref,) = await live.post("An **answer**.", live.place("C1", root), delivery_id=delivery_id)
        (call,) = live.slack.made("chat.postMessage")
        sent = call.arguments
        assert sent["thread_ts"] == root
        assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
        assert sent["metadata"]["event_payload"] == {"delivery_id": delivery_id}
        assert sent["client_msg_id"].replace("-", "") == delivery_id
        assert sent["text"]
        assert set(sent) == {
            *("channel", "thread_ts", "text", "blocks", "unfurl_links", "unfurl_media", "metadata", "client_msg_id")
        }
        assert ref == live.ref("C1", live.slack.posts[0]["ts"])


async def test_a_long_answer_in_a_thread_stays_in_it_and_in_order() -> None:
    async with live_slack() as live:
        root = live.root("D1")
        refs = await live.post(LONG, live.place("D1", root))
        assert len(refs) >= 3
        assert [post["ts"] for post in live.slack.posts] == [ref.message_id for ref in refs]
        assert {post["thread_ts"] for post in live.slack.posts} == {root}
        assert live.slack.violations == []


@pytest.mark.parametrize("frame", ["{}", "# {}", "```\n{}\n```", "| a |\n|-|\n| {} |", "> {}", "- {}"])
async def test_nothing_that_is_sent_pings_the_text_included(frame: str) -> None:
    async with live_slack() as live:
        await live.post(frame.format(PINGS), live.place("C1"))
        await live.post(Notice(text=PINGS, kind="question", user_id="U1"), live.place("C1"))
        assert live.slack.violations == []
        assert len(live.slack.posts) == 2


async def test_who_asked_is_named_without_a_ping() -> None:
    async with live_slack() as live:
        await live.post(Notice(text="What is VAT?", kind="question", user_id="U1"), live.place("C1"))
        (post,) = live.slack.posts
        words = {"type": "plain_text", "text": "Person U1 asked with /ask", "emoji": False}
        assert post["blocks"][-1]["elements"] == [words]
        live.slack.fail("users.info", "error:missing_scope")
        await live.post(Notice(text="What is VAT?", kind="question", user_id="U1"), live.place("C1"))
        assert "U1" not in str(live.slack.posts[1]["blocks"][-1]["elements"])


async def test_where_the_bot_is_no_member_the_asker_gets_a_direct_message() -> None:
    async with live_slack() as live:
        question = Notice(text="What is VAT?", kind="question", user_id="U1")
        (root,) = await live.post(question, live.place("CX"))
        assert root.conversation_id == "D1"
        (ref,) = await live.post("An answer.", live.place("CX", "1.000001"))
        assert ref.conversation_id == "D1"
        assert [post["channel"] for post in live.slack.posts] == ["D1", "D1"]


async def test_a_notice_to_nobody_is_refused_where_the_bot_is_no_member() -> None:
    async with live_slack() as live:
        with pytest.raises(Rejected) as caught:
            await live.post(Notice(text="Hello.", kind="info"), live.place("CX"))
        assert caught.value.gone


async def test_a_send_cut_after_it_was_stored_is_found_and_there_is_one_post() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        for where in (live.place("C1", root), live.place("C2"), live.place("CX")):
            delivery_id = new_delivery_id()
            before = len(live.slack.posts)
            live.slack.fail("chat.postMessage", "drop", skip=1 if where.conversation_id == "CX" else 0)
            with pytest.raises(OutcomeUnknown):
                await live.post("Once.", where, delivery_id=delivery_id)
            found = await live.adapter.find(where, delivery_id)
            assert found is not None
            assert [ref.message_id for ref in found] == [live.slack.posts[-1]["ts"]]
            assert len(live.slack.posts) == before + 1


async def test_a_repeat_that_slack_recognises_counts_as_sent() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        delivery_id = new_delivery_id()
        (first,) = await live.post("Once.", live.place("C1", root), delivery_id=delivery_id)
        (second,) = await live.post("Once.", live.place("C1", root), delivery_id=delivery_id)
        assert first == second
        assert len(live.slack.posts) == 1


async def test_find_reads_all_pages_of_a_long_thread() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        place = live.slack.channels["C1"]
        for _ in range(450):
            ts = payloads.next_ts()
            place.messages[ts] = payloads.message("C1", "U2", "chatter", ts, thread_ts=root)
        delivery_id = new_delivery_id()
        (ref,) = await live.post("Here.", live.place("C1", root), delivery_id=delivery_id)
        assert await live.adapter.find(live.place("C1", root), delivery_id) == (ref,)
        assert await live.adapter.find(live.place("C1", root), new_delivery_id()) == ()


async def test_what_cannot_be_looked_at_cannot_be_known() -> None:
    async with live_slack() as live:
        assert await live.adapter.find(live.place("CX"), new_delivery_id()) is None
        assert await live.adapter.find(live.place("C1", "1.000001"), new_delivery_id()) is None


async def test_a_thread_that_is_gone_does_not_lose_the_answer() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        del live.slack.channels["C1"].messages[root]
        live.slack.channels["C1"].deleted.append(root)
        delivery_id = new_delivery_id()
        (ref,) = await live.post("Still here.", live.place("C1", root), delivery_id=delivery_id)
        assert "thread_ts" not in live.slack.posts[0]
        assert await live.adapter.find(live.place("C1", root), delivery_id) == (ref,)


async def test_retry_after_is_told_and_kept_by_every_post() -> None:
    async with live_slack() as live:
        live.slack.fail("chat.postMessage", "rate_limited", retry_after=0.4)
        with pytest.raises(Unavailable) as caught:
            await live.post("One.", live.place("C1"))
        assert caught.value.retry_after == 0.4
        with pytest.raises(Unavailable) as caught:
            await live.post("Two.", live.place("C2"))
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 0.4
        assert len(live.slack.made("chat.postMessage")) == 1, "the second was not even sent"
        await asyncio.sleep(caught.value.retry_after)
        await live.post("Two.", live.place("C2"))


async def test_posts_of_a_channel_are_paced_answers_before_progress() -> None:
    async with live_slack() as live:
        live.host.pace_limit = 0.05
        where = live.place("C1")
        notices = [Notice(text=f"Progress {number}.", kind="progress") for number in range(3)]
        posts = [asyncio.create_task(live.post(notice, where)) for notice in notices]
        await asyncio.sleep(0)
        await live.host.wait_for(lambda: live.host.paces)
        posts += [asyncio.create_task(live.post("An answer.", where)) for _ in range(2)]
        await asyncio.gather(*posts)
        order = [post["text"] for post in live.slack.posts]
        assert order == ["Progress 0.", "An answer.", "An answer.", "Progress 1.", "Progress 2."]
        assert {pace for pace in live.host.paces if not pace[0].endswith(":progress")} == {
            ("slack:T0LOOP:C1:0", 2.0),
            ("slack:T0LOOP:C1:1", 2.0),
        }, "two in two seconds"


async def test_an_answer_does_not_wait_for_the_second_of_a_notice() -> None:
    async with live_slack() as live:
        live.host.pace_limit = 30.0
        where = live.place("C1")
        async with asyncio.timeout(5):
            await live.post(Notice(text="Still at it.", kind="progress"), where)
            await live.post("An answer.", where)


async def test_a_burst_into_one_channel_never_meets_slacks_limit() -> None:
    async with live_slack(pace_seconds=0.2) as live:
        live.host.pace_limit = 0.4  # two at once, then two more; a machine that stands still for a moment is no burst
        await asyncio.gather(*(live.post(f"Answer {number}.", live.place("C1")) for number in range(12)))
        assert [call.error for call in live.slack.made("chat.postMessage")] == [""] * 12


async def test_the_sdk_does_not_post_twice() -> None:
    """Its default handler sends again after a dropped connection: one call, two posts."""
    async with live_slack() as live:
        live.slack.fail("chat.postMessage", "drop_before")
        with pytest.raises(OutcomeUnknown):
            await live.post("Once.", live.place("C1"))
        assert len(live.slack.made("chat.postMessage")) == 1


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("status:500", OutcomeUnknown),
        ("status:502", OutcomeUnknown),
        ("status:503", Unavailable),
        ("status:504", OutcomeUnknown),
        ("garbage", OutcomeUnknown),
        ("drop_before", OutcomeUnknown),
        ("error:internal_error", OutcomeUnknown),
        ("error:fatal_error", OutcomeUnknown),
        ("error:service_unavailable", Unavailable),
        ("error:a_code_of_tomorrow", Rejected),
        ("error:token_revoked", Misconfigured),
        ("error:is_archived", Rejected),
    ],
)
async def test_what_an_end_on_the_wire_means(how: str, expected: type[Exception]) -> None:
    async with live_slack() as live:
        live.slack.fail("chat.postMessage", how)
        with pytest.raises(expected) as caught:
            await live.post("An answer.", live.place("C1"))
        assert type(caught.value) is expected
        assert "An answer" not in str(caught.value)


def test_every_known_code_means_one_thing() -> None:
    """The codes of the pages of the methods we call; each in exactly one group."""
    groups = {
        Unavailable: errors.LATER,
        OutcomeUnknown: errors.UNKNOWN,
        Misconfigured: errors.SETTINGS,
        Rejected: errors.GONE | errors.REFUSED | errors.FORM,
    }
    every = [*errors.LATER, *errors.UNKNOWN, *errors.SETTINGS, *errors.GONE, *errors.REFUSED, *errors.FORM]
    assert len(every) == len(set(every)), "a code stands in two groups"
    for kind, codes in groups.items():
        for code in codes:
            error = errors.translate(answered(code), method="chat.postMessage")
            assert type(error) is kind, code
            if isinstance(error, Rejected):
                assert error.gone == (code in errors.GONE)
    assert set(every) >= KNOWN, f"unmapped: {sorted(KNOWN - set(every))}"


def answered(code: str) -> SlackApiError:
    """Make the error that the SDK raises for an answer with the code."""
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.com/api/chat.postMessage",
        req_args={},
        data={"ok": False, "error": code},
        headers={},
        status_code=200,
    )
    return SlackApiError(f"The server responded with: {code}", response)  # type: ignore[no-untyped-call]  # of the SDK


@pytest.mark.parametrize(
    ("method", "variable"),
    [
        ("chat.postMessage", "SLACK_BOT_TOKEN"),
        ("apps.connections.open", "SLACK_APP_TOKEN"),
        ("apps.manifest.export", "SLACK_CONFIG_TOKEN"),
    ],
)
def test_a_refused_token_is_named_by_its_variable(method: str, variable: str) -> None:
    assert variable in str(errors.translate(answered("invalid_auth"), method=method))


KNOWN = set(
    [
        "access_denied",
        "accesslimited",
        "account_inactive",
        "already_reacted",
        "as_user_not_supported",
        "bad_timestamp",
        "block_mismatch",
        "cannot_dm_bot",
        "cannot_reply_to_message",
        "cant_delete_message",
        "channel_not_found",
        "compliance_exports_prevent_deletion",
        "deprecated_endpoint",
        "duplicate_channel_not_found",
        "duplicate_external_id",
        "duplicate_message",
        "duplicate_message_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "exchanged_trigger_id",
        "expired_trigger_id",
        "external_channel_migrating",
        "fatal_error",
        "file_deleted",
        "file_not_found",
        "hash_conflict",
        "internal_error",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_auth",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_cursor",
        "invalid_form_data",
        "invalid_limit",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_name",
        "invalid_post_type",
        "invalid_trigger_id",
        "invalid_ts_latest",
        "invalid_ts_oldest",
        "is_archived",
        "markdown_text_conflict",
        "message_limit_exceeded",
        "message_not_found",
        "messages_tab_disabled",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "method_deprecated",
        "missing_post_type",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_item_specified",
        "no_permission",
        "no_reaction",
        "no_text",
        "not_allowed_token_type",
        "not_authed",
        "not_enabled",
        "not_found",
        "not_in_channel",
        "not_reactable",
        "org_login_required",
        "push_limit_reached",
        "ratelimited",
        "rate_limited",
        "request_timeout",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "service_unavailable",
        "slack_connect_canvas_sharing_blocked",
        "slack_connect_file_link_sharing_blocked",
        "slack_connect_lists_sharing_blocked",
        "team_access_not_granted",
        "team_added_to_org",
        "team_not_found",
        "thread_not_found",
        "token_expired",
        "token_revoked",
        "too_many_attachments",
        "too_many_contact_cards",
        "too_many_emoji",
        "too_many_reactions",
        "two_factor_setup_required",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "view_too_large",
    ]
)


async def test_the_eyes_stand_for_work() -> None:
    async with live_slack() as live:
        root = live.root("C1")
        where, question = live.place("C1", root), live.ref("C1", root)
        for on, left in ((True, ["eyes"]), (True, ["eyes"]), (False, []), (False, [])):
            await live.adapter.working(where, question, on)
            assert live.slack.channels["C1"].messages[root]["bot_reactions"] == left


async def test_an_agent_has_a_status_a_title_and_prompts() -> None:
    async with live_slack(agent=True) as live:
        root = await live.slack.say("U1", "D1", "What is the notice period of &lt;!channel&gt;?")
        await live.host.wait_for(lambda: live.host.events)
        where, question = live.place("D1", root), live.ref("D1", root)
        second = live.ref("D1", payloads.next_ts())
        for on, which in ((True, question), (True, second), (False, question), (False, second)):
            await live.adapter.working(where, which, on)
        assert [status["status"] for status in live.slack.statuses] == ["processing"] * 3 + ["active"]
        assert live.slack.statuses[0]["title"] == "What is the notice period of ‹!channel>?"
        assert not live.slack.made("reactions.add")
        home = Home(user_id="U1", recent=(), suggestions=("How do I begin?", "<!channel>", "c", "d", "e"))
        (part,) = live.adapter.render(home)
        await live.adapter.send(live.place("D1"), part, new_delivery_id(), None)
        assert live.slack.prompts[0]["prompts"][0] == {"title": "How do I begin?", "message": "How do I begin?"}
        assert len(live.slack.prompts[0]["prompts"]) == 4
        assert live.slack.violations == []


async def test_where_slack_knows_no_agent_the_eyes_take_over() -> None:
    async with live_slack(agent=True) as live:
        live.slack.fail("agents.sessions.setStatus", "error:not_an_agent", times=None)
        root = live.root("D1")
        await live.adapter.working(live.place("D1", root), live.ref("D1", root), True)
        await live.adapter.working(live.place("D1", root), live.ref("D1", root), False)
        assert live.slack.channels["D1"].messages[root]["bot_reactions"] == []
        assert len(live.slack.made("reactions.add")) == 1
        assert len(live.slack.made("agents.sessions.setStatus")) == 1


async def test_the_home_tab_links_to_the_persons_own_answers() -> None:
    async with live_slack() as live:
        asked = RecentQuestion(
            text=PINGS,
            ref=live.ref("C1", "1732270000.000100"),
            asked_at=datetime(2026, 1, 2, tzinfo=UTC),
            outcome="answered",
        )
        unlinked = RecentQuestion(text="Lost?", ref=None, asked_at=datetime(2026, 1, 2, tzinfo=UTC), outcome="failed")
        (part,) = live.adapter.render(Home(user_id="U1", recent=(asked, unlinked)))
        await live.adapter.send(live.place("D1"), part, new_delivery_id(), None)
        page = str(live.slack.homes["U1"])
        assert page.count("https://loop.slack.invalid/archives/C1/p1732270000000100") == 1
        assert live.slack.violations == []


async def test_why_is_asked_by_a_form_when_the_core_says_so() -> None:
    async with live_slack() as live:
        (ref,) = await live.post("An answer.", live.place("C1"))
        live.host.ask_why = True
        await live.slack.click("U1", "C1", ref.message_id, "bad")
        await live.slack.until(lambda: live.slack.views)
        await live.slack.submit("U1", "It is about last year.")
        await live.host.wait_for(lambda: len(live.host.events) == 2)
        click, comment = live.host.events
        assert isinstance(click, Reaction)
        assert isinstance(comment, Comment)
        assert click.target == comment.target == ref
        assert comment.text == "It is about last year."


async def test_no_form_without_the_cores_word_and_none_for_a_stale_trigger() -> None:
    async with live_slack() as live:
        (ref,) = await live.post("An answer.", live.place("C1"))
        await live.slack.click("U1", "C1", ref.message_id, "bad")
        await live.host.wait_for(lambda: live.host.events)
        live.host.ask_why = True
        live.slack.fail("views.open", "error:expired_trigger_id")
        await live.slack.click("U1", "C1", ref.message_id, "bad")
        await live.slack.until(lambda: live.slack.made("views.open"))
        await live.slack.until(lambda: live.slack.counts["acknowledged"] == 2)
        assert live.slack.views == []


async def test_guests_are_told_from_members_only_when_it_matters() -> None:
    for tell in (False, True):
        async with live_slack(guests_differ=tell) as live:
            live.slack.users["U2"]["is_restricted"] = True
            for _ in range(2):
                await live.slack.say("U2", "D2", "hi")
            await live.host.wait_for(lambda: len(live.host.events) == 2)
            standings = {getattr(event, "standing", "") for event in live.host.events}
            assert standings == ({"guest"} if tell else {"member"})
            assert len(live.slack.made("users.info")) <= (2 if tell else 0)


@pytest.mark.parametrize(("known", "expected"), [("T0LOOP", "member"), ("T0OTHER", "external"), (None, "external")])
async def test_a_reaction_in_a_shared_channel_is_looked_up(known: str | None, expected: str) -> None:
    """Slack does not say there which workspace the person is of; who cannot be looked up is a stranger."""
    async with live_slack() as live:
        if known is not None:
            live.slack.users["UX"] = {"id": "UX", "team_id": known, "name": "x"}
        event = payloads.reaction("UX", "C1", "1.000001", "+1", added=True)
        await live.slack.event(event, is_ext_shared_channel=True)
        (got,) = live.host.events
        assert getattr(got, "standing", None) == expected


async def test_a_look_up_that_fails_for_now_is_not_acknowledged() -> None:
    async with live_slack(guests_differ=True) as live:
        live.slack.sockets.ack_seconds = 0.5
        live.slack.fail("users.info", "status:503")
        await live.slack.say("U1", "D1", "hi")
        await live.host.wait_for(lambda: live.host.events)
        assert live.slack.counts["deliveries"] >= 2


async def test_deleting_what_is_not_ours_says_so() -> None:
    async with live_slack() as live:
        with pytest.raises(Rejected):
            await live.adapter.delete(live.ref("C1", live.root("C1")))
