"""What people's emoji and clicks on an answer mean: pure functions; `tests/ratings/` has their truth table.

The rules are section 7 of the design: the platform's time decides and not the order of arrival, a person's vote is the
set of their emoji, a click replaces it, the asker counts before the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bot.config import Feedback as Rules
from bot.events import Rating
from bot.store.votes import Click, EmojiVote, Tally


def meaning(emoji: str, rules: Rules) -> Rating | None:
    """Return what an emoji means, None for nothing."""
    if emoji in rules.good:
        return "good"
    return "bad" if emoji in rules.bad else None


def tells_whole_seconds(sent_at: float) -> bool:
    """Whether that is the time of a channel that tells no fractions of a second."""
    return sent_at == int(sent_at)


def moment(sent_at: float, last: float | None) -> float:
    """Order what one person did within one second: a channel that tells whole seconds delivers in order.

    `last` is the last thing they did before the end of that second. Times in seconds.

    >>> moment(7.0, None), moment(7.0, 6.9), moment(7.0, 7.0), moment(7.25, 7.5)
    (7.0, 7.0, 7.0001, 7.25)
    """
    if not tells_whole_seconds(sent_at) or last is None or last < sent_at:
        return sent_at
    return last + 1e-4


def latest(*times: float | None) -> float | None:
    """Return the latest of those that are known, None when none is."""
    return max((time for time in times if time is not None), default=None)


def newer_emoji(known: EmojiVote | None, news: EmojiVote) -> EmojiVote | None:
    """Merge news of an emoji into what is known of it, by the platform's time; None when it changes nothing."""
    if known is None:
        return news
    if news.at >= known.at:
        return replace(news, added_at=max(news.added_at, known.added_at))
    # Older than what is known; but that it was put may cancel a click.
    return replace(known, added_at=news.added_at) if news.added_at > known.added_at else None


def is_repeated(known: Click | None, news: Click, emoji_since: bool) -> bool:
    """Whether a click repeats the person's last one and changes nothing; `emoji_since`: one put after that click."""
    return known is not None and known.rating == news.rating and not emoji_since


def votes(emoji: Iterable[EmojiVote], clicks: Iterable[Click], rules: Rules) -> dict[str, Rating]:
    """Return each person's vote; who has none is absent."""
    clicks_by_user = {click.user: click for click in clicks}
    standing: dict[str, set[Rating]] = {}
    click_cancelled: set[str] = set()
    for vote in emoji:
        rating, click = meaning(vote.emoji, rules), clicks_by_user.get(vote.user)
        if rating is None or (click is not None and vote.added_at <= click.at):
            continue  # no meaning, or replaced by the click for good
        click_cancelled.add(vote.user)
        if vote.present:
            standing.setdefault(vote.user, set()).add(rating)
    by_user: dict[str, Rating] = {user: ratings.pop() for user, ratings in standing.items() if len(ratings) == 1}
    clicked = {
        user: click.rating
        for user, click in clicks_by_user.items()
        if user not in click_cancelled and click.rating is not None
    }
    return by_user | clicked


def tally(votes: Iterable[Rating]) -> Tally:
    """Count votes."""
    counts = Counter(votes)
    return Tally(counts["good"], counts["bad"])


def moved(tally: Tally, before: Rating | None, after: Rating | None) -> Tally:
    """Return the tally after one person's vote has changed.

    >>> moved(Tally(2, 1), "good", "bad"), moved(Tally(2, 1), None, None)
    (Tally(good=1, bad=2), Tally(good=2, bad=1))
    """
    return Tally(
        tally.good + (after == "good") - (before == "good"),
        tally.bad + (after == "bad") - (before == "bad"),
    )


def rating(asker: Rating | None, tally: Tally, rules: Rules) -> Rating | None:
    """Return the rating of an answer: the asker's vote, else the majority of the others, a tie is none."""
    if asker is not None or rules.voters == "asker":
        return asker
    if tally.good == tally.bad:
        return None
    return "good" if tally.good > tally.bad else "bad"


def fingerprint(rules: Rules) -> str:
    """Name what emoji mean by these rules: votes that were counted by others have to be counted anew."""
    named = repr((sorted(rules.good), sorted(rules.bad)))
    return hashlib.sha256(named.encode()).hexdigest()[:16]
