"""What people do in a run: ask, edit, delete, stop, begin anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.events import Command, Conversation, Deletion, Edit, Event, Gone, Message, MessageRef, Moved, Stop
from tests.simulation.channel import Channel
from tests.simulation.deeds import Anew, Ask, Delivery, Place
from tests.simulation.lasting import EVE, FIRST_OF_EVE, HERS

if TYPE_CHECKING:
    from tests.simulation.world import World

QUESTIONS = 6
"""Most questions of all but Eve, unless an option says otherwise."""


class People:
    """Everybody, with a plan drawn from the seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.luck = world.luck
        self.asks: list[Ask] = []
        self.anews: list[Anew] = []
        self.deliveries: list[Delivery] = []
        self.minds_change = world.luck.option("minds change", True, lambda _: True)
        from tests.simulation.pastes import Pasters  # it needs what stands above

        self.pasters = Pasters(world)
        self._events = 0

    def places(self) -> list[tuple[Channel, Place]]:
        """Draw where people talk in this run."""
        found: list[tuple[Channel, Place]] = []
        for channel in self.world.channels.values():
            one, name = channel.can_be_asked, channel.name
            direct = _direct(channel, "D1")
            found.append((channel, Place(direct, ("ann",), "user:{user}")))
            group = Conversation(
                channel=name,
                account_id="acc",
                conversation_id="C1",
                thread_id="t1" if one else None,
                kind="channel" if one else "group",
                is_direct=False,
            )
            found.append((channel, Place(group, ("ann", "bob", "cem"), "t1" if one else self.world.group_scope)))
        dice = self.luck.dice("places")
        found.sort(key=lambda _: dice.unit())
        return found[: self.luck.option("places", len(found), lambda dice: dice.choice((1, 1, 2, 3)))]

    def plan(self, seconds: float) -> None:
        """Draw who asks what when, within the first `seconds`."""
        places, luck = self.places(), self.luck
        rush = luck.option("all ask at once", False, lambda dice: dice.unit() < 0.3)
        for number in range(1, luck.option("questions at most", QUESTIONS, lambda d: d.choice((1, 2, 3, 4, 6))) + 1):
            dice = luck.dice(f"who asks q{number}")
            channel, place = dice.choice(places)
            user = dice.choice(place.users)
            at = dice.uniform(0.0, 1.5 if rush else seconds)
            if luck.draw(f"q{number} is asked", False, lambda _: True):
                self.world.later(at, partial(self.ask, number, channel, place, user))
        self._plan_eve(seconds)
        dice = luck.dice("who begins anew")
        channel, place = dice.choice(places)
        user = dice.choice(place.users)
        if luck.happens("somebody begins anew", 0.35):
            self.world.later(dice.uniform(0.0, seconds), lambda: self.begin_anew(channel, place, user))
        self.pasters.plan(seconds)
        groups = [one for one in places if one[1].conversation.kind == "group"]
        if groups and luck.happens("the group moves", 0.12):
            self.world.later(dice.uniform(0.0, seconds), lambda: self._move(*groups[0]))
        elif groups and luck.happens("the bot is thrown out", 0.1):
            self.world.later(dice.uniform(0.0, seconds), lambda: self._leave(*groups[0]))

    def _plan_eve(self, seconds: float) -> None:
        """Eve asks a few questions, or floods."""
        if not self.world.eve:
            return
        channel = next(iter(self.world.channels.values()))
        place = Place(_direct(channel, HERS), (EVE,), "user:{user}")
        dice, flood = self.luck.dice("Eve"), self.world.lasting.kind == "flood"
        count = dice.whole(60, 120) if flood else dice.whole(2, 4)
        begin = dice.uniform(0.0, seconds / 2)
        for number in range(FIRST_OF_EVE, FIRST_OF_EVE + count):
            at = dice.uniform(begin, begin + 20.0) if flood else dice.uniform(0.0, seconds)
            if self.luck.draw(f"q{number} is asked", False, lambda _: True):
                self.world.later(at, partial(self.ask, number, channel, place, EVE))

    def _move(self, channel: Channel, place: Place) -> None:
        """The conversation gets another id, for good."""
        old, new = place.conversation.conversation_id, f"{place.conversation.conversation_id}-moved"
        channel.moved[old] = new
        self.send(
            channel,
            Moved(
                event_id=self.event_id(),
                channel=channel.name,
                account_id="acc",
                old_id=old,
                new_id=new,
                sent_at=self.world.platform_time(channel),
            ),
            "move of the group",
        )
        self.world.note("conversation moved", old, new)

    def _leave(self, channel: Channel, place: Place) -> None:
        """The bot is thrown out, and comes back after a while."""
        name = place.conversation.conversation_id
        channel.closed.add(name)
        channel.ever_closed.add(name)
        self.send(
            channel,
            Gone(
                event_id=self.event_id(),
                channel=channel.name,
                account_id="acc",
                conversation_id=name,
                sent_at=self.world.platform_time(channel),
            ),
            "end of the membership",
        )
        self.world.note("bot thrown out", name)
        self.world.later(self.luck.dice("back after").uniform(1.0, 20.0), lambda: channel.closed.discard(name))

    # -- questions ------------------------------------------------------------------------------------------------

    def ask(self, number: int, channel: Channel, place: Place, user: str) -> None:
        """Ask, and plan what follows from it."""
        luck, text = self.luck, f"q{number}v0"
        root = (
            channel.can_be_asked and not place.conversation.is_direct and luck.happens(f"q{number} asked by /ask", 0.15)
        )
        command = root or (not channel.can_be_asked and luck.happens(f"q{number} asked by /ask", 0.2))
        ref = None if root else channel.new_ref(channel.now(place.conversation).conversation_id)
        event: Event
        if command:
            event = Command(
                event_id=self.event_id(),
                ref=ref,
                conversation=channel.now(place.conversation),
                user_id=user,
                standing="member",
                name="ask",
                args=text,
                sent_at=self.world.platform_time(channel),
            )
        else:
            assert ref is not None
            event = self._message(channel, place, user, ref, text)
        ask = Ask(number, channel, place, user, self.world.now, event.sent_at.timestamp(), ref, root, [text], [])
        ask.edits.append(self.send(channel, event, text))
        self.asks.append(ask)
        self.world.note(
            "asks", user, text, place.conversation.conversation_id, channel.name, "by /ask" if command else ""
        )
        if ref is not None and not command and user != EVE and self.minds_change:
            self._second_thoughts(ask)
        if channel.can_be_asked and place.conversation.is_direct and luck.happens(f"stop after q{number}", 0.05):
            self.world.later(luck.dice(f"stop of q{number}").uniform(0.0, 15.0), lambda: self._stop(ask))

    def _second_thoughts(self, ask: Ask) -> None:
        luck, when = self.luck, 0.0
        dice = luck.dice(f"second thoughts on q{ask.number}")
        for number, chance in ((1, 0.5), (2, 0.33)):
            when += dice.choice((dice.uniform(0.3, 2.0), dice.uniform(1.0, 15.0)))
            if not luck.happens(f"edit {number} of q{ask.number}", chance):
                break
            self.world.later(when, lambda: self._edit(ask))
        if luck.happens(f"q{ask.number} is deleted", 0.12):
            when += dice.choice((dice.uniform(0.3, 2.0), dice.uniform(1.0, 15.0)))
            self.world.later(when, lambda: self._delete(ask))

    def _edit(self, ask: Ask) -> None:
        assert ask.ref is not None
        if ask.ends:
            return
        ask.texts.append(f"q{ask.number}v{len(ask.texts)}")
        event = Edit(
            event_id=self.event_id(),
            ref=ask.ref,
            conversation=ask.channel.now(ask.place.conversation),
            user_id=ask.user,
            standing="member",
            text=ask.texts[-1],
            mentions_bot=not ask.place.conversation.is_direct,
            sent_at=self.world.platform_time(ask.channel),
        )
        ask.edits.append(self.send(ask.channel, event, f"edit {ask.texts[-1]}"))
        self.world.note("edits", ask.user, ask.texts[-1])

    def _delete(self, ask: Ask) -> None:
        assert ask.ref is not None
        event = Deletion(event_id=self.event_id(), ref=ask.ref, sent_at=self.world.platform_time(ask.channel))
        ask.ends.append(self.send(ask.channel, event, f"deletion of q{ask.number}"))
        self.world.note("deletes", ask.user, ask.texts[-1])

    def _stop(self, ask: Ask) -> None:
        event = Stop(
            event_id=self.event_id(),
            conversation=ask.channel.now(ask.place.conversation),
            user_id=ask.user,
            sent_at=self.world.platform_time(ask.channel),
        )
        delivery = self.send(ask.channel, event, "stop")
        for one in self.asks:
            if (one.channel, one.place, one.user) == (ask.channel, ask.place, ask.user):
                one.ends.append(delivery)
        self.world.note("presses stop", ask.user)

    def begin_anew(self, channel: Channel, place: Place, user: str) -> None:
        """Type the command for a new conversation."""
        ref = channel.new_ref(channel.now(place.conversation).conversation_id)
        event: Event
        if channel.can_be_asked:
            event = self._message(channel, place, user, ref, "!new")
        else:
            event = Command(
                event_id=self.event_id(),
                ref=ref,
                conversation=channel.now(place.conversation),
                user_id=user,
                standing="member",
                name="new",
                args="",
                sent_at=self.world.platform_time(channel),
            )
        scope = f"{channel.name} {place.conversation.conversation_id} {place.scope}".format(user=user)
        self.anews.append(Anew(scope, self.send(channel, event, "command for a new conversation")))
        self.world.note("begins anew", user, scope)

    def _message(self, channel: Channel, place: Place, user: str, ref: MessageRef, text: str) -> Message:
        return Message(
            event_id=self.event_id(),
            ref=ref,
            conversation=channel.now(place.conversation),
            user_id=user,
            standing="member",
            text=text,
            mentions_bot=not place.conversation.is_direct,
            sent_at=self.world.platform_time(channel),
        )

    # -- the way to the bot ---------------------------------------------------------------------------------------

    def event_id(self) -> str:
        """Name the next event."""
        self._events += 1
        return f"e{self._events}"

    def send(self, channel: Channel, event: Event, label: str) -> Delivery:
        """Hand an event to the platform."""
        delivery = Delivery(event, channel, self.world.now, label)
        self.deliveries.append(delivery)
        self.world.post_office.take(delivery)
        return delivery


def _direct(channel: Channel, name: str) -> Conversation:
    kind = "dm" if channel.can_be_asked else "private"
    return Conversation(channel=channel.name, account_id="acc", conversation_id=name, kind=kind, is_direct=True)
