"""Promise 4 and section 6: one request in flight per session, by the platform's time; whose memory is whose."""

from __future__ import annotations

from tests.simulation.api import Submit
from tests.simulation.judge import Evidence, Verdict

SLACK = 3.5
"""Seconds that may lie between a commit and the moment it is known outside, when the disk is slow."""


def judge_sessions(evidence: list[Evidence], verdict: Verdict) -> None:
    """Judge the sessions as the API saw them."""
    sessions: dict[str, list[tuple[Submit, Evidence]]] = {}
    for one in evidence:
        mine = {submit.session for submit in one.submits}
        if len(mine) > 1:
            verdict.wrong.append(f"{one.name} was asked in {len(mine)} sessions.")
        for submit in one.submits:
            if submit.end != "refused":
                sessions.setdefault(submit.session, []).append((submit, one))
    for submits in sessions.values():
        submits.sort(key=lambda pair: pair[0].at)
        _in_flight(submits, verdict)
        _in_order(submits, verdict)
        _not_after_close(submits, verdict)
        if len({one.ask.scope for _, one in submits}) > 1:
            verdict.wrong.append("Two conversations share a session.")
    _epochs(evidence, verdict)


def _in_flight(submits: list[tuple[Submit, Evidence]], verdict: Verdict) -> None:
    for number, (submit, one) in enumerate(submits):
        world = one.world
        for earlier, other in submits[:number]:
            request = earlier.request
            if request is None or request.lost or earlier.end == "rejected" or other.unsure(earlier, submit.at):
                continue
            ended = request.told is not None and request.told <= submit.at
            given_up = submit.at >= other.ask.at + world.config.give_up - 2.0
            if (
                not ended
                and not given_up
                and not one.began_ahead(submit.at)
                and not _overlapped(world.overlaps, submit.at)
            ):
                verdict.wrong.append(
                    f"{submit.text} was submitted at {submit.at:.3f} while {earlier.text} was in flight."
                )


def _overlapped(overlaps: list[tuple[float, float]], at: float) -> bool:
    return any(begin <= at <= end for begin, end in overlaps)


def _in_order(submits: list[tuple[Submit, Evidence]], verdict: Verdict) -> None:
    """What waited is taken by the platform's time; what was tried, if only refused, no longer waited."""
    first: dict[int, float] = {}
    seen: dict[int, Evidence] = {}
    for _, one in submits:
        first.setdefault(one.ask.number, min(submit.at for submit in one.submits))
        seen[one.ask.number] = one
    for number, at in first.items():
        late, world = seen[number].ask, seen[number].world
        for other, other_at in first.items():
            early = seen[other].ask
            stored = early.edits[0].stored_at
            if early.sent_at >= late.sent_at or other_at <= at or stored is None:
                continue
            by_edit = not early.edits[0].counted or not late.edits[0].counted
            # It was begun before the other one came, by a process that died before the API saw of it.
            begun = any((late.edits[0].stored_at or at) <= crash <= stored for crash in world.crashed)
            # What nobody can tell of may reach the API after it was given up.
            ended = any(post.at <= at for post in seen[other].failures)
            if not by_edit and not begun and not ended and stored + SLACK < at:
                verdict.wrong.append(f"q{number} was asked before q{other}, which is older and was waiting.")


def _not_after_close(submits: list[tuple[Submit, Evidence]], verdict: Verdict) -> None:
    world = submits[0][1].world
    closed = [at for at, session in world.api.closes if session == submits[0][0].session]
    if closed and submits[-1][0].at > min(closed) and not world.overlaps:
        verdict.wrong.append(f"{submits[-1][0].text} was asked in a session that was closed.")


def _epochs(evidence: list[Evidence], verdict: Verdict) -> None:
    """The same memory until somebody begins anew, another one after."""
    if not evidence:
        return
    asked = [(one, one.submits[0].session) for one in evidence if one.submits]
    for anew in evidence[0].world.people.anews:
        stored = anew.delivery.stored_at
        mine = [(one, session) for one, session in asked if one.ask.scope == anew.scope]
        before = {s for one, s in mine if (at := one.ask.edits[0].stored_at) is not None and at < anew.delivery.at}
        after = {s for one, s in mine if stored is not None and one.ask.edits[0].at > stored}
        if before & after:
            verdict.wrong.append("A new conversation remembers the old one.")
    renewed = {anew.scope for anew in evidence[0].world.people.anews}
    scopes: dict[str, set[str]] = {}
    for one, session in asked:
        if one.ask.scope not in renewed:
            scopes.setdefault(one.ask.scope, set()).add(session)
    for scope, sessions in scopes.items():
        if len(sessions) > 1:
            verdict.wrong.append(f"The conversation {scope} has {len(sessions)} sessions.")
