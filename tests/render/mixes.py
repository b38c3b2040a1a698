"""Random Markdown for hypothesis: every construct, half of them broken, with words that can be told apart."""

from __future__ import annotations

from hypothesis import strategies as st

_SNIPPETS = (
    *(
        "**",
        "*",
        "_",
        "__",
        "~~",
        "`",
        "``",
        "```",
        "~~~",
        "[",
        "]",
        "(",
        ")",
        "](",
        "![",
        "<",
        ">",
        "|",
        "\\",
        "\n",
        "\n\n",
    ),
    *("\n> ", "\n>> ", "\n- ", "\n  - ", "\n    - ", "\n1. ", "\n7) ", "\n   ", "\n# ", "\n### ", "\n---\n", "\n===\n"),
    *(
        "\n```py\n",
        "\n```\n",
        "\n    ",
        "\n| a | b |\n|---|--:|\n| ",
        " | ",
        " |\n| ",
        "- [ ] ",
        "- [x] ",
        "  \n",
        "\\\n",
    ),
    *("[x](https://example.org/y)", "[x](javascript:alert(1))", "[x](mailto:a@example.org)", "[x](tg://user?id=1)"),
    *(
        "https://example.org/a_b?c=d&e",
        "http://localhost/x",
        "![p](https://example.org/p.png)",
        "<https://example.org>",
    ),
    *("<!channel>", "<@U1>", "@name", "/command", "a@example.org", "tg://resolve?domain=x", "&lt;", "&amp;", "&#58;"),
    *("\u202e", "\u2066", "\u200f", "\u2028", "\r\n", "\t", "\x00", "\x1b", "\u00a0", "\u200b", "\u2060", "\ufeff"),
    *("👨‍👩‍👧‍👦", "🇫🇷", "👍🏽", "é", "e\u0301", "漢字", "مرحبا", "。", "：", "\U000e0067"),
)

_snippet = st.sampled_from(_SNIPPETS)
_number = st.integers(0, 99_999).map(lambda number: f" w{number} ")
_glued = st.integers(0, 99).map(lambda number: f"w{number}")
_any = st.text(max_size=12)
_long = st.tuples(
    st.sampled_from(("a", "ab ", "👨‍👩‍👧‍👦", "漢", "x\n", "@b ", "/c ", "**b** ", "`c` ")), st.integers(100, 1_600)
).map(lambda pair: pair[0] * pair[1])
_piece = st.one_of(_number, _snippet, _snippet, _glued, _any)

mixes = st.one_of(
    st.lists(_piece, max_size=60).map("".join),
    st.lists(_piece, max_size=60).map("".join),
    st.tuples(st.lists(_piece, max_size=12), _long, st.lists(_piece, max_size=12)).map(
        lambda parts: "".join(parts[0]) + parts[1] + "".join(parts[2])
    ),
)
"""Any text that a language model, or somebody who means harm, might send."""
