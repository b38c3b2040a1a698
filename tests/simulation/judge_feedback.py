"""Promise 6: the rating submitted is what people last meant."""

from __future__ import annotations

import itertools

from bot.events import Rating
from tests.simulation.api import Rated
from tests.simulation.deeds import Vote
from tests.simulation.judge import Evidence, Verdict, stored_by
from tests.simulation.judge_questions import CANNOT_TELL, unsure
from tests.simulation.settings import BAD, GOOD


def judge_feedback(evidence: list[Evidence], verdict: Verdict) -> None:
    """Judge the ratings of every answer."""
    if not evidence:
        return
    calls: dict[str, list[Rated]] = {}
    for call in evidence[0].world.api.rated:
        calls.setdefault(call.request_id, []).append(call)
    for one in evidence:
        for request in one.requests:
            mine = [part for part in one.parts if part.request == request.id]
            rated = calls.get(request.id, [])
            if rated and not mine:
                verdict.wrong.append(f"{one.name}: a rating was submitted for an answer nobody saw.")
            if mine:
                _truth(one, rated, verdict)
                _never_twice(one, rated, verdict)


def _meaning(emoji: str) -> Rating | None:
    return "good" if emoji in GOOD else "bad" if emoji in BAD else None


def meant(votes: list[Vote], asker: str, voters: str) -> Rating | None:
    """What people mean together, after what they did in this order."""
    emoji: dict[str, dict[tuple[str, str], Rating]] = {}
    clicks: dict[str, Rating] = {}
    for vote in votes:
        rating = _meaning(vote.emoji)
        if rating is None:
            continue
        held, key = emoji.setdefault(vote.user, {}), (vote.post.ref.message_id, vote.emoji)
        if vote.button:
            if clicks.get(vote.user) != rating:
                clicks[vote.user] = rating
                held.clear()
        elif vote.added:
            clicks.pop(vote.user, None)
            held[key] = rating
        else:
            held.pop(key, None)
    now: dict[str, Rating] = {}
    for user, held in emoji.items():
        ratings = set(held.values())
        if len(ratings) == 1:
            now[user] = ratings.pop()
    now |= clicks
    if asker in now or voters == "asker":
        return now.get(asker)
    good = sum(rating == "good" for rating in now.values())
    if 2 * good == len(now):
        return None
    return "good" if 2 * good > len(now) else "bad"


def _votes(one: Evidence) -> list[Vote]:
    label = f"{one.name}v"
    votes = [vote for vote in one.world.voters.votes if vote.post.text.startswith(label)]
    return sorted(votes, key=lambda vote: vote.delivery.event.sent_at)  # ties keep their order


def _is_out(one: Evidence) -> bool:
    """Whether the bot knows of every part of an answer that it is shown."""
    known = {(part.version, part.index) for part in one.parts if part.post.known}
    return any(all((part.version, n) in known for n in range(1, part.of + 1)) for part in one.parts)


def _truth(one: Evidence, rated: list[Rated], verdict: Verdict) -> None:
    world, votes = one.world, _votes(one)
    if not one.ask.channel.can_be_asked and any(unsure(one, entry) for entry in one.tries if entry.kind == "answer"):
        return  # there may be a copy whose id the bot cannot know: what is said of it cannot be heard
    if not _is_out(one) and any(post.text.startswith(CANNOT_TELL) for post in one.failures):
        return  # as here: the channel could not be asked for as long as the bot had patience
    if one.is_hit and world.lasting.kind == "channel":
        if any(vote.delivery.stored_at is None for vote in votes):
            return  # a batch that is full of questions which nothing can end is never confirmed
        if not _is_out(one):
            return  # no rating is due before its answer is out
    wanted = meant(votes, one.ask.user, world.config.feedback.voters)
    failed = sum(
        world.metrics.feedback_total.labels(channel=one.ask.channel.name, rating=rating, outcome="failed")._value.get()
        for rating in ("good", "bad")
    )
    acted = [call for call in rated if call.acted]
    verdict.count("ratings", len(acted))
    if wanted is not None and not failed and (not acted or acted[-1].rating != wanted):
        last = acted[-1].rating if acted else "nothing"
        verdict.wrong.append(f"People mean {wanted} about the answer to {one.name}; {last} was submitted.")
    ever = {meant(votes[: number + 1], one.ask.user, world.config.feedback.voters) for number in range(len(votes))}
    for call in rated:
        if call.rating not in ever and not one.ask.channel.can_be_asked:  # which delivers in order
            verdict.wrong.append(f"{call.rating} was submitted for {one.name}, which nobody ever meant.")


def _never_twice(one: Evidence, rated: list[Rated], verdict: Verdict) -> None:
    for former, later in itertools.pairwise(rated):
        if former.end != "accepted" or former.ended_at is None:
            continue
        life = one.world.lives[former.process - 1]
        if life.was_gone(former.at, stored_by(one.world, former.ended_at)):
            continue
        if former.rating == later.rating:
            verdict.wrong.append(f"{one.name} was rated {later.rating} twice in a row.")
        troubled = any(getattr(one.world.weather.api, name) for name in ("refused", "limited", "cut_before", "slow"))
        if later.at - former.ended_at < one.world.config.feedback.settle_seconds - 0.5 and not troubled:
            verdict.wrong.append(f"{one.name} was rated twice within one settle window.")
