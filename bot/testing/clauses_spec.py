"""What a channel says about itself in its `ChannelSpec`: every door leads where it says, and it can what it says."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from bot.adapter import Capability, ChannelSpec, ManifestOptions
from bot.events import Answer, Edit, Event, Reaction
from bot.testing import payload_files
from bot.testing.html_view import HtmlView
from bot.testing.live import readable, running
from bot.testing.samples import NASTY, every_outbound
from bot.testing.wire import Wire

HOSTILE: Final = (
    NASTY,
    '<img src=x onerror="alert(1)"> [x](https://example.com/"onmouseover="alert(1)) </article><script>x</script>',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "| <svg onload=alert(1)> |\n|---|\n| [a](data:text/html,x) |",
    "",
    "word " * 5_000,
)

SHOWN_BY: Final[dict[Capability, Callable[[Event], bool]]] = {
    "reactions": lambda event: isinstance(event, Reaction) and not event.button,
    "buttons": lambda event: isinstance(event, Reaction) and event.button,
    "edits": lambda event: isinstance(event, Edit),
    "threads": lambda event: getattr(getattr(event, "conversation", None), "thread_id", None) is not None,
}
"""Capabilities whose events are among the recorded payloads, if the channel has them."""


class SpecClauses:
    """The clauses; `AdapterConformance` has them."""

    spec: ChannelSpec
    payloads: Path

    async def test_registered_under_the_name_it_carries(self, wire: Wire) -> None:
        spec = self.spec
        adapter = wire.build()
        assert adapter.channel == spec.name == wire.conversation.channel
        assert _imported(spec.adapter) is type(adapter)
        assert wire.conversation.kind in spec.scopes
        assert all(scopes for scopes in spec.scopes.values())
        for rule in spec.access:
            assert rule.default in rule.values

    def test_its_settings_are_optional_and_turn_it_on(self) -> None:
        """Without any it is off, and `token` is the variable that people are told to set."""
        spec = self.spec
        assert issubclass(spec.settings, BaseModel)
        assert getattr(spec.settings(), "enabled", None) is False, "on without a setting"
        variables = {field.alias for field in spec.settings.model_fields.values()}
        assert not spec.token or spec.token in variables, f"{spec.token} is no variable of its settings"

    def test_its_adapter_is_made_from_its_settings(self) -> None:
        """Called `Class(settings, guests_differ=…)`; what else it takes is for its tests."""
        first, *others = inspect.signature(_imported(self.spec.adapter)).parameters.values()
        assert first.name == "settings"
        by_name = {parameter.name: parameter for parameter in others}
        assert "guests_differ" in by_name
        assert by_name["guests_differ"].default is False
        for parameter in others:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, f"{parameter.name} is not keyword-only"
            assert parameter.default is not inspect.Parameter.empty, f"{parameter.name} has no default"

    async def test_parts_are_typed_inside_and_json_outside(self, wire: Wire) -> None:
        """A part that an older version stored is read, what a newer one added is left alone."""
        part_class = _part_class(self.spec)
        adapter = wire.build()
        for plain in (False, True):
            for outbound in every_outbound(wire):
                for part in adapter.render(outbound, plain=plain):
                    assert json.loads(json.dumps(part)) == part
                    read = part_class.from_json(part)
                    assert read.to_json() == part, "a part is not the same after it was read"
                    assert part_class.from_json({**part, "of_a_later_version": [1, {"x": None}]}) == read
        async with running(wire) as live:
            (part,) = live.adapter.render(Answer(text="Kept.", asker_id=wire.asker_id))
            (shown,) = live.shown([await live.send_part({**part, "of_a_later_version": True})])
            assert readable(shown.text) == "Kept."

    def test_its_preview_is_harmless(self) -> None:
        """An `article` a message, whatever the answer says."""
        if not self.spec.preview:
            return
        preview = _imported(self.spec.preview)
        for markdown in HOSTILE:
            html = preview(markdown)
            page = HtmlView(html)
            assert page.tags[:1] == ["article"], html[:200]
            assert page.alerts == []
        assert "Hello" in HtmlView(preview("Hello, **you**")).text

    def test_its_manifest_is_one(self) -> None:
        if not self.spec.manifest:
            return
        manifest = _imported(self.spec.manifest)
        assert isinstance(manifest.options, frozenset)
        assert manifest.options <= {field.name for field in fields(ManifestOptions)}
        url = "https://bot.example.org" if "url" in manifest.options else None
        text = manifest.text(ManifestOptions(url=url))
        assert isinstance(text, str)
        assert text.strip()
        for name, parameters in (("apply", ["settings", "options"]), ("differences", ["settings", "wants"])):
            method = getattr(manifest, name)
            assert inspect.iscoroutinefunction(method), f"{name} is not async"
            assert list(inspect.signature(method).parameters) == parameters

    def test_recorded_payloads_show_what_the_channel_can(self) -> None:
        """What it has is among them, what it lacks is not."""
        events = [event for case in payload_files.load(self.payloads) for event in case.events]
        for capability, shows in SHOWN_BY.items():
            shown = [event for event in events if shows(event)]
            if capability in self.spec.lacks:
                assert not shown, f"it lacks {capability}, and yet: {shown[0]}"
            else:
                assert shown, f"no payload has {capability}; has the channel?"

    async def test_it_has_threads_or_says_that_it_lacks_them(self, wire: Wire) -> None:
        if "threads" in self.spec.lacks:
            assert wire.thread is None
            assert wire.conversation.thread_id is None
            return
        thread = wire.thread
        assert thread is not None
        assert thread.thread_id is not None
        assert thread.kind in self.spec.scopes

    async def test_it_tells_what_was_said_or_says_that_it_does_not(self, wire: Wire) -> None:
        async with running(wire):
            assert (await wire.thread_with_history() is None) == ("history" in self.spec.lacks)


def _imported(door: str) -> Any:
    """Import "module:name"."""
    module, _, name = door.partition(":")
    return getattr(importlib.import_module(module), name)


def _part_class(spec: ChannelSpec) -> Any:
    """Find the channel's parts: `parts.py` beside the adapter, the class called after the channel."""
    folder = spec.adapter.partition(":")[0].rpartition(".")[0]
    words = spec.name.replace("-", "_").split("_")
    return _imported(f"{folder}.parts:{''.join(word.capitalize() for word in words)}Part".removeprefix("."))
