"""Promises 1 to 3: nothing lost, nothing asked twice, nothing answered twice; the latest words; deleted is deleted."""

from __future__ import annotations

import math

from bot.events import Deletion
from tests.simulation.channel import Try
from tests.simulation.deeds import Delivery
from tests.simulation.judge import Evidence, Part, Verdict, stored_by
from tests.simulation.story import LOG

UNSURE = ("unknown", "died")
CANNOT_TELL = "I cannot tell whether"
"""How the notice begins that an answer may not have arrived whole."""
LONGEST_TOLD = 5.0
"""Seconds for which the API asks to be left alone at most: a wait past the deadline is not begun."""


def judge_questions(evidence: list[Evidence], verdict: Verdict) -> None:
    """Judge every question by itself."""
    for one in evidence:
        _asked(one, verdict)
        _answered(one, verdict)
        _ended(one, verdict)
    _resent(evidence, verdict)


def _asked(one: Evidence, verdict: Verdict) -> None:
    """Nothing is asked twice without an unknown outcome in between, and never a third time."""
    written: dict[str, list[int]] = {}
    for index, submit in enumerate(one.submits):
        if submit.end in ("refused",):
            continue
        before = written.setdefault(submit.text, [])
        known = [number for number in before if not one.unsure(one.submits[number], submit.at)]
        if known or len(before) >= 2:
            verdict.count("asked twice")
            verdict.wrong.append(f"{submit.text} was asked again at {submit.at:.3f} without an unknown outcome.")
        elif before:
            verdict.count("resubmitted")
        before.append(index)


def _answered(one: Evidence, verdict: Verdict) -> None:
    """Every part once, in order, to the right message; twice only where nobody could know."""
    for (version, index), copies in _copies(one).items():
        if len(copies) == 1:
            continue
        ids = {part.post.delivery_id for part in copies}
        unknown = sum(unsure(one, entry) for entry in one.ask.channel.tries if entry.delivery_id in ids)
        if one.ask.channel.can_be_asked or len(ids) > 1 or len(copies) > 2 or unknown < len(copies) - 1:
            verdict.count("answered twice")
            verdict.wrong.append(f"Part {index} of the answer to {one.name}v{version} was posted {len(copies)} times.")
    requests = {part.request for part in one.parts}
    if len(requests) > 1:
        verdict.count("answered twice")
        verdict.wrong.append(f"{one.name} was answered from {sorted(requests)}.")
    firsts = [copies[0].index for copies in _copies(one).values()]
    if firsts != sorted(firsts):
        verdict.wrong.append(f"The parts of the answer to {one.name} are out of order.")
    for part in one.parts:
        if part.post.reply_to != one.reply_to:
            verdict.wrong.append(f"The answer to {one.name} was posted in reply to something else.")


def unsure(one: Evidence, entry: Try) -> bool:
    """Whether the bot could not know, or not store in time, what became of a send."""
    if entry.end in UNSURE:
        return True
    life = one.world.lives[entry.process - 1]
    by = stored_by(one.world, entry.at)
    overlapped = any(a <= by and b >= entry.at for a, b in one.world.overlaps)
    return entry.end == "known" and (life.was_gone(entry.at, by) or overlapped)


def _copies(one: Evidence) -> dict[tuple[int, int], list[Part]]:
    copies: dict[tuple[int, int], list[Part]] = {}
    for part in one.parts:
        copies.setdefault((part.version, part.index), []).append(part)
    return copies


def _ended(one: Evidence, verdict: Verdict) -> None:
    """One answer or one honest failure; neither for a question that was taken back in time."""
    ask = one.ask
    if one.was_limited:
        _limited(one, verdict)
        return
    deletions = [end for end in ask.ends if isinstance(end.event, Deletion)]
    told = [request.told for request in one.requests if request.told is not None]
    for deletion in deletions:
        if _was_forgotten(one, deletion):
            continue
        in_time = deletion.stored_at is not None and (not told or deletion.stored_at < min(told))
        if (deletion.counted or in_time) and one.parts:
            verdict.wrong.append(f"{one.name} was deleted in time and answered all the same.")
        handed = min((edit.handed_at for edit in ask.edits if edit.handed_at is not None), default=0.0)
        first = deletion.stored_at is not None and deletion.stored_at < handed
        if (deletion.counted or first) and one.failures:
            verdict.wrong.append(f"{one.name} was deleted and a failure was told.")
    seen = {part.index for part in one.parts}
    complete = bool(one.parts) and seen == set(range(1, one.parts[0].of + 1))
    _once(one, verdict)
    if one.failures and not _has_reason(one):
        verdict.wrong.append(f"A failure was told for {one.name} without a reason.")
    if complete and one.failures and not _unsure_end(one) and not _cannot_be_told(one):
        verdict.wrong.append(f"{one.name} was answered and a failure was told too.")
    if complete:
        _latest_words(one, verdict)
    elif not one.failures and (one.parts or not ask.ends) and not _silenced(one):
        verdict.count("lost")
        what = "half an answer" if one.parts else "nothing"
        verdict.wrong.append(f"{one.name} ended with {what} to be seen.")


def _was_forgotten(one: Evidence, early: Delivery) -> bool:
    """Whether an edit or a deletion that came before its question was kept by a database that became one of schema 1:
    that had no place for it."""
    stored = one.ask.edits[0].stored_at
    return early.stored_at is not None and any(
        what == "OLD SCHEMA" and about[0] < 2 and early.stored_at <= at and (stored is None or at < stored)
        for at, what, about in one.world.history
    )


def _limited(one: Evidence, verdict: Verdict) -> None:
    """Only who asks too much is limited, and then for good: the question is not asked behind their back."""
    verdict.count("limited")
    if one.world.lasting.kind != "flood" or not one.is_hit:
        verdict.wrong.append(f"{one.name} was over a limit, though its asker asks little.")
    if one.submits or one.parts:
        verdict.wrong.append(f"{one.name} was over a limit and asked all the same.")


def _once(one: Evidence, verdict: Verdict) -> None:
    ids = {post.delivery_id for post in one.failures}
    allowed = 1 if one.ask.channel.can_be_asked else 2
    if one.reply_to is not None and (len(ids) > 1 or len(one.failures) > allowed):
        verdict.wrong.append(f"The failure of {one.name} was told {len(one.failures)} times.")


def _latest_words(one: Evidence, verdict: Verdict) -> None:
    version = max(part.version for part in one.parts)
    request = one.world.api.requests[one.parts[0].request]
    for number, edit in enumerate(one.ask.edits):
        if number <= version or edit.stored_at is None:
            continue
        if edit.counted:
            verdict.wrong.append(f"Edit {number} of {one.name} was accepted, but version {version} was answered.")
        elif request.told is not None and edit.stored_at < request.told and not _was_forgotten(one, edit):
            verdict.wrong.append(f"Edit {number} of {one.name} came in time, but version {version} was answered.")


def _has_reason(one: Evidence) -> bool:
    """Whether something happened that may end a question without its answer."""
    world = one.world
    bad = any(request.lost or request.state == "failed" or not request.answer for request in one.requests)
    refused = any(submit.end == "rejected" for submit in one.submits)
    by_text: dict[str, int] = {}
    for submit in one.submits:
        if one.unsure(submit, world.now):
            by_text[submit.text] = by_text.get(submit.text, 0) + 1
    # A crash after the begin was stored and before the call was made counts for the bot, but the API saw nothing; of
    # two processes side by side each may take what the other one has begun for such a call.
    unsure = sum(by_text.values()) + len(world.crashed) + 2 * len(world.overlaps) >= 2
    late = one.failures[0].at >= one.ask.at + world.config.give_up - LONGEST_TOLD
    rejected = any(entry.end == "rejected" for entry in one.tries)
    jumped = one.began_ahead(one.failures[0].at)
    revoked = one.is_hit and world.lasting.kind == "key"
    return bad or refused or unsure or late or rejected or jumped or revoked or _unsure_end(one)


def _unsure_end(one: Evidence) -> bool:
    """Whether a part was sent twice without anybody knowing, on a channel that cannot be asked."""
    ends: dict[str, int] = {}
    for entry in one.tries:
        if entry.kind in ("answer", "question") and (unsure(one, entry) or entry.end == "rejected"):
            ends[entry.delivery_id] = ends.get(entry.delivery_id, 0) + 1
    crashed = len(one.world.crashed) + len(one.world.overlaps)
    return not one.ask.channel.can_be_asked and any(number + crashed >= 2 for number in ends.values())


def _cannot_be_told(one: Evidence) -> bool:
    """Whether the channel was away from a send that it did not confirm until the deadline, and people were told so."""
    cut = [entry.at for entry in one.tries if entry.kind == "answer" and unsure(one, entry)]
    told = [post for post in one.failures if post.text.startswith(CANNOT_TELL)]
    late = one.ask.at + one.world.config.give_up
    return bool(cut) and bool(told) and any(max(cut) < at and at > late - 5.0 for at in one.ask.channel.trouble)


def _silenced(one: Evidence) -> bool:
    """Whether nothing could be shown: the channel refused for good, or swallowed everything without a word."""
    failures = [entry for entry in one.tries if entry.kind == "failure"]
    # Killed twice between the stored begin of a send and the send: nobody can tell, and it is not tried a third time.
    killed = len(one.world.crashed) >= 2 and any(
        what == f"{LOG}delivery.unknown_twice" and about[0].get("kind") == "failure"
        for _, what, about in one.world.history
    )
    refused = any(entry.end == "rejected" for entry in failures)
    swallowed = (
        not one.ask.channel.can_be_asked
        and sum(entry.end in UNSURE for entry in failures) + len(one.world.crashed) >= 2
    )
    gone = one.ask.place.conversation.conversation_id in one.ask.channel.ever_closed
    dead = one.is_hit and one.world.lasting.kind == "channel"
    # Away for as long as it was tried: from the first try the patience of a question.
    away = bool(failures) and failures[-1].at >= failures[0].at + one.world.config.give_up - 5.0
    away &= all(entry.end == "refused" for entry in failures)
    return (bool(failures) and (refused or swallowed)) or (killed and swallowed) or gone or dead or away


def _resent(evidence: list[Evidence], verdict: Verdict) -> None:
    """On the channel that cannot be asked, every send that was repeated is counted, and only unknown ones are."""
    if not evidence:
        return
    world = evidence[0].world
    for channel in world.channels.values():
        again = 0
        by_id: dict[str, list[Try]] = {}
        for entry in channel.tries:
            if entry.kind == "answer":
                by_id.setdefault(entry.delivery_id, []).append(entry)
        if channel.can_be_asked:
            if any(entry.noted for entry in channel.tries):
                verdict.wrong.append(f"A part says on {channel.name} that it may be a second copy.")
            continue
        for tries in by_id.values():
            unsure = [entry.end in UNSURE for entry in tries]
            # Of a channel that dies afterwards nobody can find out what became of it, so that it is not counted yet.
            dies = world.lasting.of_channel(channel.name, math.inf) is not None
            again += any(unsure[:-1]) and not (unsure[-1] and dies)
            if any(any(unsure[:n]) and not entry.noted for n, entry in enumerate(tries)):
                verdict.wrong.append(f"“{tries[0].text}” does not say that it may be a second copy.")
        verdict.count("resent unknown", again)
        counted = sum(
            int(world.metrics.deliveries_total.labels(channel=channel.name, outcome=outcome)._value.get())
            for outcome in ("resent_unknown", "failed")
        )
        verdict.count("resent unknown counted", counted)
        calm = not world.crashed and not world.overlaps and not world.weather.stops
        if calm and counted < again:
            verdict.wrong.append(f"{again} sends were repeated, {counted} counted.")
