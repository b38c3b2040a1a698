"""CommonMark's own examples, out of the npm package of its specification; nothing of it is committed.

python -m tests.render.spec     lists the examples in which we differ
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.render.forms import View, page, playground, tokens
from tests.render.judges import WORD

PACKAGE: Final = "commonmark-spec@0.31.2"
CACHE: Final = Path(__file__).parents[2] / ".artifacts" / "commonmark"
_EXAMPLE: Final = re.compile(r"^`{32} example[^\n]*\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)


class Unreachable(Exception):
    """The examples cannot be had on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example: its number, what is written, and the HTML that the specification makes of it."""

    number: int
    markdown: str
    html: str

    def differs(self) -> bool:
        """True if our words, signs or pieces of code are not those of the specification, in their order."""
        theirs, ours = page(self.html), playground(self.markdown)
        return tokens(theirs.text) != tokens(ours.text) or _code(theirs) != _code(ours)

    def lost(self) -> list[str]:
        """The words of the specification's HTML that we do not show, or not in their order."""
        at, text, missing = 0, playground(self.markdown).text, []
        for word in WORD.findall(page(self.html).text):
            place = text.find(word, at)
            if place < 0:
                missing.append(word)
            else:
                at = place + len(word)
        return missing


def _code(view: View) -> list[str]:
    return [piece.rstrip("\n") for piece in view.code]


def examples() -> list[Example]:
    """Read the examples; fetch the package first, if it is not there."""
    text = _spec().read_text(encoding="utf-8").replace("→", "\t")
    return [Example(number, *pair) for number, pair in enumerate(_EXAMPLE.findall(text), 1)]


def _spec() -> Path:
    spec = CACHE / "package" / "spec.txt"
    if spec.exists():
        return spec
    CACHE.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), PACKAGE]
    try:
        done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, timeout=120, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Unreachable(f"{PACKAGE} cannot be fetched: {error}") from None
    if done.returncode:
        raise Unreachable(f"{PACKAGE} cannot be fetched: npm said {done.stderr.strip()[-200:] or done.returncode}")
    with tarfile.open(CACHE / done.stdout.split()[-1]) as archive:
        member = archive.extractfile("package/spec.txt")
        if member is None:
            raise Unreachable(f"{PACKAGE} has no spec.txt")
        spec.parent.mkdir(exist_ok=True)
        spec.write_bytes(member.read())
    return spec


def main() -> None:
    """List the examples in which we differ, with what each side shows."""
    for example in examples():
        if example.differs():
            ours, theirs = playground(example.markdown), page(example.html)
            print(example.number, repr(example.markdown), repr(theirs.text), repr(ours.text), sep="\n    ")


if __name__ == "__main__":
    main()
