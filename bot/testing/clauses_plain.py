"""The plain form, for when the platform refused the other: the same words in the same order, as text alone."""

from __future__ import annotations

import json
import re
from typing import Final

from bot.adapter import NOTE_UNITS
from bot.events import Answer, Notice
from bot.testing.live import Live, readable, running
from bot.testing.samples import NASTY, WORDS, every_outbound
from bot.testing.wire import Posted, Wire

PLAIN_LIMIT: Final = 4000
"""Characters, or UTF-16 units, that a message of the plain form may have at most, whatever the platform takes."""

STYLED: Final = (
    "# word00000\n\nword00001 **word00002** [word00003](https://example.com) `word00004`\n\n- word00005\n"
    "- *word00006*\n\n> word00007\n\n```\nword00008\n```\n"
    "\n| word00009 | word00010 |\n|---|---|\n| word00011 | ~~word00012~~ |\n"
)


class PlainClauses:
    """The clauses; `AdapterConformance` has them."""

    async def test_plain_parts_are_json_and_rendering_is_pure(self, wire: Wire) -> None:
        adapter = wire.build()
        for outbound in every_outbound(wire):
            parts = list(adapter.render(outbound, plain=True))
            assert parts, f"{type(outbound).__name__} has no plain part"
            assert json.loads(json.dumps(parts)) == parts, "a plain part is not the same after it was stored"
            assert list(adapter.render(outbound, plain=True)) == parts, "plain rendering is not pure"

    async def test_the_plain_form_is_text_alone(self, wire: Wire) -> None:
        """A channel without any form has one form for both."""
        async with running(wire) as live:
            answer = Answer(text=STYLED, asker_id=wire.asker_id)
            styled = live.shown(await live.send(answer))
            plain = live.shown(await live.send_plain(answer))
            assert [form for message in plain for form in message.form] == []
            has_form = any(message.form for message in styled)
            assert has_form or list(live.adapter.render(answer)) == list(live.adapter.render(answer, plain=True)), (
                "the two forms differ, but the wire names no form (`Posted.form`) in the styled one"
            )
            assert _numbered(plain) == re.findall(r"word\d{5}", STYLED)

    async def test_a_long_plain_answer_arrives_whole_and_in_order(self, wire: Wire) -> None:
        words = [f"word{n:05}" for n in range(wire.limit // 3)]
        paragraphs = "\n\n".join(" ".join(words[n : n + 60]) for n in range(0, len(words), 60))
        async with running(wire) as live:
            shown = await _whole(live, paragraphs)
            assert len(shown) > 1
            assert " ".join(readable(message.text) for message in shown).split() == words
            shown = await _whole(live, "```\n" + "\n".join(words) + "\n```")
            assert _numbered(shown) == words
            shown = await _whole(live, "x" * (wire.limit * 2))
            assert sum(readable(message.text).count("x") for message in shown) == wire.limit * 2

    async def test_the_plain_form_of_the_rest_begins_where_the_other_ended(self, wire: Wire) -> None:
        """For when a later part of an answer is refused: what was sent before it is not sent again."""
        words = [f"word{n:05}" for n in range(wire.limit // 3)]
        lines = [" ".join(words[n : n + 9]) for n in range(0, len(words), 9)]
        text = "\n\n".join((f"**{line}**", f"- {line}", f"`{line}`", line)[n % 4] for n, line in enumerate(lines))
        answer = Answer(text=text, asker_id=wire.asker_id)
        async with running(wire) as live:
            styled = live.shown(await live.send(answer))
            assert len(styled) > 1
            for after in range(len(styled)):
                plain = live.shown(await live.send_plain(answer, after=after))
                assert _numbered(plain) == _numbered(styled[after:])

    async def test_every_part_of_an_answer_has_room_for_a_note(self, wire: Wire) -> None:
        note = ("note_12345 " * NOTE_UNITS)[:NOTE_UNITS].strip()
        answer = Answer(text="\n\n".join(["word " * 9] * (wire.limit // 20)), asker_id=wire.asker_id)
        async with running(wire) as live:
            for plain in (False, True):
                parts = live.adapter.render(answer, plain=plain)
                assert len(parts) > 1
                for part in parts:
                    (message,) = live.shown([await live.send_part(part, note=note)])
                    assert message.length <= (min(wire.limit, PLAIN_LIMIT) if plain else wire.limit)
                    assert readable(message.text).endswith(readable(note))

    async def test_nothing_in_the_plain_form_is_live(self, wire: Wire) -> None:
        """Its escapes are the platform's, so people read what was written."""
        async with running(wire) as live:
            for outbound in (
                Answer(text=NASTY, asker_id=wire.asker_id),
                Answer(text=f"```\n{NASTY}\n```", asker_id=wire.asker_id),
                Notice(text=NASTY, kind="question", user_id=wire.asker_id),
            ):
                shown = live.shown(await live.send_plain(outbound))
                assert [alert for message in shown for alert in message.alerts] == []
                text = " ".join(readable(message.text) for message in shown)
                assert [word for word in WORDS if word not in text] == []


async def _whole(live: Live, text: str) -> list[Posted]:
    """Send the plain form of an answer; its messages, in order, none too long, buttons on none but the last."""
    refs = await live.send_plain(Answer(text=text, asker_id=live.wire.asker_id))
    shown = live.shown(refs)
    assert [message.ref for message in shown] == refs, "not in order"
    assert max(message.length for message in shown) <= min(live.wire.limit, PLAIN_LIMIT)
    assert not any(message.buttons for message in shown[:-1])
    return shown


def _numbered(shown: list[Posted]) -> list[str]:
    return re.findall(r"word\d{5}", " ".join(readable(message.text) for message in shown))
