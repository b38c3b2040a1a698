"""For authors of a channel: the conformance suite, strict loopback platforms, and the reader of payload files.

Needs the extra `testing`. `tests/` of this project and packages that bring a channel of
their own use it alike. In such a package, `adapters/NAME` of this project is the example for its own folder:

    paper/          config.py (CHANNEL)  normalize.py  render.py  parts.py (PaperPart)  preview.py  adapter.py
    tests/          conftest.py  test_paper.py  payloads/*.json
    pyproject.toml  [project.entry-points."uppzy_bot.channels"]  paper = "paper.config:CHANNEL"
                    [tool.pytest.ini_options]  asyncio_mode = "auto", asyncio_default_fixture_loop_scope = "function"

`tests/conftest.py` makes the suite's asserts tell what they compared, before anything imports it:

    import pytest
    pytest.register_assert_rewrite("bot.testing")

`tests/test_paper.py` has a loopback platform of its own (or one of ours: `bot.testing.slack`, `bot.testing.telegram`),
a `Wire` to it (`wire.py` says what that is) and one class for each way of receiving:

    class TestPaper(AdapterConformance):          # from bot.testing.conformance
        spec = CHANNEL
        payloads = Path(__file__).parent / "payloads"

        @pytest.fixture
        async def wire(self) -> AsyncIterator[Wire]:
            async with PaperWire() as wire:
                yield wire

What the channel cannot do it says in `ChannelSpec.lacks`, and the clauses of that are left out; none is skipped.
"""
