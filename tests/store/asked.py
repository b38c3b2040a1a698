"""Everything the store can be asked, in one story: whatever the database is, the answers must be the same.

A new query belongs here; `test_queries.py` finds one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.events import ContextItem, Conversation, File, Mention, MessageRef
from bot.sessions import Address
from bot.store import (
    contexts,
    conversations,
    dead_letters,
    epochs,
    events,
    exporting,
    feedback,
    feedback_list,
    forgetting,
    invitations,
    jobs,
    joining,
    meta,
    operator,
    out_of_order,
    progress,
    questions,
    reasons,
    receipts,
    retention,
    steps,
    trace,
    turns,
    vault,
    votes,
    wanting,
)
from bot.store.contexts import QuestionContext
from bot.store.database import Tx
from bot.store.invitations import Invitation
from bot.store.joining import Joining, QuestionPart
from bot.store.out_of_order import EarlyChange
from bot.store.receipts import Receipt
from bot.store.steps import CONTEXT, INTENT, StepName, StepRow
from bot.store.turns import NewTurn, Turn
from bot.store.votes import Click, EmojiVote, Gesture, Tally

NOW = 1_800_000_000.123456
"""A time of which four bytes would keep only the minute."""
ROOM = Conversation(
    channel="slack", account_id="T1", conversation_id="C1", thread_id="t1", kind="channel", is_direct=False
)
PLACE = Address("slack", "T1", "C1", "t1")
CONTEXT_OF = QuestionContext(
    items=(ContextItem(kind="reply", text="said 'so' % ? \0 😀", author="Ann", author_id="U2", ref=None),),
    mentions=(Mention(kind="person", id="U2"),),
    files=(File(channel="slack", account_id="T1", file_id="F1", size=2**40),),
)

Ask = Callable[..., Any]


def ref(message: str, conversation: str = "C1") -> MessageRef:
    return MessageRef(channel="slack", account_id="T1", conversation_id=conversation, message_id=message)


@dataclass
class Story:
    """Asks, and keeps what was answered. A turn that is forgotten must not be needed any more."""

    tx: Tx
    count: int = 0

    def new(self, lane: str, text: str | None, **more: Any) -> Turn:
        self.count += 1
        new = NewTurn(
            reference=f"REF{self.count:05}",
            kind="question",
            lane=lane,
            address=PLACE,
            conversation=ROOM,
            sent_at=NOW + self.count,
            accepted_at=NOW + self.count,
            question=f"m{self.count}",
            asker="U1",
            text=text,
            scope="user:U1",
        )
        return turns.insert(self.tx, replace(new, **more))


def everything(tx: Tx) -> Iterator[object]:
    """Ask everything, and yield every answer."""
    story = Story(tx)
    yield from the_turns(story)
    yield from the_questions(story)
    yield from the_lanes(story)
    yield from the_joined(story)
    yield from the_places(story)
    yield from the_ratings(story)
    yield from the_letters(story)
    yield from the_invited(tx)
    yield from what_is_kept(story)
    yield from what_is_forgotten(story)


def the_turns(story: Story) -> Iterator[object]:
    tx = story.tx
    one = story.new("L1", "first\0 words", context=CONTEXT_OF, edited_at=NOW, number=2**33)
    later = story.new("L1", "second", ready_at=NOW + 1.5)
    other = story.new("L2", "%", kind="notice", notice="info", about=one.id, reply_to=ref("m1"), question=None)
    yield one, later, other
    yield turns.get(tx, one.id), turns.get(tx, 10**12), sorted(turn.id for turn in turns.open_turns(tx))
    yield turns.count_waiting(tx, "L1"), turns.is_next(tx, one), turns.is_open(tx, one.id)
    yield turns.make_ready(tx, later.id, NOW), turns.make_ready(tx, later.id, NOW + 1.5), turns.make_ready(tx, later.id)
    yield turns.replace_words(tx, one.id, "too old", CONTEXT_OF, NOW - 1, None)
    yield turns.replace_words(tx, one.id, "new words", contexts.NOTHING, NOW + 1, None)
    yield turns.go_on(tx, replace(later, text="second\nthird", number=7, ready_at=NOW + 9, refusal="too long"))
    yield contexts.add(tx, later.id, CONTEXT_OF), turns.get(tx, later.id)
    turns.make_lane_ready(tx, "L1")
    yield turns.next_of(tx, "L1"), turns.next_of(tx, "no")
    taken = turns.take(tx, "L1", NOW + 2)
    assert taken is not None
    turn, rows = taken
    yield turn, rows
    turns.fence(tx, turn, NOW + 2)
    yield turns.claim(tx, turn.id, 99), turns.claim(tx, turn.id, turn.version), turns.claim(tx, turn.id)
    turns.set_request_id(tx, turn.id, "request-1")
    for name, row in (
        (StepName("submit"), StepRow(begun_at=NOW, done_at=NOW + 1, result={"at": NOW, "id": "r", "none": None})),
        (StepName("poll"), StepRow(done_at=NOW + 2, result={"answer": "An 'answer' ✓"})),
        (INTENT, StepRow(done_at=NOW + 2, result=[])),
        (StepName("send", 0), StepRow(begun_at=NOW + 2, unknowns=1)),
        (CONTEXT, StepRow(done_at=NOW, result={"author": "U2"})),
    ):
        steps.save(tx, turn.id, name, row)
        steps.save(tx, turn.id, name, row)
    yield sorted(steps.of_turn(tx, turn.id).items()), steps.is_sending(tx, PLACE), turns.take(tx, "L1", NOW + 3)
    try:
        turns.fence(tx, turn, NOW + 2)
    except turns.Fenced:
        yield "fenced"
    yield turns.cancel(tx, turn.id), turns.cancel(tx, later.id)
    turns.supersede_notice(tx, "L2", "%", NOW + 4)
    turns.finish(tx, turn, "answered", NOW + 5, reason="done", polls=3)
    yield [left.id for left in progress.with_progress_left(tx)], progress.with_progress_left(tx, NOW)
    progress.set_clean(tx, [turn.id])
    steps.forget(tx, turn.id, StepName("send", 0))
    yield turns.claim_why(tx, turn.id, "U9"), turns.claim_why(tx, turn.id, "U1"), turns.claim_why(tx, turn.id, "U1")


def the_lanes(story: Story) -> Iterator[object]:
    tx = story.tx
    story.new("L9", "waits", ready_at=NOW + 1.5)
    yield jobs.with_work(tx, ["L9", "nobody's"]), [turn.text for turn in jobs.open_in_lane(tx, "L9")]
    yield jobs.count_open_questions(tx), jobs.lanes_of_notices(tx)
    yield sorted(turn.lane for turn in jobs.accepted_since(tx, 0.0))


def the_questions(story: Story) -> Iterator[object]:
    tx = story.tx
    asked = story.new("L3", "an /ask", posts_root=True, address=replace(PLACE, thread="ask:1"))
    refused = story.new("L4", "no", kind="notice", notice="refusal")
    yield questions.by_message(tx, ref("m1")), questions.by_message(tx, ref("m99"))
    yield questions.by_message_before_a_move(tx, ref("m1", "C9"))
    yield questions.latest_of(tx, PLACE, "U1"), questions.was_refused(tx, ref(refused.question.message_id))  # type: ignore[union-attr]
    yield questions.asked_from(tx, PLACE), questions.asked_from(tx, asked.address)
    yield questions.times_of(tx, PLACE, "U1", NOW, NOW + 99, ("question", "notice"))
    yield questions.asked_at(tx, "L1"), questions.asked_at(tx, "L9"), questions.any_of(tx, PLACE, "U1")
    yield questions.count_answered(tx, PLACE, "U1", NOW - 60), questions.not_in_the_future(tx, NOW + 1e6)
    yield questions.any_in_thread(tx, PLACE, "user:U1"), questions.any_in_thread(tx, PLACE, "user:U2")
    for asker in (None, "U1", "U2"):
        for thread in ("", "t1", "t2"):
            yield sorted(turn.id for turn in questions.open_in(tx, replace(PLACE, thread=thread), asker))
    yield questions.recent_of(tx, "slack", "T1", "U1", 3)


def the_joined(story: Story) -> Iterator[object]:
    tx = story.tx
    whole = story.new("L5", "a\nb", number=5)
    joined = Joining(turn=whole.id, thread="t1", number=5, sent_at=NOW, since=NOW, kind="paste")
    joining.note(tx, PLACE, "U1", joined)
    joining.note(tx, PLACE, "U1", replace(joined, number=6))
    parts = [QuestionPart(message=f"p{n}", number=n, text=f"part {n}", glue="\n", context=CONTEXT_OF) for n in (5, 6)]
    joining.save_parts(tx, whole.id, ref("p5"), parts)
    yield conversations.locate(tx, ROOM, "U1"), conversations.locate(tx, replace(ROOM, thread_id=None))
    yield joining.parts_of(tx, whole.id), questions.by_message(tx, ref("p6"))
    joining.remove_part(tx, ref("p6"))
    joining.end(tx, PLACE, "U1")
    joining.note(tx, PLACE, "U2", joined)
    yield joining.parts_of(tx, whole.id), joining.forget_old(tx, NOW + 1e6), conversations.locate(tx, ROOM, "U2")


def the_places(story: Story) -> Iterator[object]:
    tx = story.tx
    yield events.note(tx, "slack", "T1", "e1", NOW), events.note(tx, "slack", "T1", "e1", NOW + 1)
    yield events.is_noted(tx, "slack", "T1", "e1"), events.is_noted(tx, "slack", "T2", "e1")
    conversations.note_move(tx, PLACE, "C2", NOW)
    conversations.note_move(tx, PLACE, "C2", NOW + 1)
    conversations.note_thread(tx, replace(PLACE, thread="ask:1"), ref("root"), NOW)
    yield conversations.canonical(tx, "slack", "T1", "C2"), conversations.refs_before_a_move(tx, ref("m1", "C2"))
    yield conversations.current(tx, ROOM), conversations.locate(tx, replace(ROOM, thread_id="root"))
    yield questions.by_message_before_a_move(tx, ref("m1", "C2"))
    for _ in range(2):
        conversations.mark_unreachable(tx, PLACE, NOW)
    yield conversations.is_unreachable(tx, PLACE), conversations.locate(tx, ROOM).unreachable
    conversations.mark_reachable(tx, PLACE)
    yield conversations.is_unreachable(tx, PLACE)
    yield [conversations.claim_greeting(tx, PLACE, NOW + n) for n in (0, 1)]
    yield [conversations.start_cooldown(tx, "k", 60, NOW + n) for n in (0, 59.9, 60, 61, -5)]
    yield epochs.epoch(tx, PLACE, "user:U1")
    epochs.set_epoch(tx, PLACE, "user:U1", 1, NOW)
    epochs.set_epoch(tx, PLACE, "user:U1", 2, NOW + 1)
    yield epochs.epoch(tx, PLACE, "user:U1"), epochs.epoch(tx, PLACE, "user:U2")
    gesture = Gesture(user="U2", emoji="👍", added=True, button=False, sent_at=NOW)
    for event in ("r2", "r1", "r1"):
        out_of_order.keep_reaction(tx, ref("a9"), event, gesture, NOW)
    yield [out_of_order.last_reaction(tx, ref("a1"), user, NOW + 1) for user in ("U2", "U1")]
    yield out_of_order.take_reactions(tx, ref("a9")), out_of_order.take_reactions(tx, ref("a9"))
    for change in (EarlyChange("new", NOW, CONTEXT_OF), EarlyChange("old", NOW - 1), EarlyChange(None, NOW - 2)):
        out_of_order.keep_change(tx, ref("m50"), change, NOW, "U1")
        yield out_of_order.find_change(tx, ref("m50"))


def the_ratings(story: Story) -> Iterator[object]:
    tx = story.tx
    for part in (0, 1):
        receipt = Receipt(1, "answer", ref(f"a{part}"), ROOM)
        receipts.add(tx, receipt, part, NOW)
        receipts.add(tx, receipt, part, NOW)
    receipts.add(tx, Receipt(1, "answer", ref("a7"), ROOM), 7, NOW)
    receipts.remove(tx, ref("a7"))
    yield receipts.find(tx, ref("a0")), receipts.find(tx, ref("a0", "C2")), receipts.of_turn(tx, 1, "answer")
    vote = EmojiVote(message="a0", user="U1", emoji="👍", present=True, at=NOW, added_at=NOW)
    votes.save_emoji(tx, 1, vote)
    votes.save_emoji(tx, 1, replace(vote, present=False, at=NOW + 1))
    votes.save_emoji(tx, 1, replace(vote, user="U2"))
    votes.save_click(tx, 1, Click("U1", "bad", NOW))
    votes.save_click(tx, 1, Click("U1", "good", NOW + 2))
    yield votes.emoji_of(tx, 1, "a0", "U1", "👍"), votes.emoji_by(tx, 1, "U1"), votes.click_of(tx, 1, "U1")
    yield sorted(map(str, votes.emoji_on(tx, 1))), votes.clicks_on(tx, 1)
    yield votes.last_gesture(tx, 1, "U1", NOW + 9), votes.last_gesture(tx, 1, "U1", NOW)
    yield [votes.last_gesture_anywhere(tx, "U1", NOW + after, NOW + 9) for after in (0, 3)]
    yield votes.is_emoji_added_since(tx, 1, "U1", NOW - 1), votes.is_emoji_added_since(tx, 1, "U1", NOW)
    votes.save_tally(tx, 1, "rules", Tally(1, 0))
    votes.save_tally(tx, 1, "rules", Tally(2, 1))
    yield votes.tally_of(tx, 1, "rules"), votes.tally_of(tx, 1, "others")
    feedback.set_rating(tx, 1, "good", 5.0, NOW)
    feedback.set_rating(tx, 1, None, 5.0, NOW + 1)
    feedback.set_rating(tx, 1, "bad", 5.0, NOW + 2)
    yield feedback.due(tx, NOW), feedback.next_due(tx, NOW), feedback.due(tx, NOW + 99)
    feedback.due_soon(tx, NOW - 60)
    yield feedback.get(tx, 1)
    for shown in ("good", "bad", None, "bad"):
        feedback.set_marked(tx, 1, shown)
        yield feedback.get(tx, 1)
    item = feedback.get(tx, 1)
    assert item is not None
    yield feedback.begin_attempt(tx, item), feedback.begin_attempt(tx, replace(item, changed_at=NOW))
    feedback.postpone(tx, item, NOW + 50, unknown=True)
    yield feedback.get(tx, 1), feedback.get(tx, 2)
    feedback.settle(tx, item, "submitted", submitted="bad")
    yield feedback.get(tx, 1)
    feedback.settle(tx, item, None, submitted=None)
    yield feedback.get(tx, 1)
    reason = reasons.Reason(user="U1", text="too long", event_id="c1", message="c1")
    reasons.add(tx, 1, reason, NOW)
    reasons.add(tx, 1, reason, NOW)
    yield reasons.is_reason(tx, ref("c1"), "U1"), reasons.is_reason(tx, ref("c1"), "U2")
    reasons.replace_text(tx, ref("c1"), "U1", "much too long")
    yield (
        feedback_list.newest(tx, 0.0, 9),
        feedback_list.newest(tx, 0.0, 9, (NOW + 1e9, 1)),
        feedback_list.count(tx, 0.0),
        feedback_list.report(tx, 0.0, 1 << 62),
    )
    yield wanting.answered(tx, 0.0, 1), wanting.answered(tx, 0.0, 9, (NOW + 1e9, 1))


def the_letters(story: Story) -> Iterator[object]:
    tx = story.tx
    failed = story.new("L6", "fails")
    dead_letters.add_turn(tx, failed, "turn", "why", NOW)
    dead_letters.add_turn(tx, failed, "feedback", "not this", NOW + 1)
    payload = dead_letters.Payload("slack", "T1", b"\x00\xff U1 raw")
    yield [dead_letters.add_payload(tx, f"PAY{n}", payload, "odd", NOW + 2) for n in (1, 2)]
    yield dead_letters.count(tx), [(row["reference"], row["at"]) for row in dead_letters.newest(tx, 5)[0]]
    rows, last = dead_letters.newest(tx, 5, (NOW + 1e9, "R"))
    yield [row["reference"] for row in rows], last
    letter = dead_letters.letter(tx, "PAY1")
    yield None if letter is None else bytes(letter["raw"]), dead_letters.letter(tx, "NONE")
    steps.save(tx, failed.id, StepName("send", 1), StepRow(begun_at=NOW, done_at=NOW, result=[]))
    yield steps.forget_for_retry(tx, failed.id, "delivery"), steps.forget_for_retry(tx, failed.id, "turn")
    yield trace.by_reference(tx, "REF00001"), trace.by_reference(tx, "NONE"), trace.by_message(tx, ref("a1"))
    yield (
        trace.by_message(tx, ref("m1")),
        trace.of_session(tx, "L1"),
        trace.said(tx, "REF00001"),
        trace.said(tx, "NONE"),
    )
    yield dead_letters.remove(tx, "NONE"), dead_letters.remove(tx, failed.reference)


def what_is_kept(story: Story) -> Iterator[object]:
    tx = story.tx
    yield meta.secret(tx, "first"), meta.secret(tx, "second")
    for now in (NOW, NOW + 1):
        meta.touch(tx, now)
        meta.leave_mark(tx)
        meta.note_checks(tx, "slack", [{"check": "it", "status": "ok"}], now)
        meta.keep_completion_times(tx, "", f"[{now}]")
    yield meta.operators_mark(tx), meta.moved_to(tx), meta.noted_checks(tx, "slack"), meta.noted_checks(tx, "no")
    yield meta.completion_times(tx, ""), meta.completion_times(tx, "no")
    operator.keep(tx, "digest", {"week": 1})
    operator.keep(tx, "digest", {"week": 2})
    yield operator.kept(tx, "digest"), operator.kept(tx, "no"), operator.open_turns(tx), operator.newest_dead(tx, 5)
    operator.tell_of_process(tx, "one 1", {"version": "1"}, NOW, 60.0)
    operator.tell_of_process(tx, "one 2", {"version": "1"}, NOW + 61.0, 60.0)
    operator.forget_process(tx, "one 3")
    yield operator.processes(tx)
    yield operator.recent_accounts(tx, "slack"), operator.recent_accounts(tx, "no")
    yield operator.rated(tx, 0.0, NOW + 1e6), operator.span(tx, 0.0, NOW + 1e6), feedback_list.rated(tx, 0.0, 9)
    vault.put(tx, "token", "sealed")
    vault.put(tx, "token", "sealed anew")
    vault.put(tx, "other", "x")
    vault.put(tx, "other", None)
    yield vault.get(tx, "token"), vault.get(tx, "other")


def what_is_forgotten(story: Story) -> Iterator[object]:
    tx = story.tx
    story.new("L7", "quotes", asker="U3", context=CONTEXT_OF)
    quoting = contexts.quoting(tx, "slack", "T1", "U2")
    yield quoting, contexts.forget_quoted(tx, quoting, "U2"), contexts.forget_early_quotes(tx, "slack", "T1", "U2")
    yield contexts.quoting(tx, "slack", "T1", "U2"), steps.forget_gathered(tx, ("slack", "T1"), "U2")
    yield votes.forget_tallies(tx, "U2", 5)
    payloads = dead_letters.naming(tx, "slack", "T1", "U1")
    yield payloads
    for name, one in forgetting.person("slack", "T1", "U1", contexts.quoting(tx, "slack", "T1", "U1"), payloads):
        while count := one(tx):
            yield name, count
    yield epochs.forget_epochs(tx, "last_at<?", NOW + 5, most=5), epochs.epoch(tx, PLACE, "user:U5")
    old = story.new("L8", "old", accepted_at=NOW - 50 * retention.DAY)
    turns.finish(tx, old, "answered", NOW, reason=None, polls=0)
    events.note(tx, "slack", "T1", "e0", NOW - 50 * retention.DAY)
    for text_days, count_days in ((30, 400), (1, 2)):
        yield [_all_of(tx, one) for one in retention.old(text_days, count_days, NOW)]
    yield out_of_order.forget_old(tx, NOW + 1e6), dead_letters.remove(tx, None), retention.give_back(tx)


def _all_of(tx: Tx, one: Callable[[Tx], int]) -> int:
    total = 0
    while count := one(tx):
        total += count
    return total


def the_invited(tx: Tx) -> Iterator[object]:
    """Invitations, sealed values, and what is held of a person."""
    who = ("slack", "T1", "U1")
    for code, account, uses, seconds in (("one", "", 1, 60.0), ("here", "T1", 2, 60.0), ("elsewhere", "T2", 1, 60.0)):
        invitations.add(tx, code, Invitation("slack", account, NOW + seconds, uses), NOW)
    yield [invitations.redeem(tx, code, who, NOW) for code in ("elsewhere", "no", "one", "here")]
    yield invitations.redeem(tx, "one", ("slack", "T1", "U2"), NOW), invitations.is_invited(tx, *who)
    yield [invitations.redeem(tx, "no", ("slack", "T1", "U2"), NOW) for _ in range(6)]
    yield invitations.people(tx), invitations.open_ones(tx, NOW), invitations.open_ones(tx, NOW + 99)
    yield {table: len(rows) for table, rows in exporting.person(tx, *who).items()}
    yield invitations.revoke(tx, *who), invitations.revoke(tx, *who), invitations.is_invited(tx, *who)
    yield _all_of(tx, lambda tx: invitations.forget_old(tx, NOW + 9_999, 2))
    for name in ("a:1", "a:2", "A:3", "b:1"):
        vault.put(tx, name, f"sealed {name}")
    yield vault.beginning_with(tx, "a:"), list(vault.beginning_with(tx, ""))
    yield vault.remove(tx, "a:1"), vault.remove(tx, "a:1"), vault.get(tx, "a:2")
    yield vault.replace(tx, "a:2", "other", "new"), vault.replace(tx, "a:2", "sealed a:2", "new"), vault.get(tx, "a:2")
