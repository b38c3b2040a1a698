"""What people make of the bot's answers: they react early, often, with emoji and buttons, and change their minds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.events import Reaction
from tests.simulation.channel import Channel, Post
from tests.simulation.deeds import Vote

if TYPE_CHECKING:
    from tests.simulation.world import World

EMOJI = ("👍", "❤", "👎", "💩", "🦊")
"""Two good ones, two bad ones, one that means nothing."""


class Voters:
    """Everybody who looks at answers. `moods` is the chance that an answer moves anybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.votes: list[Vote] = []
        self.moods = world.luck.option("people react", 0.0, lambda dice: dice.choice((0.0, 0.4, 0.8)))
        self._holding: dict[tuple[str, str], set[str]] = {}

    def see(self, channel: Channel, post: Post) -> None:
        """Somebody sees a message of the bot, and may react to it."""
        luck = self.world.luck
        if post.kind != "answer":
            return
        ask = next((one for one in self.world.people.asks if post.text.startswith(f"q{one.number}v")), None)
        if ask is None or not luck.happens(f"reactions to {post.text}", self.moods):
            return
        index, _, of = post.text.partition("~")[2].partition(" ")[0].partition("/")
        other = luck.dice(f"who reacts to {post.text}").choice(ask.place.users)
        for user in {ask.user: 0, other: 0}:
            dice = luck.dice(f"how {user} reacts to {post.text}")
            when = dice.choice((dice.uniform(0.0, 0.2), dice.uniform(0.5, 12.0)))
            for number in range(1, dice.choice((1, 1, 2, 3, 5)) + 1):
                button = index == of and dice.unit() < 0.3
                if luck.draw(f"reaction {number} of {user} to {post.text}", False, lambda _: True):
                    self.world.later(when, partial(self._react, channel, post, user, button))
                when += dice.choice((dice.uniform(0.1, 1.0), dice.uniform(1.0, 20.0)))

    def _react(self, channel: Channel, post: Post, user: str, button: bool) -> None:
        if post.deleted is not None:
            return
        held = self._holding.setdefault((post.ref.message_id, user), set())
        emoji = self.world.luck.dice(f"emoji of {user} on {post.text}").choice(EMOJI[:4:2] if button else EMOJI)
        added = button or emoji not in held
        if not button:
            (held.add if added else held.discard)(emoji)
        event = Reaction(
            event_id=self.world.people.event_id(),
            target=post.ref,
            user_id=user,
            standing="member",
            emoji=emoji,
            added=added,
            button=button,
            can_ask_why=True,
            sent_at=self.world.platform_time(channel),
        )
        delivery = self.world.people.send(channel, event, f"{user}'s {emoji}")
        self.votes.append(Vote(user, post, emoji, added, button, self.world.now, delivery))
        self.world.note("reacts", user, "clicks" if button else "adds" if added else "removes", emoji, post.text)
