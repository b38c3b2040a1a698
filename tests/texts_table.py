"""Prints every text in every language, to be read through: `python -m tests.texts_table [LANGUAGE…]`."""

from __future__ import annotations

import sys

from bot import texts
from tests.test_texts import SAMPLES


def main() -> None:
    """Print them."""
    for name in sorted(texts.names("en")):
        print(f"\n── {name}")
        for language in sys.argv[1:] or texts.languages():
            print(f"{language}  {texts.say(name, language, **SAMPLES)}".replace("\n", "\n    "))


if __name__ == "__main__":
    main()
