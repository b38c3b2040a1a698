"""Promise 5: a sign within 2 s, a notice at 10 s and at the poll budget, and nothing of it left at the end."""

from __future__ import annotations

from bot import notices
from tests.simulation.judge import Evidence, Verdict, stored_by
from tests.simulation.world import World

ANEW = 6.0
"""Seconds after which all that a failing disk kept from going on goes on, at the latest."""


def judge_progress(evidence: list[Evidence], verdict: Verdict) -> None:
    """Judge what people saw while they waited."""
    for one in evidence:
        if not one.was_limited and one.ask.place.conversation.conversation_id not in one.ask.channel.ever_closed:
            _sign(one, verdict)
            _notice(one, verdict)
    if evidence:
        _nothing_left(evidence[0].world, verdict)


def _undisturbed(one: Evidence, begin: float, end: float) -> bool:
    """Whether one process ran all the time, the disk was healthy and the channel took what it was sent."""
    world = one.world
    if end > world.now:
        return False  # all that is not hit by a lasting fault was done before
    lives = [life for life in world.lives if life.began <= begin and (life.died is None or life.died >= end)]
    failed = [(a, b + ANEW) for a, b in world.weather.disk_fails]  # reads fail too, and nobody may act for a lane
    disk = any(a <= end and b >= begin for a, b in (*world.disk_trouble, *failed))
    channel = any(begin <= at <= end for at in one.ask.channel.trouble)
    return bool(lives) and not disk and not channel and not world.overlaps and not world.is_shaken(begin, end)


def _ended_by(one: Evidence, at: float) -> bool:
    spoken = any(entry.at <= at for entry in one.tries if entry.kind in ("answer", "failure"))
    return spoken or any(end.at <= at for end in one.ask.ends)


def _sign(one: Evidence, verdict: Verdict) -> None:
    stored = one.ask.edits[0].stored_at
    if stored is None or one.ask.root or not _undisturbed(one, stored - 0.1, stored + 2.0):
        return
    assert one.ask.ref is not None
    key = one.ask.ref.message_id
    shown = any(on and name == key and at <= stored + 2.0 for at, name, on in one.ask.channel.working_tries)
    if not shown and not _ended_by(one, stored + 2.0):
        verdict.wrong.append(f"Nobody saw within 2 s that work on {one.name} has begun.")


def _notice(one: Evidence, verdict: Verdict) -> None:
    world, stored = one.world, one.ask.edits[0].stored_at
    progress = [entry for entry in one.tries if entry.kind == "progress"]
    for text in (notices.WORKING, notices.STILL_WORKING):
        if len({entry.delivery_id for entry in progress if entry.text == text}) > 1 and one.reply_to is not None:
            verdict.wrong.append(f"The notice {text!r} about {one.name} was sent twice.")
    if stored is None or one.ask.root or world.weather.channel.slow:
        return
    due = _undisturbed(one, stored - 0.5, stored + 11.5) and not _ended_by(one, stored + 11.5)
    if due and not any(entry.at <= stored + 11.0 for entry in progress):
        verdict.wrong.append(f"No notice about {one.name} at 10 s.")
    if any(entry.at < one.ask.edits[0].at + 9.9 and not one.began_ahead(entry.at) for entry in progress):
        verdict.wrong.append(f"A notice about {one.name} before 10 s.")
    _second(one, verdict)


def _second(one: Evidence, verdict: Verdict) -> None:
    world = one.world
    accepted = [submit for submit in one.submits if submit.end == "accepted" and submit.request is not None]
    if not accepted:
        return
    due = accepted[-1].at + world.config.poll_budget
    if not _undisturbed(one, accepted[-1].at, due + 1.5) or _ended_by(one, due + 1.5):
        return
    if not any(entry.text == notices.STILL_WORKING and entry.at <= due + 1.0 for entry in one.tries):
        verdict.wrong.append(f"No second notice about {one.name} at the poll budget.")


def _nothing_left(world: World, verdict: Verdict) -> None:
    for channel in world.channels.values():
        if world.lasting.kind == "channel" and channel.name == world.lasting.channel:
            continue
        for post in channel.posts:
            if post.kind == "progress" and post.deleted is None and (channel.can_be_asked or post.known):
                # Where the channel cannot be asked, a notice whose send was cut off has no name to delete it by.
                died = [at for life in world.lives for at in life.last_acts]
                if channel.ever_closed & {post.ref.conversation_id}:
                    continue
                untold = not channel.can_be_asked and any(post.at <= at <= stored_by(world, post.at) for at in died)
                if not untold:
                    verdict.wrong.append(f"A progress notice was left behind ({channel.name} {post.ref.message_id}).")
        last: dict[str, bool] = {}
        for (where, question), states in channel.working.items():
            if where not in channel.ever_closed:  # where it was thrown out, it cannot clean up
                last[question] = states[-1][1]
        for question, on in last.items():
            if on:
                verdict.wrong.append(f"The sign of work on {question} was left behind ({channel.name}).")
