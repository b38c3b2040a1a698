"""The examples of CommonMark and of GitHub's extensions, out of packages that carry them; nothing of it is committed.

python -m tests.render.spec     lists the examples in which we differ
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from tests.render.forms import View, page, playground, tokens
from tests.render.judges import WORD

COMMONMARK: Final = "commonmark-spec@0.31.2"
"""On npm: the specification itself."""
GITHUB: Final = "marko==2.2.4"
"""On PyPI: a parser whose source distribution has GitHub's specification among its tests."""
CACHE: Final = Path(__file__).parents[2] / ".artifacts" / "specifications"
_NPM: Final = ("npm", "pack", "--silent", COMMONMARK)
_PIP: Final = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", GITHUB)
_EXAMPLE: Final = re.compile(r"^`{32} example[^\n]*\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)
_EXTENSION: Final = re.compile(r"^`{32} example [a-z]+\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)


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
    """Read CommonMark's examples; fetch the package first, if it is not there."""
    text = _file(_NPM, "*.tgz", "package/spec.txt")
    return [Example(number, *pair) for number, pair in enumerate(_EXAMPLE.findall(text), 1)]


def extensions() -> list[Example]:
    """Read the examples of GitHub's extensions; fetch the package first, if it is not there."""
    text = _file(_PIP, "*.tar.gz", "*/tests/spec/gfm.txt")
    return [Example(number, *pair) for number, pair in enumerate(_EXTENSION.findall(text), 1)]


def _file(command: Sequence[str], archive: str, name: str) -> str:
    """The text of a file of a package, with the tabs that its arrows stand for."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (found := [*CACHE.glob(archive)]):
        try:
            done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, timeout=240, check=False)
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise Unreachable(f"{command[-1]} cannot be fetched: {error}") from None
        if done.returncode or not (found := [*CACHE.glob(archive)]):
            raise Unreachable(f"{command[-1]} cannot be fetched: {done.stderr.strip()[-200:] or done.returncode}")
    with tarfile.open(found[0]) as package:
        for member in package.getmembers():
            if fnmatch(member.name, name) and (content := package.extractfile(member)):
                return content.read().decode().replace("→", "\t")
    raise Unreachable(f"{command[-1]} has no {name}")


def main() -> None:
    """List the examples in which we differ, with what each side shows."""
    for example in (*examples(), *extensions()):
        if example.differs():
            ours, theirs = playground(example.markdown), page(example.html)
            print(example.number, repr(example.markdown), repr(theirs.text), repr(ours.text), sep="\n    ")


if __name__ == "__main__":
    main()
