"""What is counted of an answer in each form: words, code and addresses kept, links nobody meant, what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from markdown_it.common.normalize_url import normalizeLink

from tests.render.answers import paths, read
from tests.render.forms import FORMS, JOINER, PLAIN, View, shown, tokens
from tests.render.kinds import Kind, kinds

COLUMNS: Final = ("answers", "refused", "live", "words", "code", "addresses", "unmeant")
_LINKING: Final = ("slack", "telegram", "playground", "slack preview", "telegram plain")
"""Forms in which links can be counted; in other plain text an address only has to stand there whole, and the preview of
Telegram does not draw the mail addresses that Telegram links by itself."""


def faults(kind: Kind, form: str, view: View) -> list[tuple[str, str]]:
    """What a form gets wrong about an answer: the column of the table, and the words for it."""
    found = [("live" if "live" in problem else "refused", problem) for problem in view.problems]
    found += [("words", line) for line in _lost(kind, form, view)]
    found += [("code", piece) for piece in kind.code if not _has_code(piece, form, view)]
    meant = {normalizeLink(link) for link in kind.links}
    given = {_target(link, meant) for link in view.links}
    if form in _LINKING:
        found += [("addresses", link) for link in meant - given]
    elif form in PLAIN:
        text = view.text.replace(JOINER, "")
        text += "".join(map(normalizeLink, text.split())) if not text.isascii() else ""
        addresses = {link: link.removeprefix("mailto:").removeprefix("http://") for link in kind.links}
        found += [("addresses", link) for link, address in addresses.items() if address not in text]
    found += [("unmeant", link) for link in given - meant]
    return found


def _target(link: str, meant: set[str]) -> str:
    """What a client opens for the words that it links by itself."""
    with_scheme = link if ":" in link else f"http://{link}"
    return normalizeLink(with_scheme) if normalizeLink(with_scheme) in meant else normalizeLink(link)


def _words(text: str, struck: bool) -> list[str]:
    return [token for token in tokens(text) if not (struck and token == "~")]


def _lost(kind: Kind, form: str, view: View) -> Iterable[str]:
    """The visible lines that are not there, or not in their order."""
    if form in PLAIN:  # an address may follow a label, a space an address: the words alone are compared
        struck = "~" in kind.markdown  # may stand on either side of what is struck out
        at, words = 0, _words(view.text, struck)
        for line in kind.shown:
            wanted = _words(line, struck)
            place = next((i for i in range(at, len(words) + 1) if words[i : i + len(wanted)] == wanted), None)
            if place is None:
                yield line
            else:
                at = place + len(wanted)
        return
    at, text = 0, shown(view.text)
    for line in map(shown, kind.shown):
        place = text.find(line, at)
        if place < 0:
            yield line
        else:
            at = place + len(line)


def _has_code(piece: str, form: str, view: View) -> bool:
    if form in PLAIN:
        # Platforms take white space off the ends of a message; only plain text proper keeps that of code there.
        return (piece if form == "plain text" else piece.strip()) in view.text.replace(JOINER, "")
    return any(piece in given for given in view.code)


def table(answers: Sequence[Kind] = ()) -> dict[str, Counter[str]]:
    """Count every form over the answers of our kinds, and what is refused or live over all there are."""
    answers = answers or kinds()
    rows: dict[str, Counter[str]] = {}
    for form, make in FORMS.items():
        row = rows[form] = Counter(dict.fromkeys(COLUMNS, 0))
        for kind in answers:
            view = make(kind.markdown)
            row["answers"] += 1
            row["words of"] += len(kind.shown)
            row["code of"] += len(kind.code)
            row["addresses of"] += len(kind.links)
            row.update(column for column, _ in faults(kind, form, view))
        for path in paths():
            row["answers"] += 1
            row.update("live" if "live" in problem else "refused" for problem in make(read(path)).problems)
    return rows
