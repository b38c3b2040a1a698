"""Slack: the exact blocks of what is hard, and what else the adapter asks for."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from adapters.slack.home import view
from adapters.slack.ids import RATE_ACTION
from adapters.slack.parts import SlackPart
from adapters.slack.preview import preview
from adapters.slack.render import escape, render, with_asker
from bot.events import Answer, Home, MessageRef, Notice, NoticeKind, RecentQuestion
from bot.testing.slack.rules import alerts
from bot.texts import say
from tests.render.answers import each_answer, read
from tests.render.judges import contained, hidden_controls, in_order, slack_problems, units


def parts_of(markdown: str) -> list[Any]:
    return [part.to_json() for part in render(Answer(text=markdown, asker_id="U1"))]


def plain_problems(part: SlackPart) -> list[str]:
    """What Slack would refuse, split, link or turn into a ping in a message without blocks."""
    problems = [f"{units(part.text)} units"] if not 0 < units(part.text) <= 4_000 else []
    if re.search(r"[<>]|&(?!amp;|lt;|gt;)", part.text):
        problems.append("not escaped")
    return problems + (["it has blocks"] if part.blocks else [])


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def blocks_of(markdown: str) -> list[Any]:
    (part,) = parts_of(markdown)
    blocks: list[Any] = part["blocks"][:-1]
    return blocks


def rich(markdown: str) -> Any:
    (block,) = blocks_of(markdown)
    assert block["type"] == "rich_text"
    return block["elements"]


def text(content: str, **style: bool) -> dict[str, object]:
    return {"type": "text", "text": content} | ({"style": style} if style else {})


def section(*elements: dict[str, object]) -> dict[str, object]:
    return {"type": "rich_text_section", "elements": list(elements)}


def test_everything_a_message_can_have() -> None:
    blocks = blocks_of(
        "# Head\n\na **b** `c`\n\nd [e](https://example.org)\n\n> q\n\n```py\nx\n```\n\n---\n\n### Small"
    )
    assert blocks == [
        {"type": "header", "text": {"type": "plain_text", "text": "Head", "emoji": False}},
        {
            "type": "rich_text",
            "elements": [
                section(
                    text("a "),
                    text("b", bold=True),
                    text(" "),
                    text("c", code=True),
                    text("\n\n"),
                    text("d "),
                    {"type": "link", "url": "https://example.org", "text": "e"},
                ),
                {"type": "rich_text_quote", "elements": [text("q")]},
                {"type": "rich_text_preformatted", "elements": [text("x")]},
            ],
        },
        {"type": "divider"},
        {"type": "rich_text", "elements": [section(text("Small", bold=True))]},
    ]


def test_the_last_part_of_an_answer_ends_with_the_buttons() -> None:
    parts = parts_of("word " * 5_000)
    assert len(parts) > 1
    last = parts[-1]["blocks"][-1]
    assert last["type"] == "context_actions"
    (buttons,) = last["elements"]
    assert (buttons["type"], buttons["action_id"]) == ("feedback_buttons", RATE_ACTION)
    assert [buttons[f"{which}_button"]["value"] for which in ("positive", "negative")] == ["good", "bad"]
    assert all(block["type"] != "context_actions" for part in parts[:-1] for block in part["blocks"])


def test_lists_keep_their_numbers() -> None:
    elements = rich("3. a\n   - b\n   - c\n4. d\n\n   e\n5. f\n\n1. g")
    assert [
        (element["style"], element["indent"], element.get("offset", 0), len(element["elements"]))
        for element in elements
    ] == [("ordered", 0, 2, 1), ("bullet", 1, 0, 2), ("ordered", 0, 3, 3)]
    assert elements[2]["elements"][0] == section(text("d"), text("\n\n"), text("e"))


def test_a_list_from_zero_shows_its_zero() -> None:
    assert rich("0. a\n1. b")[0] == section(text("0. "), text("a"))


def test_task_boxes_are_signs() -> None:
    (element,) = rich("- [ ] a\n- [x] b")
    assert element["elements"] == [section(text("☐ "), text("a")), section(text("☑ "), text("b"))]


def test_a_hundred_marks_nested_in_one_place() -> None:
    (element,) = rich("**a *b ~~c " * 34 + "[x](https://example.org)" + " c~~ b* a**" * 34)
    everything = {"bold": True, "italic": True, "strike": True}
    assert element["elements"] == [
        text("a ", bold=True),
        text("b ", bold=True, italic=True),
        text(("c a b " * 34)[:-4], **everything),
        {"type": "link", "url": "https://example.org", "text": "x", "style": everything},
        text((" c b a" * 34)[:-4], **everything),
        text(" b", bold=True, italic=True),
        text(" a", bold=True),
    ]


def test_a_word_of_forty_thousand_characters() -> None:
    parts = parts_of("W" * 40_000)
    words = [part["blocks"][0]["elements"][0]["elements"][0]["text"] for part in parts]
    assert "".join(words) == "W" * 40_000
    assert [len(word) for word in words] == [11_784, 11_784, 11_784, 4_648]


def test_a_list_of_thirty_levels() -> None:
    elements = rich("\n".join("  " * level + f"- level {level}" for level in range(30)))
    assert [element["indent"] for element in elements] == list(range(9))  # Slack has no deeper ones
    last = elements[8]["elements"]
    assert last == [section(text(f"level {level}")) for level in range(8, 30)]


def test_a_wall_of_families() -> None:
    family = "👨‍👩‍👧‍👦"
    parts = parts_of(family * 2_000)
    walls = [part["blocks"][0]["elements"][0]["elements"][0]["text"] for part in parts]
    assert "".join(walls) == family * 2_000
    assert all(wall.replace(family, "") == "" and units(wall) <= 12_000 for wall in walls)


def test_arabic_and_chinese_with_code() -> None:
    elements = rich('1. افتح `Security`\n   ```bash\n   passwd "م"\n   ```\n2. **重要：**请设置`x=1`。')
    assert elements == [
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 0,
            "elements": [section(text("افتح "), text("Security", code=True))],
        },
        {"type": "rich_text_preformatted", "elements": [text('passwd "م"')]},
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 0,
            "offset": 1,
            "elements": [section(text("重要：", bold=True), text("请设置"), text("x=1", code=True), text("。"))],
        },
    ]


def test_a_ping_stays_what_it_is_letters() -> None:
    (part,) = parts_of("<!channel> <@U123> @here\n\n`<!here>`\n\n# <!everyone>\n\n| <@U1> |\n|---|\n| <#C1> |")
    assert slack_problems(part) == []
    shown = json.dumps(part["blocks"])
    assert all(token in shown for token in ("<!channel>", "<@U123>", "<!here>", "<!everyone>", "<@U1>", "<#C1>"))
    assert part["text"].startswith("&lt;!channel&gt; &lt;@U123&gt; @here")


def test_the_fallback_says_when_it_is_not_all() -> None:
    (part,) = parts_of("<&> " * 500)
    assert part["text"].endswith(" …")
    assert len(part["text"]) <= 1_000
    assert escape("<&>") == "&lt;&amp;&gt;"


def test_a_table_is_a_table() -> None:
    (table,) = blocks_of("| a | b |\n|:-:|--:|\n| **x** | |\n| [y](https://example.org) | `z` |")
    assert table["type"] == "table"
    assert [setting["align"] for setting in table["column_settings"]] == ["center", "right"]
    rows = table["rows"]
    assert rows[1][1] == {"type": "raw_text", "text": " "}
    assert rows[2][0]["elements"][0]["elements"] == [{"type": "link", "url": "https://example.org", "text": "y"}]


def test_of_several_tables_the_narrow_ones_share_a_message() -> None:
    small = "| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    elements = rich(small * 3)
    assert [element["type"] for element in elements] == ["rich_text_preformatted"] * 3
    assert elements[0]["elements"] == [text("a  b\n─  ─\n1  2")]
    wide = "| a | b |\n|---|---|\n| " + "long " * 30 + "| 2 |\n\n"
    parts = parts_of(wide * 2)
    assert [sum(block["type"] == "table" for block in part["blocks"]) for part in parts] == [1, 1]


def test_tables_too_large_for_slack() -> None:
    parts = parts_of("| n |\n|---|\n" + "".join(f"| {n} |\n" for n in range(250)))
    assert all(slack_problems(part) == [] for part in parts)
    tables = [block for part in parts for block in part["blocks"] if block["type"] == "table"]
    assert sum(len(table["rows"]) - 1 for table in tables) == 250
    (part,) = parts_of("|" + "a|" * 25 + "\n|" + "-|" * 25 + "\n|" + "b|" * 25)
    assert slack_problems(part) == []
    assert all(block["type"] != "table" for block in part["blocks"])


def test_fifty_blocks_are_not_exceeded() -> None:
    parts = parts_of("\n\n".join(f"# Head {n}\n\ntext\n\n---" for n in range(60)))
    assert all(len(part["blocks"]) <= 50 and slack_problems(part) == [] for part in parts)
    heads = [block["text"]["text"] for part in parts for block in part["blocks"] if block["type"] == "header"]
    assert heads == [f"Head {n}" for n in range(60)]


def test_an_address_too_long_for_slack_is_text() -> None:
    address = "https://example.org/" + "a" * 4_000
    (element,) = rich(f"[x]({address})")
    assert element["elements"] == [text(f"x ({address})")]


@each_answer
def test_the_plain_form_says_the_same_in_the_same_order(path: Path) -> None:
    answer = Answer(text=read(path), asker_id="U1")
    parts = render(answer, plain=True)
    assert all(plain_problems(part) == [] for part in parts)
    shown = "\n".join(unescape(part.text) for part in parts)
    wanted = contained(read(path)).words
    if all(len(word) < 3_000 for word in wanted):
        assert in_order(wanted, shown) is None
    assert not any(hidden_controls(part.to_json()) for part in parts)


@pytest.mark.parametrize("content", ["&" * 9_000, "<" * 9_000, "x" * 9_000, "👨‍👩‍👧‍👦" * 1_000, "a&b <c> " * 3_000])
def test_plain_parts_are_counted_as_they_are_sent(content: str) -> None:
    """Escaped, a character may have five; cut in the middle of an escape, it would show."""
    parts = render(Answer(text=f"```\n{content}\n```", asker_id="U1"), plain=True)
    assert all(plain_problems(part) == [] for part in parts)
    together = "".join(unescape(part.text) for part in parts)
    assert "".join(together.split()) == "".join(content.split())


def test_the_plain_form_pings_nobody_and_links_nothing() -> None:
    (part,) = render(
        Answer(text="<!channel> <@U1> [here](https://evil.example/x) `<!here>` *b*", asker_id="U1"), plain=True
    )
    assert part.text == "&lt;!channel&gt; &lt;@U1&gt; here (https://evil.example/x) &lt;!here&gt; b"
    assert part.blocks == ()


def test_the_plain_form_of_a_question_says_who_asked() -> None:
    (part,) = render(Notice(text="why?", kind="question", user_id="U1"), plain=True)
    assert with_asker(part, "<Ada>").text == "&gt; why?\n\n&lt;Ada&gt; asked with /ask"
    assert with_asker(part, "").text == "&gt; why?\n\nAsked with /ask"
    for part in render(Notice(text="w" * 20_000, kind="question", user_id="U1"), plain=True):
        assert plain_problems(with_asker(part, "<" * 80)) == []


@pytest.mark.parametrize("content", ["", " \n ", "\u200b", "\u202e" * 100, "# \n\n>"])
def test_there_is_always_a_plain_message(content: str) -> None:
    (part,) = render(Answer(text=content, asker_id="U1"), plain=True)
    assert part.text == say("no-text", "en")


@pytest.mark.parametrize("plain", [False, True])
def test_a_part_is_the_same_after_it_was_stored(plain: bool) -> None:
    ref = MessageRef(channel="slack", account_id="T1", conversation_id="C1", message_id="7.1")
    asked = RecentQuestion(text="x", ref=ref, asked_at=datetime(2026, 1, 2, tzinfo=UTC), outcome="answered")
    for outbound in (
        Answer(text="# A\n\nb", asker_id="U1"),
        Notice(text="x", kind="progress"),
        Notice(text="x", kind="question", user_id="U1"),
        Home(user_id="U1", recent=(asked,), suggestions=("y",)),
    ):
        for part in render(outbound, plain=plain):
            assert SlackPart.from_json(json.loads(json.dumps(part.to_json()))) == part


def test_what_an_older_version_stored_is_still_sent() -> None:
    """An earlier version kept the arguments of chat.postMessage, and said in a last block's id who had asked."""
    block = {"type": "context", "elements": [{"type": "plain_text", "text": "Asked with /ask"}], "block_id": "asker:U1"}
    old = {"text": "x", "blocks": [block], "rank": 1, "user": "U1"}
    assert SlackPart.from_json(old) == SlackPart(text="x", rank=1, user_id="U1", asked_by_command=True)
    page = {
        "home": {"type": "home", "blocks": [block]},
        "user": "U1",
        "prompts": [],
        "links": {"recent:0": ["C1", "7.1"]},
    }
    home = SlackPart.from_json(page).home
    assert home is not None
    assert view(home, "https://acme.slack.com/") == {"type": "home", "blocks": [block]}


@pytest.mark.parametrize("odd", [None, 7, "x", [], [None], {"a": 1}, [{"block": 1}], [[]]])
def test_a_part_that_is_none_has_the_defaults(odd: Any) -> None:
    names = ("text", "blocks", "rank", "user", "asked_by_command", "home")
    for name in names:
        SlackPart.from_json({name: odd}).to_json()
    for name in ("blocks", "recent", "prompts"):
        part = SlackPart.from_json({"home": {name: odd}})
        assert part.home is not None
        view(part.home, "https://acme.slack.com/")
    assert SlackPart.from_json({"new in a later version": odd}) == SlackPart()


@pytest.mark.parametrize("content", ["", " \n ", "\u200b", "```\n```", "\ud800", "\u202e" * 100, "# \n\n>\n\n-"])
def test_there_is_always_a_message(content: str) -> None:
    parts = parts_of(content)
    assert parts
    assert all(slack_problems(part) == [] for part in parts)


def test_a_question_is_quoted_and_nobody_is_pinged() -> None:
    (part,) = render(Notice(text="what is **x**, <@U9>?", kind="question", user_id="U1"))
    quote = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_quote", "elements": [text("what is **x**, <@U9>?")]}],
    }
    assert (part.blocks, part.user_id, part.asked_by_command) == ((quote,), "U1", True)
    for name, line in (("<!here> Ada", "<!here> Ada asked with /ask"), ("", "Asked with /ask")):
        named = with_asker(part, name)
        words = {"type": "plain_text", "text": line, "emoji": False}
        assert named.blocks == (quote, {"type": "context", "elements": [words]})
        assert alerts(named.to_json()) == []


def test_only_the_last_part_of_a_long_question_says_who_asked() -> None:
    for plain in (False, True):
        parts = render(Notice(text="word " * 5_000, kind="question", user_id="U1"), plain=plain)
        assert [part.asked_by_command for part in parts] == [False] * (len(parts) - 1) + [True]
        assert {part.user_id for part in parts} == {"U1"}


def test_of_posts_that_wait_progress_goes_last() -> None:
    ranks = {kind: render(Notice(text="x", kind=kind))[0].rank for kind in get_args(NoticeKind)}
    answer = render(Answer(text="x", asker_id="U1"))[0].rank
    assert answer == ranks.pop("failure") == ranks.pop("question"), "what ends a question, or begins its thread"
    assert ranks.pop("progress") > max(ranks.values()) == min(ranks.values()) > answer


def test_notices_are_markdown_without_buttons() -> None:
    (part,) = render(Notice(text="**Sorry**, `K7QX` failed.", kind="failure"))
    assert part.text == "Sorry, K7QX failed."
    assert [block["type"] for block in part.blocks] == ["rich_text"]


def test_home_shows_how_to_ask_and_what_was_asked() -> None:
    asked = [
        RecentQuestion(
            text=f"<!channel> {n} " + "x" * 5_000,
            ref=MessageRef(channel="slack", account_id="T1", conversation_id="C1", message_id="7.1") if n else None,
            asked_at=datetime(2026, 11, 22, 9, 5, tzinfo=UTC),
            outcome="answered",
        )
        for n in range(60)
    ]
    (part,) = render(Home(user_id="U1", recent=tuple(asked), suggestions=("What is new?",)))
    page = part.home
    assert page is not None
    assert (part.user_id, page.prompts) == ("U1", ("What is new?",))
    shown = view(page, "https://acme.slack.com/")
    assert shown["type"] == "home"
    assert len(shown["blocks"]) <= 100
    assert "What is new?" in json.dumps(shown)
    first, second = shown["blocks"][len(page.blocks) :][:2]
    words, outcome = first["elements"][0]["elements"]
    assert words["text"].startswith("<!channel> 0 x")
    assert words["text"].endswith(" …")
    assert outcome["text"] == "\nanswered · Nov 22, 2026, 9:05\u202fAM UTC", "as the language writes it"
    assert len(first["elements"]) == 1, "without an answer there is no link"
    link = {"type": "link", "url": "https://acme.slack.com/archives/C1/p71", "text": "Open"}
    assert second["elements"][1] == {"type": "rich_text_section", "elements": [link]}
    assert "Open" not in json.dumps(view(page, "")), "nor without the workspace's address"
    assert "block_id" not in json.dumps(shown)
    assert "None yet." in json.dumps(render(Home(user_id="U1", recent=()))[0].to_json())


def test_the_preview_is_what_would_be_sent() -> None:
    html = preview("# A <b>\n\n2. x\n   - [y](https://example.org)\n\n> q\n\n| a |\n|--:|\n| `b` |")
    assert html == (
        '<article class="message" dir="auto"><h3>A &lt;b&gt;</h3>'
        '<ol start="2"><li class="text">x</li></ol>'
        '<div class="indent"><ul><li class="text"><a href="https://example.org" target="_blank" '
        'rel="noopener noreferrer nofollow">y</a></li></ul></div>'
        '<blockquote class="text">q</blockquote>'
        '<table><tr><th class="right"><strong>a</strong></th></tr>'
        '<tr><td class="right"><code>b</code></td></tr></table>'
        '<footer><span class="button">👍</span> <span class="button">👎</span></footer></article>'
    )
