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

_ADDRESSES = (
    "https://git.example.com/a/__init__.py",
    "https://cron.example/*/5",
    "https://de.example.org/wiki/A_(b)",
    "http://db_1.example.com:8080/x?y=_z_#q*r*",
    "www.example.com/a_b_c",
    "first_last@mail.example.com",
    "https://b\u00fccher.example/gr\u00f6\u00dfe",
    "[the _guide_](https://a.example.com/g_h)",
    "[**two** `looks`](https://a.example.com/l)",
    "[call](tel:+49-30-12345)",
    "![p_q](https://a.example.com/p_q.png)",
)
_TABLES = (
    "\n\n| a | b |\n|---|---|\n| `x | y` | z |\n| one | two | three |\n| four |\n\n",
    "\n\n| k | v |\n|:-:|--:|\n| 2*3*4 | a\\|b |\n| m<br>n | https://a.example.com/t_u |\n\n",
    "\n\n> | q |\n> |---|\n> | ``a ` | b`` |\n\n",
    "\n\n- x\n\n  | f |\n  |---|\n  | `-a|-b` |\n\n",
    "\n\n| a long header of a column | a header as long as it | x |\n|---|---|---|\n| `p|q` | \u91cd\u8981 | s |\n\n",
)
_CJK = (
    "**\u6ce8\u610f\uff1a**\u8bf7\u770b",
    "\u3053\u308c\u306f**\u300c\u91cd\u8981\u300d**\u3067\u3059",
    "**\uc911\uc694:**\uc608",
    "**\u0e2a\u0e33\u0e04\u0e31\u0e0d:**\u0e01\u0e23\u0e38\u0e13\u0e32",
    "\u8bbf\u95eehttps://a.example.com/z_h\u67e5\u770b\u3002",
)
_ARITHMETIC = (
    "2*pi*5",
    "2**10 + 3**5",
    "a_b_c",
    "G1*G2*G3",
    "$a_i * b_i$",
    "\\(x_1 * y_2\\)",
    "a ** b ** c",
    "src/**/*.py",
)
_NAMES = ("deploy.sh", "README.md", "ASP.NET", "example.com/x", "10.0.0.1:80", "@a.b@example.social", "_x.example.com")

_around = st.lists(st.one_of(_number, _piece), max_size=6).map("".join)


def _one_of_each(pieces: tuple[str, ...], parts: list[str]) -> str:
    return "".join(part + piece for part, piece in zip(parts, pieces, strict=True))


rich_mixes = st.tuples(
    st.tuples(*map(st.sampled_from, (_ADDRESSES, _TABLES, _CJK, _ARITHMETIC, _NAMES))).flatmap(st.permutations),
    st.lists(_around, min_size=5, max_size=5),
).map(lambda both: _one_of_each(tuple(both[0]), both[1]))
"""Mixes with at least an address, a table with code, CJK, arithmetic and a name that looks like an address."""

plain_mixes = st.lists(
    st.one_of(_number, *map(st.sampled_from, (_ADDRESSES, _TABLES, _CJK, _ARITHMETIC, _NAMES))), min_size=1, max_size=12
).map(" ".join)
"""The same without anything broken."""
