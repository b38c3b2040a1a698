"""The truth table of votes: what emoji and clicks mean together. Section 7 of the design, line by line."""

from __future__ import annotations

import itertools

import pytest

from bot.config import Feedback
from bot.events import Rating
from bot.ratings.votes import is_repeated, meaning, moment, newer_emoji, rating, tally, votes
from bot.store.votes import Click, EmojiVote

EVERYONE = Feedback(voters="everyone", settle_seconds=5, good=("👍", "❤"), bad=("👎",))
ASKER = Feedback(voters="asker", settle_seconds=5, good=("👍",), bad=("👎",))


def put(emoji: str, at: float = 1.0, user: str = "U1", message: str = "M1") -> EmojiVote:
    return EmojiVote(message=message, user=user, emoji=emoji, present=True, at=at, added_at=at)


def taken(emoji: str, added_at: float, at: float, user: str = "U1", message: str = "M1") -> EmojiVote:
    return EmojiVote(message=message, user=user, emoji=emoji, present=False, at=at, added_at=added_at)


@pytest.mark.parametrize(
    ("emoji", "clicks", "vote"),
    [
        ([], [], None),
        ([put("👍")], [], "good"),
        ([put("👎")], [], "bad"),
        ([put("🚀")], [], None),  # means nothing
        ([put("👍"), put("❤")], [], "good"),
        ([put("👍"), put("👎")], [], None),  # good and bad together: no vote
        ([put("👍"), put("👎", message="M2")], [], None),  # on any part of the answer
        ([put("👍"), put("🚀")], [], "good"),
        ([taken("👍", 1.0, 2.0)], [], None),  # a removal retracts
        ([taken("👍", 1.0, 2.0), put("👎", 3.0)], [], "bad"),  # a change changes
        ([], [Click("U1", "bad", 1.0)], "bad"),
        ([put("👍", 1.0)], [Click("U1", "bad", 2.0)], "bad"),  # a click replaces what stands then
        ([taken("👍", 1.0, 3.0)], [Click("U1", "bad", 2.0)], "bad"),  # and holds when that is removed
        ([put("👍", 1.0)], [Click("U1", "bad", 1.0)], "bad"),
        ([put("👍", 3.0)], [Click("U1", "bad", 2.0)], "good"),  # an emoji added later cancels the click
        ([put("👍", 1.0), put("👎", 3.0)], [Click("U1", "good", 2.0)], "bad"),  # only what came after counts
        ([taken("👍", 3.0, 4.0)], [Click("U1", "bad", 2.0)], None),  # cancelled for good, though it was taken off
        ([put("🚀", 3.0)], [Click("U1", "bad", 2.0)], "bad"),  # what means nothing cancels nothing
    ],
)
def test_the_vote_of_one_person(emoji: list[EmojiVote], clicks: list[Click], vote: Rating | None) -> None:
    for order in itertools.permutations(emoji):  # the order of rows means nothing
        assert votes(order, clicks, EVERYONE) == ({} if vote is None else {"U1": vote})


@pytest.mark.parametrize(
    ("by_user", "everyone", "asker"),
    [
        ({}, None, None),
        ({"asker": "good"}, "good", "good"),
        ({"asker": "bad", "a": "good", "b": "good"}, "bad", "bad"),  # the asker before the others
        ({"a": "good"}, "good", None),
        ({"a": "good", "b": "bad"}, None, None),  # a tie is none
        ({"a": "good", "b": "bad", "c": "bad"}, "bad", None),
        ({"a": "good", "b": "bad", "c": "good", "asker": "bad"}, "bad", "bad"),
    ],
)
def test_the_rating_of_an_answer(by_user: dict[str, Rating], everyone: Rating | None, asker: Rating | None) -> None:
    assert rating(by_user.get("asker"), tally(by_user.values()), EVERYONE) == everyone
    assert rating(by_user.get("asker"), tally(by_user.values()), ASKER) == asker


def test_people_do_not_mix() -> None:
    emoji = [put("👍", user="U1"), put("👎", user="U2"), put("👍", user="U3"), put("👎", user="U3")]
    clicks = [Click("U2", "good", 5.0), Click("U4", "bad", 5.0)]
    assert votes(emoji, clicks, EVERYONE) == {"U1": "good", "U2": "good", "U4": "bad"}


def test_what_an_emoji_means() -> None:
    assert [meaning(emoji, EVERYONE) for emoji in ("👍", "❤", "👎", "🚀", ":party:")] == [
        *("good", "good", "bad", None, None)
    ]


def test_news_of_an_emoji_merge_into_the_same_in_any_order() -> None:
    """Put at 1, taken at 2, put at 3: whatever arrives last, the platform's time decides."""
    news = [put("👍", 1.0), taken("👍", 0.0, 2.0), put("👍", 3.0)]
    for order in itertools.permutations(news):
        known: EmojiVote | None = None
        for vote in order:
            known = newer_emoji(known, vote) or known
        assert known == put("👍", 3.0)


def test_older_news_change_only_when_an_emoji_was_put() -> None:
    known = taken("👍", 0.0, 5.0)  # its being put has not arrived yet
    assert newer_emoji(known, put("👍", 4.0)) == taken("👍", 4.0, 5.0)
    assert newer_emoji(taken("👍", 4.0, 5.0), put("👍", 3.0)) is None
    assert newer_emoji(put("👍", 5.0), taken("👍", 0.0, 4.0)) is None


def test_a_second_click_on_the_same_button_changes_nothing() -> None:
    first = Click("U1", "good", 1.0)
    assert not is_repeated(None, first, emoji_since=False)
    assert is_repeated(first, Click("U1", "good", 2.0), emoji_since=False)
    assert not is_repeated(first, Click("U1", "good", 2.0), emoji_since=True)
    assert not is_repeated(first, Click("U1", "bad", 2.0), emoji_since=False)


def test_whole_seconds_keep_their_order_of_arrival() -> None:
    assert moment(7.0, None) == 7.0
    assert moment(7.0, 7.0) > 7.0
    assert moment(7.0, 7.0001) > 7.0001
    assert moment(7.5, 7.9) == 7.5  # a channel that tells fractions is believed
